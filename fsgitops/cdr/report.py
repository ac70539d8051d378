"""The report: one set of Ibis expressions, run by DuckDB, or by PySpark for larger lakes."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fsgitops.cdr.number import one_form
from fsgitops.cdr.query import Source, read_source, run_query
from fsgitops.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import duckdb
    import ibis.expr.types as ir


LOCALTIME, TIMEZONE = Path("/etc/localtime"), Path("/etc/timezone")


def read_zone(name: str) -> ZoneInfo:
    """Return a time zone by its name. Raises UsageError for one that is not known here."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UsageError(
            f"--tz {name!a}: no such time zone here: expected a name such as Europe/Berlin or UTC"
        ) from None


def machine_zone() -> str:
    """Return the name of the machine's time zone, as TZ or the system says it; else `UTC`."""
    places: tuple[Callable[[], str], ...] = (
        lambda: os.environ.get("TZ", "").removeprefix(":"),
        lambda: str(LOCALTIME.resolve()).partition("/zoneinfo/")[2],
        lambda: TIMEZONE.read_text("utf-8").strip(),
    )
    for read in places:
        with suppress(UsageError, OSError, ValueError):
            if name := read():
                return str(read_zone(name))
    return "UTC"


_END = "9999-12-31"
Engine = Literal["duckdb", "spark"]
_TOP = 1000
_LONGEST_GAP = 1500
_QUARTER = 900
"""Seconds: the finest step by which time zones differ, and the coarsest to add up by."""


@dataclass(frozen=True, slots=True)
class Span:
    """Which calls: days (both included, in the zone `tz`), and which legs.

    `a` counts each call once.
    """

    first: str = ""
    last: str = _END
    leg: str = "a"
    tz: str = "UTC"

    def words(self) -> str:
        """Return ` from DAY to DAY`, as far as a report has an end."""
        begin = f" from {self.first}" if self.first else ""
        return begin + (f" to {self.last}" if self.last < _END else "")

    def moments(self) -> tuple[int | None, int | None]:
        """Return the seconds since 1970 from which and before which calls began; None: any."""
        begin = self._midnight(self.first, 0) if self.first else None
        return begin, self._midnight(self.last, 1) if self.last < _END else None

    def _midnight(self, day: str, later: int) -> int:
        at = date.fromisoformat(day) + timedelta(later)
        return int(datetime.combine(at, time(), ZoneInfo(self.tz)).timestamp())

    def stored(self) -> tuple[str, str]:
        """Return the first and the last day (UTC) of the lake that may hold such calls."""
        begin, end = self.moments()
        return (
            "" if begin is None else f"{datetime.fromtimestamp(begin, UTC):%Y-%m-%d}",
            _END if end is None else f"{datetime.fromtimestamp(end - 1, UTC):%Y-%m-%d}",
        )


@dataclass(frozen=True, slots=True)
class Line:
    """The figures of one group. `acd_seconds` and `pdd_ms` are means; None: nothing to mean."""

    group: str
    calls: int
    answered: int
    asr_percent: float | None
    acd_seconds: float | None
    pdd_ms: float | None
    minutes: float


@dataclass(frozen=True, slots=True)
class Report:
    """All figures: `total`, and `by[dimension]`: days and hours in order, others busiest first.

    Days and hours without calls have their lines, of zeros. Of other groups at most 1,000 are
    there; `groups` counts them all.
    """

    span: Span
    total: Line
    by: dict[str, tuple[Line, ...]]
    groups: dict[str, int] = field(default_factory=dict)


def make_report(
    source: Source,
    span: Span,
    engine: Engine = "duckdb",
    *,
    region: str | None = None,
    today: date | None = None,
) -> Report:
    """Compute the report. Raises LakeError, UsageError (bad dates, missing extra).

    `region`, such as `US`, is whose national numbers are meant by DIDs; `today` ends the days that
    are shown without calls.
    """
    if engine == "spark":
        return _run_spark(source, span, region, today)
    return run_query(source, lambda db: _run_duckdb(db, span, region, today), *span.stored())


def _run_duckdb(
    connection: duckdb.DuckDBPyConnection, span: Span, region: str | None, today: date | None
) -> Report:
    import ibis

    backend = ibis.duckdb.from_connection(connection)
    return compute(backend.table("cdr"), span, region, today)


def _run_spark(source: Source, span: Span, region: str | None, today: date | None) -> Report:
    """The same on Spark: it reads the live files itself, and the spool's rows beside them."""
    try:
        import ibis
        from pyspark.sql import SparkSession
    except ImportError:
        raise UsageError("--engine spark needs the extra [spark], and Java") from None
    lake, files, waiting = read_source(source, *span.stored())
    session = (
        SparkSession.builder.appName("fsgitops-cdr")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.shuffle.partitions", "8")
        .getOrCreate()
    )
    columns = [name for name, _ in _COLUMNS]
    values = [tuple(row.values()) for row in waiting.select(columns).to_pylist()]
    frame = session.createDataFrame(values, ", ".join(f"{n} {kind}" for n, kind in _COLUMNS))
    if files:
        scheme = "file://" if lake.local else spark_scheme(source.lake)
        read = session.read.parquet(*(f"{scheme}{file}" for file in files))
        frame = read.select(columns).unionByName(frame)
    frame.createOrReplaceTempView("cdr")
    return compute(ibis.pyspark.connect(session).table("cdr"), span, region, today)


def spark_scheme(lake: str) -> str:
    """Return how Spark names the store of a lake's URL. Raises UsageError for one it has not."""
    named = lake.split("://", 1)[0]
    known = {"s3": "s3a://", "gs": "gs://", "gcs": "gs://"}
    if named not in known:
        raise UsageError(f"--engine spark reads directories, s3:// and gs://, not {named}://")
    return known[named]


