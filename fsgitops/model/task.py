"""What people have to do, or have to know, because of a plan: computed here for every format."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from fsgitops.model.plan import CREDENTIALS, Action, Change
from fsgitops.schema_parts import TEXT, list_of, text, word

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from fsgitops.model.plan import AttributeChange, Plan
    from fsgitops.model.resource import Resource

HEADING = "For people to do"
SHOWN_AGENTS = 10
_PINS = frozenset(("param vm-a1-hash", "param vm-password"))


class TaskKind(StrEnum):
    """Why somebody has to do something; the order is that in which tasks are told."""

    CUT_OFF = "cut-off"
    LOCKED_OUT = "locked-out"
    RENUMBERED = "renumbered"
    USER = "user"
    PASSWORD = "password"  # noqa: S105 - a word for a kind
    PASSWORD_UNKNOWN = "password-unknown"  # noqa: S105 - a word for a kind
    PASSWORD_HASHED = "password-hashed"  # noqa: S105 - a word for a kind
    PIN = "pin"
    RESTORED = "restored"
    RESTORED_CHANGED = "restored-changed"
    NEW = "new"


_AGAIN = "back again: {who}, with {its} earlier credentials"
_FORMER = "; a phone with the old password is cut off {when}"
_FORWARD = {
    TaskKind.CUT_OFF: "{phone} of {who} will be cut off",
    TaskKind.LOCKED_OUT: "{phone} of {who} can no longer register; none is registered now",
    TaskKind.RENUMBERED: "extension changes: {who}; {its} {phone} will be cut off: "
    "give {them} the credentials of the new extension",
    TaskKind.USER: "SIP user changes: give {who} {its} new credentials; a phone with the old user "
    "is cut off at once",
    TaskKind.PASSWORD: "SIP password changes: give {who} {its} new credentials" + _FORMER,
    TaskKind.PASSWORD_UNKNOWN: "no project key here: the SIP password of {who} may change",
    TaskKind.PASSWORD_HASHED: "SIP password of {who} is replaced by a hash: give {who} {its} "
    "credentials, unless the password stays the same",
    TaskKind.PIN: "voicemail PIN changes: tell {who} {its} new PIN",
    TaskKind.RESTORED: _AGAIN,
    TaskKind.RESTORED_CHANGED: "back again: {who}, not as last applied: give {who} {its} "
    "credentials, unless they stayed the same",
    TaskKind.NEW: "new: set up the {phone} of {who} with {its} credentials",
}
_BACK = {
    **_FORWARD,
    TaskKind.USER: "SIP user changes back: give {who} {its} earlier credentials; a phone with the "
    "other user is cut off at once",
    TaskKind.PASSWORD: "SIP password changes back: give {who} {its} earlier credentials" + _FORMER,
    TaskKind.PIN: "voicemail PIN changes back: tell {who} {its} earlier PIN",
    TaskKind.NEW: _AGAIN,
}
"""What is said of each kind; a roll-back brings back passwords that are no longer declared."""


@dataclass(frozen=True, slots=True)
class Task:
    """One thing to do."""

    kind: TaskKind = field(metadata=word("Why.", *TaskKind))
    agents: tuple[str, ...] = field(
        metadata=list_of(TEXT, "The extensions that it concerns, all of them.")
    )
    text: str = field(metadata=text("What to do, in a sentence; it names at most ten of them."))
    first: Change = field(compare=False)
    """The change of the first of them."""


def find_tasks(plan: Plan, *, full: bool = False) -> tuple[Task, ...]:
    """Return what people have to do when the plan is applied: at most one task of each kind.

    With `full`, its text names every agent.

    A phone that nobody tells its new password stays mute from its next REGISTER on
    (docs/freeswitch.md, "Agents"), so that is as much a part of the plan as the files are.
    """
    found: dict[TaskKind, dict[str, Change]] = {}
    silent = _find_silent(plan)
    for change in filter(None, (one.effect for one in (*plan.changes, *plan.unloaded))):
        # Whoever is in the directory has a phone.
        if change.path.startswith("directory/") and not change.renamed_to:
            for kind in _kinds(change, plan, silent):
                found.setdefault(kind, {})[change.resource.name] = change
    tasks: list[Task] = []
    for kind in sorted(found, key=list(TaskKind).index):
        changes = list(found[kind].values())
        who = _list([_name(change) for change in changes], None if full else SHOWN_AGENTS)
        told = _tell(kind, who, len(changes) > 1, plan)
        tasks.append(Task(kind, tuple(found[kind]), told, changes[0]))
    return tuple(tasks)


def _find_silent(plan: Plan) -> set[Resource]:
    """Return the agents of which the switch said that no phone is registered as them."""
    if plan.activity is None or plan.activity.problem:
        return set()
    return {item.resource for item in plan.activity.resources if not item.registrations}


def _kinds(change: Change, plan: Plan, silent: Collection[Resource]) -> Iterable[TaskKind]:
    if change.renamed_from:
        return [TaskKind.RENUMBERED]
    if change.action is Action.DELETE:
        return [TaskKind.LOCKED_OUT if change.resource in silent else TaskKind.CUT_OFF]
    if change.action is Action.CREATE:
        if change.drifted:  # it was applied, and somebody else deleted its file
            return [TaskKind.RESTORED if change.restored else TaskKind.RESTORED_CHANGED]
        return [TaskKind.NEW]
    changed = {item.name: item for item in change.attributes if not item.same}
    kinds: list[TaskKind] = []
    if not CREDENTIALS.isdisjoint(changed):
        kinds.append(_judge_password(changed, plan))
    told = any(name in changed and changed[name].after is not None for name in _PINS)
    if told and not plan.unknown_secrets:
        kinds.append(TaskKind.PIN)
    return kinds


def _judge_password(changed: Mapping[str, AttributeChange], plan: Plan) -> TaskKind:
    """Tell whether another password is certain: a hash is not compared with what it hides."""
    if "user" in changed:
        return TaskKind.USER
    if plan.unknown_secrets:
        return TaskKind.PASSWORD_UNKNOWN
    hashed = changed["param a1-hash"].before is None
    return TaskKind.PASSWORD_HASHED if hashed else TaskKind.PASSWORD


def _name(change: Change) -> str:
    before = f"{change.renamed_from.name} -> " if change.renamed_from else ""
    return f"{before}{change.resource.name}"


def _tell(kind: TaskKind, who: str, several: bool, plan: Plan) -> str:
    words = {
        "who": who,
        "its": "their" if several else "its",
        "them": "them" if several else "it",
        "phone": "phones" if several else "phone",
        "when": "at once" if plan.kick_rotated else "when it registers again",
    }
    return (_BACK if plan.goes_back else _FORWARD)[kind].format_map(words)


def _list(names: Sequence[str], most: int | None) -> str:
    if most is None or len(names) <= most:
        return ", ".join(names[:-1]) + f" and {names[-1]}" if len(names) > 1 else names[0]
    return f"{', '.join(names[:most])} and {len(names) - most:,} more"
