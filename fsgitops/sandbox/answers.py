"""The API commands of the embedded switch, answered byte for byte as a FreeSWITCH answers."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

from fsgitops.routing.pattern import match_groups
from fsgitops.sandbox.acl import lets_in, load_lists
from fsgitops.sandbox.calls import (
    call_from_outside,
    call_rows,
    channel_rows,
    kill,
    originate,
    split_words,
    transfer,
    variable,
)
from fsgitops.sandbox.leg import HOST_NAME
from fsgitops.sandbox.loaded import SUCCESS
from fsgitops.sandbox.sofia import sofia, sofia_contact

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fsgitops.sandbox.loaded import Printing, Registration, SwitchMemory

SIMULATION = "fsgitops sandbox: a simulation, not a FreeSWITCH; it carries no calls"
_SCALES = {
    "microseconds": 1e-6, "us": 1e-6, "milliseconds": 1e-3, "ms": 1e-3, "": 1, "seconds": 1,
    "s": 1, "minutes": 60, "m": 60, "hours": 3600, "h": 3600, "days": 86400, "d": 86400,
}  # fmt: skip


def answer(memory: SwitchMemory, command: str, argument: str) -> str | Printing:
    """Return the body of the reply to `api COMMAND ARGUMENT`; a large one is made as it is sent."""
    handler = COMMANDS.get(command.strip())
    if handler is None:
        return f"-ERR {command} Command not found!\n"
    return handler(memory, argument.strip()) or "-ERR no reply\n"


def _status(memory: SwitchMemory, _argument: str) -> str:
    micro = int((time.monotonic() - memory.started) * 1_000_000)
    second, micro = divmod(micro, 1_000_000)
    minutes, seconds = divmod(second, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    years, days = divmod(days, 365)
    up = (
        f"UP {years} years, {days} days, {hours} hours, {minutes} minutes, {seconds} seconds, "
        f"{micro // 1000} milliseconds, {micro % 1000} microseconds\n"
    )
    return (
        f"{up}{SIMULATION} is ready\n0 session(s) since startup\n"
        "0 session(s) - peak 0, last 5min 0 \n"
        "0 session(s) per Sec out of max 0, peak 0, last 5min 0 \n0 session(s) max\n"
        "min idle cpu 0.00/0.00\nCurrent Stack Size/Max 0K/0K\n"
    )


def _version(_memory: SwitchMemory, _argument: str) -> str:
    return f"FreeSWITCH Version 0.0.0-simulation ({SIMULATION})\n"


def _reload_xml(memory: SwitchMemory, _argument: str) -> str:
    return f"+OK [{memory.reload()}]\n"


def _reload_acl(memory: SwitchMemory, _argument: str) -> str:
    said = memory.reload()
    if said != SUCCESS:
        return f"-ERR [{said}]\n"
    memory.lists = load_lists(memory.loaded.root)
    return "+OK acl reloaded\n"


def _acl(memory: SwitchMemory, argument: str) -> str:
    words = split_words(argument, 2)
    return "true" if len(words) == 2 and lets_in(memory.lists, *words) else "false"


def _flush_cache(memory: SwitchMemory, _argument: str) -> str:
    count = memory.flush_cache()
    return f"+OK cleared {count} {'entry' if count == 1 else 'entries'}\n"


def _domain_exists(memory: SwitchMemory, argument: str) -> str:
    if not argument:
        return ""
    return "true" if memory.loaded.directory.domain(argument) else "false"


def _uptime(memory: SwitchMemory, argument: str) -> str:
    scale = _SCALES.get(argument.lower())
    if scale is None:
        return "-USAGE: [us|ms|s|m|h|d|microseconds|milliseconds|seconds|minutes|hours|days]\n"
    return f"{int((time.monotonic() - memory.started) / scale)}\n"


def _host_name(memory: SwitchMemory, _argument: str) -> str:
    return memory.variable("hostname")


def _global_getvar(memory: SwitchMemory, argument: str) -> str:
    if argument:
        return memory.variable(argument)
    return "".join(f"{name}={value}\n" for name, value in memory.variables.items())


def _user_data(memory: SwitchMemory, argument: str) -> str:
    words = split_words(argument, 3)
    if len(words) < 3:
        return ""
    user, _, domain = words[0].partition("@")
    found = memory.find_user("id", user, domain or memory.variable("domain"))
    if found is None:
        return ""
    if words[1] == "attr":
        return found.attribute(words[2])
    return found.value("variables" if words[1] == "var" else "params", words[2]) or ""


def _user_exists(memory: SwitchMemory, argument: str) -> str:
    words = split_words(argument, 3)
    if len(words) < 3:
        return "false"
    found = any(memory.find_user(key, words[1], words[2]) for key in words[0].split(":"))
    return "true" if found else "false"


def _xml_locate(memory: SwitchMemory, argument: str) -> str | Printing:
    words = split_words(argument, 4)
    if len(words) not in (1, 4):
        return "-ERR bad args\n"
    if len(words) == 1 and words[0].lower() == "root":
        words = ["root"]
    return memory.locate(*words) or "can't find anything\n"


def _regex(_memory: SwitchMemory, argument: str) -> str:
    delimiter = "|"
    if argument[:2] == "m:" and argument[2:3] in ("|", "~", "/"):
        delimiter, argument = argument[2], argument[3:]
    parts = argument.split(delimiter, 3)
    if len(parts) < 2:
        return "-ERR"
    groups = match_groups(parts[0], parts[1])
    if len(parts) == 2:
        return "true" if groups else "false"
    if groups is None:
        flags = parts[3] if len(parts) > 3 else ""
        return "" if "n" in flags else "false" if "b" in flags else parts[0]
    return _substitute(parts[2].replace("%", "$"), groups)


def _substitute(template: str, groups: tuple[str, ...]) -> str:
    for number in reversed(range(len(groups))):
        template = template.replace(f"${number}", groups[number])
    return template


def _show(memory: SwitchMemory, argument: str) -> str:
    words = [word.lower() for word in split_words(argument, 6)]
    if not words or words[0] not in ("calls", "channels", "registrations"):
        return "-USAGE: calls [count]|channels [count]|registrations [count] [as json]\n"
    rows = _ROWS[words[0]](memory)
    count = len(words) > 1 and words[1] == "count"
    rest = words[2:] if count else words[1:]
    style = rest[1] if len(rest) > 1 and rest[0] == "as" else "delim"
    if style == "json":
        return _show_json(rows, count=count)
    if style not in ("delim", "csv"):
        return f"-ERR Cannot find format {style}\n"
    listed = "" if count else "".join(f"{','.join(row.values())}\n" for row in rows)
    head = f"{','.join(rows[0])}\n" if listed else ""
    return f"{head}{listed}\n{len(rows)} total.\n"


def _registration_rows(memory: SwitchMemory) -> list[dict[str, str]]:
    return [_row(item) for item in memory.registrations]


_ROWS: Mapping[str, Callable[[SwitchMemory], list[dict[str, str]]]] = {
    "calls": call_rows,
    "channels": channel_rows,
    "registrations": _registration_rows,
}


def _show_json(rows: list[dict[str, str]], *, count: bool) -> str:
    if not rows and not count:
        return '{"row_count": 0}\n'
    value = {"row_count": len(rows), "rows": [] if count else rows}
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _row(item: Registration) -> dict[str, str]:
    return {
        "reg_user": item.user,
        "realm": item.domain,
        "token": item.call_id,
        "url": f"sofia/{item.profile}/{item.contact}",
        "expires": str(item.expires),
        "network_ip": item.network_ip,
        "network_port": str(item.network_port),
        "network_proto": "udp",
        "hostname": HOST_NAME,
        "metadata": "",
    }


def _module_exists(memory: SwitchMemory, argument: str) -> str:
    return "true" if argument in memory.modules() else "false"


COMMANDS: Mapping[str, Callable[[SwitchMemory, str], str | Printing]] = {
    "acl": _acl,
    "domain_exists": _domain_exists,
    "global_getvar": _global_getvar,
    "hostname": _host_name,
    "module_exists": _module_exists,
    "originate": originate,
    "regex": _regex,
    "reloadacl": _reload_acl,
    "reloadxml": _reload_xml,
    "sandbox_call": call_from_outside,
    "show": _show,
    "sofia": sofia,
    "sofia_contact": sofia_contact,
    "status": _status,
    "uptime": _uptime,
    "user_data": _user_data,
    "user_exists": _user_exists,
    "uuid_getvar": variable,
    "uuid_kill": kill,
    "uuid_transfer": transfer,
    "version": _version,
    "xml_flush_cache": _flush_cache,
    "xml_locate": _xml_locate,
}
