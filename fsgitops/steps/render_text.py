"""Plans, findings and outcomes, revisions and ownership as lines for a terminal."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from fsgitops.findings import Finding, Severity
from fsgitops.model.impact import HEADING as CALLERS
from fsgitops.model.plan import (
    Action,
    Baseline,
    Change,
    Plan,
    ReloadStep,
    ResourceActivity,
)
from fsgitops.model.review import list_changes, name_change, tell_source
from fsgitops.model.task import HEADING, find_tasks
from fsgitops.model.wording import Line, describe_attribute, show_value
from fsgitops.visible import count_noun, make_lines_visible, make_visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from fsgitops.model.applied import Applied
    from fsgitops.model.live import ManifestEntry
    from fsgitops.model.revision import Revision, RevisionChange


SHOWN_CREATED = 200
"""Created and deleted resources beyond this are counted, not listed: updates are all shown."""

SHOWN_VALUES = 2
"""Creations of each kind whose values are shown; `--full` shows all of them."""

SHOWN_CALLS = 20
SHOWN_STEPS = 10
SHOWN_WARNINGS = 20
SIMULATION = "This target is the embedded switch: a simulation, not a FreeSWITCH."

_SHORT_COMMIT = 12
_MARKS = {Action.CREATE: "+", Action.UPDATE: "~", Action.DELETE: "-"}


def render_plan(plan: Plan, *, full: bool = False) -> Iterator[Line]:
    """Yield the plan as lines, the summary last; with `full` nothing is left out."""
    yield Line(f"Target {plan.target}: {plan.conf_dir}, domain {plan.domain}", "title")
    if plan.simulated:
        yield Line(SIMULATION, "note")
    if plan.unknown_secrets:
        yield Line("Values whose secret is missing here are shown as (known after apply).", "note")
    if plan.partial:
        yield from _render_partial(plan)
    yield from _render_changes(plan, full=full)
    yield from _render_impact(plan, full=full)
    yield from _render_reloads(plan.reloads, full=full)
    yield from _render_warnings(plan, full=full)
    yield from _render_hazards(plan)
    yield from _render_tasks(plan, full=full)
    yield from _render_needs(plan)
    yield Line("")
    unmanaged = f"{count_noun(plan.unmanaged, 'unmanaged file')} left alone"
    yield Line(f"{count_noun(plan.unchanged, 'managed file')} unchanged, {unmanaged}.")
    if plan.tests:
        yield Line(f"{plan.tests.tell()}.", "delete" if plan.tests.failing else "")
    yield Line(summarise_plan(plan), "title")


def _render_changes(plan: Plan, *, full: bool) -> Iterator[Line]:
    if plan.changes:
        yield Line("")
    busy = {item.resource: item for item in plan.activity.resources} if plan.activity else {}
    listed: Counter[Action] = Counter()
    explained: Counter[str] = Counter({"dialplan": SHOWN_VALUES})
    folded = 0
    for change in list_changes(plan):
        listed[change.action] += 1
        beyond = change.action is not Action.UPDATE and listed[change.action] > SHOWN_CREATED
        if beyond and not full:
            continue
        explain = change.action is Action.UPDATE
        if change.action is Action.CREATE and not change.renamed_from and change.attributes:
            explain = full or explained[change.resource.kind] < SHOWN_VALUES
            explained[change.resource.kind] += 1
            folded += not explain
        yield from _render_change(change, explain=explain)
        yield from _render_activity(busy.get(change.renamed_from or change.resource))
    for action, count in listed.items():
        if not full and action is not Action.UPDATE and count > SHOWN_CREATED:
            left = count - SHOWN_CREATED
            folded += left if action is Action.CREATE else 0
            yield Line(f"  {_MARKS[action]} and {left:,} more to {action}", action)
    if folded:
        yield Line(f"  (--full shows the values of {count_noun(folded, 'more creation')})", "note")


def summarise_plan(plan: Plan) -> str:
    """Return the plan's last line."""
    if not plan.changes:
        return _summarise_nothing(plan)
    create, change, delete = (
        plan.count(action) for action in (Action.CREATE, Action.UPDATE, Action.DELETE)
    )
    moved = plan.moves
    renamed = f", {plan.renames - moved} to rename" if plan.renames > moved else ""
    renamed += f", {moved} to another file" if moved else ""
    partial = f"; partial: {plan.left_out} left out" if plan.partial else ""
    return f"Plan: {create} to create, {change} to change, {delete} to delete{renamed}{partial}"


