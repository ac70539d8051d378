"""From the spool to the lake: one frozen range of rows becomes one part per day."""

from __future__ import annotations

import logging
import sqlite3
import time
from contextlib import closing
from datetime import UTC, datetime
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from fsgitops.cdr.columns import build_table
from fsgitops.cdr.identity import claim, digest_of, recognise_twin
from fsgitops.cdr.lake import Part, open_lake, part_name
from fsgitops.cdr.log import say
from fsgitops.cdr.record import HOUR_US
from fsgitops.cdr.schema import COLUMN_NAMES
from fsgitops.cdr.spool import Spool, SpoolError
from fsgitops.cdr.threads import Worker
from fsgitops.errors import FsgitopsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsgitops.cdr.ingest import Ingest
    from fsgitops.cdr.lake import Day, Lake
    from fsgitops.cdr.metrics import Metrics
    from fsgitops.cdr.options import RunOptions
    from fsgitops.cdr.spool import SpooledRow


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
        part = Part(spool.id_of(hi), lo, hi, digest_of(members))
        fresh, name = _choose(spool, lake, day, members, part)
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


def date_of(day: int) -> str:
    """Return the UTC date of a day, counted since 1970."""
    return datetime.fromtimestamp(day * 86_400, UTC).strftime("%Y-%m-%d")


_TICK = 0.05
_MAX_WAIT = 60.0
_HOUSEKEEPING = 5.0
# A store that does not answer is given up after two minutes, file by file.
_PATIENCE = 900.0


class Flusher(Worker):
    """Moves rows to the lake; what fails is tried again, later and later, for ever."""

    def __init__(self, options: RunOptions, metrics: Metrics, ingest: Ingest) -> None:
        super().__init__("flusher", options, metrics, _PATIENCE)
        self._ingest = ingest
        self._lake: Lake | None = None

    def start(self) -> None:
        """Begin. The lake is made at once, so that readers find it before the first flush."""
        try:
            self._lake = open_lake(self.options.lake, create=True)
        except (FsgitopsError, OSError) as problem:
            self._fail(problem)
        super().start()

    def _run(self) -> None:
        wait, next_try, next_chores = 0.5, 0.0, 0.0
        # What a former run left is written at once, apart from what comes now (`freeze_all`).
        carried = self._ingest.pending_rows > 0
        while not self._stop.wait(_TICK):
            now = time.monotonic()
            self.turned()
            self.observe(now)
            if now >= next_chores:
                next_chores = now + _HOUSEKEEPING
                self._keep_house()
            if now < next_try or not (carried or self._due(now)):
                continue
            if self._flush():
                wait, carried = 0.5, False
            elif self._stop.is_set():
                return  # It failed just now: the rows stay in the spool.
            else:
                next_try, wait = time.monotonic() + wait, min(wait * 2, _MAX_WAIT)
        self._flush()

    def _due(self, now: float) -> bool:
        ingest, options = self._ingest, self.options
        if ingest.pending_rows >= options.flush_rows or ingest.pending_bytes >= options.flush_bytes:
            return True
        return ingest.oldest is not None and now - ingest.oldest >= options.flush_seconds

    def observe(self, now: float) -> None:
        """Tell the metrics what waits to be written. `now` is monotonic seconds."""
        oldest = self._ingest.oldest
        self.metrics.spool_rows.set(self._ingest.pending_rows)
        self.metrics.spool_bytes.set(self._ingest.pending_bytes)
        self.metrics.lag.set(0.0 if oldest is None else now - oldest)

    def _flush(self) -> bool:
        """Empty the spool; tell whether it went well."""
        with self._ingest.rescue_lock:
            flushed = False
            try:
                with closing(Spool(self.options.spool)) as spool:
                    try:
                        self._empty(spool)
                        flushed = True
                    finally:
                        self._ingest.take_stock(spool, flushed=flushed)
            except Exception as problem:  # a file that somebody else put there can hold anything
                return self._fail(problem)
        if self.metrics.recover("lake"):
            say(logging.INFO, "the lake can be written again")
        return True

    def _empty(self, spool: Spool) -> None:
        if self._lake is None:
            self._lake = open_lake(self.options.lake, create=True)
        options = self.options
        while done := flush_once(spool, self._lake, options.flush_rows, options.flush_bytes):
            self._note(done)
            self.beat()
            # Leave with the range half full: what came meanwhile waits for its own time.
            if done.rows + done.already_held < options.flush_rows and not self._stop.is_set():
                break

    def _note(self, done: Flushed) -> None:
        self.metrics.written.inc(done.rows)
        self.metrics.parts.inc(done.parts)
        self.metrics.duplicates.inc(done.already_held)
        say(logging.DEBUG, "written to the lake", **done._asdict())

    def _fail(self, problem: Exception) -> bool:
        say(logging.ERROR, "the lake cannot be written: the spool keeps it", why=str(problem))
        self.metrics.fail("lake", str(problem))
        return False

    def _keep_house(self) -> None:
        """Note when events were last heard; forget keys older than the ledger keeps."""
        try:
            with closing(Spool(self.options.spool)) as spool:
                if self.metrics.hearing:
                    spool.write_meta("heard_us", str(time.time_ns() // 1000))
                hour = int(time.time()) // 3600 - self.options.ledger_days * 24
                spool.forget_before(hour // 24 * 24)
        except (SpoolError, sqlite3.Error) as problem:
            self.metrics.fail("spool", str(problem))
