"""Open directories: no link is followed, and nothing but a plain file is read or waited for."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import stat
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from fsgitops.durable import EXCHANGE, NOREPLACE, UNSUPPORTED, closing, renameat2, write_all

if TYPE_CHECKING:
    from collections.abc import Iterator

FILE_MODE: Final = 0o640
PRIVATE_MODE: Final = 0o700
SIZE_LIMIT: Final = 512 << 20
"""No file of ours is longer: 100,000 agents make a manifest and a record of 60 MB each."""

NOT_A_FILE = "not a plain file"
FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_PLAIN_FLAGS = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY


class Folder:
    """An open directory: what is done in it is done there, wherever its path leads meanwhile.

    Its methods take names of one part, and raise OSError with the whole path in it.
    """

    __slots__ = ("descriptor", "path")

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self.descriptor = descriptor

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close it; what is in it stays."""
        os.close(self.descriptor)

    def status(self, name: str) -> os.stat_result | None:
        """Return what stands at a name (a link is not followed), None for nothing."""
        try:
            return os.stat(name, dir_fd=self.descriptor, follow_symlinks=False)
        except FileNotFoundError:
            return None

    def names(self) -> list[str]:
        """Return the names in the directory."""
        return os.listdir(self.descriptor)  # noqa: PTH208 - of an open directory

    def open_folder(self, name: str) -> Self:
        """Open a directory in this one."""
        with self._naming(name):
            descriptor = os.open(name, FOLDER_FLAGS, dir_fd=self.descriptor)
        return self._inner(name, descriptor)

    def make_folder(self, name: str, mode: int = PRIVATE_MODE) -> Self:
        """Make a directory in this one where there is none, and open it."""
        with self._naming(name), suppress(FileExistsError):
            os.mkdir(name, mode, dir_fd=self.descriptor)
        return self.open_folder(name)

    @contextmanager
    def open_plain(self, name: str, flags: int, mode: int = FILE_MODE) -> Iterator[int]:
        """Hold a plain file open, and yield its descriptor. Nothing else is waited for."""
        try:
            descriptor = os.open(name, flags | _PLAIN_FLAGS, mode, dir_fd=self.descriptor)
        except OSError as problem:
            problem.filename = str(self.path / name)
            raise
        try:
            if not flags & os.O_EXCL:  # what was made by this call is a plain file
                self._require_plain(name, os.fstat(descriptor))
            yield descriptor
        finally:
            os.close(descriptor)

    def read(self, name: str, limit: int = SIZE_LIMIT) -> bytes:
        """Return the bytes of a plain file of at most `limit` bytes."""
        content = bytearray()
        with self.open_plain(name, os.O_RDONLY) as descriptor:
            wanted = os.fstat(descriptor).st_size + 1
            while len(content) <= limit and (part := os.read(descriptor, min(wanted, limit + 1))):
                content += part
        if len(content) > limit:
            raise OSError(errno.EFBIG, f"longer than {limit} bytes", str(self.path / name))
        return bytes(content)

    def write(self, name: str, content: bytes, *, synced: bool = True) -> None:
        """Write a file that is not there yet (0640), and sync it."""
        with self.open_plain(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL) as descriptor:
            os.fchmod(descriptor, FILE_MODE)  # whatever the umask leaves
            write_all(descriptor, content)
            if synced:
                os.fsync(descriptor)

    def replace(self, name: str, content: bytes, *, synced: bool = True) -> None:
        """Write a file aside, sync it, rename it into place (0640), sync the directory.

        Without `synced` it is whole too, and need not outlive a power failure.
        """
        aside = name + ".next"
        self.remove(aside)
        self.write(aside, content, synced=synced)
        move(self, aside, self, name)
        if synced:
            self.sync()

    def remove(self, name: str) -> None:
        """Remove a file, a link or a whole tree; what is not there is no error."""
        with self._naming(name), suppress(FileNotFoundError):
            try:
                os.unlink(name, dir_fd=self.descriptor)
            except (IsADirectoryError, PermissionError):  # which of them is the system's choice
                found = self.status(name)
                if found is None or not stat.S_ISDIR(found.st_mode):
                    raise
                shutil.rmtree(name, dir_fd=self.descriptor)

    def sync(self) -> None:
        """Bring the directory's names to the disk."""
        with self._naming(""):
            os.fsync(self.descriptor)

    def sync_file(self, name: str) -> None:
        """Bring a plain file to the disk; anything else is left alone."""
        with self._naming(name):
            opened = os.open(name, os.O_RDONLY | _PLAIN_FLAGS, dir_fd=self.descriptor)
            with closing(opened) as descriptor:
                if stat.S_ISREG(os.fstat(descriptor).st_mode):
                    os.fsync(descriptor)

    def hash(self, name: str) -> str:
        """Return the hex sha256 of a plain file, "" where nothing stands, else NOT_A_FILE."""
        return hash_file(name, self.descriptor)

    def _inner(self, name: str, descriptor: int) -> Self:
        """Return the folder that was opened in this one."""
        return type(self)(self.path / name, descriptor)

    def _require_plain(self, name: str, status: os.stat_result) -> None:
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, NOT_A_FILE, str(self.path / name))

    @contextmanager
    def _naming(self, name: str) -> Iterator[None]:
        try:
            yield
        except OSError as problem:
            problem.filename = str(self.path / name) if name else str(self.path)
            raise


