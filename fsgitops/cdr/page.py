"""The report as one self-contained HTML page: no script, no network; light, dark and on paper."""

from __future__ import annotations

from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING

from fsgitops.cdr.report import IN_ORDER, NONE, Line
from fsgitops.visible import count_noun

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fsgitops.cdr.report import Report

_TITLES = {
    "day": "Day",
    "hour": "Hour of the day",
    "agent": "Agent",
    "did": "DID",
    "gateway": "Gateway",
    "cause": "Hang-up cause",
}
_HEADS = ("calls", "answered", "ASR %", "ACD s", "PDD ms", "minutes")
_ROWS = 20
_DAYS = 31
_MOST_COLUMNS = 124
_LABELS, _FEW_LABELS = 12, 4
_ROUND = (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10)


def render_page(report: Report) -> str:
    """Return the page. Whatever a caller put into a name is shown as text."""
    span = report.span
    when = f"{span.first or 'the beginning'} to {span.last if span.last < '9999' else 'now'}"
    legs = {"a": "A legs: each call once", "b": "B legs"}.get(span.leg, "all legs")
    days, unit = _by_month(report.by["day"])
    body = [
        f"<header><h1>Calls</h1><p>{escape(when)}, {escape(span.tz)}. {escape(legs)}.</p></header>",
    ]
    if report.total.calls:
        body += [
            _tiles(report.total),
            _LEGEND,
            f"<h2>Calls by {unit}</h2>{columns_chart(days)}",
            f"<h2>Calls by hour of the day</h2>{columns_chart(report.by['hour'])}",
        ]
    else:
        body.append(f"<p>No calls{escape(span.words())}.</p>")
    for name, lines in report.by.items() if report.total.calls else ():
        count = report.groups.get(name, len(lines))
        body.append(f"<section><h2>{_TITLES[name]}</h2>{_table(name, lines, count)}</section>")
    style = (files(__package__) / "page.css").read_text("utf-8")
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'\">"
        f"<title>Calls, {escape(when)}</title><style>\n{style}</style></head>"
        f"<body><main>{''.join(body)}</main></body></html>\n"
    )


def figure(value: float | None, digits: int = 0) -> str:
    """Return a number with thousands separated, or a dash for none."""
    return "-" if value is None else f"{value:,.{digits}f}"


def _tiles(total: Line) -> str:
    tiles = (
        ("calls", figure(total.calls)),
        ("answered", figure(total.answered)),
        ("ASR", _with_unit(total.asr_percent, 1, "%")),
        ("ACD", _with_unit(total.acd_seconds, 1, "s")),
        ("PDD", _with_unit(total.pdd_ms, 0, "ms")),
        ("minutes", figure(total.minutes, 0 if total.minutes >= 1000 else 1)),
    )
    cells = "".join(
        f'<div class="tile"><b>{value}</b><span>{name}</span></div>' for name, value in tiles
    )
    return f'<div class="tiles">{cells}</div>'


def _with_unit(value: float | None, digits: int, unit: str) -> str:
    return figure(value) if value is None else f"{figure(value, digits)} {unit}"


_LEGEND = '<p class="key"><i class="good"></i>answered <i class="all"></i>not answered</p>'


def _by_month(days: Sequence[Line]) -> tuple[Sequence[Line], str]:
    """Return the columns of the first chart, and what each is: a day, or a month for long spans."""
    if len(days) <= _MOST_COLUMNS:
        return days, "day"
    months: dict[str, tuple[int, int]] = {}
    for line in days:
        month = line.group if line.group == NONE else line.group[:7]
        calls, answered = months.get(month, (0, 0))
        months[month] = (calls + line.calls, answered + line.answered)
    return [
        Line(month, calls, answered, None, None, None, 0.0)
        for month, (calls, answered) in months.items()
    ], "month"


