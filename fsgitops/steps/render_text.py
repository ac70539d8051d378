"""A plan, findings and outcomes as lines for a terminal."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from fsgitops.findings import Finding, Severity
from fsgitops.model.applied import Applied, Outcome
from fsgitops.model.lines import Line, escape, escape_lines, quote
from fsgitops.model.plan import (
    Action,
    AgentActivity,
    AttributeChange,
    Change,
    Plan,
    ReloadStep,
)
from fsgitops.model.task import HEADING, find_tasks

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["Line", "escape", "escape_lines", "quote"]

SHOWN_CREATED = 200
"""Created and deleted resources beyond this are counted, not listed: updates are all shown."""

SHOWN_STEPS = 10
SHOWN_WARNINGS = 20
SIMULATION = "This target is the embedded switch: a simulation, not a FreeSWITCH."

_MARKS = {Action.CREATE: "+", Action.UPDATE: "~", Action.DELETE: "-"}


def render_plan(plan: Plan) -> Iterator[Line]:
    """Yield the plan as lines, the summary last."""
    yield Line(f"Target {plan.target}: {plan.conf_dir}, domain {plan.domain}", "title")
    if plan.simulated:
        yield Line(SIMULATION, "note")
    if plan.unknown_secrets:
        yield Line("Not every secret is at hand: such values are (known after apply).", "note")
    if plan.partial:
        yield from _render_partial(plan)
    if plan.changes:
        yield Line("")
    busy = {item.resource: item for item in plan.activity.agents} if plan.activity else {}
    listed: Counter[Action] = Counter()
    for change in plan.changes:
        if change.renamed_to:
            continue
        listed[change.action] += 1
        if change.action is Action.UPDATE or listed[change.action] <= SHOWN_CREATED:
            yield from _render_change(change)
            yield from _render_activity(busy.get(change.renamed_from or change.resource))
    for action, count in listed.items():
        if action is not Action.UPDATE and count > SHOWN_CREATED:
            yield Line(f"  {_MARKS[action]} and {count - SHOWN_CREATED} more to {action}", action)
    yield from _render_reloads(plan.reloads)
    yield from _render_warnings(plan)
    yield from _render_hazards(plan)
    yield from _render_tasks(plan)
    yield from _render_needs(plan)
    yield Line("")
    unmanaged = f"{_count(plan.unmanaged, 'unmanaged file')} left alone"
    yield Line(f"{_count(plan.unchanged, 'managed file')} unchanged, {unmanaged}.")
    yield Line(summarise_plan(plan), "title")


def summarise_plan(plan: Plan) -> str:
    """Return the plan's last line."""
    if plan.hazards and not plan.changes:
        return f"No changes beside {_count(len(plan.hazards), 'path')} in the way."
    if plan.unloaded and not plan.changes:
        files = _count(len(plan.unloaded), "file")
        return f"No changes to files, but {files} changed earlier and the switch was not told."
    if not plan.changes:
        return "No changes: the live configuration is as declared."
    create, change, delete = (
        plan.count(action) for action in (Action.CREATE, Action.UPDATE, Action.DELETE)
    )
    renamed = f", {plan.renames} to rename" if plan.renames else ""
    partial = f"; partial: {plan.left_out} left out" if plan.partial else ""
    return f"Plan: {create} to create, {change} to change, {delete} to delete{renamed}{partial}"


def render_findings(findings: Iterable[Finding]) -> Iterator[Line]:
    """Yield every finding as `file:line:column: severity: message [rule]` and its hint."""
    for finding in findings:
        style = "delete" if finding.severity is Severity.ERROR else "update"
        yield Line(escape_lines(str(finding)), style)


def render_applied(applied: Applied) -> Iterator[Line]:
    """Yield what an apply did, what the switch said and what was read back."""
    for note in applied.notes:
        yield Line(escape(note), "note")
    if applied.outcome is Outcome.UNCHANGED:
        yield Line("Nothing to do: the live configuration is as declared.", "title")
        return
    for reply in applied.replies:
        yield Line(f"{reply.command}: the switch said {quote(reply.reply)}")
    if applied.replies:
        users = _count(applied.users_proved, "agent")
        extensions = _count(applied.routes_proved, "dialplan extension file")
        yield Line(f"Read back from the switch: {users} and {extensions}, all as declared.")
    if applied.registrations_ended:
        yield Line(f"Registrations ended: {applied.registrations_ended}")
    if applied.registrations_kicked:
        yield Line(f"Registrations with a former password ended: {applied.registrations_kicked}")
    if applied.verto_sessions_ended:
        yield Line(
            f"mod_verto sessions that can do nothing any more: {applied.verto_sessions_ended} "
            "(they stay connected until their clients leave)"
        )
    counts = f"{applied.created} created, {applied.updated} changed, {applied.deleted} deleted"
    if applied.renamed:
        counts += f", {applied.renamed} renamed"
    ending = "" if applied.outcome is Outcome.APPLIED else " (written, the switch was not told)"
    yield Line(f"Applied: {counts}{ending}", "create")


