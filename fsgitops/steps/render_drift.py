"""A drift report for a terminal, and for Prometheus."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from fsgitops.model.drift import Direction, DriftKind
from fsgitops.model.plan import MASK
from fsgitops.model.wording import Line, label_attribute, show_value
from fsgitops.visible import count_noun, make_visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsgitops.model.drift import AttributeDrift, DriftItem, DriftReport

SHOWN = 200
"""Resources beyond this are counted, not listed; the JSON report has all."""

_TOLD = {
    Direction.ONLY_LIVE: ("+", "create", "only live"),
    Direction.ONLY_DECLARED: ("-", "delete", "only as applied"),
    Direction.BOTH_DIFFER: ("~", "update", "differing"),
}
"""Its mark, its style, and what the summary calls it."""


def render_drift(report: DriftReport) -> Iterator[Line]:
    """Yield the report as lines, the summary last."""
    yield Line(f"Target {report.target}: {report.conf_dir}, domain {report.domain}", "title")
    if report.simulated:
        yield Line("This target is the embedded switch: a simulation.", "note")
    for note in report.notes:
        yield Line(make_visible(note), "note")
    for item in report.drift[:SHOWN]:
        yield from _render_item(item)
    if len(report.drift) > SHOWN:
        left = count_noun(len(report.drift) - SHOWN, "more resource")
        yield Line(f"  and {left} (--json lists all)")
    if report.switch_problem:
        yield Line(
            f"The switch could not be asked: {make_visible(report.switch_problem)}", "delete"
        )
    yield Line(_summarise(report), "title")


def render_metrics(report: DriftReport, *, checked_at: float, seconds: float) -> str:
    """Return the report as Prometheus text; `checked_at` in seconds since 1970 UTC.

    Read by the textfile collector of node_exporter. The names are part of the interface.
    """
    kinds = Counter(kind for item in report.drift for kind in item.kinds)
    directions = Counter(item.direction for item in report.drift)
    label = f'target="{_label(report.target)}"'
    samples: list[tuple[str, str, list[tuple[str, float]]]] = [
        ("fsgitops_drift_resources", "Resources that drifted, those left over included.",
         [("", len(report.drift))]),
        ("fsgitops_drift_by_kind", "The same by kind; a resource can be of several.",
         [(f'kind="{kind}"', kinds[kind]) for kind in DriftKind]),
        ("fsgitops_drift_by_direction", "The same by direction.",
         [(f'direction="{side}"', directions[side]) for side in Direction]),
        ("fsgitops_drift_ignored", "Resources whose only drift is expected.",
         [("", report.ignored)]),
        ("fsgitops_drift_managed", "Files that are managed.", [("", report.managed)]),
        ("fsgitops_drift_switch_asked", "1: the switch's memory was compared too.",
         [("", int(report.switch_asked))]),
        ("fsgitops_drift_checked_timestamp_seconds", "When, in seconds since 1970 UTC.",
         [("", round(checked_at, 3))]),
        ("fsgitops_drift_check_duration_seconds", "How long the check took.",
         [("", round(seconds, 3))]),
    ]  # fmt: skip
    lines: list[str] = []
    for name, text, values in samples:
        lines += [f"# HELP {name} {text}", f"# TYPE {name} gauge"]
        for more, value in values:
            labels = f"{label},{more}" if more else label
            lines.append(f"{name}{{{labels}}} {value}")
    return "\n".join(lines) + "\n"


def _render_item(item: DriftItem) -> Iterator[Line]:
    mark, style, _ = _TOLD[item.direction]
    name = f"{item.resource.kind} {item.resource.name}"
    kinds = ", ".join(item.kinds)
    yield Line(f"  {mark} {name}  {item.path}  [{kinds}]", style)
    yield Line(f"      {make_visible(item.message)}", style)
    for attribute in item.attributes:
        yield Line(f"      {_render_attribute(attribute)}", _TOLD[attribute.direction][1])


def _render_attribute(attribute: AttributeDrift) -> str:
    """Say what was applied, and what stands instead of it, and where: `name: "A" -> "B" on disk`.

    A side that was not looked at, or holds what was applied, is not named.
    """
    live = {"on disk": attribute.disk}
    if attribute.asked:
        live["in the switch"] = attribute.loaded
    if not attribute.secret:  # what stands for two secrets looks the same
        unlike = {side: value for side, value in live.items() if value != attribute.declared}
        live = unlike or live
    sides: dict[str, list[str]] = {}
    for side, value in live.items():
        sides.setdefault(_quote(value, attribute), []).append(side)
    told = ", ".join(f"{value} {' and '.join(where)}" for value, where in sides.items())
    return f"{label_attribute(attribute.name)}: {_quote(attribute.declared, attribute)} -> {told}"


def _quote(value: str | None, attribute: AttributeDrift) -> str:
    if attribute.secret and value == MASK:
        return value
    return show_value(value)


def _summarise(report: DriftReport) -> str:
    compared = "files and the switch's memory" if report.switch_asked else "files only"
    ignored = f", {report.ignored} ignored" if report.ignored else ""
    if not report.drift:
        return f"No drift in {count_noun(report.managed, 'managed file')} ({compared}{ignored})."
    directions = Counter(item.direction for item in report.drift)
    parts = ", ".join(
        f"{directions[side]} {_TOLD[side][2]}" for side in Direction if directions[side]
    )
    return f"Drift: {_count_drifted(report)} ({compared}{ignored}): {parts}"


def _count_drifted(report: DriftReport) -> str:
    """Say how many managed files drifted, and apart from them what the switch still holds."""
    left_over = sum(DriftKind.LEFT_OVER in item.kinds for item in report.drift)
    counts = []
    if report.managed:
        paths = {item.path for item in report.drift if DriftKind.LEFT_OVER not in item.kinds}
        counts.append(f"{len(paths)} of {count_noun(report.managed, 'managed file')}")
    if left_over:
        counts.append(f"{left_over} left over in the switch")
    return ", ".join(counts)


def _label(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
