"""Many files of few shapes, read: only the values of attributes differ.

The first of a shape is parsed with a made-up word in place of each value; that tells which key each
value ends up under. For the others of that shape, the values are all that is left to read.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from fsgitops.model.created import Outline
from fsgitops.routing.fragment import (
    CLOSE,
    OPEN,
    FragmentError,
    flatten_fragment,
    flatten_text,
    is_word,
    plain_inside,
    plain_text,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

KEPT: Final = 256
"""Shapes kept at once: a file may hold anything outside of its values."""

_VALUE: Final = re.compile(rb'((?: (?:value|id|expression|data)|<extension name)=")([^"]*)')
_WORD: Final = re.compile(r"fsgitopsoutline([0-9]+)z")
_STEM: Final = b"fsgitopsoutline"
# References, markup, and white space that an XML parser normalises.
_NOT_PLAIN: Final = re.compile(r"[<&\x00-\x1f\x7f\ufffe\uffff]")


class Outlines:
    """The shapes seen so far. What is read is what `flatten_fragment` gives, in the same order."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: dict[tuple[bytes, ...], Outline | None] = {}

    def read(
        self, content: bytes, span: tuple[int, int] | None = None
    ) -> tuple[Outline, Sequence[str]]:
        """Return what a file says, or what lies in a span of it as if that were a file of its own.

        Raises FragmentError.
        """
        inside = plain_inside(content) if span is None else plain_text(content[slice(*span)])
        if inside is not None and (found := self._read(inside)):
            return found
        whole = content if span is None else OPEN + content[slice(*span)] + CLOSE
        return Outline(flatten_fragment(whole).items()), ()

    def _read(self, text: bytes) -> tuple[Outline, Sequence[str]] | None:
        """Return the same of what the parser is handed; None where its shape is no help."""
        pieces = _VALUE.split(text)
        values = _read_values(pieces[2::3])
        if values is None:
            return None
        del pieces[2::3]
        shape = tuple(pieces)
        if shape not in self._known:
            if len(self._known) >= KEPT:
                self._known.clear()
            self._known[shape] = _outline(shape)
        outline = self._known[shape]
        if outline is None or (outline.named and not is_word(values[0])):
            return None
        return outline, values


def _read_values(found: list[bytes]) -> list[str] | None:
    """Return the values, or None when one of them is not what an XML parser would make of it."""
    try:
        joined = b"\n".join(found).decode()
    except UnicodeDecodeError:
        return None
    values = joined.split("\n")
    if len(values) != len(found) or _NOT_PLAIN.search("".join(values)):
        return [] if not found else None
    return values


def _outline(shape: tuple[bytes, ...]) -> Outline | None:
    """Return which value stands under which key, or None where that cannot be told apart."""
    if any(_STEM in piece for piece in shape):
        return None
    count = len(shape) // 2
    words = [f"fsgitopsoutline{number}z".encode() for number in range(count)]
    parts = [
        part
        for number in range(count)
        for part in (shape[2 * number], shape[2 * number + 1], words[number])
    ]
    try:
        flat = flatten_text(b"".join([*parts, shape[-1]]), ())
    except FragmentError:
        return None
    outline: list[tuple[str, int | str]] = []
    # All that is said of an extension is named after it, and that may be the first value.
    name = words[0].decode() if words else ""
    named = bool(words and flat) and all(key.startswith(name) for key in flat)
    for key, value in flat.items():
        word = _WORD.fullmatch(value)
        told = key.removeprefix(name) if named else key
        if _WORD.search(told) or (_WORD.search(value) and not word):
            return None
        outline.append((told, int(word[1]) if word else value))
    # A word that is nowhere stood in a comment, where a value may not hold what it likes.
    found = sorted(at for _, at in outline if isinstance(at, int))
    return Outline(outline, named=named) if found == list(range(named, count)) else None
