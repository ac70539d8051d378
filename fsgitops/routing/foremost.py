"""Who takes every call in a context before files of ours do, for their names sort first."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from fsgitops.routing.call.clock import Clock
from fsgitops.routing.call.evaluate import Call
from fsgitops.routing.call.load import load_disk
from fsgitops.routing.call.outcome import Outcomes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

_PREFIXES: Final = ("00_", "000_", "0-", "00-", "000-", "0000-")
_INSIDE: Final = ("20517", "98046")
_OUTSIDE: Final = ("+12025550123", "+442079460123")
"""Numbers that nobody expects: who takes both of a pair takes any."""


class Asked(NamedTuple):
    """A folder of a context, and how the name of a file of ours in it begins."""

    context: str
    folder: str
    begins: str
    outside: bool = False


class Rival(NamedTuple):
    """A file of such a folder that is read before ours, and whose extension takes every call."""

    file: str
    extension: str
    begins: str


def find_rivals(conf_dir: Path, domain: str, asked: Iterable[Asked]) -> Iterator[Rival]:
    """Yield who takes every call. Raises MergeError where the directory cannot be read."""
    loaded = load_disk(conf_dir, domain)
    outcomes = Outcomes(loaded.world, Clock(datetime(2026, 1, 1, tzinfo=UTC), {}, known=False))
    for one in asked:
        calls = (Call(number, one.context) for number in (_OUTSIDE if one.outside else _INSIDE))
        takers = [
            {
                (os.path.normpath(found.file), took.extension)
                for way in outcomes.find(call).ways
                for took in way.took
                if not took.goes_on
                and (found := loaded.merged.source_of_merged_line(took.line)) is not None
            }
            for call in calls
        ]
        for file, extension in sorted(set.intersection(*takers)):
            folder, _, name = file.rpartition("/")
            if folder == one.folder and os.fsencode(name) < os.fsencode(one.begins):
                yield Rival(file, extension, one.begins)


def choose_prefix(rivals: Sequence[Rival]) -> str:
    """Return what sorts our names before all of these, "" where nothing does."""
    names = [(os.fsencode(item.file.rpartition("/")[2]), item.begins) for item in rivals]
    fits = (
        prefix
        for prefix in _PREFIXES
        if all(os.fsencode(prefix + begins) < name for name, begins in names)
    )
    return next(fits, "")
