"""Where an extension may send a call: transfers, executed extensions, legs of loopback/, menus."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from fsgitops.routing.call.dialling import split_dial_string
from fsgitops.routing.call.words import separate
from fsgitops.routing.directory import descend
from fsgitops.routing.tree import fold

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsgitops.routing.analysis.outline import Act, Outline

_KEYS: Final = "::"
MAX_DEPTH: Final = 8
"""Menus and bound keys within each other that are followed."""
_AFTER: Final = ("transfer_after_bridge",)
_SETTINGS: Final = ("set", "export", "bridge_export")


class Edge(NamedTuple):
    """A number that a call goes on to, and its context; "" means the one that it is in.

    Both are as they are written, with what stands for variables and groups. `other` says that the
    other side of the call goes there.
    """

    number: str
    context: str
    other: bool = False


class Dialled(NamedTuple):
    """A dial string, as it is written."""

    text: str


def follow_act(act: Act, outline: Outline) -> Iterator[Edge | Dialled]:
    """Yield where an act may send a call, and what it may dial."""
    yield from _follow(act.application, act.data, outline, 0)


def _follow(application: str, data: str, outline: Outline, depth: int) -> Iterator[Edge | Dialled]:
    if depth > MAX_DEPTH:
        return
    if application in ("transfer", "execute_extension"):
        yield from _read_target(application, data)
    elif application in ("bridge", "att_xfer", "enum_bridge"):
        yield Dialled(data)
        yield from _read_loopback(data)
    elif application in ("bind_meta_app", "bind_digit_action"):
        name, inner = _read_bound(application, data)
        yield from _follow(name, inner, outline, depth + 1)
    elif application == "ivr":
        for name, inner in _read_menu(data, outline):
            yield from _follow(name, inner, outline, depth + 1)
    elif application == "limit":
        words = separate(data, " ", 7)
        if len(words) > 4 and not words[4].startswith("!"):
            yield Edge(words[4], words[6] if len(words) > 6 else "")
    elif application in _SETTINGS:
        name, _, value = data.removeprefix("nolocal:").partition("=")
        if fold(name) in _AFTER:
            number, _, rest = value.partition(":")
            yield Edge(number, rest.partition(":")[2])


def _read_target(application: str, data: str) -> Iterator[Edge]:
    words = separate(data, " ", 4)
    other = application == "transfer" and words[:1] in (["-bleg"], ["-both"])
    words = [*words[other:], "", "", ""]
    if words[0] and fold(words[1]) in ("", "xml"):
        yield Edge(words[0], words[2], other)


def _read_loopback(data: str) -> Iterator[Edge]:
    for leg in split_dial_string(data):
        kind, _, rest = leg.target.partition("/")
        if fold(kind) == "loopback" and not rest.startswith("app="):
            number, _, after = rest.partition("/")
            yield Edge(number, after.partition("/")[0])


def _read_bound(application: str, data: str) -> tuple[str, str]:
    """`KEY LEGS FLAGS APP::DATA`, or `REALM,KEYS,exec:APP,DATA`."""
    if application == "bind_meta_app":
        name, _, inner = data.partition(" ")[2].partition(" ")[2].partition(" ")[2].partition(_KEYS)
        return fold(name.strip()), inner
    words = data.split(",", 3)
    name = words[2].strip() if len(words) > 2 else ""
    return fold(name.removeprefix("exec:")), words[3] if len(words) > 3 else ""


def _read_menu(name: str, outline: Outline) -> Iterator[tuple[str, str]]:
    """Yield what the keys of a menu execute, and what it does when nobody presses one."""
    menus = descend(outline.configuration("ivr.conf"), "menus", "menu")
    waiting, seen = [fold(name)], {fold(name)}
    while waiting:
        wanted = waiting.pop()
        menu = next((m for m in menus if fold(m.attributes.get("name", "")) == wanted), None)
        if menu is None:
            continue
        for attribute in ("exec-on-max-failures", "exec-on-max-timeouts"):
            word, _, inner = menu.attributes.get(attribute, "").partition(" ")
            yield fold(word), inner
        for entry in menu.all("entry"):
            action, param = entry.attributes.get("action", ""), entry.attributes.get("param", "")
            if action == "menu-exec-app":
                word, _, inner = param.partition(" ")
                yield fold(word), inner
            elif action == "menu-sub" and fold(param) not in seen:
                seen.add(fold(param))
                waiting.append(fold(param))
