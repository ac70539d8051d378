"""The second reading: where a number still is, and what could not be read.

Files beside the lake are opened without following links and without waiting; what is no plain file,
is compressed, or cannot be read for another reason is named, because nothing is proven about it.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from fsgitops.cdr.compact import read_batches
from fsgitops.cdr.files import is_data, is_half_written, open_below, remove_below
from fsgitops.cdr.lake import LakeError
from fsgitops.cdr.number import PackedError
from fsgitops.cdr.schema import COLUMNS
from fsgitops.cdr.spool import SPOOL_FILE, Spool, SpoolError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from fsgitops.cdr.lake import Day, Lake
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
            with open_below(root, path) as (source, found):
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
        with open_below(path.parent, path) as (source, _):
            parts = (part.decode("utf-8", "replace") for part in _chunks(source))
            return any(map(number.stands_in, parts))
    except FileNotFoundError:
        return False


def aside_files(folder: Path, trace: Trace) -> Iterator[Path]:
    """Yield what a spool's directory keeps aside: no records, and damaged spools."""
    for aside in (folder / "quarantine", *sorted(folder.glob("corrupt-*"))):
        yield from _walk(aside, trace)


def spool_files(folder: Path) -> Iterator[Path]:
    """Yield the files of a live spool: rows that were deleted may still stand in them."""
    for suffix in ("", "-wal"):
        yield folder / f"{SPOOL_FILE}{suffix}"


def _walk(folder: Path, trace: Trace) -> Iterator[Path]:
    """Yield everything in a directory that is no directory; note those that cannot be listed."""

    def note(problem: OSError) -> None:
        if not isinstance(problem, FileNotFoundError):
            trace.not_read(problem.filename, problem.strerror)

    for here, folders, names in os.walk(folder, onerror=note):
        for name in sorted(folders):
            if (Path(here) / name).is_symlink():
                trace.not_read(Path(here) / name, "a link to another directory")
        yield from (Path(here) / name for name in sorted(names))


FIXED = {"leg", "source", "variables"}
SEARCHED = tuple(
    column.name
    for column in COLUMNS
    if column.name not in FIXED and column.kind in ("text", "int", "float")
)


def find_number(
    lake: Lake, spool_folder: Path | None, number: Number, json_dir: Path | None = None
) -> Trace:
    """Read everything; return the places that hold the number and those that could not be read.

    The proof is that there are none.
    """
    trace = Trace()
    for day in lake.days():
        for name in day.files:
            _search_parquet(lake, day, name, number, trace)
    _search_other_files(lake, number, trace)
    if spool_folder is not None:
        try:
            _search_spool(spool_folder, number, trace)
        except (SpoolError, sqlite3.Error, OSError) as problem:
            trace.not_read(spool_folder, problem)
        search_files(number, spool_folder, aside_files(spool_folder, trace), trace, delete=False)
    if json_dir is not None:
        if not os.path.lexists(json_dir):
            trace.not_read(json_dir, "no such directory")
        search_files(number, json_dir, _walk(json_dir, trace), trace, delete=False)
    return trace


def _search_parquet(lake: Lake, day: Day, name: str, number: Number, trace: Trace) -> None:
    path = lake.path(day.date, name)
    try:
        if any(pc.any(matches(t, number)).as_py() for t in read_batches(lake, day, [name])):
            trace.left.append(path)
    except (LakeError, pa.ArrowException) as problem:
        trace.unread.append(str(problem))


def _search_other_files(lake: Lake, number: Number, trace: Trace) -> None:
    """Search what is in the lake beside the records: notes, commits, and what others put there."""
    for path in lake.all_files():
        name = Path(path).name
        # Of a day, records were read as records, and what a killed writer left was deleted.
        aside = is_half_written(name)
        if Path(path).parent.name.startswith("date=") and (aside or is_data(name)):
            continue
        try:
            if number.is_in_body(lake.read(path)) or number.is_in(name):
                trace.left.append(path)
            elif name.endswith(".parquet"):
                trace.not_read(path, "no file of this lake")
        except LakeError as problem:
            if not (aside and isinstance(problem.__cause__, FileNotFoundError)):
                trace.unread.append(str(problem))
        except PackedError as problem:
            trace.not_read(path, problem)


def _search_spool(folder: Path, number: Number, trace: Trace) -> None:
    with closing(Spool(folder)) as spool:
        if (
            any(holds(value, number) for _, values in spooled(spool) for value in values)
            or any(number.is_in(key) for _, key in ledger(spool))
            or any(number.is_in(f"{path} {key}") for path, key in json_files(spool))
        ):
            trace.left.append("the spool")
    # After it is closed: the last one to close a spool writes its log into the file.
    trace.left += [str(path) for path in spool_files(folder) if stands_in_file(path, number)]


def matches(table: pa.Table, number: Number) -> pa.Array:
    """Return, for each row, whether any of its values holds the number."""
    columns = [table[name].combine_chunks() for name in SEARCHED]
    texts = [column for column in columns if pa.types.is_string(column.type)]
    # Columns say the same texts again and again, and to make the expression ready takes its time.
    distinct = pc.unique(pa.concat_arrays(texts))
    held = distinct.filter(number.in_column(distinct))
    found = pa.array([False] * len(table), pa.bool_())
    for column in columns:
        if not pa.types.is_string(column.type):
            found = pc.or_(found, number.in_column(column))
        elif len(held):
            found = pc.or_(found, pc.is_in(column, value_set=held))
    in_variables = [
        bool(pairs) and any(number.is_in(key) or number.is_in(value or "") for key, value in pairs)
        for pairs in table["variables"].to_pylist()
    ]
    return pc.or_(found, pa.array(in_variables, pa.bool_()))


def holds(value: Any, number: Number) -> bool:
    """Tell whether a value of a spooled row holds the number."""
    if value is None:
        return False
    return number.is_in(value if isinstance(value, str) else orjson.dumps(value).decode())


def spooled(spool: Spool) -> Iterator[tuple[int, list[Any]]]:
    """Yield sequence number and values of every row that waits."""
    for seq, payload in spool.db.execute("SELECT seq, payload FROM record"):
        yield seq, orjson.loads(payload)


def ledger(spool: Spool) -> Iterator[tuple[int, str]]:
    """Yield hour and key of every record that a spool knows."""
    yield from spool.db.execute("SELECT hour, key FROM seen")
    yield from spool.db.execute("SELECT hour, key FROM record")


def json_files(spool: Spool) -> Iterator[tuple[str, str]]:
    """Yield path and key of every JSON file that a spool remembers."""
    yield from spool.db.execute("SELECT path, key FROM json_file")
