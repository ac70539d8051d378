"""What `fsgitops doctor` finds: one answer for each check."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Health(StrEnum):
    """How one check went; `skipped` could not be made here, and says why."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Check:
    """One answer, and what to do about it where something is wrong."""

    name: str
    health: Health
    message: str
    remedy: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return JSON values (docs/json.md)."""
        return {
            "name": self.name,
            "health": self.health.value,
            "message": self.message,
            "remedy": self.remedy,
        }


def good(name: str, message: str) -> Check:
    """Return the answer that all is well."""
    return Check(name, Health.OK, message)


def warn(name: str, message: str, remedy: str) -> Check:
    """Return an answer that somebody should act on."""
    return Check(name, Health.WARNING, message, remedy)


def bad(name: str, message: str, remedy: str) -> Check:
    """Return an answer that somebody has to act on: `fsgitops doctor` exits with 1."""
    return Check(name, Health.ERROR, message, remedy)


def skip(name: str, why: str) -> Check:
    """Return that a check could not be made here."""
    return Check(name, Health.SKIPPED, why)
