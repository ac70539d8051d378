"""The merged text of a conf directory, and where each of its lines was written."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from fsgitops.routing.tree import XmlSyntaxError, parse

if TYPE_CHECKING:
    from collections.abc import Mapping


class SourceLine(NamedTuple):
    """A place in a file of the conf directory; `file` is relative to it where it lies inside."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Skipped:
    """An instruction that came to nothing: what it asked for, where it stands, and why."""

    what: str
    where: SourceLine
    reason: str


@dataclass(frozen=True, slots=True)
class MergedConfig:
    """The merged text (what FreeSWITCH writes to `freeswitch.xml.fsxml`) and where it came from.

    `skipped` lists includes that brought nothing in, `not_run` the commands never carried out,
    `outside` the files read from outside the conf directory, `unknown` the `$${names}` without a
    value, `files` every file read (relative where inside the conf directory), in order. `asked` are
    the patterns of all includes, each behind the folder that it was asked in. `doubts`
    says from which line of `text` on the switch's may differ, and which command makes it so.
    """

    text: bytes
    files: tuple[str, ...]
    variables: Mapping[str, str]
    skipped: tuple[Skipped, ...]
    not_run: tuple[Skipped, ...]
    outside: tuple[str, ...]
    unknown: frozenset[str]
    doubts: tuple[tuple[int, Skipped], ...]
    asked: tuple[str, ...]
    _pieces: Pieces = field(repr=False)

    def source_of_line(self, number: int) -> SourceLine | None:
        """Return the source of line `number` as FreeSWITCH names it in `[error near line N]`.

        FreeSWITCH counts lines in a text that its parser has already chewed on, so its number
        can be off. If our parser stops at the same number, the true place is known and taken;
        otherwise `number` is read as a line of `text`. None: there is no such line.
        """
        try:
            parse(self.text)
        except XmlSyntaxError as error:
            if error.reported_line == number:
                return self.source_of_merged_line(error.line)
        return self.source_of_merged_line(number)

    def find_doubt(self, number: int) -> Skipped | None:
        """Return the command that makes line `number` of the switch's text uncertain, the last one.

        What `exec` prints stands in the switch's text and not in ours, so every line from there
        on may have another number; so may those behind a value of several lines. None: the line
        stands before all that.
        """
        before = [skipped for line, skipped in self.doubts if line <= number]
        return before[-1] if before else None

    def find_error(self) -> tuple[str, SourceLine | None] | None:
        """Return what FreeSWITCH's parser would refuse in `text`, and where; None: nothing."""
        try:
            parse(self.text)
        except XmlSyntaxError as error:
            return error.reason, self.source_of_merged_line(error.line)
        return None

    def source_of_merged_line(self, number: int) -> SourceLine | None:
        """Return where line `number` (from 1) of `text` was written; None: no such line."""
        found = self._pieces.source(number, self.text)
        return None if found is None else SourceLine(self.files[found[0]], found[1])


class Pieces:
    """Runs of the merged text: the merged line and byte each starts at, its file and line."""

    def __init__(self) -> None:
        self.first_line = array("Q")
        self.start = array("Q")
        self.file = array("Q")
        self.line = array("Q")
        self._lines = 0
        self._split: tuple[int, list[bytes]] = (-1, [])

    def add(self, first_line: int, start: int, file: int, line: int) -> None:
        """Add the run that follows the last one; `file` is a number, `line` counts from 1."""
        self.first_line.append(first_line)
        self.start.append(start)
        self.file.append(file)
        self.line.append(line)

    def source(self, number: int, text: bytes) -> tuple[int, int] | None:
        """Prefer, of the runs that share a merged line, the first that is not blank there."""
        self._lines = self._lines or text.count(b"\n") + 1
        if number < 1 or not self.start or number > self._lines:
            return None
        last = bisect_right(self.first_line, number) - 1
        first = bisect_left(self.first_line, number)
        candidates = range(first - 1 if first > 0 else 0, last + 1)
        chosen = -1
        for run in candidates:
            content = self._on_line(run, number, text)
            if content is None:
                continue
            if content.strip():
                chosen = run
                break
            chosen = run if chosen < 0 else chosen
        if chosen < 0:
            return None
        return self.file[chosen], self.line[chosen] + number - self.first_line[chosen]

    def _on_line(self, run: int, number: int, text: bytes) -> bytes | None:
        """Return what the run has on merged line `number`; None: it does not reach that far."""
        if run != self._split[0]:  # one file may hold all users, and each is asked for
            end = self.start[run + 1] if run + 1 < len(self.start) else len(text)
            self._split = run, text[self.start[run] : end].split(b"\n")
        lines = self._split[1]
        index = number - self.first_line[run]
        if index >= len(lines) or (index == len(lines) - 1 and index and not lines[index]):
            return None
        return lines[index]
