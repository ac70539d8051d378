"""One shape for all records that differ in nothing but what stands between their quotes.

A shape is proved when it is first met. Filled with made-up values it is read by the parser and
printed: it must be one element, with each value in an attribute of its own. Then any other values,
which hold no quote, are read and printed in the same places.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from fsgitops.routing.directory import print_attribute, print_pieces, serialise
from fsgitops.routing.tree import Element, XmlSyntaxError, clean_attribute, parse

if TYPE_CHECKING:
    from collections.abc import Iterator

_MAX_SKELETON = 1 << 16
_MAX_PRINTED = 1 << 20
_SPECIAL = re.compile(rb"[^ -%'-;=?-~]")
"""What is read or printed as something else, in an attribute: all but these of ASCII are."""


class Shape:
    """What records that differ in nothing but their values share.

    `skeleton` is their text, in which one quote stands for each value with its quotes.
    """

    __slots__ = ("_keys", "_outline", "_printed", "_skeleton", "name", "read", "tags")

    def __init__(
        self, skeleton: bytes, name: str, keys: tuple[str, ...], tags: frozenset[str]
    ) -> None:
        self.name = name
        self.tags = tags
        self._skeleton = skeleton
        self._keys = keys
        self._outline: list[tuple[int, Element]] = []
        self._printed: dict[int, list[str]] = {}
        self.read: dict[tuple[bytes, ...], Any] = {}
        """What readers made of records, by what of their values is no digit: call/mould.py."""

    def attributes(self, values: bytes) -> dict[str, str]:
        """Return the attributes of the record itself: its first values."""
        found = values.split(b'"', len(self._keys))
        return {key: _read(value) for key, value in zip(self._keys, found, strict=False)}

    def parse(self, values: bytes) -> Element:
        """Return the tree of a record with these values. Raises XmlSyntaxError."""
        parts = [b""] * (2 * self._skeleton.count(b'"') + 1)
        parts[::2], parts[1::2] = self._skeleton.split(b'"'), values.split(b'"')
        return parse(b'"'.join(parts))

    def grow(self, values: bytes, line: int = 1) -> Element:
        """Return what `parse` does, made from the tree of another record, from a line on."""
        if not self._outline:
            self._outline = list(_walk(self.parse(_made_up(self._skeleton))))
        left = iter(_split(values))
        grown: list[Element] = []
        for parent, drawn in self._outline:
            # The keys come first: zip takes no value when there is no key for it.
            attributes = dict(zip(drawn.attributes, left, strict=False))
            element = Element(drawn.name, attributes, drawn.offset, drawn.line + line - 1)
            element.text = drawn.text
            if grown and grown[parent].children:
                grown[parent].children.append(element)
            elif grown:
                grown[parent].children = [element]
            grown.append(element)
        return grown[0]

    def printed(self, values: bytes, depth: int) -> str:
        """Return the record as the switch prints it that deep in what is asked for."""
        shape = self._printed.get(depth)
        if shape is None:
            tree = self.parse(_made_up(self._skeleton))
            shape = self._printed[depth] = _decode(serialise(tree, depth)).split('"')[::2]
        if is_plain(values):
            said = values.decode("ascii").split('"')
        else:
            said = [print_attribute(_read(value)) for value in values.split(b'"')]
        parts = [""] * (len(shape) + len(said))
        parts[::2], parts[1::2] = shape, said
        return '"'.join(parts)


def is_plain(values: bytes) -> bool:
    """Tell whether values are read as they stand there."""
    return _SPECIAL.search(values) is None


def prove_shape(skeleton: bytes) -> Shape | None:
    """Return the shape of records with such a skeleton; None: it proves nothing."""
    if b'"' not in skeleton or len(skeleton) > _MAX_SKELETON:
        return None
    values = _made_up(skeleton)
    try:
        tree = Shape(skeleton, "", (), frozenset()).parse(values)
    except XmlSyntaxError:
        return None
    made_up = _decode(values).split('"')
    printed = _print_some(tree).split('"')
    read = [value for _, element in _walk(tree) for value in element.attributes.values()]
    if read != made_up or printed[1::2] != made_up:
        return None
    tags = frozenset(element.name for _, element in _walk(tree))
    return Shape(skeleton, tree.name, tuple(tree.attributes), tags)


def _print_some(tree: Element) -> str:
    """Return what the switch prints, up to some length: a few kilobytes can become gigabytes."""
    pieces: list[bytes] = []
    for piece in print_pieces(tree):
        pieces.append(piece)
        if sum(map(len, pieces)) > _MAX_PRINTED:
            break
    return _decode(b"".join(pieces))


def _walk(root: Element) -> Iterator[tuple[int, Element]]:
    """Yield each element in the order that they are written in, with its parent's place in that."""
    pending = [(0, root)]
    place = 0
    while pending:
        parent, element = pending.pop()
        yield parent, element
        pending.extend((place, child) for child in reversed(element.children))
        place += 1


def _made_up(skeleton: bytes) -> bytes:
    """Return values for a skeleton, no two of them the same."""
    return b'"'.join(b"v%d" % number for number in range(skeleton.count(b'"')))


def _split(values: bytes) -> list[str]:
    """Return the values as the parser reads them."""
    if is_plain(values):
        return values.decode("ascii").split('"')
    return [_read(value) for value in values.split(b'"')]


def _read(value: bytes) -> str:
    return clean_attribute(_decode(value))


def _decode(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")
