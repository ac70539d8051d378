"""Reading: DuckDB over the live files of the lake, and over what still waits in the spool.

The spool is read first and the lake second, so a record that moves in between is seen twice, not
missed; the parts' names then tell which of the spool's rows the lake has. A file that compaction
deletes under a running query makes the query start again on a fresh list.
"""

from __future__ import annotations

import re
import sqlite3
from bisect import bisect_right
from contextlib import closing
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeVar

from fsgitops.cdr.lake import LakeError, Part, open_lake
from fsgitops.cdr.spool import SPOOL_FILE, SpooledRow
from fsgitops.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import duckdb
    import pyarrow as pa

    from fsgitops.cdr.lake import Day, Lake

ATTEMPTS = 5
_STREAM_FAILED = "reading the stream registered as"
"""What DuckDB says, as of a wrong query, when pyarrow cannot read what it scans for it."""
_GONE = re.compile(r"not[ _]found|no[ _]such|does not exist|errno 2\b", re.IGNORECASE)
_MAX_DATE = "9999-12-31"
_seq = attrgetter("seq")
_PLAIN = "regexp_replace(regexp_replace({}, '%2[Bb]|%20|[ +().\\-/]', '', 'g'), '^(00|011)', '')"
"""A number as a record has it, as digits alone without what calls abroad begin with."""
_PREFIX = re.compile("^(00|011)")
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Source:
    """Where records are: a lake's URL, and a spool's directory where there is one."""

    lake: str
    spool: Path | None = None


@dataclass(frozen=True, slots=True)
class SpoolRows:
    """The rows that a spool held at one moment, and the ranges of them that were being written.

    `ranges` has, for each, the identity under which its parts are named, `lo` and `hi`.
    """

    spool_id: str = ""
    rows: tuple[SpooledRow, ...] = ()
    ranges: tuple[tuple[str, int, int], ...] = ()


def read_spool(folder: Path | None) -> SpoolRows:
    """Return the rows that wait in a spool, without disturbing the sidecar that fills it."""
    path = None if folder is None else folder / SPOOL_FILE
    if path is None or not path.exists():
        return SpoolRows()
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30.0)) as db:
            db.execute("BEGIN")
            meta = dict(db.execute("SELECT name, value FROM meta").fetchall())
            rows = db.execute("SELECT seq, hour, key, payload FROM record ORDER BY seq").fetchall()
            former = int(meta.get("former_seq", 0))
            ranges = tuple(
                (meta["former_id"] if hi <= former else meta["id"], lo, hi)
                for lo, hi in db.execute("SELECT lo, hi FROM batch ORDER BY lo")
            )
            return SpoolRows(meta["id"], tuple(SpooledRow(*row) for row in rows), ranges)
    except sqlite3.Error as problem:
        raise LakeError(f"{path}: not read: {problem}") from problem


