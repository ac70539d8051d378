"""What an apply did."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class Outcome(StrEnum):
    """How an apply ended."""

    UNCHANGED = "unchanged"
    APPLIED = "applied"
    WRITTEN = "written, not reloaded"


@dataclass(frozen=True, slots=True)
class SwitchReply:
    """What one reload step was answered."""

    command: str
    reply: str


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One thing that the switch does not hold as declared. Secret values are masked.

    `path` is the file that says it, where there is one, and `extension` what it declares, where
    that is not its name; `gone` where the file was deleted. `cause` and `remedy` are what the place
    of the file in the configuration tells about the reason.
    """

    subject: str
    message: str
    path: str = ""
    extension: str = ""
    gone: bool = False
    cause: str = ""
    remedy: str = ""

    def __str__(self) -> str:
        cause = f": {self.cause}" if self.cause else ""
        remedy = f"; {self.remedy}" if self.remedy else ""
        return f"{self.subject}: {self.message}{cause}{remedy}"


class ReadBack(NamedTuple):
    """How many users and dialplan files were proved, and how many of them to be gone."""

    users: int = 0
    routes: int = 0
    users_gone: int = 0
    routes_gone: int = 0


class Finished(NamedTuple):
    """What was ended once the files were ours, and who has something left."""

    registrations: int = 0
    kicked: int = 0
    sessions: int = 0
    left: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Applied:
    """The outcome, what was written, what the switch said, and what was read back from it.

    Of the users and routes proved, so many were deleted, and the switch was seen not to hold them.
    """

    outcome: Outcome
    created: int = 0
    updated: int = 0
    deleted: int = 0
    renamed: int = 0
    replies: tuple[SwitchReply, ...] = ()
    users_proved: int = 0
    routes_proved: int = 0
    users_gone: int = 0
    routes_gone: int = 0
    registrations_ended: int = 0
    registrations_kicked: int = 0
    verto_sessions_ended: int = 0
    notes: tuple[str, ...] = ()
