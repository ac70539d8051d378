"""What was expected of calls, and what they do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from fsgitops.schema_parts import TEXT, count, flag, list_of, rows_of, shape, text, word
from fsgitops.visible import count_noun


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one expectation says, and whether the call does that on every way that it may take.

    The last fields are empty where it does.
    """

    name: str = field(metadata=text("The expectation's name."))
    source: str = field(metadata=text("Where it is declared: FILE:LINE:COLUMN."))
    call: str = field(metadata=text("The number that is called."))
    holds: bool = field(metadata=flag("The call does what is expected, on every way."))
    expected: str = field(default="", metadata=text("What was expected that does not happen."))
    found: str = field(default="", metadata=text("What happens in its place."))
    taker: str = field(default="", metadata=text("The extension that leads there."))
    place: str = field(default="", metadata=text("Its file and line; of memory, nothing."))
    assumed: tuple[str, ...] = field(
        default=(), metadata=list_of(TEXT, "What that takes for granted of the call.")
    )

    def tell(self) -> str:
        """Return what a failing one expected, and what happens, in one sentence."""
        taken = f", by {self.taker}" if self.taker else ""
        where = f" ({self.place})" if self.place else ""
        given = f", if {' and '.join(self.assumed)}" if self.assumed else ""
        return f"expected: {self.expected}; found: {self.found}{taken}{where}{given}"


@dataclass(frozen=True, slots=True)
class Tests:
    """What became of all expectations on the files as a plan leaves them."""

    held: int = field(metadata=count("How many hold."))
    failing: tuple[Verdict, ...] = field(
        default=(), metadata=rows_of("Those that do not.", Verdict)
    )

    def tell(self) -> str:
        """Return how many there are, and whether they hold."""
        return tell_count(self.held + len(self.failing), len(self.failing))


def tell_count(number: int, failing: int) -> str:
    """Return of how many expectations how many fail."""
    counted = count_noun(number, "expectation")
    if failing:
        return f"{failing:,} of {counted} {'fails' if failing == 1 else 'fail'}"
    return f"{counted}: {'it holds' if number == 1 else 'all hold'}"


@dataclass(frozen=True, slots=True)
class Untouched:
    """What no expectation's call comes to, of a kind."""

    kind: str = field(metadata=text("`did`, `agent`, or `key` of a menu."))
    touched: int = field(metadata=count("How many are touched."))
    names: tuple[str, ...] = field(metadata=list_of(TEXT, "Those that are not; a key as MENU/KEY."))


@dataclass(frozen=True, slots=True)
class Proof:
    """All expectations that were looked at, and what they leave out."""

    source: str = field(metadata=word("What was read.", "plan", "disk", "live"))
    holds: bool = field(metadata=flag("All of them hold."))
    doubts: tuple[str, ...] = field(
        metadata=list_of(TEXT, "Why the files alone may not say what the switch does.")
    )
    verdicts: tuple[Verdict, ...] = field(metadata=rows_of("Each expectation.", Verdict))
    coverage: tuple[Untouched, ...] | None = field(
        default=None,
        metadata={
            "type": ["array", "null"],
            "items": shape(Untouched),
            "description": "What no expectation touches; null: not asked for.",
        },
    )

    @property
    def failing(self) -> tuple[Verdict, ...]:
        """Return those that do not hold."""
        return tuple(item for item in self.verdicts if not item.holds)

    @property
    def percent(self) -> float:
        """Return how much is touched, of all that could be: 100 where there is nothing."""
        found = self.coverage or ()
        touched = sum(item.touched for item in found)
        everything = touched + sum(len(item.names) for item in found)
        return 100 * touched / everything if everything else 100.0

    def to_json(self) -> dict[str, Any]:
        """Return the proof as the format `fsgitops-tests`."""
        from fsgitops.schema_parts import json_values

        return {"format": "fsgitops-tests", "version": 1, **json_values(self)}
