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
    from collections.abc import Iterable

    from fsgitops.findings import Finding
    from fsgitops.model.document import Marks, Value

_DEPTH: Final = 16
_BLOCK: Final = 1 << 16
"""So many characters are taken apart at a time."""

_KEY: Final = r"[A-Za-z_][A-Za-z0-9_-]{0,99}"
_FIRST: Final = r"[A-Za-z0-9_+./(\u00a1-\U0010ffff]"
_QUOTED: Final = r"""'[^'\n]*'|"[^"\\\n]*\""""
# A `:` before a blank ends a plain text, and so does a `#` behind one.
_TEXT: Final = rf"{_FIRST}[^\n:#]*(?:(?::(?=[^ \n])|(?<! )#)[^\n:#]*)*"
_FLOW: Final = r"\[[^][{}\n:#&*!|>%@`\"'?]*\]|\{[^][{}\n#&*!|>%`?]*\}"
_LINE: Final = re.compile(
    rf"( *)(- +)?(?:({_KEY}):(?=[ \n]) *)?({_TEXT}|{_FLOW}|{_QUOTED})? *(?:(?<![^ \n])#[^\n]*)?\n"
)
_WORD: Final = r"[A-Za-z0-9_+./\u00a1-\U0010ffff][A-Za-z0-9_+./@ \u00a1-\U0010ffff-]*"
_LIST: Final = re.compile(rf"\[ *(?:{_WORD}(?:, *{_WORD})*)?\]")
_PAIR: Final = re.compile(rf" *({_KEY}): +({_WORD}|{_QUOTED}) *(?:,|$)")


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
        text = data.decode() + ("" if data.endswith(b"\n") else "\n")
        if text.startswith("---\n"):
            text = f"#{text[1:]}"
        start = number = 0
        try:
            while start < len(text):
                end = text.find("\n", start + _BLOCK) + 1 or len(text)
                pieces: list[Any] = _LINE.split(text[start:end])
                if any(pieces[::5]):
                    return False
                lines = zip(pieces[1::5], pieces[2::5], pieces[3::5], pieces[4::5], strict=True)
                number = self.build(lines, number)
                start = end
        except _MoreError:
            return False
        if self.waiting is not None:
            self.open[-1][1][self.waiting] = None
        return bool(self.tree)

    def positions(self) -> dict[str, tuple[Position, ...]]:
        """Return, for each key at the top, where the items of its list begin."""
        return {key: tuple(starts) for key, starts in self.starts.items()}

    def build(self, lines: Iterable[tuple[Any, ...]], number: int) -> int:
        """Take in lines: the blanks before each, its dash, its key, its value; return the last."""
        column, inner = self.open[-1]
        intern, tree = sys.intern, self.tree
        for number, (blanks, dash, key, value) in enumerate(lines, number + 1):  # noqa: B020, PLR1704
            if not (key or value or dash):
                continue
            if dash or self.waiting is not None or len(blanks) != column or type(inner) is list:
                column, inner = self.enter(len(blanks), dash)
                if dash:
                    if len(self.open) == 2:
                        self.note(Position(self.path, number, column + len(dash) + 1))
                    if key is None:
                        inner.append(_read(value))
                        continue
                    column, inner = self.begin(column + len(dash), inner)
            if key is None or key in inner or key == _NULL:
                raise _MoreError
            if value is None:
                self.waiting = intern(key)
            elif value[0] in _MARKS or value[-1] == " " or value == _NULL:
                inner[intern(key)] = below = _read(value)
                if inner is tree and type(below) in _INNER:
                    raise _MoreError
            else:
                inner[intern(key)] = value
        return number

    def begin(self, column: int, inner: list[Value]) -> tuple[int, dict[str, Value]]:
        """Begin a mapping that is an item of a list."""
        item: dict[str, Value] = {}
        inner.append(item)
        self.open.append((column, item))
        return column, item

    def note(self, place: Position) -> None:
        """Note where an item of a list at the top begins."""
        self.starts[next(reversed(self.starts))].append(place)

    def enter(self, indent: int, dash: str | None) -> tuple[int, Any]:
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
        if column != indent or (type(inner) is list) != bool(dash):
            raise _MoreError
        return column, inner


_MARKS: Final = frozenset("[{'\"")
_INNER: Final = (list, dict)
_NULL: Final = "null"


def _read(text: str | None) -> Value:
    """Return what a text means where a value stands. Raises _MoreError where that is not plain."""
    if text is None:
        raise _MoreError
    sign = text[0]
    if sign == "[":
        return [*_read_list(text)]
    if sign == "{":
        return _read_mapping(text)
    if sign in _MARKS:
        return text[1:-1]
    text = text.rstrip(" ")
    return None if text == _NULL else text


@lru_cache(maxsize=1024)
def _read_list(text: str) -> tuple[str | None, ...]:
    if not _LIST.fullmatch(text):
        raise _MoreError
    words = [word.strip(" ") for word in text[1:-1].split(",")]
    return () if words == [""] else tuple(None if word == _NULL else word for word in words)


def _read_mapping(text: str) -> dict[str, Value]:
    pieces = _PAIR.split(text[1:-1].strip(" "))
    keys = pieces[1::3]
    found: dict[str, Value] = {}
    for key, value in zip(keys, pieces[2::3], strict=True):
        plain = value[0] not in _MARKS and value[-1] != " " and value != _NULL
        found[sys.intern(key)] = value if plain else _read(value)
    if any(pieces[::3]) or _NULL in found or len(found) < len(keys):
        raise _MoreError
    return found