def _summarise_nothing(plan: Plan) -> str:
    """Say that there are no changes, and no more than was compared."""
    if plan.hazards:
        return f"No changes, but {count_noun(len(plan.hazards), 'path')} in the way."
    if plan.unloaded:
        files = count_noun(len(plan.unloaded), "file")
        return f"No changes to files, but {files} changed earlier and the switch was not told."
    if plan.left_out:
        left = count_noun(plan.left_out, "other change")
        return f"No changes to what was chosen; {left} left out."
    if plan.unknown_secrets:
        return "No changes, but secrets that are missing here were not compared."
    if not plan.unchanged and plan.baseline is Baseline.LIVE:
        return "No changes: nothing is declared, and no file is managed."
    return f"No changes: {plan.baseline.value}."


def render_findings(findings: Iterable[Finding]) -> Iterator[Line]:
    """Yield every finding as `file:line:column: severity: message [rule]` and its hint."""
    for finding in findings:
        style = "delete" if finding.severity is Severity.ERROR else "update"
        yield Line(make_lines_visible(str(finding)), style)


def render_applied(applied: Applied) -> Iterator[Line]:
    """Yield what an apply did, what the switch said and what was read back."""
    from fsgitops.model.applied import Outcome

    for note in applied.notes:
        yield Line(make_visible(note), "note")
    if applied.outcome is Outcome.UNCHANGED:
        more = " more" if applied.notes else ""
        yield Line(f"Nothing{more} was done: the plan changes no file.", "title")
        return
    for reply in applied.replies:
        yield Line(f"{reply.command}: the switch said {show_value(reply.reply)}")
    if applied.replies:
        yield Line(_describe_proof(applied))
    registrations, kicked, sessions = applied.ended
    if registrations:
        yield Line(f"Registrations ended: {registrations}")
    if kicked:
        yield Line(f"Registrations with a former password ended: {kicked}")
    if sessions:
        yield Line(
            f"mod_verto sessions that can do nothing any more: {sessions} "
            "(they stay connected until their clients leave)"
        )
    counts = f"{applied.created} created, {applied.updated} changed, {applied.deleted} deleted"
    if applied.renamed > applied.moved:
        counts += f", {applied.renamed - applied.moved} renamed"
    if applied.moved:
        counts += f", {applied.moved} moved to another file"
    ending = "" if applied.outcome is Outcome.APPLIED else " (written, the switch was not told)"
    yield Line(f"Applied: {counts}{ending}", "create")


def _describe_proof(applied: Applied) -> str:
    """Say what the switch was seen to hold, and what it was seen to hold no longer."""
    proved, gone, calls = applied.read_back
    held = _list_counts({told: count - gone.get(told, 0) for told, count in proved.items()})
    facts = [f"{held} as written"] if held else []
    facts += [f"{_list_counts(gone)} gone"] if any(gone.values()) else []
    if calls.followed < calls.all:
        facts.append(f"calls to {calls.followed:,} of {calls.all:,} resources arrive")
    return f"Read back from the switch: {'; '.join(facts) or 'nothing had changed'}."


def _list_counts(counts: Mapping[str, int]) -> str:
    return " and ".join(count_noun(count, told) for told, count in counts.items() if count)


def _render_change(change: Change, *, explain: bool) -> Iterator[Line]:
    drift = " (drift: changed by somebody else since the last apply)" if change.drifted else ""
    if change.renamed_from:
        path = f"to {change.path}" if change.moved else change.path
        told = f"  > {name_change(change)}  {path}  {tell_source(change)}{drift}"
        yield Line(told, Action.UPDATE)
        for attribute in change.attributes if change.moved else ():
            yield Line(f"      {describe_attribute(attribute)}", Action.UPDATE)
        return
    mark = _MARKS[change.action]
    name = f"{change.resource.kind} {change.resource.name}"
    source = f"  {tell_source(change)}" if change.source else ""
    yield Line(f"  {mark} {name}  {change.path}{source}{drift}", change.action)
    if explain:
        created = change.action is Action.CREATE
        for attribute in change.attributes:
            text = describe_attribute(attribute, created=created)
            yield Line(f"      {text}", change.action)
        for move in change.moves:
            yield Line(f"      ({make_visible(move)})", change.action)


