"""A folder of this user's own for what can be made again: `~/.cache/fsgitops/`.

It is safe to delete at any time, whole or in part. Several processes may use it at once. What is
not whole, not ours, or was not made with the project's key is as good as not there, and so is a
folder that somebody else could write. Nothing in it is code, and nothing in it is a secret.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import stat
import sys
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import fsgitops
from fsgitops.durable import write_all
from fsgitops.secret.key import PRIVATE_MODE as PRIVATE_FILE
from fsgitops.secret.key import keyed_digest
from fsgitops.transaction.folder import FOLDER_FLAGS, Folder, move
from fsgitops.workspace.looks import State, walk

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from fsgitops.secret.key import ProjectKey

VERSION: Final = 1
"""Of the shape of entries."""
ENTRY_LIMIT: Final = 16 << 20
"""The longest entry, in bytes. What would be longer is made again each time."""
_LEAST: Final = 8192
"""Bytes that an entry counts for at least."""


class Cache:
    """A part of a project's cache. Only a holder of the project key can tell an entry's name.

    What another program or another version of a package kept is never found. No method raises for
    what is wrong with the folder or an entry: such a one is not used. A new one raises OSError or
    UnsuitedError where the program cannot be told from another.
    """

    def __init__(
        self, root: Path, key: ProjectKey, environ: Mapping[str, str], part: str, room: int
    ) -> None:
        self._key = key
        self._program = digest_program()
        self._base = _find_base(environ)
        project = hashlib.sha256(os.fsencode(os.path.realpath(root))).hexdigest()[:16]
        self._names = ("fsgitops", project, part)
        self._room = room

    def read(self, subject: bytes) -> bytes | None:
        """Return what was kept of a subject, None where nothing usable was."""
        name = self._name(subject)
        try:
            with self._open() as folder:
                with folder.open_plain(name, os.O_RDONLY) as descriptor:
                    if not _is_private(os.fstat(descriptor)):
                        return None
                    content = _read(descriptor)
                with suppress(OSError):  # used last, so it stays
                    os.utime(name, dir_fd=folder.descriptor)
        except OSError:
            return None
        mark, _, body = content.partition(b"\n")
        return body if hmac.compare_digest(mark, self._mark(name, body)) else None

    def write(self, subject: bytes, body: bytes) -> None:
        """Keep some bytes of a subject."""
        name = self._name(subject)
        if len(body) > ENTRY_LIMIT:
            return
        aside = f"{name}.{secrets.token_hex(6)}"
        with suppress(OSError), self._open(make=True) as folder:
            try:
                flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
                with folder.open_plain(aside, flags, PRIVATE_FILE) as descriptor:
                    write_all(descriptor, self._mark(name, body) + b"\n" + body)
                move(folder, aside, folder, name)
            except BaseException:
                with suppress(OSError):
                    folder.remove(aside)
                raise

    def tidy(self) -> None:
        """Remove what was used longest ago, as far as there is no room for it."""
        with suppress(OSError), self._open() as folder:
            found = [(name, folder.status(name)) for name in folder.names()]
            kept = [(status.st_mtime_ns, status.st_size, name) for name, status in found if status]
            room = self._room
            for _, size, name in sorted(kept, reverse=True):
                room -= max(size, _LEAST)
                if room < 0:  # what a killed process left aside is among it, one day
                    folder.remove(name)

    def _name(self, subject: bytes) -> str:
        return keyed_digest(self._key, b"cache name\0" + self._program + subject) or ""

    def _mark(self, name: str, body: bytes) -> bytes:
        return (keyed_digest(self._key, b"cache entry\0" + name.encode() + body) or "").encode()

    @contextmanager
    def _open(self, *, make: bool = False) -> Iterator[Folder]:
        """Yield the project's folder. Raises OSError where there is none of this user's own."""
        if self._base is None:
            raise FileNotFoundError
        if make:
            _make_base(self._base)
        with Folder(self._base, os.open(self._base, FOLDER_FLAGS & ~os.O_NOFOLLOW)) as base:
            _require_own(os.fstat(base.descriptor))
            with ExitStack() as stack:
                folder = base
                for name in self._names:
                    folder = stack.enter_context(_enter(folder, name, make=make))
                yield folder


@cache
def digest_program() -> bytes:
    """Return a digest of the program and of the packages that it uses.

    Raises OSError, UnsuitedError where that is not known.
    """
    state = State()
    state.add(VERSION, fsgitops.__version__, sys.version)
    for folder in sys.path:
        if folder.endswith("-packages") and Path(folder).is_dir():
            found = Path(folder).stat()
            state.add(folder, found.st_ino, found.st_mtime_ns, found.st_ctime_ns)
    package = Path(fsgitops.__file__).parent
    walk(str(package), state, lambda folder: folder.name == "__pycache__")
    return state.digest()


def _find_base(environ: Mapping[str, str]) -> Path | None:
    """Return where caches stand by the XDG base directory specification: an absolute path."""
    named = Path(environ.get("XDG_CACHE_HOME", ""))
    if named.is_absolute():
        return named
    home = Path(environ.get("HOME", ""))
    return home / ".cache" if home.is_absolute() else None


def _make_base(base: Path) -> None:
    """Make it, unless that is in somebody else's folder: root may have a user's HOME."""
    standing = next(place for place in (base, *base.parents) if place.exists())
    _require_own(standing.stat())
    base.mkdir(parents=True, exist_ok=True, mode=0o700)


def _enter(folder: Folder, name: str, *, make: bool) -> Folder:
    inner = folder.make_folder(name) if make else folder.open_folder(name)
    if not _is_private(os.fstat(inner.descriptor)):
        inner.close()
        raise PermissionError
    return inner


def _require_own(status: os.stat_result) -> None:
    if status.st_uid != os.geteuid():
        raise PermissionError


def _is_private(status: os.stat_result) -> bool:
    return status.st_uid == os.geteuid() and not stat.S_IMODE(status.st_mode) & 0o077


def _read(descriptor: int) -> bytes:
    content = bytearray()
    while len(content) <= 2 * ENTRY_LIMIT and (part := os.read(descriptor, ENTRY_LIMIT)):
        content += part
    return bytes(content)
