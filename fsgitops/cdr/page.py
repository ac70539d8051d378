"""The report as one self-contained HTML page: no script, no network, light and dark."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fsgitops.cdr.report import Line, Report

_TITLES = {
    "day": "Day",
    "hour": "Hour of day (UTC)",
    "agent": "Agent",
    "did": "DID",
    "gateway": "Gateway",
    "cause": "Hang-up cause",
}
_CHARTS = {"day": "day", "hour": "hour of the day (UTC)"}
_ROWS = 100
_WIDTH, _HEIGHT, _FOOT = 720, 200, 22
_STYLE = """
:root{color-scheme:light dark;--back:#fff;--card:#f5f6f8;--text:#1b1f24;--dim:#5c6570;
--line:#d9dde2;--all:#9fb8d9;--good:#1f6fd0}
@media(prefers-color-scheme:dark){:root{--back:#14171b;--card:#1d2228;--text:#e6e9ec;
--dim:#9aa4af;--line:#343b43;--all:#3f5877;--good:#5aa2f5}}
*{box-sizing:border-box}body{margin:0 auto;max-width:1080px;padding:32px 20px;
background:var(--back);color:var(--text);font:15px/1.5 system-ui,sans-serif}
h1{font-size:24px;margin:0}h2{font-size:17px;margin:36px 0 10px}
p{color:var(--dim);margin:4px 0 20px}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(140px,1fr));gap:12px}
.tile{background:var(--card);border-radius:10px;padding:14px 16px}
.tile b{display:block;font-size:21px;font-variant-numeric:tabular-nums}
.tile span{color:var(--dim);font-size:13px}
svg{display:block;width:100%;height:auto}svg text{fill:var(--dim);font-size:11px}
.all{fill:var(--all)}.good{fill:var(--good)}.rule{stroke:var(--line)}
.key i{display:inline-block;width:11px;height:11px;border-radius:2px;margin:0 5px 0 14px}
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{padding:6px 10px;border-bottom:1px solid var(--line);text-align:right;white-space:nowrap}
th:first-child,td:first-child{text-align:left;white-space:normal;overflow-wrap:anywhere}
th{color:var(--dim);font-weight:600;font-size:13px}
"""


def render_page(report: Report) -> str:
    """Return the page. Whatever a caller put into a name is shown as text."""
    span = report.span
    when = f"{span.first or 'the beginning'} to {span.last if span.last < '9999' else 'now'}"
    legs = {"a": "A legs: each call once", "b": "B legs"}.get(span.leg, "all legs")
    body = [
        f"<h1>Calls</h1><p>{escape(when)}, UTC. {escape(legs)}.</p>",
        _tiles(report.total),
        _legend(),
    ]
    for name in ("day", "hour"):
        body.append(f"<h2>Calls by {_CHARTS[name]}</h2>{columns_chart(report.by[name])}")
    for name, lines in report.by.items():
        body.append(f"<h2>{_TITLES[name]}</h2>{_table(_TITLES[name], lines)}")
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'\">"
        f"<title>Calls, {escape(when)}</title><style>{_STYLE}</style></head>"
        f"<body>{''.join(body)}</body></html>\n"
    )


def figure(value: float | None, digits: int = 0) -> str:
    """Return a number with thousands separated, or a dash for none."""
    return "-" if value is None else f"{value:,.{digits}f}"


def _tiles(total: Line) -> str:
    tiles = (
        ("calls", figure(total.calls)),
        ("answered", figure(total.answered)),
        ("ASR", f"{figure(total.asr_percent, 1)} %"),
        ("ACD", f"{figure(total.acd_seconds, 1)} s"),
        ("PDD", f"{figure(total.pdd_ms)} ms"),
        ("minutes", figure(total.minutes, 0 if total.minutes >= 1000 else 1)),
    )
    cells = "".join(
        f'<div class="tile"><b>{value}</b><span>{name}</span></div>' for name, value in tiles
    )
    return f'<div class="tiles">{cells}</div>'


def _legend() -> str:
    return (
        '<p class="key"><i style="background:var(--good);margin-left:0"></i>answered'
        '<i style="background:var(--all)"></i>not answered</p>'
    )


def columns_chart(lines: Sequence[Line]) -> str:
    """Return an SVG of columns, the answered part of each below."""
    if not lines:
        return "<p>no calls</p>"
    top = _round_up(max(line.calls for line in lines))
    step = (_WIDTH - 56) / len(lines)
    width = max(1.0, step * 0.8)
    shapes = []
    for part in range(5):
        y = _HEIGHT - _HEIGHT * part / 4 + 8
        shapes.append(
            f'<line class="rule" x1="50" x2="{_WIDTH}" y1="{y:.1f}" y2="{y:.1f}"/>'
            f'<text x="44" y="{y + 4:.1f}" text-anchor="end">'
            f"{figure(top * part / 4)}</text>"
        )
    every = max(1, round(len(lines) / 12))
    for at, line in enumerate(lines):
        x = 54 + at * step
        shapes.append(_column(x, width, line, top))
        if at % every == 0:
            label = escape(line.group[5:] if len(line.group) == 10 else line.group)
            shapes.append(
                f'<text x="{x + width / 2:.1f}" y="{_HEIGHT + _FOOT + 4}" '
                f'text-anchor="middle">{label}</text>'
            )
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT + _FOOT + 10}" role="img" '
        f'aria-label="calls, answered and not">{"".join(shapes)}</svg>'
    )


def _column(x: float, width: float, line: Line, top: float) -> str:
    whole, good = (_HEIGHT * value / top for value in (line.calls, line.answered))
    title = f"{line.group}: {figure(line.calls)} calls, {figure(line.answered)} answered"
    return (
        f"<g><title>{escape(title)}</title>"
        f'<rect class="all" x="{x:.1f}" y="{_HEIGHT + 8 - whole:.1f}" width="{width:.1f}" '
        f'height="{whole - good:.1f}"/>'
        f'<rect class="good" x="{x:.1f}" y="{_HEIGHT + 8 - good:.1f}" width="{width:.1f}" '
        f'height="{good:.1f}"/></g>'
    )


def _round_up(value: float) -> float:
    unit = 4.0
    while unit * 10 < value:
        unit *= 10
    return unit * -(-value // unit) if value else unit


def _table(title: str, lines: Sequence[Line]) -> str:
    heads = "".join(
        f"<th>{head}</th>"
        for head in (title, "calls", "", "answered", "ASR %", "ACD s", "PDD ms", "minutes")
    )
    most = max((line.calls for line in lines), default=1) or 1
    rows = "".join(_row(line, most) for line in lines[:_ROWS])
    more = f"<p>and {len(lines) - _ROWS} more</p>" if len(lines) > _ROWS else ""
    return (
        f'<div class="scroll"><table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>'
        f"</div>{more}"
    )


def _row(line: Line, most: int) -> str:
    size, good = 90 * line.calls / most, 90 * line.answered / most
    drawn = (
        '<svg viewBox="0 0 90 10" style="width:90px" aria-hidden="true">'
        f'<rect class="all" width="{size:.1f}" height="10"/>'
        f'<rect class="good" width="{good:.1f}" height="10"/></svg>'
    )
    cells = (
        escape(line.group),
        figure(line.calls),
        drawn,
        figure(line.answered),
        figure(line.asr_percent, 1),
        figure(line.acd_seconds, 1),
        figure(line.pdd_ms),
        figure(line.minutes, 1),
    )
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"
