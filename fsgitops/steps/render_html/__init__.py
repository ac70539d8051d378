"""A review as one page that needs no server or network; the list of changes is by script."""

from __future__ import annotations

import base64
import hashlib
import json
from collections import Counter
from html import escape
from importlib import resources
from typing import TYPE_CHECKING

from fsgitops.findings import Severity, count_findings
from fsgitops.model.impact import HEADING as CALLERS
from fsgitops.model.plan import Action
from fsgitops.model.review import (
    Contents,
    list_changes,
    name_change,
    name_reached,
    tell_source,
    word_change,
)
from fsgitops.model.task import HEADING, find_tasks
from fsgitops.model.wording import label_attribute, show_side
from fsgitops.visible import count_noun, make_visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from fsgitops.findings import Finding
    from fsgitops.model.plan import AttributeChange, Change, Plan
    from fsgitops.model.review import Review

SHOWN_FINDINGS = 500
SHOWN_CALLS = 1000
SHOWN_REACHED = 200
SHOWN_STEPS = 50

_WORDS = {Action.CREATE: "create", Action.UPDATE: "change", Action.DELETE: "delete"}
_CLASSES = {Severity.ERROR: "delete", Severity.WARNING: "update", Severity.INFO: "create"}

_ACTIONS = {"create": 0, "update": 1, "delete": 2, "rename": 3}
_UNSAFE = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"}
_NONE = Contents()

Row = list[int | list[int]]


