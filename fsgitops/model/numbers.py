"""The numbers that can be dialled, in classes whose numbers fare alike."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from fsgitops.model.trace import End
from fsgitops.schema_parts import (
    TEXT,
    flag,
    list_of,
    maybe_number,
    rows_of,
    shape,
    text,
    word,
)
from fsgitops.schema_parts import count as how_many


@dataclass(frozen=True, slots=True)
class Ending:
    """Where the numbers of a class end, on one way that their calls may take."""

    end: End = field(metadata=shape(End, "Where they end, in terms of the number dialled."))
    assumed: tuple[str, ...] = field(
        default=(), metadata=list_of(TEXT, "What this way takes for granted.")
    )


@dataclass(frozen=True, slots=True)
class NumberClass:
    """Numbers that fare alike."""

    numbers: str = field(
        metadata=text(
            "The numbers: ranges, patterns with x for any digit, or an expression of the dialplan."
        )
    )
    example: str = field(metadata=text("The shortest of them."))
    count: int | None = field(metadata=maybe_number("How many they are; null: endless many."))
    extension: str = field(
        metadata=text("The extension that takes them where they come in; empty: none does.")
    )
    place: str = field(metadata=text("Its file and line; of memory, nothing."))
    ends: tuple[Ending, ...] = field(metadata=rows_of("Every way, the likeliest first.", Ending))
    complete: bool = field(metadata=flag("Every way is listed; else there are more."))
    unknown: tuple[str, ...] = field(
        metadata=list_of(
            TEXT,
            "Why nothing is certain but of the example: what the dialplan does with the number "
            "cannot be said of all at once. Empty: what is said holds for every number.",
        )
    )
    tried: int = field(
        default=0,
        metadata=how_many(
            "Where not all is certain: how many others were tried, and end likewise."
        ),
    )


@dataclass(frozen=True, slots=True)
class ContextNumbers:
    """All numbers that can be dialled in one context."""

    context: str = field(metadata=text("The context."))
    caller: str = field(
        metadata=word("Who dials there: callers who do not log in, or agents.", "outside", "agents")
    )
    gateway: str = field(
        metadata=word("Whether any of these numbers leads to a gateway.", "yes", "no", "unknown")
    )
    shortest: str = field(metadata=text("The shortest number that does; empty: none is known."))
    classes: tuple[NumberClass, ...] = field(
        metadata=rows_of("Every class: each number is in one.", NumberClass)
    )


@dataclass(frozen=True, slots=True)
class Numbers:
    """The dialling plan of a target."""

    source: str = field(metadata=word("What was read.", "plan", "disk", "live"))
    at: str = field(metadata=text("When the calls are placed (ISO 8601); empty: at any time."))
    user: str = field(metadata=text("The agent who dials; empty: any."))
    doubts: tuple[str, ...] = field(
        metadata=list_of(TEXT, "Why the files alone may not say what the switch does.")
    )
    contexts: tuple[ContextNumbers, ...] = field(metadata=rows_of("Each context.", ContextNumbers))

    def to_json(self) -> dict[str, Any]:
        """Return the numbers as the format `fsgitops-numbers`."""
        from fsgitops.schema_parts import json_values

        return {"format": "fsgitops-numbers", "version": 1, **json_values(self)}
