"""What a reviewer is shown: the findings, and the plan where one could be made."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from fsgitops.findings import Finding, Position, Severity
from fsgitops.model.plan import Action, Plan
from fsgitops.model.task import find_tasks

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from fsgitops.model.desired import Desired
    from fsgitops.model.kind import Kinds
    from fsgitops.model.noun import Noun
    from fsgitops.model.plan import Change
    from fsgitops.model.resource import Resource
    from fsgitops.model.revision import RevisionChange

SHOWN_CALLS = 500
_NOWHERE = Position("fsgitops.yaml")
_SOURCE = re.compile(r"(.+):([0-9]{1,9}):([0-9]{1,9})", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Reached:
    """What leads to another resource, and where: `destination` is empty once it is deleted."""

    source: str
    action: Action
    destination: str = ""
    name: str = ""


def name_reached(reached: Sequence[Reached]) -> str:
    """Return what these are called together: DIDs, which public numbers are, or resources."""
    return "DID" if all(item.source.startswith("+") for item in reached) else "resource"


@dataclass(frozen=True, slots=True)
class Contents:
    """A resource's XML, line by line, as it is live and as it is compiled. Secrets are masked."""

    live: Sequence[str] = ()
    compiled: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Review:
    """One answer of `plan` or `validate`, ready to be rendered in any format.

    `plan` is None where none was asked for or none could be made. `prefix` is the project's folder
    below the top of the repository, for the formats whose readers start there. `full` says where
    the whole plan is, for the format that may leave something out.
    """

    title: str
    summary: str
    findings: tuple[Finding, ...] = ()
    plan: Plan | None = None
    warnings: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    reached: tuple[Reached, ...] = ()
    contents: Mapping[tuple[str, Resource], Contents] = field(default_factory=dict)
    """File and resource -> what the one holds of the other."""
    sources: Mapping[str, str] = field(default_factory=dict)
    """Path below the conf directory -> where the file that belongs there was declared."""
    prefix: str = ""
    full: str = ""

    def by_weight(self, more: Iterable[Finding] = ()) -> list[Finding]:
        """Return the findings, and more of them, errors first."""
        weights = list(Severity)
        return sorted((*self.findings, *more), key=lambda item: weights.index(item.severity))

    def locate(self, file: str) -> str:
        """Return a file's path from the top of the repository."""
        return f"{self.prefix}/{file}" if self.prefix else file


def list_findings(review: Review) -> list[Finding]:
    """Return all that is wrong, errors first: findings, what is in the way, and drift."""
    return review.by_weight(_plan_findings(review, review.plan) if review.plan else ())


def list_tasks(review: Review) -> list[Finding]:
    """Return what people have to do, as findings where the first agent concerned is declared."""
    return [
        Finding("for-people", Severity.INFO, find_source(task.first) or _NOWHERE, task.text)
        for task in (find_tasks(review.plan) if review.plan else ())
    ]


def list_calls(review: Review) -> list[Finding]:
    """Return what changes for callers, as findings where what they call is declared."""
    plan = review.plan
    if plan is None or plan.impact is None:
        return []
    places = {change.resource: find_source(change) for change in plan.changes}
    return [
        Finding("calls", Severity.INFO, places.get(call.resource) or _NOWHERE, call.tell())
        for call in plan.impact.calls[:SHOWN_CALLS]
    ]


def _plan_findings(review: Review, plan: Plan) -> Iterator[Finding]:
    for hazard in plan.hazards:
        place = read_source(review.sources.get(hazard.path, "")) or _NOWHERE
        message = f"{hazard.path}: {hazard.message}"
        yield Finding(hazard.rule, Severity.ERROR, place, message, hazard.hint)
    for change in plan.changes:
        if change.drifted:
            message = f"{change.path} was changed by somebody else since the last apply"
            verb = "move" if change.moved else change.action.value
            hint = f"an apply will {verb} {change.resource.kind} {change.resource.name}"
            place = find_source(change) or _NOWHERE
            yield Finding("drift", Severity.WARNING, place, message, hint)


def list_changes(plan: Plan) -> list[Change]:
    """Return the changes to show: a rename is one, told by the half that creates.

    It is drifted where the file was that the resource leaves.
    """
    edited = {change.resource for change in plan.changes if change.drifted and change.moved}
    return [
        replace(change, drifted=True) if change.moved and change.resource in edited else change
        for change in plan.changes
        if not change.renamed_to
    ]


def word_change(change: Change) -> str:
    """Return what happens to the resource: create, update, delete or rename."""
    return "rename" if change.renamed_from else change.action.value


def name_change(change: Change) -> str:
    """Return `agent 1020`, or `agent 1020 -> 1030` for a rename to another name."""
    before = f"{change.renamed_from.name} -> " if change.renamed_from and not change.moved else ""
    return f"{change.resource.kind} {before}{change.resource.name}"


def find_source(change: Change) -> Position | None:
    """Return where in the repository the change comes from.

    None for what is declared no more, since something else may stand there now, and for what
    comes of a template that is not part of the project.
    """
    outside = change.source.startswith(("packaged:", "/"))
    return None if outside else read_source(change.source)


def tell_source(change: Change | RevisionChange) -> str:
    """Return where the resource is declared, or which file it came from."""
    if not change.source or read_source(change.source):
        return change.source
    return f"from {change.source}"


def source_file(source: str) -> str:
    """Return the file of a `file:line:column`."""
    place = read_source(source)
    return place.file if place else source


def read_source(text: str) -> Position | None:
    """Return the place that `str(position)` wrote, or None for anything else."""
    match = _SOURCE.fullmatch(text)
    return Position(match[1], int(match[2]), int(match[3])) if match else None


def find_reached(plan: Plan, desired: Desired, kinds: Kinds) -> tuple[Reached, ...]:
    """Return where each changed resource leads that leads anywhere, in the plan's order."""
    from fsgitops.model.reading import called_references, references

    reached: list[Reached] = []
    for change in list_changes(plan):
        kind = kinds.get(change.resource.kind)
        nouns: type[Noun] | None = kind.noun if kind else None
        if nouns is None or not called_references(nouns):
            continue
        noun = None if change.action is Action.DELETE else desired.get(change.resource)
        found = [item for item in references(noun) if not item.mark.owned] if noun else []
        target = found[0].resource if found else None
        label = _label(desired.get(target)) if target else ""
        reached.append(
            Reached(change.resource.name, change.action, target.name if target else "", label)
        )
    return tuple(reached)


def _label(noun: Noun | None) -> str:
    """Return what people call a resource, where that is not its name."""
    from fsgitops.model.reading import key_field

    return "" if noun is None or key_field(type(noun)) == "name" else getattr(noun, "name", "")
