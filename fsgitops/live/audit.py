"""The audit log: who was shown which secret, who did what to a live switch, and when.

Never a secret. One JSON value a line, appended whole and brought to the disk before anything is
done: a file that only grows, so that it may be made append-only (`chattr +a`).
"""

from __future__ import annotations

import fcntl
import json
import os
import pwd
import secrets
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from fsgitops.durable import write_all
from fsgitops.errors import FsgitopsError, SecretError
from fsgitops.settings.shapes import STATE_FOLDER
from fsgitops.transaction.folder import Folder
from fsgitops.transaction.state import UnsafeStateError, is_shared, open_state, share

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fsgitops.workspace.open import Workspace

AUDIT_FILE = "audit.jsonl"
AUDIT_MODE = 0o640
SHARED_AUDIT_MODE = 0o660
INTENDED = "intended"
_REPAIR = "repair"


class AuditOutcomeError(FsgitopsError):
    """Something was done and its intention stands in the log, but its outcome could not be kept."""


def audit_path(workspace: Workspace) -> Path:
    """Return where the log of a target is kept: `audit_log`, or in its state directory.

    On a machine without the target's conf directory, the log is the project's own.
    """
    if workspace.settings.audit_log:
        return workspace.root / workspace.settings.audit_log
    target = workspace.target
    if target.conf_dir.is_dir():
        return target.state_dir / AUDIT_FILE
    return workspace.root / STATE_FOLDER / AUDIT_FILE


def record_reveal(workspace: Workspace, extension: str, fields: list[str]) -> None:
    """Append one line before a secret is shown.

    Raises SecretError when it cannot be written, UnsafeStateError where others may write the state
    directory.
    """
    _require(workspace, {**_describe(workspace, "reveal"), "agent": extension, "fields": fields})


def record_refusal(
    workspace: Workspace, action: str, subject: str, reason: str, *, user: str, **details: str
) -> None:
    """Append what was asked and not begun. Raises as `record_reveal`."""
    named = _name_operation(workspace, action, subject, user)
    _require(workspace, {**named, "result": f"failed: {reason}", **details})


@contextmanager
def audited(
    workspace: Workspace, action: str, subject: str, *, user: str | None = None, **details: str
) -> Iterator[dict[str, str]]:
    """Write down that the body will be run, run it, and write down how it ended.

    The body may add details of its outcome to the yielded dict. Both lines have the same `id`; an
    intention without an outcome is one of a process that was ended, or of a log that was full.
    `user` is who asked over the HTTP API: beside this process, which does it. Raises as
    `record_reveal` before the body runs, and AuditOutcomeError after it.
    """
    named = {**_name_operation(workspace, action, subject, user), "id": secrets.token_hex(8)}
    _require(workspace, {**named, "result": INTENDED, **details})
    try:
        yield details
    except BaseException as problem:
        said = str(problem) if isinstance(problem, FsgitopsError) else type(problem).__name__
        # The intention stands there, and says that it was tried.
        with suppress(OSError, UnsafeStateError):
            _append(workspace, {**named, "time": _now(), "result": f"failed: {said}", **details})
        raise
    try:
        _append(workspace, {**named, "time": _now(), "result": "done", **details})
    except (OSError, UnsafeStateError) as problem:
        path = f"{audit_path(workspace)}: "
        why = path + str(problem.strerror) if isinstance(problem, OSError) else str(problem)
        known = "".join(f", {name} {value}" for name, value in details.items())
        raise AuditOutcomeError(
            f"{action} {named['subject']} was done{known}; do not repeat it. The audit log has "
            f"its intention, but not its result: {why}"
        ) from None


def _name_operation(
    workspace: Workspace, action: str, subject: str, user: str | None
) -> dict[str, Any]:
    token = {} if user is None else {"token": user}
    return {**_describe(workspace, action), "subject": subject[:200], **token}


def _describe(workspace: Workspace, action: str) -> dict[str, Any]:
    return {
        "time": _now(),
        "action": action,
        **_person(),
        "project": workspace.settings.project,
        "target": workspace.target.name,
    }


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _person() -> dict[str, Any]:
    """Return who runs this: by the kernel's word, and by sudo's where it started this."""
    uid, name = os.getuid(), ""
    with suppress(KeyError):
        name = pwd.getpwuid(uid).pw_name
    return {"uid": uid, "user": name, "sudo_user": os.environ.get("SUDO_USER", "")}


def _require(workspace: Workspace, entry: dict[str, Any]) -> None:
    try:
        _append(workspace, entry)
    except OSError as problem:
        raise SecretError(
            f"{audit_path(workspace)}: the audit log cannot be written, so nothing was revealed "
            f"or done: {problem.strerror}; name another place with "
            "`audit_log` in fsgitops.yaml"
        ) from None


def _append(workspace: Workspace, entry: dict[str, Any]) -> None:
    """Bring one whole line to the disk, or none. Raises OSError, UnsafeStateError."""
    path = audit_path(workspace)
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT
    with (
        _open_folder(workspace, path.parent) as folder,
        folder.open_plain(path.name, flags, AUDIT_MODE) as descriptor,
    ):
        if is_shared(os.fstat(folder.descriptor)):
            share(descriptor, SHARED_AUDIT_MODE)
        # Without locks on this file system, lines are whole as long as one process writes.
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        size = os.fstat(descriptor).st_size
        _write_line(descriptor, size, json.dumps(entry, ensure_ascii=True) + "\n")
        if not size:
            folder.sync()


def _open_folder(workspace: Workspace, path: Path) -> Folder:
    """Open the folder of the log, a state directory as every other user of it does."""
    if path == workspace.target.state_dir:
        return open_state(path, make=True)
    path.mkdir(parents=True, exist_ok=True, mode=0o750)
    return Folder(path, os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))


def _write_line(descriptor: int, size: int, line: str) -> None:
    try:
        write_all(descriptor, (_close_torn_line(descriptor, size) + line).encode())
        os.fsync(descriptor)
    except OSError:
        with suppress(OSError):  # what is left of it then, the next line's writer closes
            os.ftruncate(descriptor, size)
        raise


def _close_torn_line(descriptor: int, size: int) -> str:
    """Return what ends a line that a full disk or a power failure cut short, and says so."""
    if not size or os.pread(descriptor, 1, size - 1) == b"\n":
        return ""
    told = "the line above was cut short: the disk was full, or its writer was stopped"
    return "\n" + json.dumps({"time": _now(), "action": _REPAIR, "result": told}) + "\n"
