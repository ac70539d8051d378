"""A conf directory, merged into one text as FreeSWITCH's preprocessor merges it.

Follows `preprocess` and `preprocess_glob` of FreeSWITCH 1.11 (`src/switch_xml.c`), oddities
included (lines.py); a carriage return ends a line of its own.

Where we differ, on purpose: nothing is ever executed (`exec`, `exec-set`), nobody is asked for
an address (`stun-set`), and our own environment is not read (`env-set`); such lines come to
nothing and are listed in `MergedConfig.not_run`; from where they make a difference, the lines of
the switch's text may be others (`MergedConfig.find_doubt`). Includes are followed wherever
FreeSWITCH follows them, out of the conf directory too, by absolute path or by symlink: the text has
to be the switch's. Files found that way are listed in `MergedConfig.outside`. Anything that is not
a regular file is skipped, so that a pipe cannot block us.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from fsgitops.durable import closing
from fsgitops.errors import FsgitopsError
from fsgitops.routing.glob import find_files
from fsgitops.routing.lines import (
    BLOCK,
    LINE_LIMIT,
    Instruction,
    Variables,
    expand,
    find_references,
    line_capacity,
    read_line,
    set_from_line,
)
from fsgitops.routing.merged import MergedConfig, Pieces, Skipped, SourceLine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from fsgitops.routing.glob import Ours, Overlay

ROOT_FILE = "freeswitch.xml"

MAX_DEPTH = 100
MAX_FILES = 1_000_000
MAX_BYTES = 1 << 30

_LINES = re.compile(rb"[^\r\n]+[\r\n]?|[\r\n]")
_VANISHING = (b"<include>\n", b"</include>\n")
"""Lines that say nothing, whatever goes before them: nearly every file begins and ends so."""
_MARKS = (b"x-pre-process", b"$${", b"<?", b"<include>", b"</include>", b"<!--#")


class MergeError(FsgitopsError):
    """The conf directory has no readable root file, or merging it would not end."""


@dataclass(slots=True)
class _OpenFile:
    """What the preprocessor remembers while it reads one file."""

    folder: str
    name: str
    depth: int
    index: int
    line: int = 1
    in_comment: bool = False
    capacity: int = BLOCK

    def here(self) -> SourceLine:
        return SourceLine(self.name, self.line)


@dataclass
class _Merger:
    base: str
    variables: Variables
    ours: Ours | None
    take_out: Callable[[bytes, str], bytes] | None
    overlay: Overlay | None
    chunks: list[bytes] = field(default_factory=list)
    size: int = 0
    written: int = 0
    newlines: int = 0
    pieces: Pieces = field(default_factory=Pieces)
    files: list[str] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    not_run: list[Skipped] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)
    doubts: list[tuple[int, Skipped]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    _inside: dict[str, bool] = field(default_factory=dict)
    _unknown: dict[bytes, Skipped] = field(default_factory=dict)

    def merge_file(self, folder: str, path: str, depth: int, asked: SourceLine) -> bool:
        name = path[len(self.base) + 1 :] if path.startswith(self.base + "/") else path
        name = os.path.normpath(name) if "/../" in name else name
        if depth > MAX_DEPTH:
            self.skipped.append(Skipped(name, asked, f"included more than {MAX_DEPTH} deep"))
            return False
        if len(self.files) >= MAX_FILES:
            raise MergeError(f"{asked}: more than {MAX_FILES:,} files included")
        try:
            data = self._read(path, name)
        except OSError as error:
            self.skipped.append(Skipped(name, asked, error.strerror or "unreadable"))
            return False
        self.files.append(name)
        self._merge_lines(data, _OpenFile(folder, name, depth, len(self.files) - 1))
        return True

    def _read(self, path: str, name: str) -> bytes:
        if self.overlay is not None and self.overlay.has(path, self.base):
            data = self.overlay.read(path, self.base)
            if data is None:
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
            return data
        return self._read_disk(path, name)

    def _read_disk(self, path: str, name: str) -> bytes:
        flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
        try:
            descriptor, linked = os.open(path, flags | os.O_NOFOLLOW), False
        except OSError as error:
            if error.errno != errno.ELOOP:
                raise
            descriptor, linked = os.open(path, flags), True
        with closing(descriptor):
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise OSError(0, "not a regular file")
            if not self._is_inside(path if linked else path.rpartition("/")[0]):
                self.outside.append(name)
            if status.st_size + self.size > MAX_BYTES:
                raise MergeError(f"{name}: the merged text would pass {MAX_BYTES:,} bytes")
            # A byte more than it has: a file that grew is read on, to its end.
            data = os.read(descriptor, status.st_size + 1)
            if len(data) == status.st_size:
                return data
            with os.fdopen(descriptor, "rb", closefd=False) as stream:
                return data + stream.read()

    @cached_property
    def resolved(self) -> Path:
        return Path(self.base).resolve()

    def _is_inside(self, path: str) -> bool:
        """Tell whether `path` leads below the conf directory; asked once for each folder."""
        known = self._inside.get(path)
        if known is None:
            known = self._inside[path] = Path(path).resolve().is_relative_to(self.resolved)
        return known

    def _merge_lines(self, data: bytes, source: _OpenFile) -> None:
        if b"\r" in data or b"\0" in data or len(data) > LINE_LIMIT:
            for line in _split_lines(data):
                self._merge_line(line, source)
                source.line += line.endswith(b"\n")
            return
        cursor = 0
        for start in [*_marked_lines(data), len(data)]:
            while source.in_comment and cursor < len(data):
                cursor = self._merge_line_at(data, cursor, source)
            if start < cursor:
                continue
            if start > cursor:
                block = data[cursor:start]
                self._emit(block, source)
                source.line += block.count(b"\n")
            cursor = self._merge_line_at(data, start, source) if start < len(data) else start

    def _merge_line_at(self, data: bytes, start: int, source: _OpenFile) -> int:
        end = data.find(b"\n", start) + 1 or len(data)
        self._merge_line(data[start:end], source)
        source.line += 1
        return end

    def _merge_line(self, line: bytes, source: _OpenFile) -> None:
        if line in _VANISHING:
            return
        source.capacity = line_capacity(line, source.capacity)
        line = line.partition(b"\0")[0]
        text, seen = expand(line, self.variables, source.capacity)
        if self._unknown and b"$${" in line:
            self._doubt_values(line.lower())
        text, instruction, source.in_comment = read_line(text, seen, source.in_comment)
        self._emit(text, source)
        if instruction is not None:
            self._carry_out(instruction, source)

    def _carry_out(self, instruction: Instruction, source: _OpenFile) -> None:
        _, command, argument, in_tag = instruction
        if command == b"set":
            set_from_line(self.variables, argument)
            self._unknown.pop(argument.partition(b"=")[0].rstrip(b" ").lower(), None)
        elif command == b"include":
            self._include(os.fsdecode(argument), source)
        elif command in (b"exec", b"exec-set", b"stun-set") or (in_tag and command == b"env-set"):
            name = command.decode()
            skipped = Skipped(name, source.here(), f"{name} is never carried out")
            self.not_run.append(skipped)
            if command == b"exec":
                self._doubt(skipped)
            else:
                self._unknown[argument.partition(b"=")[0].strip(b" ").lower()] = skipped

    def _doubt_values(self, line: bytes) -> None:
        """Doubt what follows a line that uses a value which only the switch knows.

        Such a value may hold line breaks (`exec-set`, `env-set`), or choose which files are
        included. What `stun-set` gives is an address: it does the latter at most.
        """
        used = {name for _, name, _ in find_references(line)}
        for name, skipped in self._unknown.items():
            if name in used:
                chooses = b"include" in line and (b"x-pre-process" in line or b"<!--#" in line)
                if chooses or skipped.what != "stun-set":
                    self._doubt(skipped)

    def _doubt(self, skipped: Skipped) -> None:
        if all(known != skipped for _, known in self.doubts):
            self.doubts.append((self.newlines + 1, skipped))

    def _include(self, pattern: str, source: _OpenFile) -> None:
        here = source.here()
        self.asked.append(os.path.join(source.folder, pattern))  # noqa: PTH118 - a pattern
        try:
            paths = find_files(source.folder, pattern)
        except OSError as error:
            self.skipped.append(Skipped(pattern, here, error.strerror or "unreadable folder"))
            paths = []
            if self.ours is None and self.overlay is None:
                return
        for known in (self.ours, self.overlay):
            if known is not None:
                paths = known.among(paths, self.base, source.folder, pattern)
        if not paths:
            self.skipped.append(Skipped(pattern, here, "no such file"))
        for path in paths:
            if self.ours is not None and self.ours.has(path, self.base):
                self._mark(path, here, source)
                continue
            self.merge_file(path.rpartition("/")[0] or "/", path, source.depth + 1, here)

    def _mark(self, path: str, here: SourceLine, source: _OpenFile) -> None:
        """Leave a mark where a file of ours is read; one for all that follow each other."""
        assert self.ours is not None
        if self.size != self.ours.marked_at:
            if self.chunks and not self.chunks[-1].endswith(b"\n"):
                self._emit(b"\n", source)  # who stands before the mark is told by the line
            self._emit(self.ours.next_mark(here, self.newlines + 1), source)
            self.ours.marked_at = self.size
        self.ours.place(path, self.base)

    def _emit(self, data: bytes, source: _OpenFile) -> None:
        if not data:
            return
        self.pieces.add(self.newlines + 1, self.written, source.index, source.line)
        self.chunks.append(data if self.take_out is None else self.take_out(data, source.name))
        self.size += len(data)
        self.written += len(self.chunks[-1])
        self.newlines += data.count(b"\n")
        if self.size > MAX_BYTES:
            raise MergeError(f"{source.name}: the merged text would pass {MAX_BYTES:,} bytes")


def load_merged(
    conf_dir: Path,
    variables: Mapping[str, str] | None = None,
    *,
    ours: Ours | None = None,
    take_out: Callable[[bytes, str], bytes] | None = None,
    overlay: Overlay | None = None,
) -> MergedConfig:
    """Merge `conf_dir/freeswitch.xml` and all it includes.

    Args:
        conf_dir: the directory that holds `freeswitch.xml`.
        variables: global variables the switch already has (`local_ip_v4`, …); `conf_dir` is
            always known.
        ours: files that are not read, there or not: the text has marks where they would be.
        take_out: is given each piece of the text and its file, and returns what stands in its
            place. Where it leaves other lines, no line of the text can be asked for.
        overlay: files that are read as they are to become, and not as they stand.

    Raises:
        MergeError: the root file cannot be read, or the includes multiply without end.
    """
    known = Variables({"conf_dir": str(conf_dir), **(variables or {})})
    merger = _Merger(str(conf_dir), known, ours, take_out, overlay)
    root = f"{conf_dir}/{ROOT_FILE}"
    if not merger.merge_file(str(conf_dir), root, 0, SourceLine(ROOT_FILE, 1)):
        raise MergeError(f"{root}: {merger.skipped[-1].reason}")
    return MergedConfig(
        text=b"".join(merger.chunks),
        files=tuple(merger.files),
        variables=known.as_dict(),
        skipped=tuple(merger.skipped),
        not_run=tuple(merger.not_run),
        outside=tuple(merger.outside),
        unknown=frozenset(known.unknown),
        doubts=tuple(merger.doubts),
        asked=tuple(merger.asked),
        _pieces=merger.pieces,
    )


def _split_lines(data: bytes) -> Iterator[bytes]:
    """Lines as the line buffer takes them: ended by either character, cut where it is full."""
    for match in _LINES.finditer(data):
        line = match.group()
        while len(line) > LINE_LIMIT:
            yield line[:LINE_LIMIT]
            line = line[LINE_LIMIT + 1 :]
        if line:
            yield line


def _marked_lines(data: bytes) -> list[int]:
    """Starts of the lines that may mean something to the preprocessor, in order."""
    lowered = data.lower()
    starts = set()
    for mark in _MARKS:
        at = lowered.find(mark)
        while at >= 0:
            starts.add(lowered.rfind(b"\n", 0, at) + 1)
            at = lowered.find(mark, at + 1)
    return sorted(starts)
