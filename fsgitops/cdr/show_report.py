"""The report for a terminal, and as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from fsgitops.cdr.table import bar, draw_table
from fsgitops.visible import to_json

if TYPE_CHECKING:
    from fsgitops.cdr.report import Line, Report

_HEADS = ("calls", "", "answered", "ASR %", "ACD s", "PDD ms", "minutes")
_ROWS = 20
_DAYS = 62


def report_text(report: Report) -> str:
    """Return the report as tables with small bars; where there are no calls, as a sentence."""
    if not report.total.calls:
        return f"No calls{report.span.words()} ({report.span.tz}).\n"
    parts = [f"Days and hours: {report.span.tz}\n"]
    parts += [draw_table(("", *_HEADS), [_cells(report.total, report.total.calls)])]
    for name, lines in report.by.items():
        most = max((line.calls for line in lines), default=0)
        shown = lines if name == "hour" else lines[-_DAYS:] if name == "day" else lines[:_ROWS]
        parts.append(draw_table((name, *_HEADS), [_cells(line, most) for line in shown]))
        more = report.groups.get(name, len(lines)) - len(shown)
        if more:
            parts[-1] += f"… and {more} {'earlier days' if name == 'day' else 'more'}\n"
    return "\n".join(parts)


def _cells(line: Line, most: int) -> tuple[object, ...]:
    return (
        line.group,
        line.calls,
        bar(line.calls, most),
        line.answered,
        line.asr_percent,
        line.acd_seconds,
        line.pdd_ms,
        line.minutes,
    )


def report_json(report: Report) -> str:
    """Return the report as JSON."""
    return to_json(asdict(report), indent=1) + "\n"
