"""File name patterns as the preprocessor's `glob(3)` reads them: sorted by byte, not recursive.

And where by such patterns the files that fsgitops writes are read, whether they stand there yet or
not. A plan asks what FreeSWITCH reads before them. They are named and never opened, so that asking
costs the same for ten of them as for ten thousand: the merged text has one mark for all that follow
each other, and the mark's place in the tree is theirs.
"""

from __future__ import annotations

import os
import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from fsgitops.routing.merged import SourceLine


class UnreadableFolderError(OSError):
    """A folder that a pattern goes through cannot be listed: the whole pattern yields nothing."""


def find_files(folder: str, pattern: str) -> list[str]:
    """Return the paths that match `pattern`, which is relative to `folder` unless absolute.

    Hidden files need a literal dot, `*` and `?` never match a slash, `**` means `*`, and the
    order is that of the bytes of the paths (FreeSWITCH runs `glob` in the C locale).

    Raises UnreadableFolderError.
    """
    if pattern.startswith("/"):
        found, rest = ["/"], pattern.lstrip("/")
    else:
        found, rest = [folder.rstrip("/") + "/"], pattern
    parts = [part for part in rest.split("/") if part]
    if not parts:
        return []
    for number, part in enumerate(parts):
        slash = "/" if number < len(parts) - 1 else ""
        found = [name + slash for parent in found for name in _step(parent, part)]
    return sorted(found, key=os.fsencode)


def matches_name(part: str, name: str) -> bool:
    """Tell whether one part of a pattern takes a name; a hidden one needs a literal dot."""
    dotted = part.startswith((".", "\\."))
    return (dotted or name[:1] != ".") and glob_expression(part).fullmatch(name) is not None


def _step(parent: str, part: str) -> list[str]:
    if not re.search(r"[*?\[\\]", part):
        path = parent + part
        return [path] if os.path.lexists(path) else []
    match = glob_expression(part).fullmatch
    dotted = part.startswith((".", "\\."))
    try:
        names = os.listdir(parent)  # noqa: PTH208 - one string each, for 100,000 names
    except NotADirectoryError:
        return []
    except OSError as error:
        raise UnreadableFolderError(error.errno, error.strerror, parent) from error
    return [parent + name for name in names if match(name) and (dotted or name[0] != ".")]


@lru_cache(maxsize=256)
def glob_expression(part: str) -> re.Pattern[str]:
    """Return what the names match whole that one part of a pattern stands for."""
    out: list[str] = [""]
    position = 0
    while position < len(part):
        char = part[position]
        position += 1
        if char == "*":
            out.append("")
        elif char == "?":
            out[-1] += "."
        elif char == "\\" and position < len(part):
            out[-1] += re.escape(part[position])
            position += 1
        elif char == "[" and (end := _class_end(part, position)) > 0:
            out[-1] += character_class(part[position:end])
            position = end + 1
        else:
            out[-1] += re.escape(char)
    return re.compile(_join_stars(out), re.DOTALL)


def _join_stars(pieces: list[str]) -> str:
    """Return the expression of what stands between stars.

    Each piece is taken where it stands first, and for good: any later place leaves less for the
    rest, and to try them all would take minutes with a dozen stars.
    """
    first, *others = pieces
    if not others:
        return first
    middle = "".join(f"(?>.*?{piece})" for piece in others[:-1] if piece)
    return f"{first}{middle}.*{others[-1]}"


def _class_end(part: str, start: int) -> int:
    first = start + 1 if part[start : start + 1] in ("!", "^") else start
    return part.find("]", first + 1)


def character_class(inside: str) -> str:
    """Return what stands between the brackets of a pattern as an expression."""
    negated = inside[0] in "!^"
    members = inside[1:] if negated else inside
    escaped = re.sub(r"([\\\]\[^&~|])", r"\\\1", members)
    try:
        re.compile(f"[{escaped}]")
    except re.error:
        return "(?!)"
    return f"[{'^' if negated else ''}{escaped}]"


MARK = "fsgitops-reads-here"
"""The element that stands for a run of files of ours; `run` counts from 0."""


class Paths:
    """Paths relative to the conf directory, and the includes that find them."""

    def __init__(self, paths: Iterable[str]) -> None:
        self._folders: dict[str, dict[str, None]] = {}
        for path in paths:
            folder, _, name = path.rpartition("/")
            self._folders.setdefault(folder, {})[name] = None

    def has(self, path: str, base: str) -> bool:
        """Tell whether an included path is one of these."""
        folder, name = _split(path, base)
        return name in self._folders.get(folder, ())

    def among(self, found: list[str], base: str, folder: str, pattern: str) -> list[str]:
        """Return the paths that an include finds, and those that it would, sorted by byte."""
        asked_folder, asked_name = _split(os.path.join(folder, pattern), base)  # noqa: PTH118
        steps = asked_folder.split("/")
        more = [
            f"{base}/{ours}/{name}" if ours else f"{base}/{name}"
            for ours, names in self._folders.items()
            if _is_folder(ours.split("/"), steps)
            for name in names
            if matches_name(asked_name, name)
        ]
        if not more:
            return found
        foreign = (path for path in found if not self.has(path, base))
        return sorted((*foreign, *more), key=os.fsencode)


class Overlay(Paths):
    """Files as they are to become: their bytes, or None for those that are to go."""

    def __init__(self, files: Mapping[str, bytes | None]) -> None:
        super().__init__(files)
        self._files = files

    def among(self, found: list[str], base: str, folder: str, pattern: str) -> list[str]:
        """Return the paths that an include will find, sorted by byte."""
        return [
            path
            for path in super().among(found, base, folder, pattern)
            if not self.has(path, base) or self.read(path, base) is not None
        ]

    def read(self, path: str, base: str) -> bytes | None:
        """Return what will stand at a path; None: nothing."""
        folder, name = _split(path, base)
        return self._files[f"{folder}/{name}" if folder else name]


class Ours(Paths):
    """Paths of fsgitops; after a merge, the runs that each one is read in."""

    def __init__(self, paths: Iterable[str]) -> None:
        super().__init__(paths)
        self.runs: dict[str, list[int]] = {}
        self.places: list[SourceLine] = []
        """Which include each run is read by."""
        self.lines: list[int] = []
        """The line of the merged text that each run's mark stands on, alone."""
        self.marked_at = -1

    def next_mark(self, here: SourceLine, line: int) -> bytes:
        """Return the mark of a run that begins here, on this line of the merged text."""
        self.places.append(here)
        self.lines.append(line)
        return f'<{MARK} run="{len(self.places) - 1}"/>\n'.encode()

    def place(self, path: str, base: str) -> None:
        """Remember that a file is read in the last run."""
        folder, name = _split(path, base)
        self.runs.setdefault(f"{folder}/{name}", []).append(len(self.places) - 1)


def _split(path: str, base: str) -> tuple[str, str]:
    """Return the folder below `base` and the name of a path."""
    inside = path[len(base) + 1 :] if path.startswith(base + "/") else path
    if "/../" in path or "/./" in path or "//" in path or inside.startswith(("./", "../")):
        inside = os.path.normpath(inside)
    folder, _, name = inside.rpartition("/")
    return folder, name


def _is_folder(ours: list[str], asked: list[str]) -> bool:
    return len(ours) == len(asked) and all(map(matches_name, asked, ours))
