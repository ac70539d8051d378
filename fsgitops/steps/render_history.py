"""Revisions, roll-backs and ownership as lines for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsgitops.model.plan import Action
from fsgitops.model.review import tell_source
from fsgitops.model.wording import Line, describe_attribute, show_value
from fsgitops.visible import make_visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from fsgitops.model.live import ManifestEntry
    from fsgitops.model.plan import Change, Plan
    from fsgitops.model.revision import Revision, RevisionChange

_MARKS = {Action.CREATE: "+", Action.UPDATE: "~", Action.DELETE: "-"}
_SHORT_COMMIT = 12


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


def render_adoption(plan: Plan, paths: Sequence[str]) -> Iterator[Line]:
    """Yield how each file differs from the compiled one."""
    changes: dict[str, list[Change]] = {}
    for change in plan.changes:
        changes.setdefault(change.path, []).append(change)
    for path in paths:
        if path not in changes:
            yield Line(f"  = {path} is as declared")
        for change in changes.get(path, ()):
            name = f"{change.resource.kind} {change.resource.name}"
            yield Line(make_visible(f"  ~ {name}  {path}; the next apply changes it:"), "update")
            for attribute in change.attributes:
                yield Line(f"      {describe_attribute(attribute)}", change.action)


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
