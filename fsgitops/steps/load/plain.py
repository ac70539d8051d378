"""Plain YAML, read line by line: the events of a parser, as Python objects, take twice the time.

Most of what is declared is lists of mappings, with a `key: value` in each line. A file of nothing
else is built here, as the parser would build it; any other is left to the parser (events.py), and
so is each that might mean more than its lines say one by one.
"""

from __future__ import annotations

import re
import sys
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from fsgitops.findings import Position
from fsgitops.model.document import Document

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fsgitops.findings import Finding
    from fsgitops.model.document import Marks, Value

_DEPTH: Final = 16
_NULL: Final = "null"
# What a text may not begin with, and not hold: to compile what it may, which is all of Unicode but
# these, took 20 ms at each start.
_NOT_FIRST: Final = r"\x00-*,\-:-@\[-^`{-\xa0"
_NOT_NEXT: Final = r"\x00-\x1f!-*,:-?\[-^`{-\xa0"
_KEY: Final = r"[A-Za-z_][A-Za-z0-9_-]{0,99}"
_NAME: Final = re.compile(_KEY)
_HEAD: Final = re.compile(rf"( *)(- +)?({_KEY})")
_TEXT: Final = re.compile(rf"(?:\(|[^{_NOT_FIRST}])[^:#]*")
_WORD: Final = rf"[^{_NOT_FIRST}][^{_NOT_NEXT}]*"
_ONE: Final = re.compile(_WORD)
_LIST: Final = re.compile(rf"\[ *(?:{_WORD}(?:, *{_WORD})*)?\]")


def parse_file(path: str, data: bytes) -> tuple[Document | None, list[Finding]]:
    """Parse checked bytes (UTF-8, no byte order mark) into a Document and findings."""
    reader = _Reader(path)
    if reader.read(data):
        return Document(path, reader.tree, data, reader.positions(), scan), []
    from fsgitops.steps.load.events import parse_document

    return parse_document(path, data)


def scan(data: bytes) -> Marks:
    """Return where everything stands in a file of which `parse_file` made a Document."""
    # The parser is imported where somebody asks for a place.
    from fsgitops.steps.load.stream import scan_marks

    return scan_marks(data)


def find_literals(data: bytes) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Return what `stream.find_literals` does, which is imported where there are comments."""
    from fsgitops.steps.load import stream

    return stream.find_literals(data)


class _MoreError(Exception):
    """The file is more than plain."""


class _Reader:
    """Builds the tree of one file, line by line.

    `open` has the mappings and lists that are not at their end, each with the column of its lines,
    from the outermost to the innermost. `waiting` is the key whose value begins below it. `starts`
    has, for each key at the top with more than a text, where the items of its list begin.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.tree: dict[str, Value] = {}
        self.starts: dict[str, list[Position]] = {}
        self.open: list[tuple[int, Any]] = [(0, self.tree)]
        self.waiting: str | None = None

    def read(self, data: bytes) -> bool:
        """Build the tree; False where the file is more than plain."""
        if b"\t" in data or b"\r" in data:
            return False
        lines = data.decode().split("\n")
        if lines[0] == "---":
            lines[0] = ""
        try:
            self.build(lines)
        except _MoreError:
            return False
        if self.waiting is not None:
            self.open[-1][1][self.waiting] = None
        return bool(self.tree)

    def positions(self) -> dict[str, tuple[Position, ...]]:
        """Return, for each key at the top, where the items of its list begin."""
        return {key: tuple(starts) for key, starts in self.starts.items()}

    def build(self, lines: Sequence[str]) -> None:
        """Take in the lines, one by one."""
        column, inner = self.open[-1]
        tree, is_text = self.tree, _TEXT.fullmatch
        for number, line in enumerate(lines, 1):
            head, found, value = line.partition(": ")
            place = _read_head(head) if found else None
            if place is None:
                if (other := _read_line(line)) is None:
                    continue
                place, value = other
            blanks, dash, key = place
            if dash or self.waiting is not None or blanks != column or type(inner) is list:
                column, inner = self.enter(blanks, dash=dash > 0)
                if dash:
                    if len(self.open) == 2:
                        self.note(Position(self.path, number, blanks + dash + 1))
                    if not key:
                        inner.append(_read(value))
                        continue
                    column, inner = self.begin(blanks + dash, inner)
            if key in inner or not key:
                raise _MoreError
            if is_text(value) and value[-1] != " " and value != _NULL:
                inner[key] = value
            elif not value or (value := value.lstrip(" "))[:1] in _NOTHING:
                self.waiting = key
            else:
                inner[key] = below = _read(value)
                if inner is tree and type(below) in _INNER:
                    raise _MoreError

    def begin(self, column: int, inner: list[Value]) -> tuple[int, dict[str, Value]]:
        """Begin a mapping that is an item of a list."""
        item: dict[str, Value] = {}
        inner.append(item)
        self.open.append((column, item))
        return column, item

    def note(self, place: Position) -> None:
        """Note where an item of a list at the top begins."""
        self.starts[next(reversed(self.starts))].append(place)

    def enter(self, indent: int, *, dash: bool) -> tuple[int, Any]:
        """Return what a line belongs to, with its column: what is at its end is closed."""
        column, inner = self.open[-1]
        if (key := self.waiting) is not None:
            self.waiting = None
            if indent > column or (dash and indent == column):
                below: Any = [] if dash else {}
                inner[key] = below
                if inner is self.tree:
                    self.starts[key] = []
                if len(self.open) > _DEPTH:
                    raise _MoreError
                self.open.append((indent, below))
                return indent, below
            inner[key] = None
        while indent < self.open[-1][0]:
            self.open.pop()
        if not dash and type(self.open[-1][1]) is list:
            self.open.pop()  # it stands in the column of its key
        column, inner = self.open[-1]
        if column != indent or (type(inner) is list) != dash:
            raise _MoreError
        return column, inner


