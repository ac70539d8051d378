"""Keeping the lake: small parts become large files, and days older than a limit go.

Merged files are written first and the commit last: it alone makes them live and the parts dead, in
one step, without a reader noticing. Dead files are deleted when the commit is older than the grace
period, so that a query that listed them can still read them. Killed anywhere, the next run finishes
the work.
"""

from __future__ import annotations

import hashlib
import mmap
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from fsgitops.cdr.flush import parquet_options
from fsgitops.cdr.schema import arrow_schema
from fsgitops.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from fsgitops.cdr.lake import Day, Lake


_HALF_WRITTEN = 3600.0
_MAX_ROWS = 2_000_000


class Compacted(NamedTuple):
    """What was done to one day. Sizes are in bytes."""

    date: str
    files_before: int
    files_after: int
    rows: int
    deleted: int


def _compact_day(lake: Lake, day: Day, min_files: int, grace: float) -> Compacted | None:
    """Merge a day's live files; delete what has been dead for `grace` seconds.

    None when there was nothing to do. Raises LakeError; then every record is still live once.
    """
    live = day.live
    small = [name for name in live if not name.startswith("compact-")]
    rows, files = 0, len(live)
    if len(live) >= min_files and small:
        names = list(merge_files(lake, day, live, _MAX_ROWS, "compact"))
        rows = sum(count for _, count in names)
        lake.commit(day, [name for name, _ in names], live, "compact")
        day = lake.day(day.date)
        files = len(names)
    deleted = sweep_day(lake, day, grace)
    lake.delete_half_written(day.date, max(grace, _HALF_WRITTEN))
    if not rows and not deleted:
        return None
    return Compacted(day.date, len(live), files, rows, deleted)


def merge_files(
    lake: Lake,
    day: Day,
    names: Sequence[str],
    max_rows: int,
    kind: str,
    change: Callable[[pa.Table], pa.Table] = lambda table: table,
) -> Iterator[tuple[str, int]]:
    """Write the rows of files of a day into fresh files; yield each name with its rows.

    `change` is done to each table of them. The names follow from what is merged:
    the same work, done again after a crash, overwrites its own half-done files. Memory holds one
    batch; each file is put together in a temporary file.
    """
    stem = hashlib.sha256("\n".join(names).encode()).hexdigest()[:16]
    batches = map(change, read_batches(lake, day, names))
    number, pending = 0, next(batches, None)
    while pending is not None:
        name = f"{kind}-{stem}-{day.commit.number + 1:08d}-{number:04d}.parquet"
        # Without a name: a process that is killed leaves no records where no erasure looks.
        with tempfile.TemporaryFile() as file:
            count = 0
            with pq.ParquetWriter(file, arrow_schema(), **parquet_options()) as writer:
                while pending is not None and count < max_rows:
                    writer.write_table(pending)
                    count += pending.num_rows
                    pending = next(batches, None)
            file.flush()
            body = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            lake.put(day.date, name, pa.py_buffer(body))
        yield name, count
        number += 1


def read_batches(lake: Lake, day: Day, names: Sequence[str]) -> Iterator[pa.Table]:
    """Yield the rows of files, under today's schema: columns that an old file lacks are null."""
    schema = arrow_schema()
    for name in names:
        for batch in lake.read_batches(lake.path(day.date, name)):
            table = pa.Table.from_batches([batch])
            for column in schema:
                if column.name not in table.column_names:
                    table = table.append_column(column, pa.nulls(len(table), column.type))
            yield table.select(schema.names).cast(schema)


def sweep_day(lake: Lake, day: Day, grace: float) -> int:
    """Delete the dead files of a day that have been dead for long enough; return how many."""
    dead = day.dead
    if not dead:
        return 0
    now = time.time()
    settled = [name for name in dead if now - max(day.files[name], day.committed_at) >= grace]
    lake.delete(day.date, settled)
    return len(settled)


def compact_lake(
    lake: Lake, first: str = "", last: str = "9999", *, min_files: int = 2, grace: float = 600.0
) -> list[Compacted]:
    """Compact every day in turn, except those whose folders are links.

    Raises LakeError, also when another run is under way.
    """
    with lake.lock():
        linked = set(lake.linked_days())
        found = (
            _compact_day(lake, day, min_files, grace)
            for day in lake.days(first, last)
            if day.date not in linked
        )
        return [done for done in found if done is not None]


UNDATED = "1970-01-01"
"""Where records without a start time stand: nobody knows their age, so age does not delete them."""


def expire(
    lake: Lake, keep_days: int, *, today: date | None = None, dry: bool = False
) -> list[str]:
    """Delete the days that began more than `keep_days` before today (UTC); return their dates.

    For readers a day goes in one step, by a commit that leaves nothing live; then its files go.
    Records without a start time have no age, and stay; so does a day whose folder is a link.
    Raises LakeError; UsageError for less than one day.
    """
    if keep_days < 1:
        raise UsageError(f"retention: at least 1 day must be kept, not {keep_days}")
    limit = ((today or datetime.now(UTC).date()) - timedelta(days=keep_days)).isoformat()
    with lake.lock():
        spared = {UNDATED, *lake.linked_days()}
        days = [day for day in lake.days() if day.date < limit and day.date not in spared]
        for day in days:
            if dry:
                continue
            if day.live:
                lake.commit(day, [], day.live, "retention")
            # Killed in here, what is left is still dead: the commit goes after the records.
            lake.delete(day.date, day.files)
            lake.delete_day(day.date)
    return [day.date for day in days]
