"""The API functions that dialplans use in `${name(argument)}`, answered as FreeSWITCH does.

Source: `src/mod/applications/mod_commands/mod_commands.c` and the modules named. A function that is
not here, or asks for what only the switch knows, gives an unknown value, and why.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fsgitops.routing.call.clock import UnknownTimeError
from fsgitops.routing.call.expand import Value
from fsgitops.routing.call.match import TooManyStepsError, substitute
from fsgitops.routing.call.words import (
    from_raw,
    is_number,
    needs_expansion,
    separate,
    to_raw,
)
from fsgitops.routing.directory import LocatedUser, descend
from fsgitops.routing.tree import fold

if TYPE_CHECKING:
    from collections.abc import Callable

    from fsgitops.routing.call.state import State

HARMLESS: Final = frozenset((
    "acl", "blacklist", "cidlookup", "coalesce", "create_uuid", "curl", "db_cache", "domain_data",
    "enum", "enum_auto", "escape", "event_channel_broadcast", "expr", "file_exists",
    "find_user_xml", "getenv", "gethost", "group", "help", "host_lookup", "hostname", "http_get",
    "interface_ip", "is_lan_addr", "lcr", "limit_hash_usage", "limit_status", "limit_usage",
    "list_users", "log", "md5", "memcache", "memory", "msleep", "presence", "quote_shell_arg",
    "reg_url", "rtmp_contact", "say_string", "sched_del", "sched_hangup", "show", "sofia",
    "sofia_count_reg", "sofia_dig", "sofia_gateway_data", "sofia_presence_data",
    "sofia_username_of", "status", "strepoch", "strmicroepoch", "switchname", "time_test",
    "translate", "unsched_api", "uptime", "url_decode", "url_encode", "userspy_show",
    "uuid_answer", "uuid_break", "uuid_buglist", "uuid_display", "uuid_dump", "uuid_exists",
    "uuid_fileman", "uuid_flush_dtmf", "uuid_hold", "uuid_kill", "uuid_limit",
    "uuid_limit_release", "uuid_loglevel", "uuid_media", "uuid_park", "uuid_pre_answer",
    "uuid_record", "uuid_ring_ready", "uuid_send_dtmf", "uuid_send_info", "valet_info", "version",
    "vm_boxcount", "vm_list", "vm_prefs", "xml_locate",
))  # fmt: skip
"""Commands that ask something, or do something to this call that leads it nowhere else."""
ERROR: Final = "-ERR"
UNREGISTERED: Final = "error/user_not_registered"
_SPACES: Final = " \t\n\v\f\r"


def call_function(state: State, name: str, argument: Value) -> Value | None:
    """Return what a function answers; None: it failed, and nothing stands in its place."""
    # switch_api_execute takes spaces from both ends.
    name, argument = name.strip(_SPACES), argument._replace(text=argument.text.strip(_SPACES))
    shown = f"${{{name}({argument.text})}}"
    known = _FUNCTIONS.get(fold(name))
    if not is_harmless(name):
        state.command(fold(name), argument)
    if known is None:
        why = (f"only the switch can answer {name}({argument.text})",)
        return Value(shown, argument.why or why)
    if argument.why:
        return Value(shown, argument.why)
    answer = known(state, argument.text)
    if answer is None:
        return Value(shown, (f"only the switch can answer {name}({argument.text})",))
    return answer if isinstance(answer, Value) else Value(answer)


def is_harmless(name: str) -> bool:
    """Tell whether a command of the switch leads nobody anywhere."""
    return not name or fold(name) in HARMLESS or fold(name) in _FUNCTIONS


def _user_exists(state: State, argument: str) -> str:
    words = separate(argument, " ", 3)
    if len(words) < 3:
        return "false"
    keys = from_raw(words[0]).split(":")
    found = state.world.user(from_raw(words[1]), from_raw(words[2]), *keys)
    return "false" if found is None else "true"


def split_user(state: State, text: str) -> tuple[str, str]:
    """Return a user and its domain, which is the switch's own where none is named."""
    user, sign, domain = text.partition("@")
    return from_raw(user), from_raw(domain) if sign else state.world.default_domain


def _user_data(state: State, argument: str) -> str:
    words = separate(argument, " ", 3)
    if len(words) < 3:
        return ""
    user, domain = split_user(state, words[0])
    found = state.world.user(user, domain)
    if found is None:
        return ""
    kind, name = words[1], from_raw(words[2])
    if kind == "attr":
        return to_raw(found.attribute(name))
    return to_raw(found.value("variables" if kind == "var" else "params", name) or "")


