"""What each change can cost while it is carried out, and which permissions that asks for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from fsgitops.homes import home_of
from fsgitops.model.plan import (
    Action,
    Change,
    Danger,
    Need,
    Plan,
    ResourceActivity,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fsgitops.model.resource import Resource

_ORDER = {danger: number for number, danger in enumerate(Danger)}


def classify_change(change: Change) -> tuple[Danger, ...]:
    """Return what a change can cost, the least first: its home says so."""
    names = {attribute.name for attribute in change.attributes}
    if change.action is Action.UPDATE and names == {"protect"}:
        return (Danger.NOTHING,)
    home, _ = home_of(change.path)
    return (Danger.RELOAD,) if change.moved else home.cost(change)


def classify_changes(changes: Iterable[Change]) -> tuple[Change, ...]:
    """Return the changes, each with what it can cost."""
    return tuple(replace(change, dangers=classify_change(change)) for change in changes)


def find_disturbed(plan: Plan) -> dict[str, dict[str, Resource]]:
    """Return whom the plan may disturb, by home and name: those to ask the switch about."""
    named: dict[str, set[str]] = {}
    for step in plan.reloads:
        if step.of:
            named.setdefault(step.home, set()).update(step.of)
    found: dict[str, dict[str, Resource]] = {}
    for change in (*plan.changes, *plan.unloaded) if named else ():
        home, name = home_of(change.path)[0].name, change.resource.name
        if name in named.get(home, ()):
            found.setdefault(home, {})[name] = change.resource
    return found


def find_dangers(plan: Plan) -> list[Need]:
    """Return the permissions for what the plan can cost, one for each class, the least first.

    Where the switch was asked, an agent that is not registered has no registration to lose, and
    one that is on a call needs the permission for calls.
    """
    activity = plan.activity if plan.activity and not plan.activity.problem else None
    known = {item.resource: item for item in activity.resources} if activity else {}
    classes: dict[Danger, list[Change]] = {}
    for change in (*plan.changes, *plan.unloaded):
        for danger in _dangers_now(change, known.get(change.resource)):
            if danger is not Danger.NOTHING:
                classes.setdefault(danger, []).append(change)
    return [
        Need(danger.value, _explain(danger, classes[danger]))
        for danger in sorted(classes, key=_ORDER.__getitem__)
    ]


def _dangers_now(change: Change, activity: ResourceActivity | None) -> set[Danger]:
    dangers = set(change.dangers)
    if activity is not None:
        if not activity.registrations:
            dangers.discard(Danger.REGISTRATION)
        if activity.calls:
            dangers.add(Danger.CALLS)
    return dangers


def _explain(danger: Danger, changes: list[Change]) -> str:
    shown = ", ".join(str(change.resource) for change in changes[:3])
    more = f" and {len(changes) - 3} more" if len(changes) > 3 else ""
    texts = {
        Danger.RELOAD: "the switch reloads its configuration",
        Danger.REGISTRATION: f"phones lose their registration: {shown}{more}",
        Danger.GATEWAY_RESTART: f"gateways register again: {shown}{more}",
        Danger.CALLS: f"on a call now: {shown}{more}",
    }
    return texts[danger]
