"""From the spool to the lake: one frozen range of rows becomes one part per day."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from fsgitops.cdr.columns import build_table
from fsgitops.cdr.identity import claim, part_of, recognise_twin
from fsgitops.cdr.lake import part_name
from fsgitops.cdr.record import HOUR_US
from fsgitops.cdr.schema import COLUMN_NAMES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsgitops.cdr.lake import Day, Lake, Part
    from fsgitops.cdr.spool import Spool, SpooledRow

_COMPRESSION_LEVEL = 3
_UNIQUE = {"uuid", "other_leg_uuid", "call_uuid", "sip_call_id", "start_time", "end_time"}


class Flushed(NamedTuple):
    """What one flush did."""

    rows: int
    parts: int
    bytes: int
    already_held: int


def flush_once(spool: Spool, lake: Lake, max_rows: int, max_bytes: int) -> Flushed | None:
    """Move the next range into the lake; None when the spool is empty.

    Killed anywhere, it can be repeated: the range stays frozen, and a part that is there with the
    same records is not written again. Raises LakeError or sqlite3.Error; then the rows are still
    in the spool.
    """
    frozen = spool.freeze(max_rows, max_bytes)
    if frozen is None:
        return None
    lo, hi = frozen
    claim(spool, lake, lo)
    rows = sorted(spool.rows(lo, hi), key=lambda row: (row.hour // 24, row.seq))
    written = parts = size = held = 0
    for day, group in groupby(rows, key=lambda row: row.hour // 24):
        members = list(group)
        fresh, name = _choose(spool, lake, day, members, part_of(spool, lo, hi, members))
        held += len(members) - len(fresh)
        if name and fresh:
            body = encode(build_table(row.payload for row in fresh))
            lake.put(date_of(day), name, body)
            written, parts, size = written + len(fresh), parts + 1, size + len(body)
    spool.finish(lo, hi)
    return Flushed(written, parts, size, held)


def _choose(
    spool: Spool, lake: Lake, day: int, rows: list[SpooledRow], part: Part
) -> tuple[list[SpooledRow], str]:
    """Return a day's rows that the lake lacks, and the part's name ('' when it is written)."""
    earliest = min(row.hour for row in rows) * HOUR_US
    listed = lake.day(date_of(day))
    written = set(listed.committed_parts())
    if part in written:
        return [], ""
    recognise_twin(spool, written, part)
    if spool.needs_lake_check(day, earliest):
        spool.learn_day(day, read_keys(lake, listed))
    held = spool.learnt_keys(day, rows)
    return [row for row in rows if (row.hour, row.key) not in held], part_name(part)


def read_keys(lake: Lake, day: Day) -> Iterator[tuple[int, str]]:
    """Yield hour and key of every live record of a day. Raises LakeError."""
    columns = ["switch", "uuid", "leg", "start_time"]
    for name in day.live:
        for batch in lake.read_batches(lake.path(day.date, name), columns):
            start = batch.column("start_time").cast(pa.int64()).to_pylist()
            names = zip(*(batch.column(column).to_pylist() for column in columns[:3]), strict=True)
            for microseconds, parts in zip(start, names, strict=True):
                yield (microseconds or 0) // HOUR_US, "\x1f".join(parts)


def encode(table: pa.Table) -> pa.Buffer:
    """Return a table as the bytes of a Parquet file."""
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, **parquet_options())
    return sink.getvalue()


def parquet_options() -> dict[str, object]:
    """Return how every file of the lake is written."""
    return {
        "compression": "zstd",
        "compression_level": _COMPRESSION_LEVEL,
        "version": "2.6",
        "coerce_timestamps": "us",
        # A dictionary of values that are all different is built in vain.
        "use_dictionary": [name for name in COLUMN_NAMES if name not in _UNIQUE],
    }


def warm_up() -> None:
    """Make pyarrow load now what it loads at its first use."""
    pa.array([""], pa.string())


def date_of(day: int) -> str:
    """Return the UTC date of a day, counted since 1970."""
    return datetime.fromtimestamp(day * 86_400, UTC).strftime("%Y-%m-%d")
