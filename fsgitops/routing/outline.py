"""Flatten many files of few shapes: what differs between them is the values of attributes.

The first file of a shape is parsed with a made-up word in place of each value; that tells which
key each value ends up under. For the others of that shape, the values are all that is left to read.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from fsgitops.routing.fragment import FragmentError, flatten_text, preprocess_lines

if TYPE_CHECKING:
    from collections.abc import Iterable

KEPT: Final = 256
"""Shapes kept at once: a file for each DID names it outside of any value, and is its own shape."""

_VALUE: Final = re.compile(rb'( (?:value|id)=")([^"]*)')
_WORD: Final = re.compile(r"fsgitopsoutline([0-9]+)z")
_STEM: Final = b"fsgitopsoutline"
# References, markup, and white space that an XML parser normalises.
_NOT_PLAIN: Final = re.compile(r"[<&\x00-\x1f\x7f\ufffe\uffff]")

_Outline = tuple[tuple[str, int | str], ...]


class Outlines:
    """The shapes seen so far. `flatten` gives what `flatten_fragment` does, in the same order."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: dict[tuple[bytes, ...], _Outline | None] = {}

    def flatten(self, content: bytes) -> Iterable[tuple[str, str]]:
        """Return the keys and values of `flatten_fragment`.

        Raises:
            FragmentError: the XML is not well formed.
        """
        text, directives = preprocess_lines(content)
        pieces = _VALUE.split(text)
        values = _read_values(pieces[2::3])
        if directives or values is None:
            return flatten_text(text, directives).items()
        del pieces[2::3]
        shape = tuple(pieces)
        if shape not in self._known:
            if len(self._known) >= KEPT:
                self._known.clear()
            self._known[shape] = _outline(shape)
        outline = self._known[shape]
        if outline is None:
            return flatten_text(text, directives).items()
        return [(key, values[at] if isinstance(at, int) else at) for key, at in outline]


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


def _outline(shape: tuple[bytes, ...]) -> _Outline | None:
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
    for key, value in flat.items():
        word = _WORD.fullmatch(value)
        if _WORD.search(key) or (_WORD.search(value) and not word):
            return None
        outline.append((key, int(word[1]) if word else value))
    # A word that is nowhere stood in a comment, where a value may not hold what it likes.
    found = sorted(at for _, at in outline if isinstance(at, int))
    return tuple(outline) if found == list(range(count)) else None
