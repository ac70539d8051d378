"""The report for a terminal, and as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from fsgitops.cdr.table import bar, draw_table
from fsgitops.visible import to_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fsgitops.cdr.report import Line, Report

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
    return (
        line.group,
        line.calls,
        bar(line.calls, most, size),
        line.answered,
        line.asr_percent,
        line.acd_seconds,
        line.pdd_ms,
        line.minutes,
    )


def report_json(report: Report) -> str:
    """Return the report as JSON."""
    return to_json(asdict(report), indent=1) + "\n"
