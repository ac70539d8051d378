"""What a template makes of values, proved: the same XML for any values, with the values filled in.

A template is rendered once with neutral values, one made-up word for each. What it gives is parsed
as FreeSWITCH would; wherever a word stands is a hole. A file is then right exactly when its own XML
is that skeleton with the declared values in the holes: nothing lost, altered or smuggled in.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from fsgitops.routing.fragment import (
    END,
    TAG,
    TEXT,
    FragmentError,
    elements,
    read_items,
    walk_items,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

NEUTRAL: Final = "fsgitopsneutral"

WORD: Final = re.compile(rf"{NEUTRAL}([0-9]+)z")
_ATTRIBUTE: Final = "attribute"


def neutral_words(count: int) -> list[str]:
    """Return the made-up words that stand for values 0 to `count` - 1 in a neutral rendering."""
    return [f"{NEUTRAL}{number}z" for number in range(count)]


class Skeleton:
    """The XML of a template with holes for its values. Raises FragmentError."""

    __slots__ = ("_items", "_mixed", "_order", "_text", "_whole", "directives", "misplaced")

    def __init__(self, neutral: str) -> None:
        self._items, self.directives = read_items(neutral.encode())
        self._text = WORD.split(neutral)
        self._order = [int(number) for number in self._text[1::2]]
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

    def elements(self) -> list[tuple[tuple[str, ...], dict[str, str]]]:
        """Return each element: its path of tags, and its attributes."""
        return list(elements(self._items))

    def fill(self, escaped: Sequence[str]) -> str:
        """Return the skeleton's text with values, escaped for XML already, in its holes."""
        return "".join(self._fill(escaped))

    def _fill(self, escaped: Sequence[str]) -> list[str]:
        text = self._text.copy()
        text[1::2] = [escaped[number] for number in self._order]
        return text

    def spans(
        self, escaped: Sequence[str], numbers: Collection[int]
    ) -> tuple[tuple[int, int], ...]:
        """Return where the values of these numbers stand, as spans of the encoded text."""
        found, start = [], 0
        for at, text in enumerate(self._fill(escaped)):
            end = start + len(text.encode())
            if at % 2 and self._order[at // 2] in numbers:
                found.append((start, end))
            start = end
        return tuple(found)

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


def _split(item: str) -> tuple[str | int, ...]:
    pieces = WORD.split(item)
    parts = [piece if at % 2 == 0 else int(piece) for at, piece in enumerate(pieces)]
    return tuple(part for part in parts if part != "") or ("",)


def _kinds(items: list[str]) -> Iterator[tuple[int, str]]:
    for kind, at, attributes in walk_items(items):
        if kind == TAG:
            yield at, "the name of an element"
            for name in range(at + 1, at + 1 + 2 * len(attributes), 2):
                yield name, "the name of an attribute"
                yield name + 1, _ATTRIBUTE
        elif kind != END:
            yield at, "the text of an element" if kind == TEXT else "a comment"
