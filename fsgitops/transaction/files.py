"""The conf directory's side of a transaction: its folders, and the files that are staged for it."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Self

from fsgitops.durable import give, write_all
from fsgitops.transaction.folder import (
    FILE_MODE,
    FOLDER_FLAGS,
    PRIVATE_MODE,
    Folder,
    link,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

SYNC_WHOLE_ABOVE = 64
"""From this many files on, one sync of the file system is cheaper than an fsync of each."""
CHANGED = "somebody else changed it meanwhile"
_OPEN_AT_ONCE = 64


def folder_of(path: str) -> str:
    """Return the folder of a path below the conf directory, "" for that directory."""
    return path.rpartition("/")[0]


def expect(folder: Folder, name: str, before: str, where: str) -> None:
    """Raise OSError unless the file has the hash `before`."""
    if folder.hash(name) != before:
        raise OSError(errno.EBUSY, CHANGED, where)


class ConfDir:
    """The conf directory: its folders are opened without ever leaving it.

    A link to a folder inside is fine. One that leads out, or that takes a folder's place while it
    is opened, is refused with OSError.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.is_dir():
            raise OSError(errno.ENOENT, "the conf directory is not there", str(path))
        self._root = os.path.realpath(path)
        self._open: dict[str, Folder] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.look_again()

    def look_again(self) -> None:
        """Open every folder anew from here on: another one may stand in its place."""
        for folder in self._open.values():
            folder.close()
        self._open.clear()

    def open(self, name: str) -> Folder:
        """Open a folder by its path below the conf directory ("" for itself), for as long as this.

        Raises FileNotFoundError when it is not there.
        """
        found = self._open.get(name)
        if found is None:
            if len(self._open) >= _OPEN_AT_ONCE:
                self.look_again()
            found = self._open[name] = self.open_apart(name)
        return found

    def find(self, name: str) -> Folder | None:
        """Open a folder as `open` does; None when it is not there."""
        try:
            return self.open(name)
        except (FileNotFoundError, NotADirectoryError):
            return None

    def nearest(self, name: str) -> tuple[str, Folder]:
        """Return the folder, or the nearest one above it that is there, and its name."""
        while name:
            if (found := self.find(name)) is not None:
                return name, found
            name = folder_of(name)
        return name, self.open(name)

    def make(self, name: str) -> Folder:
        """Create a folder, and those above it, with the group and mode of the one it is made in.

        FreeSWITCH may read the conf directory through its group only: what is made there must be as
        readable as what surrounds it.
        """
        if (found := self.find(name)) is not None:
            return found
        above, _, last = name.rpartition("/")
        parent = self.make(above)
        like = os.fstat(parent.descriptor)
        with parent.make_folder(last, PRIVATE_MODE) as made:
            give(made.descriptor, -1, like.st_gid)
            os.fchmod(made.descriptor, stat.S_IMODE(like.st_mode))
        return self.open(name)

    def refuse_outside(self, names: Iterable[str]) -> None:
        """Raise OSError when one of these folders leads out of the conf directory."""
        for name in names:
            self.find(name)

    def open_apart(self, name: str) -> Folder:
        """Open a folder as `open` does, for the caller to close."""
        real = Path(os.path.realpath(self.path / name))
        if not real.is_relative_to(self._root):
            where = str(self.path / name)
            raise OSError(errno.ELOOP, "a link leads out of the conf directory", where)
        descriptor = os.open(self._root, FOLDER_FLAGS)
        for part in real.relative_to(self._root).parts:
            above = descriptor
            try:
                descriptor = os.open(part, FOLDER_FLAGS, dir_fd=above)
            except OSError as problem:
                problem.filename = str(self.path / name)
                raise
            finally:
                os.close(above)
        return Folder(self.path / name, descriptor)


def stage_file(
    staged: Folder,
    name: str,
    content: bytes,
    *,
    like: os.stat_result | None,
    group: int,
    where: Callable[[], str],
) -> None:
    """Write a file that is to be renamed into place, with the owner and mode that it will have.

    `like` is what it replaces; without it the file is 0640 with `group`. A user who may not give
    files away becomes its owner; the group and the mode stay. Raises OSError, naming `where` it
    is to stand, when neither the owner nor the group can be kept.
    """
    with staged.open_plain(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL) as descriptor:
        write_all(descriptor, content)
        wanted, mode = (
            like.st_gid if like else group,
            stat.S_IMODE(like.st_mode) if like else FILE_MODE,
        )
        found = os.fstat(descriptor)
        if found.st_gid != wanted or (like and found.st_uid != like.st_uid):
            give(descriptor, like.st_uid if like else -1, wanted)
            found = os.fstat(descriptor)
        if like and found.st_uid != like.st_uid and found.st_gid != wanted:
            raise OSError(
                errno.EPERM,
                "a new file could keep neither its owner nor its group, so FreeSWITCH might not "
                f"read it: join its group (gid {wanted})",
                where(),
            )
        if stat.S_IMODE(found.st_mode) != mode:
            os.fchmod(descriptor, mode)


def link_or_copy(source: Folder, name: str, target: Folder, other: str) -> None:
    """Keep a file under a second name: a hard link, or a copy where links cannot be made."""
    try:
        link(source, name, target, other)
    except OSError:
        copy_file(source, name, target, other)


def copy_file(source: Folder, name: str, target: Folder, other: str) -> None:
    """Copy a plain file with its owner, mode and times."""
    with (
        source.open_plain(name, os.O_RDONLY) as reading,
        target.open_plain(other, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600) as writing,
    ):
        like = os.fstat(reading)
        while part := os.read(reading, 1 << 20):
            write_all(writing, part)
        give(writing, like.st_uid, like.st_gid)
        os.fchmod(writing, stat.S_IMODE(like.st_mode))
        os.utime(writing, ns=(like.st_atime_ns, like.st_mtime_ns))


def sync_files(folders: Sequence[Folder], count: int) -> None:
    """Bring every file in these folders to the disk; `count` is how many there are."""
    if count > SYNC_WHOLE_ABOVE:
        os.sync()
        return
    for folder in folders:
        for name in folder.names():
            folder.sync_file(name)
        folder.sync()


def describe_problem(problem: OSError) -> str:
    """Return where the file system refused, and why."""
    where = problem.filename or "the conf directory"
    return f"{where}: {problem.strerror or problem}"
