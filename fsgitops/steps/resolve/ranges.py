"""A range of numbers in one item: `+19495431300..1399` is a hundred, each a resource of its own.

`+1949543[1300-1399]` is the same.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from fsgitops.findings import Finding, error, quote_value
from fsgitops.model.reading import called_references, key_field, numbers

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from fsgitops.model.noun import Noun
    from fsgitops.steps.resolve.sections import Section

DOTS: Final = ".."
MOST_DIGITS: Final = 4
"""A range is of at most 10,000 numbers."""
_BRACKETS = re.compile(r"([^\[\]]*)\[([0-9]+)-([0-9]+)\]")
_RANGE = re.compile(r"([^.]*[0-9])\.\.([0-9]{1,4})")


class _RangeError(ValueError):
    """The text is no range; `str()` says why."""


def expand_item(
    section: Section, item: Mapping[str, object]
) -> tuple[list[Mapping[str, object]], list[Finding]]:
    """Return the items that one stands for: itself, or one for each number of its range.

    A reference that is a range too goes up with the number. Returns none where a range is wrong.
    """
    model: type[Noun] = section.kind.noun
    key = key_field(model)
    if key not in numbers(model) or DOTS not in (_read_dots(item.get(key)) or ""):
        return [item], []
    ranges: dict[str, list[str]] = {}
    for field in (key, *(field for field, _ in called_references(model).values())):
        value = _read_dots(item.get(field))
        if value is None or DOTS not in value:
            continue
        try:
            ranges[field] = list(_count_up(value, len(ranges.get(key, ()))))
        except _RangeError as problem:
            message = f"`{field}`: {quote_value(value)} {problem}"
            hint = "Write the last digits of the last number behind the dots: +19495431300..1399."
            return [], [error("invalid-range", section.position((field,)), message, hint)]
    return [
        {**item, **dict(zip(ranges, values, strict=True))}
        for values in zip(*ranges.values(), strict=True)
    ], []


def _read_dots(value: object) -> str | None:
    """Return a text with a range as we write it: dial plans say `+1949543[1300-1399]` as well."""
    if not isinstance(value, str):
        return None
    found = _BRACKETS.fullmatch(value.strip())
    return f"{found[1]}{found[2]}{DOTS}{found[3]}" if found else value


def _count_up(text: str, many: int) -> Iterator[str]:
    """Yield `1300`, `1301` … of `1300..1399`: what stands behind the dots are the last digits.

    Raises _RangeError for anything else, and for another count than `many`, unless that is 0.
    """
    found = _RANGE.fullmatch(text.strip())
    if found is None:
        raise _RangeError(f"is no range: expected digits, `..`, and at most {MOST_DIGITS} digits")
    first, last = found.groups()
    stem, begin = first[: -len(last)], first[-len(last) :]
    if not (begin.isascii() and begin.isdigit()) or len(begin) < len(last):
        raise _RangeError(f"does not begin with a number that ends with {len(last)} digits")
    if begin > last:
        raise _RangeError(f"goes down, from {begin} to {last}")
    count = int(last) - int(begin) + 1
    if many and count != many:
        raise _RangeError(f"has {count} numbers, and the range of the item has {many}")
    for number in range(int(begin), int(last) + 1):
        yield f"{stem}{number:0{len(last)}}"
