"""The audit log: who did what to a target, when, and what came of it. One JSON object a line."""

from __future__ import annotations

import getpass
import json
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

AUDIT_FILE = "audit.jsonl"
AUDIT_MODE = 0o640


def write_audit(
    target_state_dir: Path,
    action: str,
    subject: str,
    result: str,
    *,
    user: str | None = None,
    **details: str | None,
) -> None:
    """Append one record to the audit log of a target; `details` that are None are left out.

    `user` is who asked: by default the system's user. Secrets never belong in here. Raises OSError
    when it cannot be written.
    """
    known = {name: value for name, value in details.items() if value is not None}
    record = {
        "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "user": user or system_user(),
        "action": action,
        "subject": subject[:200],
        "result": result,
        **known,
    }
    line = json.dumps(record, ensure_ascii=True) + "\n"
    descriptor = open_audit(target_state_dir)
    try:
        # One write: lines of several processes that append do not mix.
        os.write(descriptor, line.encode())
    finally:
        os.close(descriptor)


def open_audit(target_state_dir: Path) -> int:
    """Return a descriptor that appends to the audit log. Raises OSError when there is none."""
    target_state_dir.mkdir(parents=True, exist_ok=True)
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    return os.open(target_state_dir / AUDIT_FILE, flags, AUDIT_MODE)


def system_user() -> str:
    """Return who runs this process, with who asked sudo for it where that is known."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = f"uid {os.getuid()}"
    asked = os.environ.get("SUDO_USER")
    return f"{asked} as {name}" if asked and asked != name else name
