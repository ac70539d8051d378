"""Files on a local disk, in directories that others may write as well."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from fsgitops.durable import closing, replace_file, sync_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
# A name that is a FIFO by now opens at once, and is then seen to be one.
_FILE = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_NOCTTY | os.O_CLOEXEC


def put_local(path: Path, body: Any) -> None:
    """Write aside, sync, rename, sync the directory. The file aside is gone when this raises."""
    made = not path.parent.is_dir()
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, body)
    if made:
        sync_folder(path.parent.parent)


def is_half_written(name: str) -> bool:
    """Tell whether a file is being written, or was when its writer was killed."""
    return name.startswith(".") and name.endswith(".tmp")


def is_data(name: str) -> bool:
    """Tell whether a file of a day holds records (and not a commit, or a half-written file)."""
    return name.endswith(".parquet") and not name.startswith(("_", "."))


def delete_in(folder: Path, names: Iterable[str]) -> None:
    """Delete files of a directory that is no link, and sync it; what is gone already is no error.

    Raises OSError.
    """
    try:
        handle = os.open(folder, _FOLDER | os.O_NOFOLLOW)
    except FileNotFoundError:
        return
    with closing(handle):
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(name, dir_fd=handle)
        sync_folder(handle)


def read_below(root: Path, path: str | Path, limit: int) -> tuple[bytes, os.stat_result]:
    """Return the bytes of a plain file below a directory, and what it was when they were read.

    No link below `root` is followed, and nothing is waited for. Raises OSError, also for a link, a
    FIFO or another thing that is no file, and for more than `limit` bytes.
    """
    with open_below(root, path) as (file, found):
        body = file.read(limit + 1) if found.st_size <= limit else b""
    if max(found.st_size, len(body)) > limit:
        raise OSError(errno.EFBIG, f"larger than {limit} bytes", str(path))
    return body, found


@contextlib.contextmanager
def open_below(root: Path, path: str | Path) -> Iterator[tuple[BinaryIO, os.stat_result]]:
    """Hold a plain file below a directory open, as `read_below` does. Raises OSError."""
    with _folder_of(root, path) as (folder, name):
        handle = os.open(name, _FILE, dir_fd=folder)
    with closing(handle):
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, "not a plain file", str(path))
        yield os.fdopen(handle, "rb", closefd=False), found


def remove_below(root: Path, path: str | Path, size: int, mtime_ns: int) -> bool:
    """Remove a plain file below a directory if it is as it was read; tell whether it was removed.

    One that changed meanwhile stays: nobody has kept what it holds now. Raises OSError.
    """
    with _folder_of(root, path) as (folder, name):
        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
        as_read = (found.st_size, found.st_mtime_ns) == (size, mtime_ns)
        if as_read and stat.S_ISREG(found.st_mode):
            os.unlink(name, dir_fd=folder)
            return True
    return False


@contextlib.contextmanager
def _folder_of(root: Path, path: str | Path) -> Iterator[tuple[int, str]]:
    """Open the directory of a path below `root`, step by step; yield it, and the path's name."""
    *folders, name = Path(path).relative_to(root).parts
    with contextlib.ExitStack() as opened:
        here = opened.enter_context(closing(os.open(root, _FOLDER)))
        for folder in folders:
            inner = os.open(folder, _FOLDER | os.O_NOFOLLOW, dir_fd=here)
            here = opened.enter_context(closing(inner))
        yield here, name
