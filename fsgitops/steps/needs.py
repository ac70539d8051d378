"""What each change can cost while it is carried out, and which permissions a plan needs."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from fsgitops.findings import quote_value
from fsgitops.homes import home_of
from fsgitops.model.live import Owner
from fsgitops.model.plan import Action, Change, Danger, Need, Plan, ResourceActivity
from fsgitops.visible import count_noun

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from fsgitops.model.live import Manifest
    from fsgitops.model.plan import Limits

_VERBS = {Action.CREATE: "added", Action.UPDATE: "changed", Action.DELETE: "deleted"}


def classify_change(change: Change) -> tuple[Danger, ...]:
    """Return what a change can cost, the least first: its home says so."""
    if change.action is Action.UPDATE and {item.name for item in change.attributes} == {"protect"}:
        return (Danger.NOTHING,)
    home = home_of(change.path)
    return home.cost(change.effect) if change.effect else (Danger.RELOAD,)


def classify_changes(changes: Iterable[Change]) -> tuple[Change, ...]:
    """Return the changes, each with what it can cost."""
    return tuple(
        change
        if (dangers := classify_change(change)) == change.dangers
        else replace(change, dangers=dangers)
        for change in changes
    )


def find_disturbed(plan: Plan) -> dict[str, dict[str, Change]]:
    """Return what may disturb whom, by home and name: those to ask the switch about."""
    named: dict[str, set[str]] = {}
    for step in plan.reloads:
        if step.of:
            named.setdefault(step.home, set()).update(step.of)
    found: dict[str, dict[str, Change]] = {}
    for change in (*plan.changes, *plan.unloaded) if named else ():
        home, name = home_of(change.path).name, change.resource.name
        if name in named.get(home, ()):
            found.setdefault(home, {})[name] = change
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
        now = known.get(change.resource) if known else None
        for danger in _dangers_now(change, now) if now else change.dangers:
            if danger is not Danger.NOTHING:
                classes.setdefault(danger, []).append(change)
    return [
        Need(danger.value, _explain(danger, classes[danger]))
        for danger in Danger
        if danger in classes
    ]


def _dangers_now(change: Change, activity: ResourceActivity) -> set[Danger]:
    dangers = set(change.dangers)
    if not activity.registrations:
        dangers.discard(Danger.REGISTRATION)
    if activity.calls and Danger.GATEWAY_RESTART not in dangers:
        dangers.add(Danger.CALLS)  # over a gateway that begins anew, they go on
    return dangers


def _explain(danger: Danger, changes: list[Change]) -> str:
    shown = ", ".join(str(change.resource) for change in changes[:3])
    more = f" and {len(changes) - 3} more" if len(changes) > 3 else ""
    texts = {
        Danger.RELOAD: "the switch reloads its configuration",
        Danger.REGISTRATION: f"phones lose their registration: {shown}{more}",
        Danger.GATEWAY_RESTART: (
            f"gateways end, or end and begin again: {shown}{more}; calls over them go on, new "
            "ones fail meanwhile"
        ),
        Danger.CALLS: f"on a call now: {shown}{more}",
    }
    return texts[danger]


def find_excess(
    *, managed: int, deletes: int, updates: int, declared: int, limits: Limits
) -> list[Need]:
    """Return the permission that each exceeded limit asks for.

    Args:
        managed: How many resources are managed now.
        deletes: How many of them the plan deletes, those that get another name included.
        updates: How many of them the plan changes.
        declared: How many resources are declared.
        limits: What is allowed without a word.
    """
    needs: list[Need] = []
    if managed and not declared:
        are = " is" if managed == 1 else "s are"
        return [
            Need("empty", f"nothing is declared, and {managed} resource{are} managed: all would go")
        ]
    if not managed or managed < limits.minimum:
        return needs
    for permission, number, percent, verb in (
        ("deletes", deletes, limits.deletes_percent, "deleted"),
        ("updates", updates, limits.updates_percent, "changed"),
    ):
        # Compared as products: a share of exactly the limit is allowed, whatever floats make of it.
        if number * 100 > percent * managed:
            because = (
                f"{number:,} of {count_noun(managed, 'managed resource')} would be {verb} "
                f"({number * 100 // managed}%), more than the {percent:g}% allowed"
            )
            needs.append(Need(permission, because))
    return needs


def find_other_key(
    changes: Iterable[Change], live: Collection[str], keys: Collection[str], *, upcoming: str
) -> list[Need]:
    """Return the permission that it takes to derive secrets from another project key.

    A wrong key gives every agent another password, and all phones are locked out at once. A
    declared rotation says which key comes next, and needs none.

    Args:
        changes: The plan's changes.
        live: Fingerprints of the keys that live secrets are derived from; empty: not known.
        keys: Those that the declared ones are derived from.
        upcoming: That of the key which a rotation moves agents to, or "".
    """
    other = sorted(set(keys).difference(live, (upcoming,)))
    if not live or not other:
        return []
    secret = Counter(
        change.resource.kind
        for change in changes
        if change.action is not Action.DELETE
        and any(attribute.secret for attribute in change.attributes)
    )
    if not secret:
        return []
    told = " and ".join(count_noun(count, kind) for kind, count in secret.items())
    because = (
        f"this project key ({', '.join(other)}) differs from the one the live passwords were made "
        f"with ({', '.join(sorted(live))}): {told} would get new secrets"
    )
    return [Need("key", because)]


def find_failing(plan: Plan) -> list[Need]:
    """Return the permission that it takes to apply what makes an expectation fail, or leaves it so.

    A plan that changes nothing needs none: it is not what makes them fail.
    """
    failing = plan.tests.failing if plan.tests else ()
    if not failing or not (plan.changes or plan.unloaded):
        return []
    shown = ", ".join(quote_value(item.name) for item in failing[:3])
    more = f" and {len(failing) - 3:,} more" if len(failing) > 3 else ""
    are = "an expectation fails" if len(failing) == 1 else f"{len(failing):,} expectations fail"
    return [Need("failing-tests", f"{are}: {shown}{more}")]


def find_other_owner(plan: Plan, manifest: Manifest) -> list[Need]:
    """Return the permission that it takes to apply over what somebody else applied.

    What one project does not declare, its plan deletes: on the conf directory of another one, that
    is everything. A manifest of an earlier release names no owner; the next apply writes it.
    """
    here, owner = Owner(plan.project, plan.target), manifest.owner
    if owner in (None, here) or not manifest.entries or not (plan.changes or plan.unloaded):
        return []
    files = Counter(change.action for change in plan.changes)
    done = ", ".join(f"{files[action]} {verb}" for action, verb in _VERBS.items() if files[action])
    because = (
        f"{owner} applied what is live here, and this is {here}. Files: {done or 'none changed'}. "
        "Give each project a conf directory of its own, or allow this once: then this one owns it"
    )
    return [Need("owner", because)]
