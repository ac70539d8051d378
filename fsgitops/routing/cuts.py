"""A text of many elements of one tag: each is cut out, and read only when somebody looks.

Elements of one shape differ in nothing but what stands between their quotes. A shape is parsed when
it is first met, with made-up words there: it must be one element, with each word the value of an
attribute. Then any plain values make such an element. Elements that follow each other leave one
mark in the text, an element too, and what is left is parsed as ever. A mark that is not found as
an element there, because it stands in a comment, say, means that the text must be read as a whole.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING, Final, NamedTuple

from fsgitops.routing.fragment import (
    ALIAS,
    COMMENT,
    END,
    TAG,
    FragmentError,
    flatten_text,
    read_text,
    walk_items,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

BATCH: Final = 1 << 20
"""So many bytes of a text that comes in pieces are looked at together."""
LONGEST: Final = 1 << 16
"""A longer element is not cut out."""
_STEM: Final = b"fsgitopscut"
_NAME: Final = re.compile(rb"[\w.+:*-]+")
# References, markup, and white space that an XML parser normalises.
_SPECIAL: Final = b"<&\x7f" + bytes(range(32))
_NOT_PLAIN: Final = re.compile("[\ufffe\uffff]")
_SPACE: Final = b" \t\r\n"


class Shape(NamedTuple):
    """What elements share that differ in nothing but their values.

    `skeleton` is their text, in which one quote stands for each value with its quotes; `tree` what
    the parser made of it; `named` the number of the value that is their name.
    """

    skeleton: bytes
    tree: tuple[tuple[str, ...], ...]
    named: int


class Element(Mapping[str, str]):
    """An element of a text: what `flatten_fragment` says of it in a file of its own."""

    __slots__ = ("_flat", "_shape", "name", "texts")

    def __init__(self, shape: Shape, texts: bytes, name: str) -> None:
        self._shape = shape
        self._flat: dict[str, str] | None = None
        self.texts = texts
        """What stands between its quotes, with a quote between them."""
        self.name = name
        """What it is called: what is dialled for a user who has another id."""

    @property
    def names(self) -> tuple[str, ...]:
        """What a look-up finds it by, its own name first."""
        if not self._shape.named:
            return (self.name,)
        return (self.name, self.texts.partition(b'"')[0].decode())

    def has_shape_of(self, other: Element) -> bool:
        """Tell whether both are the same, however they are printed, but for their texts."""
        return self._shape.tree == other._shape.tree

    def __getitem__(self, key: str) -> str:
        return self._read()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._read())

    def __len__(self) -> int:
        return len(self._read())

    def _read(self) -> dict[str, str]:
        if self._flat is None:
            self._flat = flatten_text(_fill(self._shape.skeleton, self.texts), ())
        return self._flat


class Run(NamedTuple):
    """Elements that follow each other, with where each stands, and the name of their mark."""

    mark: str
    elements: list[tuple[int, int, Element]]

    def stands(self, tag: str, key: str) -> bytes:
        """Return the element that stands in their place."""
        return f'<{tag} {key}="{self.mark}"/>'.encode()


class Cuts(NamedTuple):
    """What is left of a text, with a mark in place of each run of elements."""

    rest: bytes
    runs: tuple[Run, ...]


def cut_elements(text: bytes, tag: str, key: str) -> Cuts:
    """Cut out the elements of a tag that can be: each begins with the attribute that names it.

    A text that is no XML may leave anything, that is none either.
    """
    cutting = Cutting(tag, key)
    left = text if _STEM in text else cutting.cut(text)
    return Cuts(b"".join((*cutting.rest, left)), tuple(cutting.runs))


class Cutting:
    """Cuts the elements out of a text that comes in pieces, so that it is never held whole."""

    def __init__(self, tag: str, key: str) -> None:
        self._tag, self._key = tag, key
        self._pieces: list[bytes] = []
        self._waiting, self._enough = 0, BATCH
        self._doubtful = False
        self.runs: list[Run] = []
        self.rest: list[bytes] = []

    def feed(self, piece: bytes) -> None:
        """Take in the next piece."""
        self._pieces.append(piece)
        self._waiting += len(piece)
        if self._waiting >= self._enough:
            self._cut()

    def finish(self) -> Cuts | None:
        """Return what `cut_elements` does of the whole; None where it has to be seen whole."""
        self._cut()
        if self._doubtful:
            return None
        return Cuts(b"".join((*self.rest, *self._pieces)), tuple(self.runs))

    def _cut(self) -> None:
        text = b"".join(self._pieces)
        self._doubtful = self._doubtful or _STEM in text
        left = text if self._doubtful else self.cut(text)
        # Where nothing can be cut out, it is not looked for again with each piece.
        self._pieces, self._waiting = [left], len(left)
        self._enough = 2 * len(left) + BATCH

    def cut(self, text: bytes) -> bytes:
        """Cut out the elements of a text that goes on from the last; return what is behind them."""
        runs, rest, position = self.runs, self.rest, 0
        for start, end, element in _find(text, self._tag, self._key):
            between = text[position:start]
            if not runs or between.strip(_SPACE):
                runs.append(Run(f"{_STEM.decode()}{len(runs)}z", []))
                rest += between, runs[-1].stands(self._tag, self._key)
            runs[-1].elements.append((start, end, element))
            position = end
        return text[position:]


def _find(text: bytes, tag: str, key: str) -> Iterator[tuple[int, int, Element]]:
    opening, closing = f'<{tag} {key}="'.encode(), f"</{tag}>".encode()
    start = text.find(opening)
    while start >= 0:
        end = text.find(closing, start)
        if end < 0:
            return
        end += len(closing)
        if end - start <= LONGEST:
            pieces = text[start:end].split(b'"')
            texts = b'"'.join(pieces[1::2])
            shape = _prove(b'"'.join(pieces[::2]), tag) if len(pieces) & 1 else None
            name = pieces[2 * shape.named + 1] if shape else b""
            if shape and _is_plain(texts) and _NAME.fullmatch(name):
                yield start, end, Element(shape, texts, name.decode())
        start = text.find(opening, end)


def _is_plain(texts: bytes) -> bool:
    """Tell whether an XML parser would take the values as they are."""
    if len(texts.translate(None, _SPECIAL)) != len(texts):
        return False
    try:
        return texts.isascii() or not _NOT_PLAIN.search(texts.decode())
    except UnicodeDecodeError:
        return False


@lru_cache(maxsize=1024)
def _prove(skeleton: bytes, tag: str) -> Shape | None:
    """Return the shape of elements with such a skeleton; None: it proves nothing."""
    words = [f"w{number}" for number in range(skeleton.count(b'"'))]
    try:
        items = read_text(_fill(skeleton, '"'.join(words).encode()))
    except FragmentError:
        return None
    tree: list[tuple[str, ...]] = []
    found: list[str] = []
    tops = depth = 0
    for kind, at, attributes in walk_items(items):
        if kind == COMMENT:
            continue
        tops += not depth
        depth += {TAG: 1, END: -1}.get(kind, 0)
        found += attributes.values()
        tree.append((kind, items[at], *chain(*attributes.items())))
    whole = tops == 1 and items[0] == f"<{tag}"
    if not whole or found != words:
        return None
    keys = tree[0][2::2]
    named = keys.index(ALIAS) if tag == "user" and ALIAS in keys else 0
    return Shape(skeleton, _intern(tuple(tree)), named)


@lru_cache(maxsize=1024)
def _intern(tree: tuple[tuple[str, ...], ...]) -> tuple[tuple[str, ...], ...]:
    return tree


def _fill(skeleton: bytes, texts: bytes) -> bytes:
    parts = skeleton.split(b'"')
    filled = [b""] * (2 * len(parts) - 1)
    filled[::2], filled[1::2] = parts, texts.split(b'"')
    return b'"'.join(filled)
