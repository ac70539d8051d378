"""Users of the directory whom no number rings, and those who can call nobody."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from fsgitops.findings import quote_value
from fsgitops.routing.analysis.found import Found
from fsgitops.routing.analysis.outline import ANYTHING, NUMBER
from fsgitops.routing.call.known import HEARD, NEUTRAL
from fsgitops.routing.call.settings import SETTINGS
from fsgitops.routing.call.words import needs_expansion
from fsgitops.routing.directory import walk_users
from fsgitops.routing.pattern import Numbers
from fsgitops.routing.places import SCRIPTS
from fsgitops.routing.tree import fold

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsgitops.routing.analysis.outline import Act, Outline
    from fsgitops.routing.tree import Element

_DIALLED: Final = re.compile(
    r"(?:user/|sofia_contact\((?:[^/()]*/)?)([^@,|;:)\]}\s]*(?:\}[^@,|:\s]*)?)"
)
_GROUP: Final = re.compile(r"(?:group/|group_call\()([^@,|:)\s]*)")
_DIGITS: Final = re.compile(r"[0-9]{2,20}")
SHOWN: Final = 20
"""Users that are named one by one."""
_ENDS: Final = frozenset(("hangup", "respond", "redirect", "deflect"))


def find_unrung(outline: Outline) -> Iterator[Found]:
    """Yield the hand-written users with a number that no extension rings, as far as files say."""
    users = dict(_list_users(outline))
    rung: set[str] = set()
    numbers = Numbers(list(users))
    for text in _configured(outline):
        rung.update(_DIALLED.findall(text))
    for extension in outline.extensions:
        # What is ours rings those who are declared, and nobody else.
        for act in extension.acts if extension.resource is None else ():
            found = _rings(act, outline, numbers)
            if found is None:
                return
            rung |= found
    aliases = {user.attributes.get("number-alias", "") for user in users.values()} & rung
    lost = [
        (name, user)
        for name, user in users.items()
        if name not in rung and user.attributes.get("number-alias", "") not in aliases
    ]
    for at, (name, user) in enumerate(lost[:SHOWN], 1):
        more = f"; {len(lost) - SHOWN:,} more like it" if at == SHOWN < len(lost) else ""
        yield Found(
            "unrung-user", user.line,
            f"no number rings the user {name}: no extension dials user/{name}, nor a number "
            f"that it is called by{more}",
            "Add an extension that rings it, or remove the user.",
        )  # fmt: skip


def _list_users(outline: Outline) -> Iterator[tuple[str, Element]]:
    section = outline.section("directory")
    for domain in section.all("domain") if section else ():
        for user, _ in walk_users(domain):
            name = user.attributes.get("id", "")
            if fold(user.attributes.get("type", "")) != "pointer" and _DIGITS.fullmatch(name):
                yield name, user


def _configured(outline: Outline) -> Iterator[str]:
    """Yield what configurations say of whom they dial, as those of queues do."""
    section = outline.section("configuration")
    waiting = list(section.children) if section else []
    while waiting:
        item = waiting.pop()
        yield from (value for value in item.attributes.values() if "user/" in value)
        waiting += item.children


def _rings(act: Act, outline: Outline, numbers: Numbers) -> set[str] | None:
    """Return whom an act may ring, of those that are asked for; None: anybody."""
    if act.application in SCRIPTS:
        return _called(act, numbers)
    if "user/" not in act.data and "group" not in act.data and "sofia_contact" not in act.data:
        return set()
    rung: set[str] = set()
    for name in _GROUP.findall(act.data):
        if "$" in name:
            return None
        rung |= _list_members(outline, name)
    for name in _DIALLED.findall(act.data):
        if "$" not in name:
            rung.add(name)
            continue
        found = _called(act, numbers)
        if found is None:
            return None
        rung |= found
    return rung


def _called(act: Act, numbers: Numbers) -> set[str] | None:
    """Return the numbers that an act's conditions take, or cut out of what is dialled."""
    asked = [need for need in act.needs if need.field in NUMBER and need.held]
    plain = [
        need.expression
        for need in asked
        if need.expression not in ANYTHING and not needs_expansion(need.expression)
    ]
    if not plain or len(plain) < len(asked):
        return None
    texts = [item for expression in plain for item in (expression, *_list_groups(expression))]
    found = {index for text in texts for index in frozenset().union(*numbers.search(text))}
    return {numbers.numbers[index] for index in found}


def _list_groups(expression: str) -> Iterator[str]:
    """Yield what stands in each pair of round brackets, as an expression of its own."""
    opened: list[int] = []
    at = 0
    while at < len(expression):
        char = expression[at]
        if char == "(":
            opened.append(at + 1)
        elif char == ")" and opened:
            yield f"^(?:{expression[opened.pop() : at]})$"
        at += 2 if char == "\\" else 1


def _list_members(outline: Outline, name: str) -> set[str]:
    section = outline.section("directory")
    return {
        user.attributes.get("id", "")
        for domain in (section.all("domain") if section else ())
        for user, group in walk_users(domain)
        if group is not None and fold(group.attributes.get("name", "")) == fold(name)
    }


def find_confined(outline: Outline) -> Iterator[Found]:
    """Yield the contexts of users in which no extension connects a call."""
    used = {fold(name) for name in (*outline.starts, *(name for name, _ in outline.user_contexts))}
    for context in outline.contexts:
        if fold(context.name) not in used or context.dead or not context.line:
            continue
        if not any(_connects(act) for item in context.extensions for act in item.acts):
            yield Found(
                "confined-user", context.line,
                f"who calls in the context {quote_value(context.name)} reaches nobody: no "
                "extension of it connects a call",
                "Add extensions to it, or give its users another `context`.",
            )  # fmt: skip


def _connects(act: Act) -> bool:
    name = act.application
    return name not in NEUTRAL and name not in HEARD and name not in SETTINGS and name not in _ENDS
