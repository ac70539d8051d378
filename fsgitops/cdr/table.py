"""Printing results: a table for people, JSON, CSV or Parquet for programs."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime
from typing import TYPE_CHECKING, Any, BinaryIO

from fsgitops.console.table import draw_lines
from fsgitops.visible import to_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pyarrow as pa

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