def _regex(state: State, argument: str) -> str | None:
    delimiter = "|"
    if argument[:2] == "m:" and argument[2:3] in ("|", "~", "/"):
        delimiter, argument = argument[2], argument[3:]
    words = separate(argument, delimiter, 4)
    if len(words) < 2:
        return ERROR
    try:
        found = state.search(words[0], words[1])
    except TooManyStepsError:
        return None
    if len(words) == 2:
        return "false" if found is None else "true"
    if found is not None:
        limit = (len(words[0]) + len(words[2]) + 10) * found.reach
        return substitute(words[2].replace("%", "$"), found, limit)
    flags = words[3] if len(words) > 3 else ""
    return "" if "n" in flags else "false" if "b" in flags else words[0]


def _cond(_state: State, argument: str) -> str | None:
    left = _read_operand(argument)
    if left is None:
        return ERROR
    rest = left[2].lstrip(_SPACES)
    operator = next(
        (item for item in ("!=", ">=", "<=", "==", ">", "<") if rest.startswith(item)), ""
    )
    if not operator:
        return ERROR
    # FreeSWITCH takes one character behind the operator, whatever it is.
    right = _read_operand(rest[len(operator) + 1 :].lstrip(_SPACES))
    if right is None:
        return ERROR
    choices = right[2].lstrip(_SPACES)
    if not choices.startswith("?"):
        return ERROR
    words = separate(":" + choices[1:], ":", 3)
    if len(words) < 2:
        return ERROR
    holds = _compare(operator, left[:2], right[:2])
    if holds is None:
        return None
    if holds:
        return words[1]
    return words[2] if len(words) > 2 else ""


def _read_operand(text: str) -> tuple[str, bool, str] | None:
    """Return an operand, whether it is quoted, and what follows it."""
    if not text.startswith("'"):
        word, space, rest = text.partition(" ")
        return (word, False, rest) if space else None
    at = 1
    while at < len(text) and text[at] != "'":
        at += 2 if text[at] == "\\" and text[at + 1 : at + 2] in ("\\", "'") else 1
    if at >= len(text) or text[at + 1 : at + 2] not in tuple(_SPACES):
        return None
    return text[1:at], True, text[at + 1 :]


def _compare(operator: str, left: tuple[str, bool], right: tuple[str, bool]) -> bool | None:
    numbers = [is_number(text) and not quoted for text, quoted in (left, right)]
    if operator in ("==", "!=") and not any(numbers):
        return (left[0] == right[0]) is (operator == "==")
    try:
        a, b = (
            _to_float(text) if number else float(len(text))
            for (text, _), number in zip((left, right), numbers, strict=True)
        )
    except ValueError:
        return None
    return {"==": a == b, "!=": a != b, ">": a > b, ">=": a >= b, "<": a < b, "<=": a <= b}[
        operator
    ]


def _to_float(text: str) -> float:
    """`atof` of what `switch_is_number` takes: signs, digits and dots."""
    whole, dot, rest = text.partition(".")
    rest = rest.partition(".")[0]
    number = f"{whole}{dot}{rest}"
    return float(number) if number.strip("+-.") else 0.0


def _replace(_state: State, argument: str) -> str | None:
    delimiter = "|"
    if argument[:2] == "m:" and argument[2:3] in ("|", "~", "/"):
        delimiter, argument = argument[2], argument[3:]
    words = separate(argument, delimiter, 3)
    if len(words) < 3:
        return ERROR
    return words[0].replace(words[1], words[2]) if words[1] else None


def _global(state: State, argument: str) -> Value | None:
    return state.world.globals.get(fold(argument), Value("")) if argument else None


def _strftime(state: State, argument: str) -> str | None:
    if "|" in argument or not state.clock.known:
        return None
    return to_raw(state.clock.now.strftime(from_raw(argument) or "%Y-%m-%d %H:%M:%S"))[:79]


def _strftime_tz(state: State, argument: str) -> str | None:
    zone, _, form = argument.partition(" ")
    if "|" in form or not state.clock.known:
        return None
    try:
        there = state.clock.in_zone(zone or "GMT", None)
    except UnknownTimeError:
        return "-ERR Invalid timezone/format\n"
    return to_raw(there.strftime(from_raw(form) or "%Y-%m-%d %H:%M:%S"))


def _memory(realm: str) -> Callable[[State, str], str | None]:
    """`hash` (mod_hash) and `db` (mod_db): what this call has written, and what the world knows."""

    def read(state: State, argument: str) -> str | None:
        words = separate(argument, "/", 4)
        command = fold(words[0]) if words else ""
        if len(words) < 3 or command not in ("select", "exists"):
            return None
        key = f"{realm}/{words[1]}_{words[2]}"
        if key in state.memory:
            value = state.memory[key]
        elif state.world.memory is not None:
            try:
                value = state.world.memory(realm, from_raw(words[1]), from_raw(words[2]))
            except LookupError:
                return None
            value = None if value is None else to_raw(value)
        else:
            return None
        if command == "exists":
            return ("false" if value is None else "true") if realm == "db" else None
        return value or ""

    return read


