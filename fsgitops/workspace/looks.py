"""What files look like, as digests: by their bytes where these are read, else by their status."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class UnsuitedError(Exception):
    """Something cannot be known again by its looks."""


class State:
    """A digest of values, none of which can run into the next."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def add(self, *values: object) -> None:
        """Add bytes as they are, and anything else as Python shows it."""
        for value in values:
            data = value if isinstance(value, bytes) else repr(value).encode()
            self._hash.update(b"%d:" % len(data))
            self._hash.update(data)

    def digest(self) -> bytes:
        """Return the digest of what was added so far, in its order."""
        return self._hash.digest()


def walk(top: str, state: State, is_left_out: Callable[[os.DirEntry[str]], bool]) -> int:
    """Add the status of everything below a folder; return when anything changed last (ctime).

    A folder's own times tell that something came and went. A link to a file stands for that file as
    well. Folders may be left out. Raises UnsuitedError for a link to a folder, OSError for what
    cannot be seen.
    """
    newest, folders = 0, [top]
    while folders:
        folder = folders.pop()
        status = Path(folder).stat(follow_symlinks=False)
        newest = max(newest, status.st_ctime_ns)
        said = [folder.removeprefix(top), f"{status.st_mode} {status.st_uid} {status.st_gid}"]
        said.append(f"{status.st_ino} {status.st_mtime_ns} {status.st_ctime_ns}")
        with os.scandir(folder) as found:
            entries = sorted(found, key=lambda entry: entry.name)
        for entry in entries:
            status = entry.stat(follow_symlinks=False)
            if stat.S_ISDIR(status.st_mode):
                if not is_left_out(entry):
                    folders.append(entry.path)
                continue
            said.append(entry.name)
            if stat.S_ISLNK(status.st_mode):
                said.append(f"{status.st_ctime_ns}")
                newest = max(newest, status.st_ctime_ns)
                status = Path(entry.path).stat()
                if not stat.S_ISREG(status.st_mode):
                    raise UnsuitedError
            said.append(
                f"{status.st_mode} {status.st_uid} {status.st_gid} {status.st_nlink} "
                f"{status.st_dev} {status.st_ino} {status.st_size} {status.st_mtime_ns} "
                f"{status.st_ctime_ns}"
            )
            newest = max(newest, status.st_ctime_ns)
        state.add("\0".join(said).encode("utf-8", "surrogateescape"))
    return newest
