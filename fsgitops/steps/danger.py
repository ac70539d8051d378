"""What each change can cost while it is carried out, and which permissions that asks for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from fsgitops.model.plan import (
    CREDENTIALS,
    Action,
    AgentActivity,
    Change,
    Danger,
    Need,
    Plan,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

_ORDER = {danger: number for number, danger in enumerate(Danger)}


def classify_change(change: Change) -> tuple[Danger, ...]:
    """Return what a change can cost, the least first.

    Deleting an agent ends its registration, and so does another password at the next REGISTER.
    `reloadxml` itself ends no registration and no call (docs/limits.md).
    """
    names = {attribute.name for attribute in change.attributes}
    if change.action is Action.UPDATE and names == {"protect"}:
        return (Danger.NOTHING,)
    if change.resource.kind == "agent" and (
        change.action is Action.DELETE
        or (change.action is Action.UPDATE and not names.isdisjoint(CREDENTIALS))
    ):
        return (Danger.RELOAD, Danger.REGISTRATION)
    return (Danger.RELOAD,)


def classify_changes(changes: Iterable[Change]) -> tuple[Change, ...]:
    """Return the changes, each with what it can cost."""
    return tuple(replace(change, dangers=classify_change(change)) for change in changes)


def find_disturbed(plan: Plan) -> list[str]:
    """Return the agents whose phones the plan may disturb: those to ask the switch about."""
    return [
        change.resource.name
        for change in (*plan.changes, *plan.unloaded)
        if change.resource.kind == "agent"
        and (change.action is Action.DELETE or (plan.kick_rotated and change.rotated))
    ]


def find_dangers(plan: Plan) -> list[Need]:
    """Return the permissions for what the plan can cost, one for each class, the least first.

    Where the switch was asked, an agent that is not registered has no registration to lose, and
    one that is on a call needs the permission for calls.
    """
    activity = plan.activity if plan.activity and not plan.activity.problem else None
    known = {item.resource: item for item in activity.agents} if activity else {}
    classes: dict[Danger, list[Change]] = {}
    for change in (*plan.changes, *plan.unloaded):
        for danger in _dangers_now(change, known.get(change.resource)):
            if danger is not Danger.NOTHING:
                classes.setdefault(danger, []).append(change)
    return [
        Need(danger.value, _explain(danger, classes[danger]))
        for danger in sorted(classes, key=_ORDER.__getitem__)
    ]


def _dangers_now(change: Change, activity: AgentActivity | None) -> set[Danger]:
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