def _render_change(change: Change) -> Iterator[Line]:
    if change.renamed_from:
        names = f"{change.resource.kind} {change.renamed_from.name} -> {change.resource.name}"
        yield Line(f"  > {names}  {change.path}  {change.source}", Action.UPDATE)
        return
    mark = _MARKS[change.action]
    name = f"{change.resource.kind} {change.resource.name}"
    drift = " (drift: changed by somebody else since the last apply)" if change.drifted else ""
    source = f"  {change.source}" if change.source else ""
    yield Line(f"  {mark} {name}  {change.path}{source}{drift}", change.action)
    if change.action is Action.UPDATE:
        for attribute in change.attributes:
            yield Line(f"      {name}: {_render_attribute(attribute)}", change.action)


def _render_partial(plan: Plan) -> Iterator[Line]:
    chosen = [f"--only {item}" for item in plan.only]
    chosen += [f"--exclude {item}" for item in plan.exclude]
    yield Line(
        f"Partial plan ({escape(' '.join(chosen))}): "
        f"{_count(plan.left_out, 'other change')} left out.", "note",
    )  # fmt: skip


def _render_activity(activity: AgentActivity | None) -> Iterator[Line]:
    if activity is None or not (activity.registrations or activity.calls):
        return
    facts = [_count(activity.registrations, "registration")] if activity.registrations else []
    facts += [f"on {_count(activity.calls, 'call leg')}"] if activity.calls else []
    yield Line(f"      {activity.resource.kind} {activity.resource.name} now: {', '.join(facts)}",
               "delete")  # fmt: skip


def _render_tasks(plan: Plan) -> Iterator[Line]:
    tasks = find_tasks(plan)
    if tasks:
        yield Line("")
        yield Line(f"{HEADING}:", "note")
    for task in tasks:
        yield Line(f"  {escape(task.text)}", "note")


def _render_needs(plan: Plan) -> Iterator[Line]:
    if plan.activity and plan.activity.problem:
        yield Line("")
        problem = escape(plan.activity.problem)
        yield Line(f"Who is registered or on a call is not known: {problem}", "note")
    missing = [need for need in plan.needs if not need.allowed]
    if missing:
        yield Line("")
        yield Line("Refused unless these permissions are given:", "delete")
    for need in missing:
        yield Line(f"  --allow {need.permission}: {escape(need.because)}", "delete")


def _render_attribute(attribute: AttributeChange) -> str:
    label = attribute.name.removeprefix("variable ").removeprefix("param ")
    if attribute.secret:
        before, after = attribute.before or "(none)", attribute.after or "(none)"
        return f"{escape(label)} {before} -> {after}"
    return f"{escape(label)} {quote(attribute.before)} -> {quote(attribute.after)}"


def _render_reloads(steps: tuple[ReloadStep, ...]) -> Iterator[Line]:
    if not steps:
        return
    yield Line("")
    yield Line("Then, on the switch:")
    for number, step in enumerate(steps[:SHOWN_STEPS], 1):
        yield Line(f"  {number}. {step.command}  because {step.because}")
    if len(steps) > SHOWN_STEPS:
        yield Line(f"  and {len(steps) - SHOWN_STEPS} more of the last kind")


def _render_warnings(plan: Plan) -> Iterator[Line]:
    if plan.warnings:
        yield Line("")
    for warning in plan.warnings[:SHOWN_WARNINGS]:
        yield Line(f"  warning: {escape(warning)}", "update")
    if len(plan.warnings) > SHOWN_WARNINGS:
        yield Line(f"  and {len(plan.warnings) - SHOWN_WARNINGS} more warnings", "update")


def _render_hazards(plan: Plan) -> Iterator[Line]:
    if plan.hazards:
        yield Line("")
        yield Line("In the way; nothing is applied until this is resolved:", "delete")
    for hazard in plan.hazards:
        yield Line(f"  ! {hazard.path}: {hazard.message} [{hazard.rule}]", "delete")
        if hazard.hint:
            yield Line(f"      {hazard.hint}")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
