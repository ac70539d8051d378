"""Where the files that fsgitops writes are read, whether they stand there yet or not.

A plan asks what FreeSWITCH reads before them. They are named and never opened, so that asking costs
the same for ten of them as for ten thousand: the merged text has one mark for all that follow each
other, and the mark's place in the tree is theirs.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from fsgitops.routing.glob import matches_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fsgitops.routing.merged import SourceLine

MARK = "fsgitops-reads-here"
"""The element that stands for a run of files of ours; `run` counts from 0."""


class Ours:
    """Paths relative to the conf directory; after a merge, the runs that each one is read in."""

    def __init__(self, paths: Iterable[str]) -> None:
        self._folders: dict[str, dict[str, None]] = {}
        for path in paths:
            folder, _, name = path.rpartition("/")
            self._folders.setdefault(folder, {})[name] = None
        self.runs: dict[str, list[int]] = {}
        self.places: list[SourceLine] = []
        """Which include each run is read by."""
        self.lines: list[int] = []
        """The line of the merged text that each run's mark stands on, alone."""
        self.marked_at = -1

    def is_ours(self, path: str, base: str) -> bool:
        """Tell whether an included path is one of these."""
        folder, name = _split(path, base)
        return name in self._folders.get(folder, ())

    def among(self, found: list[str], base: str, folder: str, pattern: str) -> list[str]:
        """Return the paths that an include finds, and those that it would, sorted by byte."""
        asked_folder, asked_name = _split(os.path.join(folder, pattern), base)  # noqa: PTH118
        steps = asked_folder.split("/")
        more = [
            f"{base}/{ours}/{name}"
            for ours, names in self._folders.items()
            if _is_folder(ours.split("/"), steps)
            for name in names
            if matches_name(asked_name, name)
        ]
        if not more:
            return found
        foreign = (path for path in found if not self.is_ours(path, base))
        return sorted((*foreign, *more), key=os.fsencode)

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
