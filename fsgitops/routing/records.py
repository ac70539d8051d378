"""Users and extensions as large trees keep them: the values, beside one shape for all.

The files of ten thousand agents differ in what stands between the quotes, and in little else. So
their text is kept as a shape, once, and the values of each: a twentieth of a tree.

While the files are merged, records that follow each other leave one mark in the text, an element. A
mark that the parser does not come upon as an element, because it stands in a comment, say, means
that the text must be read as a whole (`Records.parse`). The embedded switch keeps all text between
them, for what it prints; who asks where something was written keeps all lines (`PlacedRecords`).
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from fsgitops.routing.shapes import Shape, prove_shape
from fsgitops.routing.tree import Element, XmlSyntaxError, parse

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

_MARK = "r\0"
"""What a mark's name begins with; a merged text holds no NUL, the preprocessor ends lines there."""
_SPACE = b" \t\n"
"""What may stand between the records of a run: the parser takes it as it is."""
_MAX_SPACE = 1024
_TAGS = ((b"<user ", b"</user>"), (b"<extension ", b"</extension>"))


class Record(Element):
    """An element of a proved shape. What an Element holds of its inside is made when asked for.

    The slots for that stay empty. Its `line` is 0: not known.
    """

    __slots__ = ("shape", "values")

    def __init__(self, shape: Shape, values: bytes) -> None:
        self.name = shape.name
        self.offset = 0
        self.shape = shape
        self.values = values

    def __getattr__(self, name: str) -> object:
        if name == "attributes":
            return self.shape.attributes(self.values)
        if name in ("children", "text"):
            return getattr(self.shape.grow(self.values), name)
        if name == "line":
            return 0
        raise AttributeError(f"a record has no `{name}`")

    def may_hold(self, tag: str) -> bool:
        """Tell whether an element of this name stands in it."""
        return tag in self.shape.tags

    def printed(self, depth: int) -> str:
        """Return the record as the switch prints it, `depth` levels deep."""
        return self.shape.printed(self.values, depth)


class PlacedRecord(Record):
    """A record that knows its line, and keeps its inside once somebody has asked for it."""

    __slots__ = ()

    def __init__(self, shape: Shape, values: bytes, line: int) -> None:
        super().__init__(shape, values)
        self.line = line

    def __getattr__(self, name: str) -> object:
        if name not in ("children", "text"):
            return super().__getattr__(name)
        grown = self.shape.grow(self.values, self.line)
        self.children, self.text = grown.children, grown.text
        return getattr(grown, name)


class _Run:
    """Records that follow each other with nothing but space between, and that space."""

    __slots__ = ("gaps", "records")

    def __init__(self) -> None:
        self.gaps: list[str] = []
        self.records: list[Record] = []


