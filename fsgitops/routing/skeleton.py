"""What a template makes of values, proved: the same XML for any values, with the values filled in.

A template is rendered once with neutral values, one made-up word for each. What it gives is parsed
as FreeSWITCH would; wherever a word stands is a hole. A file is then right exactly when its own XML
is that skeleton with the declared values in the holes: nothing lost, altered or smuggled in.

Where each hole is inside an attribute, escaped values that hold nothing unsafe (rules/texts.py) end
no attribute and come out of an XML parser as they are. So the text with its holes filled is right.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from fsgitops.routing.fragment import (
    END,
    TAG,
    TEXT,
    FragmentError,
    elements,
    only_tag,
    plain_inside,
    read_items,
    walk_items,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

NEUTRAL: Final = "fsgitopsneutral"

WORD: Final = re.compile(rf"{NEUTRAL}([0-9]+)z")
_ATTRIBUTE: Final = "attribute"
_ACTED_ON: Final = ("${", "$${", "<!")
"""What no value may hold, and what several could make where they meet (rules/texts.py)."""
_ENDS: Final = ("$", "<")
_BEGINS: Final = ("{", "!", "$")


def neutral_words(count: int) -> list[str]:
    """Return the made-up words that stand for values 0 to `count` - 1 in a neutral rendering."""
    return [f"{NEUTRAL}{number}z" for number in range(count)]


class Skeleton:
    """The XML of a template with holes for its values. Raises FragmentError.

    `text` is the neutral rendering, `holes` their number. `fillable`: filled with escaped values
    that hold nothing unsafe, the text matches, unless several make X-PRE-PROCESS in it together.
    `only` is the tag of the one element that it is then, with blanks around it; "" for more.
    """

    __slots__ = (
        "_items", "_meeting", "_mixed", "_order", "_text", "_whole",
        "directives", "fillable", "holes", "misplaced", "only", "text",
    )  # fmt: skip

    def __init__(self, neutral: str) -> None:
        content = neutral.encode()
        self._items, self.directives = read_items(content)
        self.text = neutral
        self._text = WORD.split(neutral)
        self._order = [int(number) for number in self._text[1::2]]
        self.holes = len(self._order)
        self._whole: list[tuple[int, int]] = []
        self._mixed: list[tuple[int, tuple[str | int, ...]]] = []
        self.misplaced: tuple[str, ...] = ()
        for position, kind in _kinds(self._items):
            parts = _split(self._items[position])
            if isinstance(parts[0], int) and len(parts) == 1:
                self._whole.append((position, parts[0]))
            elif len(parts) > 1:
                self._mixed.append((position, parts))
            else:
                continue
            if kind != _ATTRIBUTE:
                self.misplaced += (kind,)
        self._meeting = [parts for _, parts in self._mixed if _meet(parts)]
        found = len(self._whole) + sum(type(at) is int for _, parts in self._mixed for at in parts)
        everywhere = found == self.holes and not self.misplaced
        inside = plain_inside(content)
        self.fillable = everywhere and inside is not None
        self.only = only_tag(inside) if everywhere and inside is not None else ""

    def elements(self) -> list[tuple[tuple[str, ...], dict[str, str]]]:
        """Return each element: its path of tags, and its attributes."""
        return list(elements(self._items))

    def fill(self, escaped: Sequence[str]) -> list[str]:
        """Return the text in pieces, every other one a value, which is escaped for XML already."""
        text = self._text.copy()
        text[1::2] = map(escaped.__getitem__, self._order)
        return text

    def holes_of(self, numbers: Collection[int]) -> tuple[int, ...]:
        """Return which holes the values of these numbers fill."""
        return tuple(hole for hole, number in enumerate(self._order) if number in numbers)

    def make_together(self, values: Sequence[str]) -> str | None:
        """Return what FreeSWITCH acts on and values make where they meet, though none holds it."""
        for parts in self._meeting:
            filled = [part if isinstance(part, str) else values[part] for part in parts]
            whole = "".join(filled)
            for found in _ACTED_ON:
                if whole.count(found) > sum(part.count(found) for part in filled):
                    return found
        return None

    def matches(self, content: bytes, values: Sequence[str]) -> bool:
        """Tell whether `content` is this skeleton with `values` in its holes, and nothing else."""
        try:
            items, directives = read_items(content)
        except FragmentError:
            return False
        expected = self._items.copy()
        for position, number in self._whole:
            expected[position] = values[number]
        for position, parts in self._mixed:
            filled = (part if isinstance(part, str) else values[part] for part in parts)
            expected[position] = "".join(filled)
        return items == expected and directives == self.directives


def spans(filled: Sequence[str], holes: Sequence[int]) -> tuple[tuple[int, int], ...]:
    """Return where the values in some holes stand in what `fill` gave, once that is encoded."""
    found, done, end = [], 0, 0
    for hole in holes:
        at = 2 * hole + 1
        start = end + len("".join(filled[done:at]).encode())
        end, done = start + len(filled[at].encode()), at + 1
        found.append((start, end))
    return tuple(found)


def _split(item: str) -> tuple[str | int, ...]:
    pieces = WORD.split(item)
    parts = [piece if at % 2 == 0 else int(piece) for at, piece in enumerate(pieces)]
    return tuple(part for part in parts if part != "") or ("",)


def _meet(parts: Sequence[str | int]) -> bool:
    """Tell whether a value of an attribute meets another, or text that goes on in it."""
    return any(
        (isinstance(one, int) or one.endswith(_ENDS))
        and (isinstance(other, int) or other.startswith(_BEGINS))
        for one, other in pairwise(parts)
    )


def _kinds(items: list[str]) -> Iterator[tuple[int, str]]:
    for kind, at, attributes in walk_items(items):
        if kind == TAG:
            yield at, "the name of an element"
            for name in range(at + 1, at + 1 + 2 * len(attributes), 2):
                yield name, "the name of an attribute"
                yield name + 1, _ATTRIBUTE
        elif kind != END:
            yield at, "the text of an element" if kind == TEXT else "a comment"
