"""What a doctor finds: one answer for each check, the same for `fsgitops` and `fsgitops-cdr`."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from fsgitops.schema_parts import text, word


class Health(StrEnum):
    """How one check went; `skipped` could not be made here, and says why."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Check:
    """One answer, and what to do about it where something is wrong."""

    name: str = field(metadata=text("What was looked at; may stand several times."))
    health: Health = field(metadata=word("How it is.", *Health))
    message: str = field(metadata=text("What was found."))
    remedy: str = field(default="", metadata=text('What to do; "": nothing.'))


def good(name: str, message: str) -> Check:
    """Return the answer that all is well."""
    return Check(name, Health.OK, message)


def warn(name: str, message: str, remedy: str) -> Check:
    """Return an answer that somebody should act on."""
    return Check(name, Health.WARNING, message, remedy)


def bad(name: str, message: str, remedy: str) -> Check:
    """Return an answer that somebody has to act on: doctor exits with 1."""
    return Check(name, Health.ERROR, message, remedy)


def skip(name: str, why: str) -> Check:
    """Return that a check could not be made here."""
    return Check(name, Health.SKIPPED, why)


def judge(name: str, well: bool, message: str, remedy: str) -> Check:
    """Return that all is well, or else what somebody has to do."""
    return good(name, message) if well else bad(name, message, remedy)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Every answer, in the order of the checks."""

    target: str
    checks: tuple[Check, ...]

    @property
    def healthy(self) -> bool:
        """Tell whether no check found an error."""
        return not any(check.health is Health.ERROR for check in self.checks)