def _render_partial(plan: Plan) -> Iterator[Line]:
    chosen = [f"--only {item}" for item in plan.only]
    chosen += [f"--exclude {item}" for item in plan.exclude]
    yield Line(
        f"Partial plan ({make_visible(' '.join(chosen))}): "
        f"{count_noun(plan.left_out, 'other change')} left out.", "note",
    )  # fmt: skip


def _render_activity(activity: ResourceActivity | None) -> Iterator[Line]:
    if activity is None or not (activity.registrations or activity.calls):
        return
    facts = [count_noun(activity.registrations, "registration")] if activity.registrations else []
    facts += [f"on {count_noun(activity.calls, 'call leg')}"] if activity.calls else []
    yield Line(f"      {activity.resource.kind} {activity.resource.name} now: {', '.join(facts)}",
               "delete")  # fmt: skip


def _render_tasks(plan: Plan, *, full: bool) -> Iterator[Line]:
    tasks = find_tasks(plan, full=full)
    if tasks:
        yield Line("")
        yield Line(f"{HEADING}:", "note")
    for task in tasks:
        yield Line(f"  {make_visible(task.text)}", "note")


def _render_needs(plan: Plan) -> Iterator[Line]:
    if plan.activity and plan.activity.problem:
        yield Line("")
        problem = make_visible(plan.activity.problem)
        yield Line(f"The switch could not say who is registered or on a call: {problem}", "note")
    missing = [need for need in plan.needs if not need.allowed]
    if missing:
        yield Line("")
        yield Line("Refused unless these permissions are given:", "delete")
    for need in missing:
        yield Line(f"  --allow {need.permission}: {make_visible(need.because)}", "delete")


def _render_impact(plan: Plan, *, full: bool) -> Iterator[Line]:
    told = list(plan.impact.tell(None if full else SHOWN_CALLS)) if plan.impact else []
    if told:
        yield Line("")
        yield Line(f"{CALLERS}:")
    for line in told:
        yield Line(f"  {make_visible(line)}", "update")


def _render_reloads(steps: tuple[ReloadStep, ...], *, full: bool) -> Iterator[Line]:
    if not steps:
        return
    yield Line("")
    yield Line("Then, on the switch:")
    shown = steps if full else steps[:SHOWN_STEPS]
    for number, step in enumerate(shown, 1):
        yield Line(f"  {number}. {step.command}  because {step.because}")
    if len(steps) > len(shown):
        yield Line(f"  and {count_noun(len(steps) - len(shown), 'more command')} (--full)")


def _render_warnings(plan: Plan, *, full: bool) -> Iterator[Line]:
    if plan.warnings:
        yield Line("")
    shown = plan.warnings if full else plan.warnings[:SHOWN_WARNINGS]
    for warning in shown:
        yield Line(f"  warning: {make_visible(warning)}", "update")
    if len(plan.warnings) > len(shown):
        left = count_noun(len(plan.warnings) - len(shown), "more warning")
        yield Line(f"  and {left} (--full)", "update")


def _render_hazards(plan: Plan) -> Iterator[Line]:
    if plan.hazards:
        yield Line("")
        yield Line("In the way: resolve these before an apply:", "delete")
    for hazard in plan.hazards:
        yield Line(f"  ! {hazard.path}: {hazard.message} [{hazard.rule}]", "delete")
        if hazard.hint:
            yield Line(f"      {hazard.hint}")


def render_history(revisions: Iterable[tuple[int, Revision]]) -> Iterator[Line]:
    """Yield one line for each revision, in the order given."""
    empty = True
    for number, revision in revisions:
        empty = False
        style = "" if revision.changed_files else "delete"
        counts = f"+{revision.created} ~{revision.updated} -{revision.deleted}"
        words = [f"{number:>6}", revision.time, f"{revision.ending:<12}", f"{counts:<14}"]
        yield Line("  ".join([*words, _describe_origin(revision)]), style)
    if empty:
        yield Line("No apply is recorded for this target yet.")


