"""The second reading: where a number still is, and what could not be read."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from fsgitops.cdr.compact import read_batches
from fsgitops.cdr.erase_files import (
    Trace,
    aside_files,
    search_files,
    spool_files,
    stands_in_file,
    walk_folder,
)
from fsgitops.cdr.files import is_half_written
from fsgitops.cdr.lake import LakeError, is_data
from fsgitops.cdr.number import PackedError
from fsgitops.cdr.schema import COLUMNS
from fsgitops.cdr.spool import Spool, SpoolError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsgitops.cdr.lake import Day, Lake
    from fsgitops.cdr.number import Number

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
        for name in day.sizes:
            _search_parquet(lake, day, name, number, trace)
    _search_other_files(lake, number, trace)
    if spool_folder is not None:
        try:
            _search_spool(spool_folder, number, trace)
        except (SpoolError, sqlite3.Error, OSError) as problem:
            trace.not_read(spool_folder, problem)
        search_files(number, spool_folder, aside_files(spool_folder, trace), trace, delete=False)
    if json_dir is not None:
        search_files(number, json_dir, walk_folder(json_dir, trace), trace, delete=False)
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
    spool = Spool(folder)
    try:
        if (
            any(holds(value, number) for _, values in spooled(spool) for value in values)
            or any(number.is_in(key) for _, key in ledger(spool))
            or any(number.is_in(f"{path} {key}") for path, key in json_files(spool))
        ):
            trace.left.append("the spool")
    finally:
        spool.close()
    # After it is closed: the last one to close a spool writes its log into the file.
    trace.left += [str(path) for path in spool_files(folder) if stands_in_file(path, number)]


def matches(table: pa.Table, number: Number) -> pa.Array:
    """Return, for each row, whether any of its values holds the number."""
    columns = [whole(table[name]) for name in SEARCHED]
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


def whole(column: pa.ChunkedArray) -> pa.Array:
    """Return a table's column as one array."""
    return column.combine_chunks()


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
