"""Users and extensions as the embedded switch keeps them: the values, beside one shape for all.

The files of ten thousand agents differ in what stands between the quotes, and in little else. So
their text is kept as a shape, once, and the values of each: a twentieth of a tree. A shape is
proved when it is first met. Filled with made-up values it is read by the parser and printed: it
must be one element, with each value in an attribute of its own. Then any other values, which hold
no quote, are read and printed in the same places.

While the files are merged, each record leaves a mark in the text, an element of its own. A mark
that the parser does not come upon as an element, because it stands in a comment, say, means that
the text must be read as a whole (`Records.parse`).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from fsgitops.routing.directory import print_attribute, serialise
from fsgitops.routing.tree import Element, XmlSyntaxError, clean_attribute, parse

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_MARK = "r\0"
"""What a mark's name begins with; a merged text holds no NUL, the preprocessor ends lines there."""
_TAGS = ((b"<user ", b"</user>"), (b"<extension ", b"</extension>"))
_SPECIAL = re.compile(rb"[^ -%'-;=?-~]")
"""What is read or printed as something else, in an attribute: all but these of ASCII are."""
_KEPT_TREES = 64


class Shape:
    """What records that differ in nothing but their values share.

    `skeleton` is their text, in which one quote stands for each value with its quotes.
    """

    __slots__ = ("_keys", "_printed", "_skeleton", "name")

    def __init__(self, skeleton: bytes, name: str, keys: tuple[str, ...]) -> None:
        self.name = name
        self._skeleton = skeleton
        self._keys = keys
        self._printed: dict[int, list[str]] = {}

    def attributes(self, values: bytes) -> dict[str, str]:
        """Return the attributes of the record itself: its first values."""
        found = values.split(b'"', len(self._keys))
        return {key: _read(value) for key, value in zip(self._keys, found, strict=False)}

    def grow(self, values: bytes) -> Element:
        """Return the tree of a record with these values. Raises XmlSyntaxError."""
        parts = [b""] * (2 * self._skeleton.count(b'"') + 1)
        parts[::2], parts[1::2] = self._skeleton.split(b'"'), values.split(b'"')
        return parse(b'"'.join(parts))

    def printed(self, values: bytes, depth: int) -> str:
        """Return the record as the switch prints it that deep in what is asked for."""
        shape = self._printed.get(depth)
        if shape is None:
            tree = self.grow(_made_up(self._skeleton))
            shape = self._printed[depth] = _decode(serialise(tree, depth)).split('"')[::2]
        if _SPECIAL.search(values) is None:
            said = values.decode("ascii").split('"')
        else:
            said = [print_attribute(_read(value)) for value in values.split(b'"')]
        parts = [""] * (len(shape) + len(said))
        parts[::2], parts[1::2] = shape, said
        return '"'.join(parts)


def prove_shape(skeleton: bytes) -> Shape | None:
    """Return the shape of records with such a skeleton; None: it proves nothing."""
    if b'"' not in skeleton:
        return None
    values = _made_up(skeleton)
    try:
        tree = Shape(skeleton, "", ()).grow(values)
    except XmlSyntaxError:
        return None
    made_up = _decode(values).split('"')
    printed = _decode(serialise(tree)).split('"')
    if list(_attribute_values(tree)) != made_up or printed[1::2] != made_up:
        return None
    return Shape(skeleton, tree.name, tuple(tree.attributes))


class Record(Element):
    """An element of a proved shape. What an Element holds of its inside is made when asked for.

    The slots for that stay empty, and so does `line`, which the records do not know.
    """

    __slots__ = ("_shape", "_values")

    def __init__(self, shape: Shape, values: bytes) -> None:
        self.name = shape.name
        self.offset = 0
        self._shape = shape
        self._values = values

    def __getattr__(self, name: str) -> object:
        if name == "attributes":
            return self._shape.attributes(self._values)
        if name in ("children", "text"):
            return getattr(_grow(self._shape, self._values), name)
        raise AttributeError(f"a record has no `{name}`")

    def printed(self, depth: int) -> str:
        """Return the record as the switch prints it, `depth` levels deep."""
        return self._shape.printed(self._values, depth)


class Records:
    """Takes the records out of a text while it is merged, and puts them into its tree.

    `known` are the shapes of the text before it: they need no proof a second time.
    """

    def __init__(self, known: Mapping[bytes, Shape | None]) -> None:
        self._known = known
        self._found: list[Record] = []
        self.shapes: dict[bytes, Shape | None] = {}

    def take_out(self, text: bytes) -> bytes:
        """Return a piece of the merged text with a mark in the place of each record."""
        parts: list[bytes] = []
        cursor = 0
        for start, end in _find_candidates(text):
            record = self._read(text[start:end])
            if record is not None:
                parts += text[cursor:start], f"<{_MARK}{len(self._found)}/>".encode()
                self._found.append(record)
                cursor = end
        return b"".join((*parts, text[cursor:])) if parts else text

    def parse(self, text: bytes) -> Element | None:
        """Return the tree of the merged text; None: it has to be read without taking anything out.

        A text that FreeSWITCH refuses is one of those: the line that it names is one of all.
        """
        try:
            root = parse(text)
        except XmlSyntaxError:
            return None
        return root if self._put_in(root) == len(self._found) else None

    def _read(self, text: bytes) -> Record | None:
        # With an odd quote the closing tag is among the values: such a skeleton proves nothing.
        parts = text.split(b'"')
        skeleton = b'"'.join(parts[::2])
        if skeleton not in self.shapes:
            known = skeleton in self._known
            self.shapes[skeleton] = self._known[skeleton] if known else prove_shape(skeleton)
        shape = self.shapes[skeleton]
        return None if shape is None else Record(shape, b'"'.join(parts[1::2]))

    def _put_in(self, root: Element) -> int:
        """Put the records in the places of their marks; return how many there are."""
        count = 0
        pending = [root]
        while pending:
            children = pending.pop().children
            for number, child in enumerate(children):
                if child.name.startswith(_MARK):
                    record = self._found[int(child.name[len(_MARK) :])]
                    record.offset = child.offset
                    children[number] = record
                    count += 1
                elif child.children:
                    pending.append(child)
        return count


def _find_candidates(text: bytes) -> Iterator[tuple[int, int]]:
    """Yield start and end of what may be records, in order; none stands in another."""
    spans = [span for tags in _TAGS for span in _spans(text, *tags)]
    last = 0
    for start, end in sorted(spans):
        if start >= last:
            yield start, end
            last = end


def _spans(text: bytes, opening: bytes, closing: bytes) -> Iterator[tuple[int, int]]:
    cursor = 0
    while (end := text.find(closing, cursor)) >= 0:
        start = text.rfind(opening, cursor, end)
        cursor = end + len(closing)
        if start >= 0:
            yield start, cursor


def _attribute_values(root: Element) -> Iterator[str]:
    """Yield the values of all attributes in the order that they are written in."""
    pending = [root]
    while pending:
        element = pending.pop()
        yield from element.attributes.values()
        pending.extend(reversed(element.children))


def _made_up(skeleton: bytes) -> bytes:
    """Return values for a skeleton, no two of them the same."""
    return b'"'.join(b"v%d" % number for number in range(skeleton.count(b'"')))


def _read(value: bytes) -> str:
    return clean_attribute(_decode(value))


def _decode(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


@lru_cache(maxsize=_KEPT_TREES)
def _grow(shape: Shape, values: bytes) -> Element:
    """Return the record as a tree; whoever asks for a user asks for several things of it."""
    return shape.grow(values)
