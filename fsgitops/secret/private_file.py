"""Files that only their owner may read: keys and identities."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Final

from fsgitops.durable import create_file
from fsgitops.errors import SecretError

if TYPE_CHECKING:
    from pathlib import Path

PRIVATE_MODE: Final = 0o600
_FILE_LIMIT: Final = 65536


def write_private_file(path: Path, text: str, what: str) -> None:
    """Create `path`, mode 0600, with `text` in it; `what` it is, for messages.

    It appears whole: nothing that interrupts this leaves a file that is empty or cut.

    Raises:
        SecretError: the file exists already (it is never overwritten) or cannot be created.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        create_file(path, text.encode("ascii"), mode=PRIVATE_MODE)
    except FileExistsError:
        raise SecretError(
            f"{path}: this file exists, and a key is never overwritten: its passwords would be "
            f"lost. Name another file, or move this one away."
        ) from None
    except OSError as problem:
        raise SecretError(f"{path}: cannot create the {what}: {problem.strerror}") from None


def read_private_file(path: Path, what: str) -> str | None:
    """Return the text of a file that nobody else may read, or None where there is none.

    Raises:
        SecretError: it is not a plain file of this user's that only this user may read.
    """
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    try:
        descriptor = os.open(path, flags)
    except FileNotFoundError:
        return None
    except OSError as problem:
        if path.is_symlink():
            raise SecretError(
                f"{path}: the {what} is a symbolic link: name the file itself"
            ) from None
        raise SecretError(f"{path}: cannot read the {what}: {problem.strerror}") from None
    try:
        _require_private(os.fstat(descriptor), path, what)
        content = os.read(descriptor, _FILE_LIMIT)
    finally:
        os.close(descriptor)
    return content.decode("utf-8-sig", "replace")


def _require_private(status: os.stat_result, path: Path, what: str) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise SecretError(f"{path}: the {what} is not a plain file")
    if status.st_uid != os.geteuid():
        raise SecretError(
            f"{path}: the {what} belongs to another user (uid {status.st_uid}): "
            "use a copy of your own, mode 0600"
        )
    if status.st_mode & 0o077:
        raise SecretError(
            f"{path}: others may read the {what} (mode {stat.S_IMODE(status.st_mode):04o}): "
            f"run chmod 600 {path}"
        )
