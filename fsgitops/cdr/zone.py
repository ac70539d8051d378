"""The time zone of a report's days and hours: the one that was asked for, or the machine's."""

from __future__ import annotations

import os
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fsgitops.errors import UsageError

LOCALTIME, TIMEZONE = Path("/etc/localtime"), Path("/etc/timezone")


def read_zone(name: str) -> ZoneInfo:
    """Return a time zone by its name. Raises UsageError for one that is not known here."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UsageError(
            f"--tz {name!a}: no such time zone here: expected a name such as Europe/Berlin or UTC"
        ) from None


def machine_zone() -> str:
    """Return the name of the machine's time zone, as TZ or the system says it; else `UTC`."""
    for name in (os.environ.get("TZ", "").removeprefix(":"), _linked(), _written()):
        if name:
            try:
                return str(read_zone(name))
            except UsageError:
                continue
    return "UTC"


def _linked() -> str:
    try:
        return str(LOCALTIME.resolve()).partition("/zoneinfo/")[2]
    except OSError:
        return ""


def _written() -> str:
    try:
        return TIMEZONE.read_text("utf-8").strip()
    except (OSError, ValueError):
        return ""
