"""A review as GitHub workflow commands: annotations on the exact lines of the YAML.

GitHub shows ten annotations of each kind for a step, so changes are told last and few of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsgitops.findings import Severity
from fsgitops.model.impact import HEADING as CALLERS
from fsgitops.model.plan import Action
from fsgitops.model.review import (
    find_source,
    list_changes,
    name_change,
    read_source,
    word_change,
)
from fsgitops.model.task import HEADING, find_tasks
from fsgitops.model.wording import describe_attribute
from fsgitops.visible import count_noun, make_visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsgitops.findings import Position
    from fsgitops.model.plan import Change, Plan
    from fsgitops.model.review import Review

SHOWN_NOTICES = 10
SHOWN_ATTRIBUTES = 12
SHOWN_CALLS = 20

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}
_ORDER = (Action.DELETE, Action.UPDATE, Action.CREATE)
_LIMIT = 2000


def render_github(review: Review) -> str:
    """Return one workflow command a line: what is wrong, what people have to do, then changes."""
    return "".join(line + "\n" for line in _lines(review))


def _lines(review: Review) -> Iterator[str]:
    for finding in review.by_weight():
        text = f"{finding.message}\n{finding.hint}" if finding.hint else finding.message
        yield _command(
            review, _COMMANDS[finding.severity], finding.position, finding.rule, text.splitlines()
        )
    if review.plan is not None:
        yield from _plan_lines(review, review.plan)


def _plan_lines(review: Review, plan: Plan) -> Iterator[str]:
    for hazard in plan.hazards:
        place = read_source(review.sources.get(hazard.path, ""))
        lines = [f"{hazard.path}: {hazard.message}", hazard.hint]
        yield _command(review, "error", place, hazard.rule, lines)
    for warning in review.warnings[:SHOWN_NOTICES]:
        yield _command(review, "warning", None, review.title, [warning])
    tasks = [task.text for task in find_tasks(plan)]
    calls = list(plan.impact.tell(SHOWN_CALLS)) if plan.impact else []
    for heading, lines in ((CALLERS, calls), (HEADING, tasks)):
        if lines:
            yield _command(review, "notice", None, heading, lines)
    room = SHOWN_NOTICES - bool(tasks) - bool(calls)
    by_action = sorted(list_changes(plan), key=lambda change: _ORDER.index(change.action))
    drifted = [change for change in plan.changes if change.drifted]
    for change in drifted[:SHOWN_NOTICES]:
        text = f"{name_change(change)}: the file was changed by somebody else since the last apply"
        yield _command(review, "warning", find_source(change), "drift", [text, change.path])
    many = len(by_action) > room - 1
    for change in by_action[: room - 2] if many else by_action:
        yield _change_line(review, change)
    if many:
        left = count_noun(len(by_action) - (room - 2), "more change")
        yield _command(review, "notice", None, "plan", [f"and {left}"])
    yield _command(review, "notice", None, review.title, [review.summary])


def _change_line(review: Review, change: Change) -> str:
    lines = [f"{word_change(change)} {name_change(change)}"]
    if change.action is Action.UPDATE or change.moved:
        lines += [describe_attribute(item) for item in change.attributes[:SHOWN_ATTRIBUTES]]
    return _command(review, "notice", find_source(change), lines[0], lines)


def _command(
    review: Review, command: str, place: Position | None, title: str, lines: list[str]
) -> str:
    properties: dict[str, object] = {}
    if place is not None:
        file = review.locate(place.file)
        properties = {"file": file, "line": place.line, "col": place.column}
    properties["title"] = f"fsgitops: {title}"
    told = ",".join(f"{name}={_property(str(value))}" for name, value in properties.items())
    text = "%0A".join(_data(make_visible(line, _LIMIT)) for line in lines if line)
    return f"::{command} {told}::{text}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(make_visible(text, _LIMIT)).replace(":", "%3A").replace(",", "%2C")