def columns_chart(lines: Sequence[Line]) -> str:
    """Return a chart of columns, the answered part of each below; no calls leave a gap.

    Texts are HTML, so that they stay readable where the chart is narrow.
    """
    if not lines:
        return '<p class="none">no calls</p>'
    top = _round_up(max(line.calls for line in lines))
    scale = "".join(f"<span>{figure(top * part / 4)}</span>" for part in range(4, -1, -1))
    every, seldom = (max(1, -(-len(lines) // most)) for most in (_LABELS, _FEW_LABELS))
    columns = "".join(
        _column(line, top, _label_class(at, every, seldom)) for at, line in enumerate(lines)
    )
    calls, answered = sum(line.calls for line in lines), sum(line.answered for line in lines)
    said = (
        f"{count_noun(calls, 'call')}, {figure(answered)} answered, "
        f"from {lines[0].group} to {lines[-1].group}"
    )
    return (
        f'<div class="chart" role="img" aria-label="{escape(said)}">'
        f'<div class="scale">{scale}</div><div class="plot">{columns}</div></div>'
    )


def _label_class(at: int, every: int, seldom: int) -> str:
    """Tell where a column's label is shown: on a wide page, and on a narrow one."""
    return " ".join(name for name, step in (("wide", every), ("few", seldom)) if at % step == 0)


def _column(line: Line, top: float, label: str) -> str:
    good = 100 * line.answered / top
    rest = 100 * (line.calls - line.answered) / top
    title = f"{line.group}: {count_noun(line.calls, 'call')}, {figure(line.answered)} answered"
    text = line.group[5:] if len(line.group) == 10 else line.group
    shown = f'<b class="{label}">{escape(text)}</b>' if label else ""
    bars = ""
    if line.calls:
        bars = (
            f'<i class="all" style="height:{rest:.2f}%"></i>'
            f'<i class="good" style="height:{good:.2f}%"></i>'
        )
    return f'<div title="{escape(title)}">{bars}{shown}</div>'


def _round_up(value: float) -> float:
    """Return the top of a scale of four equal steps, each a round number."""
    step = max(1.0, value / 4)
    power = float(10 ** (len(str(int(step))) - 1))
    return 4 * power * min(number for number in _ROUND if number * power >= step)


def _table(name: str, lines: Sequence[Line], count: int) -> str:
    if not lines:
        return '<p class="none">no calls</p>'
    most = max(line.calls for line in lines) or 1
    if name == "hour":
        return _rows(name, lines, most)
    # Of days the last are shown, of all else the busiest.
    cut = _DAYS if name in IN_ORDER else _ROWS
    shown, rest = (lines[-cut:], lines[:-cut]) if name in IN_ORDER else (lines[:cut], lines[cut:])
    if not rest:
        return _rows(name, shown, most)
    calls = count_noun(sum(line.calls for line in rest), "call")
    hidden = "" if count == len(lines) else f"; {figure(count - len(lines))} more are not listed"
    older = "earlier days" if name in IN_ORDER else "more"
    return (
        f"{_rows(name, shown, most)}<details><summary>and {figure(len(rest))} {older}, with "
        f"{calls}{hidden}</summary>{_rows(name, rest, most)}</details>"
    )


def _rows(name: str, lines: Sequence[Line], most: int) -> str:
    heads = "".join(f"<th>{head}</th>" for head in _HEADS)
    rows = "".join(_row(line, most) for line in lines)
    return (
        f'<table><thead><tr><th>{_TITLES[name]}</th><td class="bar"></td>{heads}</tr></thead>'
        f"<tbody>{rows}</tbody></table>"
    )


def _row(line: Line, most: int) -> str:
    good, rest = (100 * value / most for value in (line.answered, line.calls - line.answered))
    drawn = (
        f'<i class="good" style="width:{good:.1f}%"></i><i class="all" style="width:{rest:.1f}%">'
        "</i>"
    )
    cells = (
        figure(line.calls),
        figure(line.answered),
        figure(line.asr_percent, 1),
        figure(line.acd_seconds, 1),
        figure(line.pdd_ms),
        figure(line.minutes, 1),
    )
    values = "".join(
        f'<td data-head="{head}">{cell}</td>' for head, cell in zip(_HEADS, cells, strict=True)
    )
    empty = "" if line.calls else ' class="empty"'
    return (
        f'<tr{empty}><th scope="row">{escape(line.group)}</th>'
        f'<td class="bar" aria-hidden="true"><span>{drawn}</span></td>{values}</tr>'
    )
