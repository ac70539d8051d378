"""Many files of few shapes, read: only the values of attributes differ.

The first of a shape is parsed with a made-up word in place of each value; that tells which key each
value ends up under. For the others of that shape, the values are all that is left to read.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from fsgitops.model.created import Outline, pick
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
    from collections.abc import Callable, Sequence

KEPT: Final = 256
"""Shapes kept at once: a file may hold anything outside of its values."""

_BEFORE: Final = (b" value=", b" id=", b" expression=", b" data=", b"<extension name=")
"""What stands before a value. Between other quotes are names, which are part of a shape."""
_WORD: Final = re.compile(r"fsgitopsoutline([0-9]+)z")
_STEM: Final = b"fsgitopsoutline"
# References, markup, and white space that an XML parser normalises.
_NOT_PLAIN: Final = re.compile(r"[<&\x00-\x1f\x7f\ufffe\uffff]")


class _Frame(NamedTuple):
    """Where names and values stand in a text that was split at its quotes."""

    values: Sequence[int]
    read_names: Callable[[Sequence[bytes]], tuple[bytes, ...]]
    read_values: Callable[[Sequence[bytes]], tuple[bytes, ...]]


class Outlines:
    """The shapes seen so far. What is read is what `flatten_fragment` gives, in the same order."""

    __slots__ = ("_frames", "_known", "_whole")

    def __init__(self) -> None:
        self._frames: dict[bytes, _Frame] = {}
        self._known: dict[tuple[bytes, tuple[bytes, ...]], Outline | None] = {}
        self._whole = b""
        """The file that was looked at last: the preprocessor acts on no line in it."""

    def read(
        self, content: bytes, span: tuple[int, int] | None = None
    ) -> tuple[Outline, Sequence[str]]:
        """Return what a file says, or what lies in a span of it as if that were a file of its own.

        Raises FragmentError.
        """
        if span is None:
            inside, whole = plain_inside(content), content
        else:
            part = content[slice(*span)]
            if content is not self._whole and plain_inside(content) is not None:
                self._whole = content
            inside = part if content is self._whole else plain_text(part)
            whole = OPEN + part + CLOSE
        if inside is not None and (found := self._read(inside)):
            return found
        return Outline(flatten_fragment(whole).items()), ()

    def _read(self, text: bytes) -> tuple[Outline, Sequence[str]] | None:
        """Return the same of what the parser is handed; None where its shape is no help."""
        pieces = text.split(b'"')
        if not len(pieces) & 1:
            return None
        around = b'"'.join(pieces[::2])
        frame = self._frames.get(around) or self._add_frame(around, pieces)
        values = _read_values(frame.read_values(pieces))
        if values is None:
            return None
        shape = around, frame.read_names(pieces)
        if shape not in self._known:
            if len(self._known) >= KEPT:
                self._known.clear()
            self._known[shape] = _outline(pieces, frame.values)
        outline = self._known[shape]
        if outline is None or (outline.named and not is_word(values[0])):
            return None
        return outline, values

    def _add_frame(self, around: bytes, pieces: Sequence[bytes]) -> _Frame:
        if len(self._frames) >= KEPT:
            self._frames.clear()
        values: list[int] = []
        names: list[int] = []
        for at in range(1, len(pieces), 2):
            (values if pieces[at - 1].endswith(_BEFORE) else names).append(at)
        frame = self._frames[around] = _Frame(values, pick(names), pick(values))
        return frame


def _read_values(found: Sequence[bytes]) -> list[str] | None:
    """Return the values, or None when one of them is not what an XML parser would make of it."""
    try:
        joined = b"\n".join(found).decode()
    except UnicodeDecodeError:
        return None
    values = joined.split("\n")
    if len(values) != len(found) or _NOT_PLAIN.search("".join(values)):
        return [] if not found else None
    return values


def _outline(pieces: Sequence[bytes], places: Sequence[int]) -> Outline | None:
    """Return which value stands under which key, or None where that cannot be told apart.

    `pieces` are a text that is split at its quotes, and in `places` are its values.
    """
    made_up = [*pieces]
    words = [f"fsgitopsoutline{number}z" for number in range(len(places))]
    for at in places:
        made_up[at] = b""
    if any(_STEM in piece for piece in made_up):
        return None
    for at, word in zip(places, words, strict=True):
        made_up[at] = word.encode()
    try:
        flat = flatten_text(b'"'.join(made_up), ())
    except FragmentError:
        return None
    outline: list[tuple[str, int | str]] = []
    # All that is said of an extension is named after it, and that may be the first value.
    name = words[0] if words else ""
    named = bool(words and flat) and all(key.startswith(name) for key in flat)
    for key, value in flat.items():
        found = _WORD.fullmatch(value)
        told = key.removeprefix(name) if named else key
        if _WORD.search(told) or (_WORD.search(value) and not found):
            return None
        outline.append((told, int(found[1]) if found else value))
    # A word that is nowhere stood in a comment, where a value may not hold what it likes.
    numbers = sorted(at for _, at in outline if isinstance(at, int))
    return Outline(outline, named=named) if numbers == list(range(named, len(words))) else None
