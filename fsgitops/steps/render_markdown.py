"""A review as Markdown for a pull request's comment, never too long for one.

Text that users wrote stands in code only: no markup, link or mention acts there. In a fenced block
each line starts with a mark of ours, so that none can close the block.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fsgitops.findings import Finding, Severity, count_findings, has_errors
from fsgitops.model.impact import HEADING as CALLERS
from fsgitops.model.review import list_changes, name_change, name_reached, tell_source, word_change
from fsgitops.model.task import HEADING, find_tasks
from fsgitops.model.wording import label_attribute, show_side
from fsgitops.visible import count_noun, make_visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from fsgitops.model.plan import Change, Hazard, Plan
    from fsgitops.model.review import Reached, Review

LIMIT = 65_000
"""Bytes of UTF-8, so that it is no more in characters: GitHub takes 65,536 of those."""

SHOWN_REACHED = 30
SHOWN_STEPS = 10
SHOWN_WARNINGS = 10
EXPLAINED_CREATIONS = 20
"""So many creations are told attribute by attribute; more of them by name."""

_SHARE = {
    "impact": 8_000,
    "hazards": 6_000,
    "findings": 12_000,
    "diagram": 10_000,
    "reloads": 6_000,
}
"""Bytes: what stands beside the changes takes at most so much of the room."""

_WIDTH = 300
_MARKS = {"create": "+", "update": "!", "delete": "-", "rename": "!"}
_HEADINGS = {"delete": "delete", "rename": "rename", "update": "change", "create": "create"}
_RUNS = re.compile(r"`+")
_LINK = re.compile(r"https?://[A-Za-z0-9._~:/?#@!$&'()*+,;=%-]+")


def render_markdown(review: Review) -> str:
    """Return the comment: summary, what is wrong, each kind of change folded, and a diagram."""
    plan = review.plan
    head = [_marker(review), f"### fsgitops: {_code(review.title)}", _summary(review)]
    head += [f"> **Warning:** {_code(warning)}" for warning in review.warnings[:SHOWN_WARNINGS]]
    if len(review.warnings) > SHOWN_WARNINGS:
        left = count_noun(len(review.warnings) - SHOWN_WARNINGS, "more warning")
        head.append(f"> and {left}")
    head += [f"> {_code(remark)}" for remark in review.remarks[:5]]
    if plan is not None:
        head += [*_impact(plan), *_tasks(plan)]
    if plan is not None and plan.hazards:
        lines = (_finding_item(item) for item in plan.hazards)
        head.append("**In the way: resolve these before an apply.**")
        head.append(_block(lines, _SHARE["hazards"], len(plan.hazards)))
    if review.findings:
        head += _finding_parts(review)
    tail = [*_diagram(review.reached), *(_reloads(plan) if plan else ()), _pointer(review)]
    changes = _change_parts(plan, LIMIT - _size([*head, *tail])) if plan else []
    return "\n\n".join([*head, *changes, *tail]) + "\n"


def _marker(review: Review) -> str:
    """Return a comment by which a pipeline finds what it wrote before, to update it in place."""
    return f"<!-- fsgitops {re.sub(r'[^A-Za-z0-9]+', '-', review.title)} -->"


def _summary(review: Review) -> str:
    lines = [f"**{review.summary}**"]
    plan = review.plan
    if plan is not None:
        unchanged = count_noun(plan.unchanged, "managed file")
        unmanaged = count_noun(plan.unmanaged, "unmanaged file")
        lines.append(f"{unchanged} unchanged, {unmanaged} left alone.")
        drifted = sum(change.drifted for change in plan.changes)
        if drifted:
            files = count_noun(drifted, "file")
            lines.append(f"**Drift:** {files} changed by somebody else since the last apply.")
        lines.append(f"Domain {_code(plan.domain)}, plan {_code(plan.fingerprint)}.")
    return "\n".join(lines)


def _impact(plan: Plan) -> Iterator[str]:
    if plan.impact is None:
        return
    told = [[f"! {make_visible(line, _WIDTH)}"] for line in plan.impact.tell()]
    if told:
        yield f"**{CALLERS}:**\n\n{_block(told, _SHARE['impact'], len(told))}"


def _tasks(plan: Plan) -> Iterator[str]:
    tasks = find_tasks(plan)
    if tasks:
        yield "\n".join([f"**{HEADING}:**", *(f"- {_code(task.text)}" for task in tasks)])


def _finding_parts(review: Review) -> list[str]:
    found = review.by_weight()
    block = _block((_finding_item(item) for item in found), _SHARE["findings"], len(found))
    return [_fold(count_findings(found), block, is_open=has_errors(found))]


def _finding_item(item: Finding | Hazard) -> list[str]:
    mark = "!" if isinstance(item, Finding) and item.severity is not Severity.ERROR else "-"
    place = f"{item.position}: {item.severity}" if isinstance(item, Finding) else item.path
    lines = [f"{mark} {make_visible(f'{place}: {item.message} [{item.rule}]', _WIDTH)}"]
    return [*lines, f"      {make_visible(item.hint, _WIDTH)}"] if item.hint else lines


def _size(parts: Iterable[str]) -> int:
    return sum(len(part.encode()) + 2 for part in parts)


def _change_parts(plan: Plan, room: int) -> list[str]:
    """Return a part for each action: the first ones take of the room what they need."""
    chosen = {
        word: [change for change in list_changes(plan) if word_change(change) == word]
        for word in _HEADINGS
    }
    frames = {word: _size([_changes(word, made, 0)]) for word, made in chosen.items() if made}
    room -= sum(frames.values())
    parts: list[str] = []
    for word, frame in frames.items():
        parts.append(_changes(word, chosen[word], room))
        room -= _size(parts[-1:]) - frame
    return parts


def _changes(word: str, chosen: list[Change], room: int) -> str:
    title = f"{len(chosen):,} to {_HEADINGS[word]}"
    explained = word == "update" or len(chosen) <= EXPLAINED_CREATIONS
    items = (_change_item(change, explained=explained) for change in chosen)
    return _fold(title, _block(items, room, len(chosen)), is_open=False)


def _change_item(change: Change, *, explained: bool) -> list[str]:
    drift = "  (drift)" if change.drifted else ""
    words = f"{name_change(change)}  {change.path}  {tell_source(change)}{drift}"
    lines = [f"{_MARKS[word_change(change)]} {make_visible(words, _WIDTH)}"]
    if explained:
        for item in change.attributes:
            label = f"{label_attribute(item.name)}:"
            before, after = (show_side(item, after=side, limit=_WIDTH) for side in (False, True))
            if item.secret and item.before is not None:
                lines.append(f"!     {label} {before} -> {after}")
                continue
            lines += [f"-     {label} {before}"] if item.before is not None else []
            lines += [f"+     {label} {after}"] if item.after is not None else []
    return lines


def _block(items: Iterable[list[str]], room: int, total: int) -> str:
    """Return as many whole items as there is room for, in bytes, and count the others."""
    lines: list[str] = []
    shown = 0
    for item in items:
        size = sum(len(line.encode()) + 1 for line in item)
        if size > room:
            break
        lines += item
        room -= size
        shown += 1
    if shown < total:
        lines.append(f"# and {total - shown:,} more")
    return "\n".join(["```diff", *lines, "```"])


def _fold(title: str, body: str, *, is_open: bool) -> str:
    start = "<details open>" if is_open else "<details>"
    return f"{start}<summary>{title}</summary>\n\n{body}\n\n</details>"


def _diagram(reached: tuple[Reached, ...]) -> Iterator[str]:
    if not reached:
        return
    called, lines = name_reached(reached), ["flowchart LR"]
    nodes: dict[str, str] = {}
    for number, item in enumerate(reached[:SHOWN_REACHED]):
        if _size(lines) > _SHARE["diagram"]:
            break
        label = f"{item.destination} {item.name}".strip() or "no longer routed"
        node = nodes.setdefault(label, f"to{len(nodes)}")
        begin = f'{called.lower()}{number}["{_node(item.source)}"]'
        lines.append(f'  {begin} -->|{item.action}| {node}["{_node(label)}"]')
    title = f"What {count_noun(len(reached), f'changed {called}')} will reach"
    if len(lines) - 1 < len(reached):
        title += f" (the first {len(lines) - 1})"
    yield _fold(title, "\n".join(["```mermaid", *lines, "```"]), is_open=False)


def _node(text: str) -> str:
    """Return the text for a Mermaid label: letters and digits, all else by its number."""
    shown = make_visible(text, 60)
    return "".join(c if c.isalnum() or c == " " else f"#{ord(c)};" for c in shown)


def _reloads(plan: Plan) -> Iterator[str]:
    if not plan.reloads:
        return
    lines: list[str] = []
    for number, step in enumerate(plan.reloads[:SHOWN_STEPS], 1):
        line = f"{number}. {_code(step.command)} because {_code(step.because)}"
        if _size([*lines, line]) > _SHARE["reloads"]:
            break
        lines.append(line)
    left = len(plan.reloads) - len(lines)
    lines += [f"\nand {left:,} more"] if left else []
    title = f"Then, on the switch: {count_noun(len(plan.reloads), 'command')}"
    yield _fold(title, "\n".join(lines), is_open=False)


def _pointer(review: Review) -> str:
    if not review.full:
        return "Where something is cut here, `fsgitops plan` shows all of it."
    shown = review.full if len(review.full) <= 2 * _WIDTH else ""
    place = f"<{shown}>" if _LINK.fullmatch(shown) else _code(review.full)
    return f"All of it: {place}"


def _code(text: str) -> str:
    """Return the text as a code span that nothing in it can end."""
    shown = make_visible(text, _WIDTH) or " "
    fence = "`" * (1 + max((len(run) for run in _RUNS.findall(shown)), default=0))
    pad = " " if shown[0] in "` " or shown[-1] in "` " else ""
    return f"{fence}{pad}{shown}{pad}{fence}"
