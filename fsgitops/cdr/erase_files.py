"""The files beside the lake that may hold a number: the quarantine, damaged spools, JSON files.

They are opened without following links and without waiting; what is no plain file, is compressed,
or cannot be read for another reason is named, because nothing is proven about it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from fsgitops.cdr.files import open_below, remove_below
from fsgitops.cdr.number import PackedError
from fsgitops.cdr.spool import SPOOL_FILE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from fsgitops.cdr.number import Number

_CHUNK = 4 * 1024 * 1024
_OVERLAP = 4096


@dataclass(slots=True)
class Trace:
    """What a search found: places that hold the number, and places that were not searched."""

    left: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)

    def not_read(self, place: object, why: object) -> None:
        """Note a place that could not be searched."""
        self.unread.append(f"{place} ({why})")


def search_files(
    number: Number, root: Path, paths: Iterable[Path], trace: Trace, *, delete: bool
) -> int:
    """Search files below a directory, their names included; delete or note those with the number.

    Returns how many were deleted; one that changed since it was read stays, for the next look.
    """
    deleted = 0
    for path in paths:
        try:
            handle, found = open_below(root, path)
            with os.fdopen(handle, "rb") as source:
                named = number.is_in(path.name)
                if not named and not any(map(number.is_in_body, _chunks(source))):
                    continue
            if delete:
                deleted += remove_below(root, path, found.st_size, found.st_mtime_ns)
            else:
                trace.left.append(str(path))
        except FileNotFoundError:
            continue
        except OSError as problem:
            trace.not_read(path, problem.strerror)
        except PackedError as problem:
            trace.not_read(path, problem)
    return deleted


def _chunks(source: BinaryIO) -> Iterator[bytes]:
    """Yield a file's bytes in pieces that overlap."""
    kept = b""
    while piece := source.read(_CHUNK):
        yield kept + piece
        kept = piece[-_OVERLAP:]


def stands_in_file(path: Path, number: Number) -> bool:
    """Tell whether a file's bytes hold the number as it stands; False where there is no file.

    Raises OSError.
    """
    try:
        handle, _ = open_below(path.parent, path)
    except FileNotFoundError:
        return False
    with os.fdopen(handle, "rb") as source:
        return any(number.stands_in(part.decode("utf-8", "replace")) for part in _chunks(source))


def aside_files(folder: Path, trace: Trace | None = None) -> Iterator[Path]:
    """Yield what a spool's directory keeps aside: no records, and damaged spools."""
    for aside in (folder / "quarantine", *sorted(folder.glob("corrupt-*"))):
        yield from _walk(aside, trace or Trace())


def spool_files(folder: Path) -> Iterator[Path]:
    """Yield the files of a live spool: rows that were deleted may still stand in them."""
    for suffix in ("", "-wal"):
        yield folder / f"{SPOOL_FILE}{suffix}"


def walk_folder(folder: Path, trace: Trace) -> Iterator[Path]:
    """Yield everything in a directory that is no directory; note those that cannot be listed."""
    if not os.path.lexists(folder):
        trace.not_read(folder, "no such directory")
    yield from _walk(folder, trace)


def _walk(folder: Path, trace: Trace) -> Iterator[Path]:
    def note(problem: OSError) -> None:
        if not isinstance(problem, FileNotFoundError):
            trace.not_read(problem.filename, problem.strerror)

    for here, folders, names in os.walk(folder, onerror=note):
        for name in sorted(folders):
            if (Path(here) / name).is_symlink():
                trace.not_read(Path(here) / name, "a link to another directory")
        yield from (Path(here) / name for name in sorted(names))