_COLUMNS = (
    ("leg", "string"),
    ("start_time", "timestamp"),
    ("answered", "boolean"),
    ("billsec", "bigint"),
    ("pdd_ms", "bigint"),
    ("agent_extension", "string"),
    ("did_number", "string"),
    ("gateway", "string"),
    ("hangup_cause", "string"),
)


def compute(
    records: ir.Table, span: Span, region: str | None = None, today: date | None = None
) -> Report:
    """Return the report of a table of records, whatever engine it belongs to."""
    labelled = label(records, span)
    moments = _sum_by(labelled, ["moment"]).to_pyarrow().to_pylist()
    zone = ZoneInfo(span.tz)
    days = _fold(moments, lambda row: _moment(row, zone).strftime("%Y-%m-%d"))
    by = {
        "day": _fill_days(days, span, today or datetime.now(zone).date()),
        "hour": _fill(_fold(moments, lambda row: _moment(row, zone).strftime("%H")), _HOURS),
    }
    for names in (("agent",), ("did",), ("gateway", "cause")):
        found = _sum_by(labelled, list(names)).to_pyarrow().to_pylist()
        numbers = {str(row["did"]) for row in found if row.get("did")}
        forms = one_form(numbers, region)
        for name in names:
            lines = _fold(found, partial(_group, name, forms))
            by[name] = sorted(lines, key=lambda line: (-line.calls, line.group))
    sums = {name: sum(int(row[name] or 0) for row in moments) for name in _SUMS}
    shown = {name: tuple(lines if name in IN_ORDER else lines[:_TOP]) for name, lines in by.items()}
    return Report(span, _line("all", sums), shown, {name: len(by[name]) for name in by})


def _group(name: str, forms: dict[str, str], row: dict[str, Any]) -> str:
    value = str(row[name] or NONE)
    return forms.get(value, value)


def _fill(lines: list[Line], groups: Iterable[str]) -> list[Line]:
    """Return the lines with one of zeros for each group that has none; none where no calls are."""
    if not lines:
        return []
    found = {line.group: line for line in lines}
    empty = [Line(group, 0, 0, None, None, None, 0.0) for group in groups if group not in found]
    # What has no time stands last.
    return sorted([*lines, *empty], key=lambda line: (line.group == NONE, line.group))


def _fill_days(lines: list[Line], span: Span, today: date) -> list[Line]:
    found = [line.group for line in lines if line.group != NONE]
    if not found:
        return lines
    begin = date.fromisoformat(span.first or found[0])
    last = min(span.last, today.isoformat()) if span.last < _END else found[-1]
    end = date.fromisoformat(max(last, found[-1]))
    count = (end - begin).days + 1
    if count > _LONGEST_GAP:
        # One clock that was years behind must not make a page of empty days.
        return lines
    return _fill(lines, [(begin + timedelta(at)).isoformat() for at in range(count)])


def label(records: ir.Table, span: Span) -> ir.Table:
    """Return the wanted legs, with the report's dimensions as columns."""
    chosen = records.filter(records.leg == span.leg) if span.leg != "all" else records
    begin, end = span.moments()
    if begin is not None:
        chosen = chosen.filter(chosen.start_time.epoch_seconds() >= begin)
    if end is not None:
        chosen = chosen.filter(chosen.start_time.epoch_seconds() < end)
    return chosen.select(
        # Plain arithmetic: truncating a time with a zone costs a calendar for each row.
        moment=(chosen.start_time.epoch_seconds() / _QUARTER).floor().cast("int64"),
        agent=chosen.agent_extension,
        did=chosen.did_number,
        gateway=chosen.gateway,
        cause=chosen.hangup_cause,
        answered=chosen.answered.cast("int64"),
        billsec=chosen.billsec,
        pdd_ms=chosen.pdd_ms,
    )


NONE = "(none)"
_HOURS = tuple(f"{hour:02}" for hour in range(24))
IN_ORDER = ("day", "hour")
_SUMS = ("calls", "answered", "billsec", "pdd_sum", "pdd_count")


def _sum_by(labelled: ir.Table, names: list[str]) -> ir.Table:
    summed: ir.Table = labelled.group_by(names).aggregate(
        calls=labelled.count(),
        answered=labelled.answered.sum(),
        billsec=labelled.billsec.sum(),
        pdd_sum=labelled.pdd_ms.sum(),
        pdd_count=labelled.pdd_ms.count(),
    )
    return summed


def _moment(row: dict[str, Any], zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(row["moment"] * _QUARTER, zone)


def _fold(rows: list[dict[str, Any]], group: Callable[[dict[str, Any]], str]) -> list[Line]:
    """Add up rows of one group, and return the lines in the order of their groups."""
    sums: dict[str, dict[str, int]] = {}
    for row in rows:
        into = sums.setdefault(
            group(row) if row.get("moment", 1) is not None else NONE, dict.fromkeys(_SUMS, 0)
        )
        for name in _SUMS:
            into[name] += int(row[name] or 0)
    return [_line(name, sums[name]) for name in sorted(sums)]


def _line(group: str, sums: dict[str, int]) -> Line:
    calls, answered, billsec, pdd_sum, pdd_count = (sums[name] for name in _SUMS)
    return Line(
        group,
        calls,
        answered,
        round(100 * answered / calls, 2) if calls else None,
        round(billsec / answered, 2) if answered else None,
        round(pdd_sum / pdd_count, 1) if pdd_count else None,
        round(billsec / 60, 2),
    )
