"""`tail`: records as they come, from the spool, and from the lake where the spool was faster."""

from __future__ import annotations

import time
from itertools import islice
from typing import TYPE_CHECKING

import pyarrow as pa

from fsgitops.cdr.columns import build_table
from fsgitops.cdr.compact import read_batches
from fsgitops.cdr.lake import open_lake, read_part_name
from fsgitops.cdr.query import read_spool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fsgitops.cdr.lake import Day, Lake
    from fsgitops.cdr.query import Source

_REMEMBERED = 100_000


def follow(source: Source, *, poll: float = 0.5, go_on: Callable[[], bool]) -> Iterator[pa.Table]:
    """Yield tables of fresh records until `go_on` says no. Raises LakeError."""
    lake = open_lake(source.lake)
    shown: dict[str, None] = {}
    last, identity = -1, ""
    while go_on():
        spool = read_spool(source.spool)
        if identity and spool.spool_id != identity:
            # Restored or cloned: its numbers went back. What was shown is known by its UUID.
            last = min((row.seq for row in spool.rows), default=0) - 1
        identity = spool.spool_id
        if last < 0:
            last = max([_last_flushed(lake, identity), *(row.seq for row in spool.rows)])
        tables = []
        fresh = [row for row in spool.rows if row.seq > last]
        flushed = _last_flushed(lake, identity)
        if flushed > last and (not fresh or fresh[0].seq > last + 1):
            tables += list(_from_lake(lake, identity, last))
        tables.append(build_table(row.payload for row in fresh))
        last = max([last, flushed, *(row.seq for row in fresh)])
        for table in tables:
            unseen = _unseen(table, shown)
            if unseen.num_rows:
                yield unseen
        time.sleep(poll)


def _unseen(table: pa.Table, shown: dict[str, None]) -> pa.Table:
    """Return the rows that are not among the last that were shown, and note them."""
    keys = [
        f"{switch}\x1f{uuid}"
        for switch, uuid in zip(table["switch"].to_pylist(), table["uuid"].to_pylist(), strict=True)
    ]
    mask = [key not in shown for key in keys]
    shown.update(dict.fromkeys(keys))
    for old in list(islice(shown, max(0, len(shown) - _REMEMBERED))):
        del shown[old]
    return table.filter(pa.array(mask, pa.bool_()))


def _recent_days(lake: Lake) -> list[Day]:
    return lake.days()[-3:]


def _last_flushed(lake: Lake, spool_id: str) -> int:
    parts = (part for day in _recent_days(lake) for part in day.committed_parts())
    return max((part.hi for part in parts if part.spool == spool_id), default=-1)


def _from_lake(lake: Lake, spool_id: str, after: int) -> Iterator[pa.Table]:
    for day in _recent_days(lake):
        for name in day.live:
            part = read_part_name(name)
            if part and part.spool == spool_id and part.hi > after:
                yield from read_batches(lake, day, [name])