def render_html(review: Review) -> str:
    """Return one self-contained page: nothing is loaded, and no other script can run in it."""
    style, script = _read("page.css"), _read("page.js")
    policy = (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    title = _text(review.title[:1].upper() + review.title[1:])
    body = "\n".join(_body(review, title))
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{title} · fsgitops</title>
<style>{style}</style>
</head>
<body>
{body}
<script type="application/json" id="data">{_rows_to_json(review)}</script>
<script>{script}</script>
</body>
</html>
"""


def _read(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _text(text: str) -> str:
    return escape(make_visible(text))


def _body(review: Review, title: str) -> Iterator[str]:
    plan = review.plan
    skip = '<a class="skip" href="#changes">Skip to the changes</a>' if plan else ""
    yield f'{skip}<header class="top"><div><h1>{title}</h1>'
    yield f'<p class="summary">{_text(review.summary)}</p></div>'
    yield '<button type="button" id="theme" hidden>Light / dark</button></header>'
    yield "<main>"
    for warning in review.warnings[:SHOWN_FINDINGS]:
        yield f'<p class="notice update"><strong>warning</strong> {_text(warning)}</p>'
    for remark in review.remarks:
        yield f'<p class="notice update">{_text(remark)}</p>'
    if plan is not None:
        yield from _facts(plan)
        yield from _impact(plan)
        yield from _tasks(plan)
        yield from _hazards(plan)
    yield from _findings(review)
    if plan is not None and plan.changes:
        yield from _changes(plan)
    yield from _reached(review)
    if plan is not None and plan.reloads:
        yield from _reloads(plan)
    yield "</main>"


def _facts(plan: Plan) -> Iterator[str]:
    yield '<ul class="tiles" aria-label="Changes by action">'
    for action, word in _WORDS.items():
        yield f'<li class="{action.value}"><strong>{plan.count(action):,}</strong>to {word}</li>'
    if plan.renames:
        yield f'<li class="rename"><strong>{plan.renames:,}</strong>to rename</li>'
    drifted = sum(change.drifted for change in plan.changes)
    yield f"<li><strong>{drifted:,}</strong>drifted</li>"
    yield f"<li><strong>{plan.unchanged:,}</strong>unchanged</li></ul>"
    dirty = ", with uncommitted changes" if plan.dirty else ""
    commit = f", commit <code>{_text(plan.commit)}</code>{dirty}" if plan.commit else ""
    yield (
        f'<p class="quiet"><code>{_text(plan.conf_dir)}</code>, domain '
        f"<code>{_text(plan.domain)}</code>, plan <code>{_text(plan.fingerprint)}</code>{commit}. "
        f"{count_noun(plan.unmanaged, 'unmanaged file')} left alone.</p>"
    )


def _impact(plan: Plan) -> Iterator[str]:
    told = list(plan.impact.tell(SHOWN_CALLS)) if plan.impact else []
    if told:
        yield f'<section><h2>{_text(CALLERS)}</h2><ul class="notices">'
        yield from (f'<li class="notice update">{_text(line)}</li>' for line in told)
        yield "</ul></section>"


def _tasks(plan: Plan) -> Iterator[str]:
    tasks = find_tasks(plan, full=True)
    if tasks:
        yield f'<section><h2>{_text(HEADING)}</h2><ul class="notices">'
        yield from (f'<li class="notice update">{_text(task.text)}</li>' for task in tasks)
        yield "</ul></section>"


def _hazards(plan: Plan) -> Iterator[str]:
    if not plan.hazards:
        return
    yield "<section><h2>In the way: resolve these before an apply</h2>"
    yield '<ul class="notices">'
    for item in plan.hazards[:SHOWN_FINDINGS]:
        yield (
            f'<li class="notice delete"><code>{_text(item.path)}</code>: {_text(item.message)} '
            f"[{_text(item.rule)}]<br>{_text(item.hint)}</li>"
        )
    yield from _left(len(plan.hazards) - SHOWN_FINDINGS)
    yield "</ul></section>"


def _findings(review: Review) -> Iterator[str]:
    if not review.findings:
        return
    found = review.by_weight()
    yield f'<section><h2>{count_findings(found)}</h2><ul class="notices">'
    yield from (_finding(item) for item in found[:SHOWN_FINDINGS])
    yield from _left(len(found) - SHOWN_FINDINGS)
    yield "</ul></section>"


def _finding(item: Finding) -> str:
    hint = f"<br>{_text(item.hint)}" if item.hint else ""
    return (
        f'<li class="notice {_CLASSES[item.severity]}"><strong>{item.severity}</strong> '
        f"<code>{_text(str(item.position))}</code>: {_text(item.message)} "
        f"[{_text(item.rule)}]{hint}</li>"
    )


def _changes(plan: Plan) -> Iterator[str]:
    shown = list_changes(plan)
    actions: Counter[str] = Counter(word_change(change) for change in shown)
    kinds: Counter[str] = Counter(str(change.resource.kind) for change in shown)
    yield '<section id="changes" aria-labelledby="changes-title" tabindex="-1">'
    yield '<h2 id="changes-title">Changes</h2>'
    yield "<noscript><p>The list of changes needs scripts to be allowed.</p></noscript>"
    yield '<form id="filter" role="search" aria-label="Filter the changes" hidden>'
    yield '<div class="search"><label for="search">Search names, values, files ( / )</label>'
    yield '<input type="search" id="search" autocomplete="off" spellcheck="false"></div>'
    words = {**{action.value: word for action, word in _WORDS.items()}, "rename": "rename"}
    yield _boxes(
        "Action", "action", {word: name for name, word in words.items() if actions[name]}, actions
    )
    yield _boxes("Kind", "kind", {name: name for name in sorted(kinds)}, kinds)
    if any(change.drifted for change in plan.changes):
        yield '<label><input type="checkbox" name="drift" value="drift"> drifted only</label>'
    yield "</form>"
    yield '<div class="bar"><span id="status" role="status"></span>'
    yield '<button type="button" id="open" hidden>Open all shown</button></div>'
    yield '<ol id="list"></ol><p><button type="button" id="more" hidden>More</button></p></section>'


def _boxes(legend: str, name: str, values: dict[str, str], counts: Counter[str]) -> str:
    boxes = "".join(
        f'<label><input type="checkbox" name="{name}" value="{_text(value)}" checked> '
        f"{_text(word)} ({counts[value]:,})</label>"
        for word, value in values.items()
    )
    return f"<fieldset><legend>{legend}</legend>{boxes}</fieldset>"


def _reached(review: Review) -> Iterator[str]:
    if not review.reached:
        return
    called = name_reached(review.reached)
    yield f"<section><h2>What the changed {called}s will reach</h2><table><thead><tr>"
    heads = (called[:1].upper() + called[1:], "Action", "Rings")
    yield "".join(f'<th scope="col">{name}</th>' for name in heads)
    yield "</tr></thead><tbody>"
    for item in review.reached[:SHOWN_REACHED]:
        rings = f"{item.destination} {item.name}".strip() or "no longer routed"
        yield (
            f'<tr><th scope="row">{_text(item.source)}</th>'
            f"<td>{_WORDS.get(item.action, item.action)}</td><td>{_text(rings)}</td></tr>"
        )
    yield "</tbody></table>"
    if len(review.reached) > SHOWN_REACHED:
        yield f'<p class="quiet">and {len(review.reached) - SHOWN_REACHED:,} more</p>'
    yield "</section>"


def _reloads(plan: Plan) -> Iterator[str]:
    yield "<section><h2>Then, on the switch</h2><ol>"
    for step in plan.reloads[:SHOWN_STEPS]:
        yield f"<li><code>{_text(step.command)}</code> because {_text(step.because)}</li>"
    yield "</ol>"
    if len(plan.reloads) > SHOWN_STEPS:
        left = count_noun(len(plan.reloads) - SHOWN_STEPS, "more command")
        yield f'<p class="quiet">and {left}</p>'
    yield "</section>"


def _left(number: int) -> Iterator[str]:
    if number > 0:
        yield f'<li class="notice">and {number:,} more</li>'


def _rows_to_json(review: Review) -> str:
    """Return the page's data as JSON that holds no character of HTML markup.

    Its changes are numbers into one table of strings: ten thousand of them stay a small page.

    A change is: action, kind, name, path, source, drifted, its attributes (label, before, after,
    ...), its live lines, its compiled lines. All but the first two and `drifted` are numbers of
    strings; -1 is none.
    """
    strings = _Strings()
    changes = list_changes(review.plan) if review.plan else []
    kinds = sorted({str(change.resource.kind) for change in changes})
    numbers = {kind: number for number, kind in enumerate(kinds)}
    rows = [_row(change, numbers, strings, review) for change in changes]
    data = {"kinds": kinds, "changes": rows, "strings": list(strings.numbers)}
    text = json.dumps(data, separators=(",", ":"))
    for char, escaped in _UNSAFE.items():
        text = text.replace(char, escaped)
    return text


class _Strings:
    """Each string once, with its number. What cannot be printed is made visible."""

    __slots__ = ("numbers", "raw")

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}
        self.raw: dict[str, int] = {}

    def add(self, text: str) -> int:
        number = self.raw.get(text)
        if number is None:
            number = self.raw[text] = self.add_shown(make_visible(text))
        return number

    def add_shown(self, text: str) -> int:
        return self.numbers.setdefault(text, len(self.numbers))

    def add_lines(self, lines: Iterable[str]) -> list[int]:
        return [self.add(line) for line in lines]


def _row(change: Change, kinds: dict[str, int], strings: _Strings, review: Review) -> Row:
    contents = review.contents.get((change.path, change.resource), _NONE)
    return [
        _ACTIONS[word_change(change)],
        kinds[str(change.resource.kind)],
        strings.add(name_change(change).partition(" ")[2]),
        strings.add(change.path),
        strings.add(tell_source(change)),
        int(change.drifted),
        _attributes(change.attributes, strings),
        strings.add_lines(contents.live),
        strings.add_lines(contents.compiled),
    ]


def _attributes(attributes: Iterable[AttributeChange], strings: _Strings) -> list[int]:
    flat: list[int] = []
    for item in attributes:
        flat.append(strings.add_shown(label_attribute(item.name)))
        for after, value in ((False, item.before), (True, item.after)):
            shown = -1 if value is None else strings.add_shown(show_side(item, after=after))
            flat.append(shown)
    return flat
