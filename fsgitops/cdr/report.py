"""The report: one set of Ibis expressions, run by DuckDB, or by PySpark for larger lakes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from fsgitops.cdr.query import Source, live_files, run_query
from fsgitops.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    import duckdb
    import ibis.expr.types as ir

Engine = Literal["duckdb", "spark"]
DIMENSIONS = ("day", "hour", "agent", "did", "gateway", "cause")
MEASURES = ("calls", "answered", "asr_percent", "acd_seconds", "pdd_ms", "minutes")
_TOP = 1000


@dataclass(frozen=True, slots=True)
class Span:
    """Which calls: days (UTC, both included), and which legs: `a` counts each call once."""

    first: str = ""
    last: str = "9999-12-31"
    leg: str = "a"


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
    """All figures: `total`, and `by[dimension]` in the dimension's order, busiest first."""

    span: Span
    total: Line
    by: dict[str, tuple[Line, ...]]


def make_report(source: Source, span: Span, engine: Engine = "duckdb") -> Report:
    """Compute the report. Raises LakeError, UsageError (bad dates, missing extra)."""
    if engine == "spark":
        return _run_spark(source, span)
    return run_query(source, lambda db: _run_duckdb(db, span), span.first, span.last)


def _run_duckdb(connection: duckdb.DuckDBPyConnection, span: Span) -> Report:
    import ibis

    backend = ibis.duckdb.from_connection(connection)
    connection.execute("SET TimeZone = 'UTC'")
    return compute(backend.table("cdr"), span)


def _run_spark(source: Source, span: Span) -> Report:
    """The same on Spark: it reads the live files itself, and the spool's rows beside them."""
    try:
        import ibis
        from pyspark.sql import SparkSession
    except ImportError:
        raise UsageError("--engine spark needs the extra [spark], and Java") from None
    from fsgitops.cdr.columns import build_table
    from fsgitops.cdr.lake import open_lake
    from fsgitops.cdr.query import read_spool, waiting_rows

    spool = read_spool(source.spool)
    lake = open_lake(source.lake)
    days = lake.days(span.first, span.last)
    session = (
        SparkSession.builder.appName("fsgitops-cdr")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.shuffle.partitions", "8")
        .getOrCreate()
    )
    waiting = build_table(row.payload for row in waiting_rows(spool, days, span.first, span.last))
    columns = [name for name, _ in _COLUMNS]
    values = [tuple(row.values()) for row in waiting.select(columns).to_pylist()]
    frame = session.createDataFrame(values, ", ".join(f"{n} {kind}" for n, kind in _COLUMNS))
    files = live_files(lake, days)
    if files:
        scheme = "file://" if lake.local else spark_scheme(source.lake)
        read = session.read.parquet(*(f"{scheme}{file}" for file in files))
        frame = read.select(columns).unionByName(frame)
    frame.createOrReplaceTempView("cdr")
    return compute(ibis.pyspark.connect(session).table("cdr"), span)


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


def compute(records: ir.Table, span: Span) -> Report:
    """Return the report of a table of records, whatever engine it belongs to."""
    labelled = label(records, span)
    moments = _sum_by(labelled, ["moment"]).to_pyarrow().to_pylist()
    by = {
        "day": _fold(moments, lambda row: _moment(row).strftime("%Y-%m-%d")),
        "hour": _fold(moments, lambda row: _moment(row).strftime("%H")),
    }
    for names in (("agent",), ("did",), ("gateway", "cause")):
        found = _sum_by(labelled, list(names)).to_pyarrow().to_pylist()
        for name in names:
            lines = _fold(found, lambda row, key=name: str(row[key] or NONE))  # type: ignore[misc]
            by[name] = sorted(lines, key=lambda line: (-line.calls, line.group))[:_TOP]
    sums = {name: sum(int(row[name] or 0) for row in moments) for name in _SUMS}
    return Report(span, _line("all", sums), {name: tuple(lines) for name, lines in by.items()})


def label(records: ir.Table, span: Span) -> ir.Table:
    """Return the wanted legs, with the report's dimensions as columns."""
    chosen = records.filter(records.leg == span.leg) if span.leg != "all" else records
    return chosen.select(
        # Plain arithmetic: truncating a time with a zone costs a calendar for each row.
        moment=(chosen.start_time.epoch_seconds() / 3600).floor().cast("int64"),
        agent=chosen.agent_extension,
        did=chosen.did_number,
        gateway=chosen.gateway,
        cause=chosen.hangup_cause,
        answered=chosen.answered.cast("int64"),
        billsec=chosen.billsec,
        pdd_ms=chosen.pdd_ms,
    )


NONE = "(none)"
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


def _moment(row: dict[str, Any]) -> datetime:
    return datetime.fromtimestamp(row["moment"] * 3600, UTC)


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
