"""What an apply did."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from fsgitops.schema_parts import count, flag, json_values, rows_of, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from fsgitops.model.impact import Impact


class Outcome(StrEnum):
    """How an apply ended."""

    UNCHANGED = "unchanged"
    APPLIED = "applied"
    WRITTEN = "written, not reloaded"


@dataclass(frozen=True, slots=True)
class SwitchReply:
    """What one reload step was answered."""

    command: str = field(metadata=text("What the switch was told."))
    reply: str = field(metadata=text("What it said."))


REPLIES = rows_of("What the switch was told, in order.", SwitchReply)
COUNTS = {name: count(f"How many were {name}.") for name in ("created", "updated", "deleted")}


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One thing that the switch does not hold as declared. Secret values are masked.

    `path` is the file that says it, where there is one, and `element` what it declares; `gone`
    where that was deleted. `cause` and `remedy` are what the place of the file in the configuration
    tells about the reason.
    """

    subject: str
    message: str
    path: str = ""
    element: str = ""
    gone: bool = False
    cause: str = ""
    remedy: str = ""

    def __str__(self) -> str:
        cause = f": {self.cause}" if self.cause else ""
        remedy = f"; {self.remedy}" if self.remedy else ""
        return f"{self.subject}: {self.message}{cause}{remedy}"


class Held(NamedTuple):
    """What calls do by the switch's memory: those that are lost, and how many were followed.

    Of `all` resources that the plan gives calls to, `followed` were called.
    """

    lost: tuple[Mismatch, ...] = ()
    followed: int = 0
    all: int = 0


class ReadBack(NamedTuple):
    """How much was proved, by what it is called, and how much of that to be gone.

    Agents are counted as such, and what stands in the dialplan by files (`Home.counted`).
    """

    proved: Mapping[str, int] = {}
    gone: Mapping[str, int] = {}
    calls: Held = Held()

    def of_version_1(self) -> dict[str, int]:
        """Return the counts as JSON of version 1 names them."""
        return {
            f"{word}_{name}": counts.get(told, 0)
            for name, counts in (("proved", self.proved), ("gone", self.gone))
            for word, told in (("agents", "agent"), ("extensions", "dialplan file"))
        }


class Finished(NamedTuple):
    """What was ended once the files were ours, by the names of elements, and who has some left."""

    registrations: frozenset[str] = frozenset()
    sessions: Mapping[str, int] = {}
    left: frozenset[str] = frozenset()

    def count_phones(self, names: Iterable[str]) -> int:
        """Return how many of these had a registration."""
        return len(self.registrations.intersection(names))

    def count_sessions(self, names: Iterable[str]) -> int:
        """Return how many sessions these had."""
        return sum(self.sessions.get(name, 0) for name in names)


class Ended(NamedTuple):
    """How much an apply ended of what outlives a reload, by the names that JSON has for it."""

    registrations_ended: int = 0
    registrations_kicked: int = 0
    verto_sessions_ended: int = 0


@dataclass(frozen=True, slots=True)
class Applied:
    """The outcome, what was written, what the switch said, and what was read back from it."""

    outcome: Outcome
    created: int = 0
    updated: int = 0
    deleted: int = 0
    renamed: int = 0
    replies: tuple[SwitchReply, ...] = ()
    read_back: ReadBack = field(default_factory=ReadBack)
    ended: Ended = field(default_factory=Ended)
    notes: tuple[str, ...] = ()
    moved: int = 0
    """Of those that are renamed, how many keep their name in another file."""
    impact: Impact | None = None
    """What changed for callers, as the plan told it; None where nobody looked."""

    def to_json(self) -> dict[str, Any]:
        """Return what an apply did as JSON values (docs/json.md)."""
        return {
            "outcome": self.outcome.name.lower(),
            **{name: getattr(self, name) for name in (*COUNTS, "renamed", "moved")},
            "replies": json_values(self.replies),
            **self.read_back.of_version_1(),
            **self.ended._asdict(),
            "notes": list(self.notes),
            **({} if self.impact is None else {"impact": json_values(self.impact)}),
        }


@dataclass(frozen=True, slots=True)
class Notice:
    """One apply: its outcome in a word, its exit code, and what it did or why it did not.

    `outcome` is one of applied, written, unchanged, refused, invalid, rolled-back,
    rollback-failed, failed and stopped. Neither text holds a secret.
    """

    project: str = field(metadata=text("The project's name."))
    target: str = field(metadata=text("The target's name."))
    outcome: str = field(metadata=text("How it ended (docs/formats.md).", examples=["applied"]))
    exit_code: int = field(metadata=count("The command's exit code."))
    summary: str = field(metadata=text("A sentence."))
    message: str = field(default="", metadata=text("Why it did not go well."))
    commit: str = field(default="", metadata=text("The commit."))
    dirty: bool = field(default=False, metadata=flag("What was applied differs from that commit."))
    simulated: bool = field(default=False, metadata=flag("The target is the embedded switch."))
    created: int = field(default=0, metadata=COUNTS["created"])
    updated: int = field(default=0, metadata=COUNTS["updated"])
    deleted: int = field(default=0, metadata=COUNTS["deleted"])
