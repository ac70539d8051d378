"""What becomes of a call: each way that it may take through the dialplan, step by step."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from fsgitops.schema_parts import (
    TEXT,
    count,
    flag,
    list_of,
    maybe_number,
    rows_of,
    shape,
    text,
    word,
)


class What(Enum):
    """What one step of a call is."""

    ENTERS = "enters"
    PASSES = "passes"
    TAKES = "takes"
    EXECUTES = "executes"
    ASSUMES = "assumes"
    NOTES = "notes"


class Fate(Enum):
    """How a call ends, as far as the dialplan says."""

    RINGS = "rings"
    DIALS = "dials"
    STAYS = "stays"
    HANGS_UP = "hangs-up"
    NOWHERE = "nowhere"
    LOOP = "loop"
    UNKNOWN = "unknown"

    @property
    def arrives(self) -> bool:
        """Tell whether somebody, or something that serves callers, gets the call."""
        return self in (Fate.RINGS, Fate.DIALS, Fate.STAYS)


@dataclass(frozen=True, slots=True)
class Tested:
    """One thing that a condition looked at."""

    subject: str = field(metadata=text("What was looked at: a field, a variable, a time."))
    value: str = field(metadata=text("What it held."))
    expected: str = field(metadata=text("The expression, or the time, that it was held against."))
    held: str = field(metadata=word("Whether it held.", "yes", "no", "unknown"))


GOALS = (
    "phone", "gateway", "address", "mailbox", "menu", "queue", "conference", "parking",
    "application",
)  # fmt: skip
"""Kinds of what a call gets to."""


@dataclass(frozen=True, slots=True)
class Goal:
    """Whom or what a call gets to."""

    kind: str = field(
        metadata=word(
            "A user's phone, a gateway, another address, a mailbox, a menu, a queue, a conference, "
            "a parking lot, or an application that serves the caller.",
            *GOALS,
        )
    )
    name: str = field(metadata=text("Its name: the user, the gateway, the menu."))
    number: str = field(default="", metadata=text("The number that a gateway is to dial."))
    turn: int | None = field(
        default=0,
        compare=False,
        metadata=maybe_number(
            "0: among the first who are called; more: called when those before do not answer; "
            "null: only where nobody before can be reached."
        ),
    )
    after: float | None = field(
        default=None,
        compare=False,
        metadata=maybe_number("Seconds after the call came in, as timeouts say; null: not known."),
    )


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a call. A text is empty where it means nothing to the kind of step."""

    what: What = field(
        metadata=word(
            "The call enters a context, an extension passes it on or takes it, an application is "
            "executed; something unknown is assumed, or something is told.",
            *(item.value for item in What),
        )
    )
    context: str = field(default="", metadata=text("The context that the call is in."))
    number: str = field(default="", metadata=text("The number that is dialled there."))
    extension: str = field(default="", metadata=text("The extension's name."))
    place: str = field(default="", metadata=text("Its file and line; of memory, nothing."))
    application: str = field(default="", metadata=text("The application."))
    data: str = field(default="", metadata=text("Its data, expanded."))
    inline: bool = field(
        default=False, metadata=flag("It was executed while the dialplan was read.")
    )
    tested: tuple[Tested, ...] = field(
        default=(), metadata=rows_of("What the extension's conditions looked at.", Tested)
    )
    text: str = field(default="", metadata=text("What is assumed, or told."))
    goals: tuple[Goal, ...] = field(
        default=(), metadata=rows_of("Whom or what the call has got to, where that decides.", Goal)
    )
    leg: int = field(
        default=0, metadata=count("0: the call's own leg; more: a leg that loopback/ made.")
    )
    line: int = 0
    """The line of the merged text that the extension stands on."""
    short: str = ""
    """`text` in few words, beside its goals."""
    many: int = 1
    """How many extensions in a row pass the call on, where nobody asks which."""


@dataclass(frozen=True, slots=True)
class End:
    """Where a call ends."""

    fate: Fate = field(
        metadata=word(
            "It rings phones, dials out, stays in an application that serves callers, is hung up, "
            "ends nowhere, goes round in a loop, or nobody can say.",
            *(item.value for item in Fate),
        )
    )
    told: str = field(metadata=text("The same as words: whom it rings, what it dials, and why."))
    cause: str = field(default="", metadata=text("The hang-up cause; empty: it is not hung up."))
    goals: tuple[Goal, ...] = field(
        default=(), metadata=rows_of("Whom or what it gets to; empty: nobody.", Goal)
    )
    after: float | None = field(
        default=None,
        compare=False,
        metadata=maybe_number("Seconds after the call came in, as timeouts say; null: not known."),
    )


@dataclass(frozen=True, slots=True)
class Way:
    """One way that the call may take."""

    end: End = field(metadata=shape(End, "Where it ends."))
    steps: tuple[Step, ...] = field(metadata=rows_of("What happens on it, in order.", Step))

    @property
    def assumed(self) -> tuple[str, ...]:
        """Return what this way takes for granted."""
        return tuple(step.text for step in self.steps if step.what is What.ASSUMES)

    @property
    def executed(self) -> tuple[tuple[str, str], ...]:
        """Return the applications that are executed on the call's own leg, with their data."""
        return tuple(
            (step.application, step.data)
            for step in self.steps
            if step.what is What.EXECUTES and step.leg == 0
        )


@dataclass(frozen=True, slots=True)
class Trace:
    """A call, and every way that it may take. The first one is the likeliest."""

    number: str = field(metadata=text("The number that is dialled."))
    caller: str = field(metadata=text("The caller's number; empty: not known."))
    user: str = field(metadata=text("The user who calls; empty: a caller from outside."))
    context: str = field(metadata=text("The context that the call begins in."))
    at: str = field(metadata=text("When it is placed, on the switch's clock (ISO 8601)."))
    source: str = field(
        metadata=word(
            "What was read: the files as the plan leaves them, as they are, or the memory.",
            "plan",
            "disk",
            "live",
        )
    )
    arrives: bool = field(metadata=flag("It arrives, on every way that it may take first."))
    complete: bool = field(metadata=flag("Every way is shown; else there are more."))
    doubts: tuple[str, ...] = field(
        metadata=list_of(TEXT, "Why the files alone may not say what the switch does.")
    )
    ways: tuple[Way, ...] = field(metadata=rows_of("Every way.", Way))

    def to_json(self) -> dict[str, Any]:
        """Return the trace as the format `fsgitops-trace`."""
        from fsgitops.schema_parts import json_values

        return {"format": "fsgitops-trace", "version": 1, **json_values(self)}
