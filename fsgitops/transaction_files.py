"""The file operations of a transaction: synced, through no link, out of no directory."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import stat
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

FILE_MODE = 0o640
STATE_MODE = 0o750
PRIVATE_MODE = 0o700
SYNC_WHOLE_ABOVE = 64
"""From this many files on, one sync of the file system is cheaper than an fsync of each."""

NOT_A_FILE = "not a plain file"


def hash_file(path: Path) -> str:
    """Return the hex sha256 of a regular file, "" where nothing stands.

    For a link, a folder or anything else that is not a regular file, return NOT_A_FILE: it is
    neither followed nor opened for longer than it takes to see that.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except OSError as problem:
        if problem.errno in (errno.ELOOP, errno.ENXIO):
            return NOT_A_FILE
        raise
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return NOT_A_FILE
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    finally:
        os.close(descriptor)


def make_state(state_dir: Path) -> None:
    """Create the state directory, durably, where it is missing.

    Raises OSError when it is a link: who may write the conf directory could have everything that
    is written there, as another user perhaps, end up elsewhere.
    """
    if state_dir.is_symlink():
        raise OSError(errno.ELOOP, "the state directory is a link; move it here", str(state_dir))
    if state_dir.is_dir():
        return
    state_dir.mkdir(parents=True, exist_ok=True, mode=STATE_MODE)
    sync_folder(state_dir.parent)


def write_state(path: Path, content: bytes) -> None:
    """Write a file of the state directory aside, sync it and rename it into place (0640)."""
    make_state(path.parent)
    aside = path.with_name(path.name + ".next")
    write_synced(aside, content)
    aside.replace(path)
    sync_folder(path.parent)


def write_synced(path: Path, content: bytes) -> None:
    """Write a file that only its owner and its group may read, and sync it."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, FILE_MODE)
    try:
        write_all(descriptor, content)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_all(descriptor: int, content: bytes) -> None:
    """Write all of it: `os.write` may take less than it is given."""
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def stage_file(staged: Path, content: bytes, *, like: os.stat_result | None, folder: Path) -> None:
    """Write a file that is to be renamed into place, with the owner and mode that it will have.

    `like` is what it replaces; without it the file is 0640 with the group of `folder`, or of the
    nearest folder above it that exists.
    """
    descriptor = os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
    try:
        write_all(descriptor, content)
        group = like.st_gid if like else _nearest(folder).stat().st_gid
        _give(descriptor, like.st_uid if like else -1, group)
        os.fchmod(descriptor, stat.S_IMODE(like.st_mode) if like else FILE_MODE)
    finally:
        os.close(descriptor)


def make_folder(folder: Path) -> None:
    """Create a folder, and those above it, with the group and mode of the one it is made in.

    FreeSWITCH may read the conf directory through its group only: what is made there must be as
    readable as what surrounds it.
    """
    if folder.is_dir():
        return
    make_folder(folder.parent)
    above = folder.parent.stat()
    folder.mkdir(mode=PRIVATE_MODE)
    _give(folder, -1, above.st_gid)
    folder.chmod(stat.S_IMODE(above.st_mode))


def link_or_copy(source: Path, backup: Path) -> None:
    """Keep a file under a second name: a hard link, or a copy where links cannot be made."""
    try:
        os.link(source, backup, follow_symlinks=False)
    except OSError:
        shutil.copy2(source, backup, follow_symlinks=False)
        status = source.lstat()
        _give(backup, status.st_uid, status.st_gid)


def refuse_outside(conf_dir: Path, paths: Iterable[str]) -> None:
    """Raise OSError when a folder that a path goes through leads out of the conf directory.

    And when that directory is not there: what is gone as a whole is not made anew.
    """
    if not conf_dir.is_dir():
        raise OSError(errno.ENOENT, "the conf directory is not there", str(conf_dir))
    root = conf_dir.resolve()
    for folder in {conf_dir / path.rpartition("/")[0] for path in paths}:
        if not folder.resolve().is_relative_to(root):
            raise OSError(errno.ELOOP, "a link leads out of the conf directory", str(folder))


def sync_files(folders: Iterable[Path], count: int) -> None:
    """Bring every file in these folders to the disk; `count` is how many there are."""
    if count > SYNC_WHOLE_ABOVE:
        os.sync()
        return
    for folder in folders:
        for path in folder.iterdir():
            if path.is_symlink() or not path.is_file():
                continue
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        sync_folder(folder)


def sync_folder(path: Path) -> None:
    """Bring a folder's names to the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def describe_problem(problem: OSError) -> str:
    """Return where the file system refused, and why."""
    where = problem.filename or "the conf directory"
    return f"{where}: {problem.strerror or problem}"


def _give(place: Path | int, owner: int, group: int) -> None:
    """Give a file its owner and group, as far as this user may."""
    try:
        os.chown(place, owner, group)
    except PermissionError:
        with suppress(PermissionError):
            os.chown(place, -1, group)


def _nearest(folder: Path) -> Path:
    return folder if folder.is_dir() else _nearest(folder.parent)