def move(source: Folder, name: str, target: Folder, other: str) -> None:
    """Rename a file from one open directory into another, over whatever file stands there."""
    try:
        os.rename(name, other, src_dir_fd=source.descriptor, dst_dir_fd=target.descriptor)
    except OSError as problem:
        problem.filename, problem.filename2 = str(target.path / other), None
        raise


def exchange(source: Folder, name: str, target: Folder, other: str) -> bool:
    """Let two files change places in one step; False where this file system cannot.

    Raises OSError, FileNotFoundError when one of them is not there.
    """
    return _rename_with(source, name, target, other, EXCHANGE)


def link(source: Folder, name: str, target: Folder, other: str) -> None:
    """Give a file a second name, where nothing stands. Raises OSError."""
    os.link(
        name, other, src_dir_fd=source.descriptor, dst_dir_fd=target.descriptor,
        follow_symlinks=False,
    )  # fmt: skip


def place(source: Folder, name: str, target: Folder, other: str) -> None:
    """Rename a file to where nothing stands. Raises FileExistsError, or another OSError."""
    if _rename_with(source, name, target, other, NOREPLACE):
        return
    try:
        link(source, name, target, other)
    except FileExistsError as problem:
        problem.filename, problem.filename2 = str(target.path / other), None
        raise
    except OSError:  # a file system without links: what is left is to look first
        if target.status(other) is not None:
            where = str(target.path / other)
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), where) from None
        move(source, name, target, other)
        return
    source.remove(name)


def _rename_with(source: Folder, name: str, target: Folder, other: str, flags: int) -> bool:
    try:
        renameat2(source.descriptor, name, target.descriptor, other, flags)
    except OSError as problem:
        if problem.errno in UNSUPPORTED:
            return False
        problem.filename = str(target.path / other)
        raise
    return True


def mount_of(folder: Folder) -> tuple[int, int]:
    """Return what two folders share that files can be renamed between: file system and mount.

    A bind mount has the device number of what it shows; only its mount number tells it apart.
    """
    device = os.fstat(folder.descriptor).st_dev
    try:
        lines = Path(f"/proc/self/fdinfo/{folder.descriptor}").read_text(encoding="ascii")
    except OSError:
        return device, 0
    return device, int(lines.partition("mnt_id:")[2].split(maxsplit=1)[0])


def hash_file(name: str | Path, folder: int | None = None) -> str:
    """Return the hex sha256 of a regular file, "" where nothing stands.

    For a link, a folder or anything else that is not a regular file, return NOT_A_FILE: it is
    neither followed nor opened for longer than it takes to see that.
    """
    try:
        descriptor = os.open(name, os.O_RDONLY | _PLAIN_FLAGS, dir_fd=folder)
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except OSError as problem:
        if problem.errno in (errno.ELOOP, errno.ENXIO):
            return NOT_A_FILE
        raise
    with closing(descriptor):
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return NOT_A_FILE
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