class Records:
    """Takes the records out of a text while it is merged, and puts them into its tree.

    `before` are those of the text that was loaded before. Shapes are proved once, and what has not
    changed since is held once while both texts are.
    """

    def __init__(self, before: Records | None = None) -> None:
        self._before = before.shapes if before else {}
        self._held = {values: values for values in before.values()} if before else {}
        self._runs: list[_Run] = []
        self._space: bytes | None = None
        """What stood behind the last record and is not in the text yet; None: a run has ended."""
        self.shapes: dict[bytes, Shape | None] = {}

    def values(self, tag: str = "") -> Iterator[bytes]:
        """Yield the values of each record, or of each that is of a tag."""
        records = (record for run in self._runs for record in run.records)
        return (record.values for record in records if tag in ("", record.name))

    def take_out(self, text: bytes, _file: str) -> bytes:
        """Return a piece of the merged text with a mark in the place of each run of records."""
        parts: list[bytes] = []
        cursor = 0
        for start, end in _find_candidates(text):
            read = self._read(text[start:end])
            if read is None:
                continue
            record = Record(*read)
            gap = text[cursor:start]
            if self._goes_on(gap):
                gap = (self._space or b"") + gap
            else:
                parts += self._space or b"", gap, f"<{_MARK}{len(self._runs)}/>".encode()
                self._runs.append(_Run())
                gap = b""
            self._runs[-1].gaps.append(sys.intern(gap.decode("ascii")))
            self._runs[-1].records.append(record)
            self._space, cursor = b"", end
        rest = text[cursor:]
        if self._goes_on(rest):
            self._space = (self._space or b"") + rest
        else:
            parts += self._space or b"", rest
            self._space = None
        return b"".join(parts)

    def _goes_on(self, gap: bytes) -> bool:
        """Tell whether a run goes on behind this: whether it is space, and little."""
        if self._space is None or len(self._space) + len(gap) > _MAX_SPACE:
            return False
        return not gap.strip(_SPACE)

    def parse(self, text: bytes) -> Element | None:
        """Return the tree of the merged text; None: it has to be read without taking anything out.

        A text that FreeSWITCH refuses is one of those: the line that it names is one of all.
        """
        self._before = {}
        self._held = {}
        try:
            root = parse(text)
        except XmlSyntaxError:
            return None
        return root if self._put_in(root) == len(self._runs) else None

    def _read(self, text: bytes) -> tuple[Shape, bytes] | None:
        # With an odd quote the closing tag is among the values: such a skeleton proves nothing.
        parts = text.split(b'"')
        skeleton = b'"'.join(parts[::2])
        if skeleton not in self.shapes:
            known = skeleton in self._before
            self.shapes[skeleton] = self._before[skeleton] if known else prove_shape(skeleton)
        shape = self.shapes[skeleton]
        if shape is None:
            return None
        values = b'"'.join(parts[1::2])
        return shape, self._held.get(values, values)

    def _put_in(self, root: Element) -> int:
        """Put the runs in the places of their marks; return how many there are."""
        count = 0
        pending = [root]
        while pending:
            parent = pending.pop()
            marks = sum(child.name.startswith(_MARK) for child in parent.children)
            if marks:
                self._fill(parent)
                count += marks
            pending += [child for child in parent.children if type(child) is Element]
        return count

    def _fill(self, parent: Element) -> None:
        """Put its runs into an element, and the space between their records into its text."""
        children: list[Element] = []
        text: list[str] = []
        cursor = size = 0
        for child in parent.children:
            text.append(parent.text[cursor : child.offset])
            size += child.offset - cursor
            cursor = child.offset
            if not child.name.startswith(_MARK):
                child.offset = size
                children.append(child)
                continue
            run = self._runs[int(child.name[len(_MARK) :])]
            for gap, record in zip(run.gaps, run.records, strict=True):
                size += len(gap)
                record.offset = size
            text += run.gaps
            children += run.records
            run.gaps.clear()
        parent.children = children
        parent.text = "".join(text) + parent.text[cursor:]


class PlacedRecords(Records):
    """Takes records out of some files, and leaves each line of the text where it is.

    `files` are the paths, relative to the conf directory, whose users and extensions are taken out.
    """

    def __init__(self, files: Container[str]) -> None:
        super().__init__()
        self._files = files
        self._line = 1
        self._open = False
        """Whether the next record follows the last one."""

    def take_out(self, text: bytes, file: str) -> bytes:
        """Return a piece of the merged text with marks and empty lines in place of records.

        A run's first record leaves a mark, each other one a character: so no line of one is blank.
        """
        parts: list[bytes] = []
        cursor = 0
        for start, end in _find_candidates(text) if file in self._files else ():
            read = self._read(text[start:end])
            if read is None:
                continue
            gap = text[cursor:start]
            self._line += gap.count(b"\n")
            if self._open and not gap.strip(_SPACE):
                parts += gap, b"."
            else:
                parts += gap, f"<{_MARK}{len(self._runs)}/>".encode()
                self._runs.append(_Run())
            self._open, cursor = True, end
            self._runs[-1].records.append(PlacedRecord(*read, self._line))
            lines = text.count(b"\n", start, end)
            self._line += lines
            parts.append(b"\n" * lines)
        rest = text[cursor:]
        self._line += rest.count(b"\n")
        self._open = self._open and not rest.strip(_SPACE)
        return b"".join((*parts, rest))

    def _fill(self, parent: Element) -> None:
        """Put its runs into an element; of its text, nobody asks."""
        children: list[Element] = []
        for child in parent.children:
            if child.name.startswith(_MARK):
                children += self._runs[int(child.name[len(_MARK) :])].records
            else:
                children.append(child)
        parent.children = children


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