def waiting_rows(spool: SpoolRows, days: list[Day], first: str, last: str) -> list[SpooledRow]:
    """Return the spool's rows, of the days from `first` to `last`, that the lake does not hold."""
    from fsgitops.cdr.flush import date_of
    from fsgitops.cdr.identity import digest_of

    written = {day.date: set(day.committed_parts()) for day in days}
    held: set[int] = set()
    for spool_id, lo, hi in spool.ranges:
        by_date: dict[str, list[SpooledRow]] = {}
        for row in spool.rows[bisect_right(spool.rows, lo, key=_seq) :]:
            if row.seq > hi:
                break
            by_date.setdefault(date_of(row.hour // 24), []).append(row)
        for date, rows in by_date.items():
            # Looked up before it is made out: the digest of many rows that wait takes its time.
            if any(part[:3] == (spool_id, lo, hi) for part in written.get(date, ())) and (
                Part(spool_id, lo, hi, digest_of(rows)) in written[date]
            ):
                held.update(row.seq for row in rows)
    return [
        row
        for row in spool.rows
        if first <= date_of(row.hour // 24) <= last and row.seq not in held
    ]


def live_files(lake: Lake, days: list[Day]) -> list[str]:
    """Return the full paths of the files to read."""
    return [lake.path(day.date, name) for day in days for name in day.live]


def run_query(
    source: Source,
    ask: Callable[[duckdb.DuckDBPyConnection], _T],
    first: str = "",
    last: str = _MAX_DATE,
) -> _T:
    """Run `ask` on a DuckDB connection that has the view `cdr` (and `lake` and `spool`).

    `first` and `last` are the dates, both included, of the days to read. Raises UsageError with
    DuckDB's words for a query that is wrong, LakeError when the files cannot be read.
    """
    import duckdb

    for attempt in range(ATTEMPTS):
        try:
            with duckdb.connect() as connection:
                # DuckDB draws its progress bar on standard output, into whatever is printed there.
                connection.execute("SET TimeZone = 'UTC'; SET enable_progress_bar = false")
                add_views(connection, source, first, last)
                return ask(connection)
        except (duckdb.Error, FileNotFoundError, LakeError) as problem:
            stream = isinstance(problem, duckdb.Error) and _STREAM_FAILED in str(problem)
            if isinstance(problem, duckdb.Error) and not (
                stream or isinstance(problem, duckdb.IOException)
            ):
                raise UsageError(f"the query failed: {problem}") from None
            if attempt == ATTEMPTS - 1 or not _is_gone(problem, stream=stream):
                raise LakeError(f"the lake cannot be read: {problem}") from problem
    raise AssertionError


def _is_gone(problem: Exception, *, stream: bool) -> bool:
    """Tell whether a file went away since it was listed: then another look finds what replaced it.

    A store that does not answer is not asked again: each time can take half a minute.
    """
    if isinstance(problem, LakeError):
        return isinstance(problem.__cause__, FileNotFoundError)
    return not stream or _GONE.search(str(problem)) is not None


def read_source(source: Source, first: str, last: str) -> tuple[Lake, list[str], pa.Table]:
    """Return the lake, its live files of some days, and the rows that wait. Raises LakeError."""
    from fsgitops.cdr.columns import build_table

    spool = read_spool(source.spool)
    lake = open_lake(source.lake)
    days = lake.days(first, last)
    waiting = waiting_rows(spool, days, first, last)
    return lake, live_files(lake, days), build_table(row.payload for row in waiting)


def add_views(connection: duckdb.DuckDBPyConnection, source: Source, first: str, last: str) -> None:
    """Define the views `lake`, `spool` and `cdr` (both together). Raises LakeError."""
    import pyarrow.dataset as ds

    from fsgitops.cdr.schema import arrow_schema

    lake, files, waiting = read_source(source, first, last)
    connection.register("spool", waiting)
    if not files:
        connection.register("lake", arrow_schema().empty_table())
    elif lake.local:
        listed = ", ".join("'" + file.replace("'", "''") + "'" for file in files)
        connection.execute(
            f"CREATE VIEW lake AS SELECT * FROM read_parquet([{listed}], union_by_name = true)"  # noqa: S608
        )
    else:
        # DuckDB scans it through pyarrow.
        found = ds.dataset(
            files, schema=arrow_schema(), filesystem=lake.filesystem, format="parquet"
        )
        connection.register("lake", found)
    connection.execute(
        "CREATE VIEW cdr AS SELECT * FROM lake UNION ALL BY NAME SELECT * FROM spool"
    )


def fetch(source: Source, sql: str) -> pa.Table:
    """Return the result of a SELECT as an Arrow table. Raises as `run_query`."""
    return run_query(source, lambda db: to_table(db, sql, []))


def to_table(connection: duckdb.DuckDBPyConnection, sql: str, values: list[Any]) -> pa.Table:
    """Return a statement's result as an Arrow table; an empty one where it has none."""
    import pyarrow as pa

    relation = connection.sql(sql, params=values)
    return pa.table({}) if relation is None else relation.to_arrow_table()


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which records to list. Times are text that DuckDB reads as a UTC timestamp.

    `number` and `did` are the forms of one number (`dids.read_asked`).
    """

    since: str | None = None
    until: str | None = None
    agent: str | None = None
    number: tuple[str, ...] | None = None
    did: tuple[str, ...] | None = None
    cause: str | None = None
    leg: str | None = None
    limit: int = 100


def list_records(source: Source, wanted: Wanted) -> pa.Table:
    """Return matching records, the latest first. Raises as `run_query`."""
    conditions: list[str] = []
    values: list[Any] = []
    for condition, value in (
        ("start_time >= CAST(? AS TIMESTAMPTZ)", wanted.since),
        ("start_time < CAST(? AS TIMESTAMPTZ)", wanted.until),
        ("agent_extension = ?", wanted.agent),
        ("hangup_cause = upper(?)", wanted.cause),
        ("leg = lower(?)", wanted.leg),
    ):
        if value is not None:
            conditions.append(condition)
            values.append(value)
    for forms, columns in (
        (wanted.number, ("caller_id_number", "destination_number", "did_number")),
        (wanted.did, ("did_number",)),
    ):
        if forms is not None:
            tests = [f"list_contains(?, {_PLAIN.format(column)})" for column in columns]
            conditions.append(f"({' OR '.join(tests)})")
            values += [[_PREFIX.sub("", form) for form in forms]] * len(columns)
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    # Only constants and placeholders are put together here; what the user wrote is bound.
    sql = f"SELECT * FROM cdr {where} ORDER BY start_time DESC, uuid LIMIT ?"  # noqa: S608
    # All days where a time has an offset.
    first, last = _day_of(wanted.since) or "", _day_of(wanted.until) or _MAX_DATE
    values.append(wanted.limit)

    def ask(connection: duckdb.DuckDBPyConnection) -> pa.Table:
        _check_times(connection, wanted)
        return to_table(connection, sql, values)

    return run_query(source, ask, first, last)


def _check_times(connection: duckdb.DuckDBPyConnection, wanted: Wanted) -> None:
    """Raise UsageError where a time is none, or the last is before the first."""
    # Where no day is read, DuckDB reads no time either: a wrong one would find nothing.
    for text in (wanted.since, wanted.until):
        if text is not None:
            _check_time(connection, text)
    times = [wanted.until, wanted.since]
    inverted = "SELECT CAST(? AS TIMESTAMPTZ) < CAST(? AS TIMESTAMPTZ)"
    if None not in times and connection.execute(inverted, times).fetchall() == [(True,)]:
        raise UsageError("--to is before --from")


def _check_time(connection: duckdb.DuckDBPyConnection, text: str) -> None:
    """Raise UsageError for what DuckDB does not read as a time."""
    import duckdb

    try:
        connection.execute("SELECT CAST(? AS TIMESTAMPTZ) IS NULL", [text]).fetchall()
    except duckdb.ConversionException:
        raise UsageError(f"`{text}`: expected a time, such as 2026-11-23 10:00") from None


def _day_of(text: str | None) -> str | None:
    """Return the UTC day of a time as DuckDB reads it; None where that is not plain to see."""
    plain = re.fullmatch(r"([0-9]{4}-[0-9]{2}-[0-9]{2})([ T][0-9:]{5,8})?", text or "")
    return plain[1] if plain else None
