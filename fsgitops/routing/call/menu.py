"""IVR menus: what becomes of a caller who presses each key.

Source: `src/switch_ivr_menu.c` of FreeSWITCH 1.11. What a caller presses is not known: nothing, on
the likeliest way, and each key on a way of its own.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from fsgitops.model.trace import End, Fate, Goal
from fsgitops.routing.call.contents import Action
from fsgitops.routing.call.match import perform
from fsgitops.routing.call.state import CAPTURED, CallEndedError
from fsgitops.routing.call.words import to_raw
from fsgitops.routing.directory import descend

if TYPE_CHECKING:
    from collections.abc import Callable

    from fsgitops.routing.call.state import Question, State
    from fsgitops.routing.call.world import World
    from fsgitops.routing.tree import Element

KEYS_OF: Final = "keys of "
"""What the question for a caller's keys begins with."""
PRESSES: Final = "presses "
_ANSWER: Final = f"the caller {PRESSES}{{}} in the menu "
_ENDS: Final = {
    "exec-on-max-timeouts": "nothing until the end",
    "exec-on-max-failures": "wrong keys until the end",
}
"""What a menu executes at its end, and what the caller presses before."""
ACTIONS: Final = frozenset((
    "menu-exit", "menu-sub", "menu-exec-app", "menu-play-sound", "menu-back", "menu-top",
))  # fmt: skip
"""Any other action, or an entry without digits, makes FreeSWITCH refuse the whole menu."""


def run_menu(state: State, name: str, execute: Callable[[State, Action], None]) -> None:
    """Let the caller choose. Return where the menu ends and the dialplan goes on.

    `execute` executes an application. Raises CallEndedError, and CallMovedError of a transfer.
    """
    menus = state.world.configuration("ivr.conf")
    visited: set[str] = set()
    while True:
        menu = _find(menus, name)
        if menu is None:
            state.note(f"there is no menu {name}: nothing happens")
            return
        entries = menu.all("entry")
        broken = [item for item in entries if not _is_whole(item)]
        if broken or not entries:
            state.note(f"FreeSWITCH refuses the menu {name}: an entry is wrong, or there is none")
            return
        stays = End(Fate.STAYS, f"is in the menu {name}", goals=(Goal("menu", name),))
        ends = _list_ends(menu, goes_on=not visited and state.left > 0)
        chosen = 0 if name in visited else _choose(state, name, entries, ends)
        first = not visited
        visited.add(name)
        state.elapsed = math.inf
        if chosen > len(entries):
            _end(state, ends[chosen - len(entries) - 1][1], execute)
            if first:
                return
        if chosen == 0 or chosen > len(entries):
            raise CallEndedError(stays)
        entry = entries[chosen - 1]
        action, param = entry.attributes["action"], entry.attributes.get("param", "")
        if action == "menu-exit":
            return
        if action == "menu-sub":
            name = param
            continue
        if action == "menu-exec-app":
            execute(state, _read_action(entry, param))
        raise CallEndedError(stays)


def _end(state: State, text: str, execute: Callable[[State, Action], None]) -> None:
    """Execute what a menu says for its end: `APP DATA`."""
    application, _, data = text.partition(" ")
    if application:
        execute(state, Action(to_raw(application), to_raw(data)))


def _find(menus: Element | None, name: str) -> Element | None:
    """Return the menu that is found without regard to case, and entered only by its own name."""
    listed = menus.child("menus") if menus else None
    found = listed.find("menu", "name", name) if listed else None
    return found if found is not None and found.attributes["name"] == name else None


def list_keys(world: World) -> list[str]:
    """Return the keys of every menu that FreeSWITCH accepts, as MENU/KEY."""
    found = descend(world.configuration("ivr.conf"), "menus", "menu")
    return [
        f"{menu.attributes.get('name', '')}/{entry.attributes['digits']}"
        for menu in found
        if all(map(_is_whole, entries := menu.all("entry")))
        for entry in entries
    ]


def _is_whole(entry: Element) -> bool:
    return entry.attributes.get("action", "") in ACTIONS and bool(entry.attributes.get("digits"))


def _list_ends(menu: Element, *, goes_on: bool) -> list[tuple[str, str]]:
    """Return what a caller presses who lets a menu end, and what it executes then.

    `goes_on`: the dialplan goes on behind it, so that its end matters in any case.
    """
    found = [(told, menu.attributes.get(name, "")) for name, told in _ENDS.items()]
    if goes_on and not any(text for _, text in found):
        return found[:1]
    return [(told, text) for told, text in found if text or goes_on]


def _choose(state: State, name: str, entries: list[Element], ends: list[tuple[str, str]]) -> int:
    """Return which key the caller presses on this way: 0, none; or how he lets the menu end."""
    keys = ["no key", *(item.attributes["digits"] for item in entries), *(told for told, _ in ends)]
    shorts = [f"{PRESSES}{key}" for key in keys]
    answers = [f"{_ANSWER.format(key)}{name}" for key in keys]
    return state.choose(f"{KEYS_OF}{name}", answers, shorts, (Goal("menu", name),))


def find_key(question: Question, key: str) -> int:
    """Return the answer for a caller who presses a key: the first entry that takes it, or 0."""
    before, behind = _ANSWER.split("{}")
    behind += question.subject.removeprefix(KEYS_OF)
    for at, answer in enumerate(question.answers[1:], 1):
        digits = answer.removeprefix(before).removesuffix(behind)
        if digits == key or (digits[:1] == "/" and perform(key, digits.strip("/"))):
            return at
    return 0


def _read_action(entry: Element, param: str) -> Action:
    """Return the application of an entry; what an expression captures of the keys is not known."""
    application, _, data = param.partition(" ")
    if entry.attributes["digits"].startswith("/"):
        for number in range(10):
            data = data.replace(f"${number}", CAPTURED)
    return Action(to_raw(application), to_raw(data))
