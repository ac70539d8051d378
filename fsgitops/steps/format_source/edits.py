"""Edits of a text, and where its places are after them."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class Edit(NamedTuple):
    """What stands from `start` to `end` (characters) gives way to `text`."""

    start: int
    end: int
    text: str


def apply_edits(text: str, edits: Iterable[Edit]) -> str:
    """Return the text with all edits made. They must not overlap."""
    parts: list[str] = []
    position = 0
    for edit in sorted(edits):
        parts += (text[position : edit.start], edit.text)
        position = edit.end
    return "".join([*parts, text[position:]])


def follow_places(edits: Iterable[Edit]) -> Callable[[int], int]:
    """Return what tells where a place before the edits is after them.

    A place inside of what was replaced becomes the end of what stands there instead.
    """
    made = sorted(edits)
    ends = [edit.end for edit in made]
    grown = [0, *accumulate(len(edit.text) - (edit.end - edit.start) for edit in made)]

    def follow(place: int) -> int:
        number = bisect_right(ends, place)
        moved = place + grown[number]
        if number < len(made) and made[number].start < place:
            return made[number].start + grown[number] + len(made[number].text)
        return moved

    return follow
