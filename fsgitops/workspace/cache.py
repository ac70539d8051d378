"""A folder of this user's own for what can be made again: `~/.cache/fsgitops/`.

It is safe to delete at any time, whole or in part. Several processes may use it at once. What is
not whole, not ours, or was not made with the project's key is as good as not there, and so is a
folder that somebody else could write. Nothing in it is code, and nothing in it is a secret.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
import stat
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from fsgitops.durable import write_all
from fsgitops.secret.key import PRIVATE_MODE as PRIVATE_FILE
from fsgitops.secret.key import keyed_digest
from fsgitops.transaction.folder import FOLDER_FLAGS, Folder, move

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from fsgitops.secret.key import ProjectKey

ENTRY_LIMIT: Final = 1 << 20
"""The longest entry, in bytes. What would be longer is made again each time."""
ENTRIES: Final = 64
"""So many are kept of one project, those used last: 64 MB at most."""


class Cache:
    """The entries of one project. Each has a name that only a holder of the project key can tell.

    No method raises for what is wrong with the folder or an entry: such a one is not used.
    """

    def __init__(self, root: Path, key: ProjectKey, environ: Mapping[str, str]) -> None:
        self._key = key
        self._base = _find_base(environ)
        self._name = hashlib.sha256(os.fsencode(os.path.realpath(root))).hexdigest()[:16]

    def read(self, subject: bytes) -> Any:
        """Return what was kept of a subject, None where nothing usable was."""
        name = self._digest(subject)
        try:
            with self._open() as folder:
                with folder.open_plain(name, os.O_RDONLY) as descriptor:
                    if not _is_private(os.fstat(descriptor)):
                        return None
                    content = _read(descriptor)
                mark, _, body = content.partition(b"\n")
                if not hmac.compare_digest(mark, self._digest(name.encode() + body).encode()):
                    return None
                with suppress(OSError):  # used last, so it stays
                    os.utime(name, dir_fd=folder.descriptor)
            return json.loads(body)
        except (OSError, ValueError, RecursionError):
            return None

    def write(self, subject: bytes, value: Any) -> None:
        """Keep a JSON value of a subject, and no more than ENTRIES of them."""
        name = self._digest(subject)
        body = json.dumps(value, separators=(",", ":")).encode()
        if len(body) > ENTRY_LIMIT:
            return
        content = self._digest(name.encode() + body).encode() + b"\n" + body
        aside = f"{name}.{secrets.token_hex(6)}"
        with suppress(OSError), self._open(make=True) as folder:
            try:
                flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
                with folder.open_plain(aside, flags, PRIVATE_FILE) as descriptor:
                    write_all(descriptor, content)
                move(folder, aside, folder, name)
            except BaseException:
                with suppress(OSError):
                    folder.remove(aside)
                raise
            _forget_oldest(folder)

    def _digest(self, data: bytes) -> str:
        return keyed_digest(self._key, b"cache\0" + data) or ""

    @contextmanager
    def _open(self, *, make: bool = False) -> Iterator[Folder]:
        """Yield the project's folder. Raises OSError where there is none of this user's own."""
        if self._base is None:
            raise FileNotFoundError
        if make:
            _make_base(self._base)
        with Folder(self._base, os.open(self._base, FOLDER_FLAGS & ~os.O_NOFOLLOW)) as base:
            _require_own(os.fstat(base.descriptor))
            names = ("fsgitops", self._name)
            with _enter(base, names[0], make=make) as ours, _enter(ours, names[1], make=make) as it:
                yield it


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


def _forget_oldest(folder: Folder) -> None:
    """Remove what was used longest ago, what a killed process left aside among it."""
    ages = [
        (status.st_mtime_ns, name)
        for name in folder.names()
        if (status := folder.status(name)) is not None
    ]
    for _, name in sorted(ages, reverse=True)[ENTRIES:]:
        folder.remove(name)