def render_revision(
    number: int, revision: Revision, changes: Iterable[RevisionChange]
) -> Iterator[Line]:
    """Yield everything that is recorded of a revision; secrets are not."""
    yield Line(f"Revision {number}: {revision.ending}", "title")
    yield Line(make_visible(f"When:   {revision.time} on {revision.actor.host}"))
    yield Line(make_visible(f"Who:    {revision.actor}"))
    yield Line(make_visible(f"What:   {_describe_origin(revision, who=False)}"))
    yield Line(f"Plan:   {revision.fingerprint}, target {revision.target} ({revision.domain})")
    for reply in revision.replies:
        yield Line(f"Switch: {reply.command}: {show_value(reply.reply)}")
    for text in revision.message.splitlines():
        yield Line(make_visible(f"Failed: {text}"), "delete")
    yield Line("")
    for change in changes:
        source = f"  {tell_source(change)}" if change.source else ""
        drift = " (drift: somebody else had changed it)" if change.drifted else ""
        mark = _MARKS[change.action]
        name = f"{change.resource.kind} {change.resource.name}"
        text = f"  {mark} {name}  {change.path}{source}{drift}"
        yield Line(make_visible(text), change.action)
        for attribute in change.attributes:
            yield Line(f"      {describe_attribute(attribute)}", change.action)


def render_rollback(to: int, undone: Sequence[int], plan: Plan) -> Iterator[Line]:
    """Yield what a roll-back goes back to, and which revisions it undoes."""
    place = f"to how revision {to} left it" if to else "to before the first revision"
    numbers = ", ".join(map(str, reversed(undone)))
    does = f"undoes {numbers}" if plan.changes else "nothing is left to undo"
    yield Line(f"Roll back {place}: {does}.")


def render_adoption(
    plan: Plan, paths: Sequence[str], rest: Mapping[str, str], stays: Iterable[tuple[str, str]]
) -> Iterator[Line]:
    """Yield how each file differs from the compiled one.

    `rest` says of a file that others wrote what becomes of it, and `stays` why a file is left.
    """
    changes: dict[str, list[Change]] = {}
    for change in plan.changes:
        changes.setdefault(change.path, []).append(change)
    comes = {item.resource: item for item in plan.changes if item.renamed_from}
    for path in paths:
        if path not in changes:
            yield Line(f"  = {path} is as declared")
        for change in changes.get(path, ()):
            name = f"{change.resource.kind} {change.resource.name}"
            told, shown = "changes it:", change
            if change.moved:
                shown = comes[change.resource]
                told = f"moves it to {shown.path}{':' if shown.attributes else ', unchanged'}"
            yield Line(make_visible(f"  ~ {name}  {path}; the next apply {told}"), "update")
            for attribute in shown.attributes:
                yield Line(f"      {describe_attribute(attribute)}", "update")
        if path in rest:
            yield Line(make_visible(f"    {path}: {rest[path]}"))
    for path, reason in stays:
        yield Line(make_visible(f"  - {path} is left: {reason}"))


def render_released(released: Mapping[str, ManifestEntry]) -> Iterator[Line]:
    """Yield what was given back."""
    resources = (
        (path, record.resource)
        for path, entry in sorted(released.items())
        for record in entry.records
    )
    for path, resource in resources:
        # No YAML declares the dialplan of agents: there is nothing to remove it from.
        told = f"remove {resource} from the desired files too"
        if resource.kind == "dialplan":
            told = "plans stop at it while agents are declared"
        yield Line(make_visible(f"{path} is no longer managed; {told}"))


def _describe_origin(revision: Revision, *, who: bool = True) -> str:
    """Say what a revision was made from: a commit, or a revision before it."""
    if revision.rolled_back_to is not None:
        origin = f"roll-back to revision {revision.rolled_back_to}"
    elif revision.commit:
        dirty = ", with changes that are not committed" if revision.dirty else ""
        origin = f"commit {revision.commit[:_SHORT_COMMIT]}{dirty}"
    else:
        origin = "no commit"
    return make_visible(f"{revision.actor}: {origin}" if who else origin)