def _in_group(state: State, argument: str) -> str:
    words = separate(argument, ",", 2)
    if len(words) < 2:
        return "false"
    user, domain = split_user(state, words[0])
    group = state.world.group(from_raw(words[1]), domain)
    users = group.child("users") if group else None
    return "true" if users and users.find("user", "id", user) else "false"


def _group_call(state: State, argument: str) -> str | None:
    """`group_call NAME[@DOMAIN][+F|+A|+E]`, as the leg that asks expands its dial strings."""
    named, _, flags = argument.partition("+")
    between = ","
    for flag in flags:
        between = {"F": "|", "A": ",", "E": ":_:"}.get(flag, between)
    name, domain = split_user(state, named)
    group = state.world.group(name, domain)
    home = state.world.find("directory", "domain", domain)
    legs = []
    for user in descend(group, "users", "user"):
        number = user.attributes.get("id", "")
        located = LocatedUser(user, group, home) if home else None
        if user.attributes.get("type") == "pointer":
            located = state.world.user(number, domain)
        if located is None:
            continue
        asked = state.leg
        for variable, value in (("group", name), ("user", number), ("domain", domain)):
            asked.set(f"dialed_{variable}", Value(to_raw(value)))
        dial = located.value("params", "group-dial-string") or located.value(
            "params", "dial-string"
        )
        found = state.expand(to_raw(dial or f"user/{number}@{domain}"))
        flat = None if found.why else _flatten(found.text)
        if flat is None:
            return None
        legs.append(flat)
    return between.join(legs) if legs else "error/NO_ROUTE_DESTINATION"


def _flatten(dial: str) -> str | None:
    """`output_flattened_dial_string`: `{…}a,b` as `[…]a,[…]b`; None: others too."""
    variables, rest = "", dial
    if dial.startswith("{") and "}" in dial:
        variables, _, rest = dial[1:].partition("}")
    if any(mark in rest + variables for mark in "{}[]<>|") or ":_:" in rest:
        return None
    head = f"[{variables}]" if variables else ""
    return ",".join(head + leg.lstrip(" ") for leg in rest.split(",") if leg.strip(" "))


def _module_exists(state: State, argument: str) -> str | None:
    if not state.world.modules:
        return None
    return "true" if fold(from_raw(argument)) in state.world.modules else "false"


def _domain_exists(state: State, argument: str) -> str:
    return (
        "false" if state.world.find("directory", "domain", from_raw(argument)) is None else "true"
    )


def _sofia_contact(state: State, argument: str) -> Value:
    """`sofia_contact [PROFILE/]USER[@DOMAIN]`: a mark, since only the switch knows the address."""
    if state.world.lacks("mod_sofia"):
        state.note("mod_sofia is not loaded: no phone is registered")
        return Value(UNREGISTERED)
    target = argument.rpartition("/")[2]
    user, domain = split_user(state, target)
    if not state.phones.has(user):
        return Value(UNREGISTERED)
    return Value(to_raw(f"sofia/{CONTACT}/{user}@{domain}"))


CONTACT: Final = "(contact)"
"""The profile that stands for the one where a phone is registered."""


def _verto_contact(_state: State, _argument: str) -> str:
    """Phones of mod_verto are taken to be those of mod_sofia, so that none is counted twice."""
    return UNREGISTERED


def _uuid_getvar(_state: State, argument: str) -> str | None:
    """Answer what it says without a uuid; of another call, only the switch knows."""
    return "-USAGE: <uuid> <var>\n" if len(separate(argument, " ", 4)) < 2 else None


def _eval(_state: State, argument: str) -> str | None:
    return None if needs_expansion(argument) else argument


_FUNCTIONS: Final[dict[str, Callable[[State, str], str | Value | None]]] = {
    "cond": _cond,
    "db": _memory("db"),
    "domain_exists": _domain_exists,
    "echo": lambda _state, argument: argument,
    "eval": _eval,
    "global_getvar": _global,
    "group_call": _group_call,
    "hash": _memory("hash"),
    "in_group": _in_group,
    "module_exists": _module_exists,
    "regex": _regex,
    "replace": _replace,
    "sofia_contact": _sofia_contact,
    "strftime": _strftime,
    "strftime_tz": _strftime_tz,
    "toupper": lambda _state, argument: argument.upper() if argument.isascii() else None,
    "tolower": lambda _state, argument: argument.lower() if argument.isascii() else None,
    "user_data": _user_data,
    "user_exists": _user_exists,
    "uuid_getvar": _uuid_getvar,
    "verto_contact": _verto_contact,
}
