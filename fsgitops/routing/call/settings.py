"""Applications that set what the dialplan reads later: mod_dptools.c, mod_hash.c, mod_db.c."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fsgitops.routing.call.expand import Value
from fsgitops.routing.call.functions import split_user
from fsgitops.routing.call.state import end_unknown
from fsgitops.routing.call.words import separate, to_raw
from fsgitops.routing.directory import descend
from fsgitops.routing.tree import fold

if TYPE_CHECKING:
    from collections.abc import Callable

    from fsgitops.routing.call.state import State
    from fsgitops.routing.directory import LocatedUser


def _assign(state: State, name: str, value: str, why: tuple[str, ...]) -> None:
    expanded = state.expand(value)
    state.leg.set(name, Value(expanded.text, (*why, *expanded.why)))


def _split_setting(data: str) -> tuple[str, str]:
    name, sign, value = data.partition("=")
    if not sign:
        name, _, value = data.partition(",")
    return name, value


def _set(state: State, data: Value) -> None:
    name, value = _split_setting(data.text)
    _assign(state, name, value, data.why)


def _push(state: State, data: Value, *, front: bool = False) -> None:
    name, value = _split_setting(data.text)
    expanded = state.expand(value)
    state.leg.push(name, Value(expanded.text, (*data.why, *expanded.why)), front=front)


def _unshift(state: State, data: Value) -> None:
    _push(state, data, front=True)


def _export(state: State, data: Value, book: str = "export_vars") -> None:
    name, _, value = data.text.partition("=")
    state.leg.set(name, Value(value, data.why))
    if value:
        before = state.text(book)
        state.leg.set(book, Value(f"{before},{name}" if before else name))


def _bridge_export(state: State, data: Value) -> None:
    _export(state, data, "bridge_export_vars")


def _unset(state: State, data: Value) -> None:
    state.leg.set(data.text, None)


def _split_many(text: str) -> list[str]:
    delimiter = " "
    if text.startswith("^^") and len(text) > 2:
        delimiter, text = text[2], text[3:]
    return text.split(delimiter, 255)


def _multiset(state: State, data: Value) -> None:
    for item in _split_many(data.text):
        _set(state, Value(item, data.why))


def _multiunset(state: State, data: Value) -> None:
    for item in _split_many(data.text):
        state.leg.set(item, None)


def _set_global(state: State, data: Value) -> None:
    name, _, value = data.text.partition("=")
    if value:
        state.leg.globals_[fold(name)] = Value(value, data.why)
    else:
        state.leg.globals_.pop(fold(name), None)


def _set_profile_var(state: State, data: Value) -> None:
    name, _, value = data.text.partition("=")
    changed = {fold(name): Value(value, data.why)}
    state.leg.profile = state.leg.profile.with_fields(**changed)


def _set_user(state: State, data: Value) -> None:
    words = separate(data.text, " ", 2)
    user, domain = split_user(state, words[0] if words else "")
    found = state.world.user(user, domain)
    if data.why:
        raise end_unknown(data.why, "which user is set")
    if found is None:
        state.note(f"the directory has no user {user}@{domain}")
        return
    prefix = words[1] if len(words) > 1 else ""
    for name, value in list_variables(found).items():
        state.leg.set(prefix + to_raw(name), Value(to_raw(value)))
    state.leg.set(f"{prefix}user_name", Value(to_raw(user)))
    state.leg.set(f"{prefix}domain_name", Value(to_raw(domain)))


def list_variables(user: LocatedUser) -> dict[str, str]:
    """Return the variables of a user, with those that it inherits."""
    merged: dict[str, str] = {}
    for parent in (user.domain, user.group, user.element):
        own: dict[str, str] = {}
        for item in descend(parent, "variables", "variable"):
            name, value = item.attributes.get("name"), item.attributes.get("value")
            if name is not None and value is not None:
                if parent is user.element:
                    own[name] = value
                else:
                    own.setdefault(name, value)
        merged.update(own)
    return merged


def _remember(realm: str) -> Callable[[State, Value], None]:
    """`hash` and `db` as applications."""

    def remember(state: State, data: Value) -> None:
        words = separate(data.text, "/", 4)
        command = fold(words[0]) if words else ""
        if len(words) < 3:
            return
        key = f"{realm}/{words[1]}_{words[2]}"
        if command == "insert" and len(words) > 3:
            state.memory[key] = words[3]
        elif command == "delete":
            state.memory[key] = None
        elif command == "insert_ifempty" and len(words) > 3 and key in state.memory:
            state.memory[key] = state.memory[key] or words[3]

    return remember


def _read(at: int, delimiter: str, most: int) -> Callable[[State, Value], None]:
    """Applications that put what the caller types into a variable."""

    def read(state: State, data: Value) -> None:
        words = separate(data.text, delimiter, most)
        if len(words) > at and words[at]:
            name = words[at]
            state.leg.set(name, Value(f"${{{name}}}", (f"the caller types ${{{name}}}",)))

    return read


def _look_up(names: str) -> Callable[[State, Value], None]:
    """Applications that ask others, and set variables that only they know."""

    def look_up(state: State, _data: Value) -> None:
        for name in names.split():
            why = f"only the switch can look up ${{{name}}}"
            state.leg.set(name, Value(f"${{{name}}}", (why,)))

    return look_up


SETTINGS: Final[dict[str, Callable[[State, Value], None]]] = {
    "bridge_export": _bridge_export,
    "cidlookup": _look_up("effective_caller_id_name"),
    "curl": _look_up("curl_response_data curl_response_code"),
    "db": _remember("db"),
    "enum": _look_up("enum_route_count enum_auto_route enum_route_1"),
    "export": _export,
    "hash": _remember("hash"),
    "lcr": _look_up("lcr_route_count lcr_auto_route lcr_route_1"),
    "multiset": _multiset,
    "multiunset": _multiunset,
    "play_and_get_digits": _read(7, " ", 10),
    "push": _push,
    "read": _read(3, " ", 6),
    "set": _set,
    "set_global": _set_global,
    "set_profile_var": _set_profile_var,
    "set_user": _set_user,
    "unset": _unset,
    "unshift": _unshift,
}
