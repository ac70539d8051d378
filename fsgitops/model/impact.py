"""What a plan changes for callers: whose calls end otherwise than they do now."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Final

from fsgitops.model.resource import Resource
from fsgitops.schema_parts import TEXT, count, list_of, maybe_number, rows_of, text
from fsgitops.visible import count_noun

if TYPE_CHECKING:
    from collections.abc import Iterator

MOMENT: Final = "2026-01-14T12:00:00"
"""A Wednesday at noon: when calls are placed. It never changes, so that ends can be compared."""
HEADING: Final = "What changes for callers"
NOBODY: Final = "nobody"
"""What is told where a call does not arrive."""


@dataclass(frozen=True, slots=True)
class CallChange:
    """A number whose calls end otherwise once the plan is applied.

    `case` is empty where the likeliest way differs; else that one is the same, and a way differs
    on which this is so.
    """

    resource: Resource = field(
        metadata=text("KIND:NAME", examples=["did:+19495431333", "agent:1020"])
    )
    number: str = field(metadata=text("The number that is dialled."))
    context: str = field(metadata=text("The context in which the call begins."))
    before: str = field(metadata=text("Where it ends now, in words: `rings 1020`, `nobody (…)`."))
    after: str = field(metadata=text("Where it ends once the plan is applied."))
    case: str = field(
        default="", metadata=text("What that takes for granted; empty: the likeliest way.")
    )

    def tell(self) -> str:
        """Return it as one line: why nobody was reached only where nobody is, either."""
        nobody = [end.startswith(f"{NOBODY} (") for end in (self.before, self.after)]
        before = NOBODY if nobody == [True, False] else self.before
        case = f"{self.case}: " if self.case else ""
        name = "" if self.resource.name == self.number else f" ({' '.join(self.resource)})"
        return f"{self.number}{name}: {case}{before} → {self.after}"


@dataclass(frozen=True, slots=True)
class NumbersChange:
    """Numbers that nobody declares, and whose calls end otherwise once the plan is applied."""

    numbers: str = field(
        metadata=text(
            "The numbers: ranges, patterns with x for any digit, or an expression of the dialplan."
        )
    )
    count: int | None = field(metadata=maybe_number("How many they are; null: endless many."))
    example: str = field(metadata=text("The shortest of them."))
    context: str = field(metadata=text("The context in which they are dialled."))
    before: str = field(metadata=text("Where they end now, in terms of the number dialled."))
    after: str = field(metadata=text("Where they end once the plan is applied."))
    case: str = field(
        default="", metadata=text("What that takes for granted; empty: the likeliest way.")
    )
    taker: str = field(
        default="", metadata=text("The extension that takes them then, with its file and line.")
    )

    def tell(self) -> str:
        """Return it as one line."""
        case = f"{self.case}: " if self.case else ""
        taker = f" ({self.taker})" if self.taker else ""
        return f"{self.numbers} in {self.context}: {case}{self.before} → {self.after}{taker}"


@dataclass(frozen=True, slots=True)
class Impact:
    """Every number that was looked at, and those whose calls end otherwise."""

    at: str = field(
        metadata=text("The time at which the calls are placed, on the switch's clock (ISO 8601).")
    )
    looked_at: int = field(
        default=0, metadata=count("Numbers whose calls were followed; no others can change.")
    )
    left_out: int = field(
        default=0, metadata=count("Numbers that may change, and were not followed: too many.")
    )
    calls: tuple[CallChange, ...] = field(
        default=(), metadata=rows_of("The numbers whose calls end otherwise.", CallChange)
    )
    notes: tuple[str, ...] = field(
        default=(), metadata=list_of(TEXT, "What is not known of the calls, and why.")
    )
    numbers: tuple[NumbersChange, ...] = field(
        default=(),
        metadata=rows_of("Numbers that nobody declares, and that end otherwise.", NumbersChange),
    )

    def tell(self, most: int | None = None) -> Iterator[str]:
        """Yield it line by line: at most so many numbers, and what is to be told beside them."""
        for call in self.calls[:most]:
            yield call.tell()
        if most is not None and len(self.calls) > most:
            yield f"and {count_noun(len(self.calls) - most, 'more number')}"
        for numbers in self.numbers[:most]:
            yield numbers.tell()
        if most is not None and len(self.numbers) > most:
            yield f"and {count_noun(len(self.numbers) - most, 'more set')} of numbers"
        if self.left_out:
            left = count_noun(self.left_out, "more number")
            yield f"calls to {left} were not followed: they are too many"
        yield from self.notes

    @classmethod
    def from_json(cls, data: Any) -> Impact:
        """Return what `json_values` made of one. Raises ValueError, KeyError, TypeError."""
        calls = (
            CallChange(Resource.parse(item["resource"]), *(item[name] for name in _TEXTS))
            for item in data["calls"]
        )
        numbers = (
            NumbersChange(**{item.name: entry[item.name] for item in fields(NumbersChange)})
            for entry in data["numbers"]
        )
        return cls(
            data["at"], data["looked_at"], data["left_out"], tuple(calls), tuple(data["notes"]),
            tuple(numbers),
        )  # fmt: skip


_TEXTS = ("number", "context", "before", "after", "case")
