"""Printing results: a table for people, JSON, CSV or Parquet for programs."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import asdict, astuple
from datetime import datetime
from typing import TYPE_CHECKING, Any, BinaryIO

from fsgitops.console.stream import draw_lines
from fsgitops.visible import to_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pyarrow as pa

    from fsgitops.cdr.report import Line, Report


FORMS = ("table", "json", "csv", "parquet")
_MAX_CELL = 60
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write_result(table: pa.Table, form: str, out: BinaryIO, *, width: int | None = None) -> None:
    """Write an Arrow table in one of `FORMS`; UTF-8 where it is text, `width` for a terminal."""
    if form == "parquet":
        import pyarrow.parquet as pq

        pq.write_table(table, out)
        return
    rows = table.to_pylist()
    if form == "json":
        text = "".join(to_json(row, default=plain) + "\n" for row in rows)
    elif form == "csv":
        text = to_csv(table.column_names, rows)
    else:
        text = draw_table(
            [_head(field) for field in table.schema],
            ([row[n] for n in table.column_names] for row in rows),
            width=width,
        )
    out.write(text.encode("utf-8", "replace"))


def _head(field: pa.Field) -> str:
    """Return a column's head: a time is shown in UTC, and says so."""
    return f"{field.name} (UTC)" if getattr(field.type, "tz", None) else str(field.name)


def to_csv(names: Sequence[str], rows: Iterable[dict[str, Any]]) -> str:
    """Return CSV text. A text that a spreadsheet would run as a formula gets an apostrophe."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(names)
    for row in rows:
        writer.writerow([_csv_cell(row[name]) for name in names])
    return buffer.getvalue()


def _csv_cell(value: Any) -> Any:
    if isinstance(value, str) and value.startswith(_FORMULA) and not value[1:].isdecimal():
        return f"'{value}"
    return plain(value) if value is not None and not isinstance(value, str | int | float) else value


def plain(value: Any) -> Any:
    """Return a value as JSON has it: times in ISO 8601, UTC."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return json.dumps(dict(value) if value and isinstance(value[0], tuple) else list(value))
    return str(value)


def draw_table(
    names: Sequence[str], rows: Iterable[Sequence[Any]], *, width: int | None = None
) -> str:
    """Return a plain text table. Rows wider than `width` columns go on below, indented."""
    return "\n".join(draw_lines(names, rows, width=width, rule=True, limit=_MAX_CELL)) + "\n"


def bar(value: float, greatest: float, size: int = 12) -> str:
    """Return a small bar that shows how a value compares with the greatest."""
    if greatest <= 0:
        return ""
    eighths = round(value / greatest * size * 8)
    whole, part = divmod(eighths, 8)
    return "█" * whole + " ▏▎▍▌▋▊▉"[part].strip()


_HEADS = ("calls", "", "answered", "ASR %", "ACD s", "PDD ms", "minutes")
_ROWS = 20
_DAYS = 62
_BAR, _SHORTEST_BAR = 12, 6


def report_text(report: Report, width: int | None = None) -> str:
    """Return the report as tables with small bars; where there are no calls, as a sentence.

    In a terminal of `width` columns, the bars give way, and then rows go on below.
    """
    if not report.total.calls:
        return f"No calls{report.span.words()} ({report.span.tz}).\n"
    parts = [f"Days and hours: {report.span.tz}\n"]
    parts += [_table("", [report.total], report.total.calls, width)]
    for name, lines in report.by.items():
        most = max((line.calls for line in lines), default=0)
        shown = lines if name == "hour" else lines[-_DAYS:] if name == "day" else lines[:_ROWS]
        parts.append(_table(name, shown, most, width))
        more = report.groups.get(name, len(lines)) - len(shown)
        if more:
            parts[-1] += f"… and {more} {'earlier days' if name == 'day' else 'more'}\n"
    return "\n".join(parts)


def _table(name: str, lines: Sequence[Line], most: int, width: int | None) -> str:
    for size in range(_BAR, _SHORTEST_BAR, -1):
        told = draw_table((name, *_HEADS), [_cells(line, most, size) for line in lines])
        if width is None or max(map(len, told.splitlines())) <= width:
            return told
    rows = [_cells(line, most, _SHORTEST_BAR) for line in lines]
    return draw_table((name, *_HEADS), rows, width=width)


def _cells(line: Line, most: int, size: int) -> tuple[object, ...]:
    group, calls, *others = astuple(line)
    return (group, calls, bar(calls, most, size), *others)


def report_json(report: Report) -> str:
    """Return the report as JSON."""
    return to_json(asdict(report), indent=1) + "\n"