_MARKS: Final = frozenset("[{'\"")
_QUOTES: Final = ("'", '"')
_NOTHING: Final = ("", "#")
_INNER: Final = (list, dict)


@lru_cache(maxsize=1024)
def _read_head(head: str) -> tuple[int, int, str] | None:
    """Return the blanks of a line, the width of its dash, and its key; None where it is no key."""
    found = _HEAD.fullmatch(head)
    if not found or found[3] == _NULL:
        return None
    return len(found[1]), len(found[2] or ""), sys.intern(found[3])


def _read_line(line: str) -> tuple[tuple[int, int, str], str] | None:
    """Return the same of a line with no value behind its key, or with an item that is a value.

    None for a line that says nothing. Raises _MoreError for any other.
    """
    text = line.lstrip(" ")
    if text[:1] in _NOTHING:
        return None
    head = line.rstrip(" ")
    if head[-1] == ":" and (place := _read_head(head[:-1])):
        return place, ""
    if not text.startswith("- "):
        raise _MoreError
    value = text[1:].lstrip(" ")
    return (len(line) - len(text), len(text) - len(value), ""), value


def _read(text: str) -> Value:
    """Return what a text means where a value stands. Raises _MoreError where that is not plain."""
    text, sign = text.rstrip(" "), text[:1]
    if sign == "[":
        return [*_read_list(text)]
    if sign == "{":
        return _read_mapping(text)
    if sign and sign in _MARKS:
        if len(text) < 2 or text.find(sign, 1) != len(text) - 1 or (sign == '"' and "\\" in text):
            raise _MoreError
        return text[1:-1]
    text = text.partition(" #")[0].rstrip(" ")
    if not _TEXT.match(text) or ": " in text or text[-1] == ":":
        raise _MoreError
    return None if text == _NULL else text


@lru_cache(maxsize=1024)
def _read_list(text: str) -> tuple[str | None, ...]:
    if not _LIST.fullmatch(text):
        raise _MoreError
    words = [word.strip(" ") for word in text[1:-1].split(",")]
    return () if words == [""] else tuple(None if word == _NULL else word for word in words)


def _read_mapping(text: str) -> dict[str, Value]:
    found: dict[str, Value] = {}
    if text[-1] != "}":
        raise _MoreError
    inside = text[1:-1].strip(" ")
    for pair in inside.split(",") if inside else ():
        key, colon, value = pair.lstrip(" ").partition(": ")
        value = value.strip(" ")
        quoted = value[:1] in _QUOTES
        if not colon or key in found or key == _NULL or not _NAME.fullmatch(key):
            raise _MoreError
        if not (quoted or _ONE.fullmatch(value)):
            raise _MoreError
        found[sys.intern(key)] = _read(value) if quoted or value == _NULL else value
    return found
