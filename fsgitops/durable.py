"""Files that are there whole or not at all, also after a power failure: the one atomic write."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NOREPLACE, EXCHANGE = 1, 2  # include/uapi/linux/fs.h
UNSUPPORTED = (errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP, errno.EPERM)
"""What says that renameat2 cannot be had; EPERM: of a sandbox that does not know the call."""
_HERE = -100  # AT_FDCWD of include/uapi/linux/fcntl.h
_CANNOT_REPLACE = (errno.EACCES, errno.EPERM, errno.EBUSY, errno.EROFS)
"""What a folder answers that nobody may write, or a file that is a mount of its own."""
IGNORE_FILE = ".gitignore"


def replace_file(
    path: Path, content: bytes, *, mode: int | None = None, before: bytes | None = None
) -> None:
    """Put `content` at `path` at once: written aside, synced, renamed, the folder synced.

    Whatever interrupts this leaves the old bytes or the new ones. A link stays a link, and what it
    names is replaced. What is replaced keeps its owner (as far as this user may give it away) and,
    without `mode`, its permissions; a fresh file has those that the umask leaves. With `before`, it
    is replaced only as long as that is what it holds: both change places, and what came out is
    looked at. Raises OSError, with nothing changed and nothing left aside.
    """
    real = Path(os.path.realpath(path))
    with suppress(FileNotFoundError):
        found = real.stat()
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, "not a plain file", str(path))
        _write_aside(real, content, found, mode, before)
        return
    _write_aside(real, content, None, mode)


def create_file(path: Path, content: bytes, *, mode: int = 0o666) -> None:
    """Put `content` at `path`, whole and synced, where nothing stands.

    Raises FileExistsError for whatever stands there (a link as well), OSError otherwise.
    """
    aside = _aside(path)
    try:
        with _naming(path):
            _write_new(aside, content, mode)
            # A link, unlike a rename, replaces nothing.
            os.link(aside, path, follow_symlinks=False)
    finally:
        aside.unlink(missing_ok=True)
    sync_folder(path.parent)


def write_output(path: Path, content: bytes) -> None:
    """Write a report or a plan where the user said, whole where that can be had.

    A pipe or a device is written to. So is a file whose folder lets nobody make another one, or
    that is a mount of its own. Raises OSError.
    """
    if path.exists() and not path.is_file():
        path.write_bytes(content)
        return
    try:
        replace_file(path, content)
    except OSError as problem:
        if problem.errno not in _CANNOT_REPLACE or not path.is_file():
            raise
        path.write_bytes(content)


def ignore_folder(folder: Path) -> None:
    """Make a folder of our own, with a `.gitignore` for all that is in it. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with suppress(FileExistsError):
        create_file(folder / IGNORE_FILE, b"*\n", mode=0o644)


def sync_folder(path: Path | int) -> None:
    """Bring a folder's names to the disk; it is named, or open. Raises OSError."""
    if isinstance(path, int):
        os.fsync(path)
        return
    with closing(os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)) as descriptor:
        os.fsync(descriptor)


@contextmanager
def closing(descriptor: int) -> Iterator[int]:
    """Yield what is open, and close it."""
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def write_all(descriptor: int, content: bytes) -> None:
    """Write all of it: `os.write` may take less than it is given."""
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def give(place: Path | int, owner: int, group: int) -> None:
    """Give a file its owner and group, as far as this user may."""
    try:
        os.chown(place, owner, group)
    except PermissionError:
        with suppress(PermissionError):
            os.chown(place, -1, group)


def _write_aside(
    real: Path,
    content: bytes,
    found: os.stat_result | None,
    mode: int | None,
    before: bytes | None = None,
) -> None:
    aside = _aside(real)
    try:
        with _naming(real):
            _write_new(aside, content, 0o666 if mode is None else mode, like=found, exact=mode)
            if before is None:
                aside.replace(real)
            else:
                _exchange(aside, real, before)
    except BaseException:
        with suppress(OSError):
            aside.unlink(missing_ok=True)
        raise
    sync_folder(real.parent)


def _exchange(aside: Path, real: Path, before: bytes) -> None:
    """Let both change places when `real` holds `before`; else all stays. Raises OSError."""
    changed = OSError(
        errno.EBUSY, "somebody else saved it meanwhile; it was not changed; run it again", str(real)
    )
    try:
        renameat2(_HERE, str(aside), _HERE, str(real), EXCHANGE)
    except OSError as problem:
        if problem.errno not in UNSUPPORTED:
            raise
        if real.read_bytes() != before:
            raise changed from None
        aside.replace(real)
        return
    if aside.read_bytes() != before:
        renameat2(_HERE, str(aside), _HERE, str(real), EXCHANGE)
        raise changed
    sync_folder(real.parent)
    aside.unlink()


def _write_new(
    aside: Path,
    content: bytes,
    mode: int,
    *,
    like: os.stat_result | None = None,
    exact: int | None = None,
) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    # Nobody may read more of it, while it is written, than of what it replaces.
    with closing(os.open(aside, flags, 0o600 if like is not None else mode)) as descriptor:
        if like is not None:
            give(descriptor, like.st_uid, like.st_gid)
            os.fchmod(descriptor, stat.S_IMODE(like.st_mode) if exact is None else exact)
        elif exact is not None:
            os.fchmod(descriptor, exact)
        write_all(descriptor, content)
        os.fsync(descriptor)


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Say which file it was that could not be written: nobody knows of the one aside."""
    try:
        yield
    except OSError as problem:
        gone = problem.errno == errno.ENOENT
        why = "no such directory" if gone else problem.strerror or str(problem)
        raise OSError(problem.errno, why, str(path)) from problem


def _aside(path: Path) -> Path:
    """Return a hidden name beside the path, of a length that fits, and of nobody else's."""
    return path.with_name(f".fsgitops.{secrets.token_hex(6)}.tmp")


def renameat2(source: int, name: str, target: int, other: str, flags: int) -> None:
    """Rename with flags as the system call of this name does.

    Raises OSError: ENOSYS where there is no such call, EINVAL where a file system has not got it.
    """
    import ctypes

    call = _load_renameat2()
    if call is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    if call(source, os.fsencode(name), target, os.fsencode(other), flags) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


@cache
def _load_renameat2() -> Callable[..., int] | None:
    import ctypes

    try:
        call = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError):
        return None
    call.argtypes = [ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint]
    call.restype = ctypes.c_int
    return cast("Callable[..., int]", call)
