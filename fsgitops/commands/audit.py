"""The audit log: who was shown which secret, and when. Never the secret."""

from __future__ import annotations

import json
import os
import pwd
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from fsgitops.errors import SecretError
from fsgitops.settings import STATE_FOLDER

if TYPE_CHECKING:
    from pathlib import Path

    from fsgitops.commands.workspace import Workspace

AUDIT_FILE = "audit.jsonl"
AUDIT_MODE = 0o640


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
    """Append one line before a secret is shown. Raises SecretError when it cannot be written."""
    _append(
        audit_path(workspace),
        {
            "time": datetime.now(UTC).isoformat(timespec="seconds"),
            "action": "reveal",
            **_person(),
            "project": workspace.settings.project,
            "target": workspace.target.name,
            "agent": extension,
            "fields": fields,
        },
    )


def _person() -> dict[str, Any]:
    """Return who runs this: by the kernel's word, and by sudo's where it started this."""
    uid = os.getuid()
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        name = ""
    return {"uid": uid, "user": name, "sudo_user": os.environ.get("SUDO_USER", "")}


def _append(path: Path, entry: dict[str, Any]) -> None:
    line = json.dumps(entry, ensure_ascii=True) + "\n"
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
        descriptor = os.open(path, flags, AUDIT_MODE)
        try:
            os.write(descriptor, line.encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as problem:
        raise SecretError(
            f"{path}: nothing is revealed without a line in the audit log, and it cannot be "
            f"written: {problem.strerror}; name another place with `audit_log` in fsgitops.yaml"
        ) from None
