"""Simulated calls: legs that carry nothing, so that one can watch, move and end them.

The words of a command are told apart as `switch_separate_string` does at spaces. What follows calls
through the dialplan is imported for the first one: nearly no sandbox ever has any.
"""

from __future__ import annotations

import time
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING

from fsgitops.routing.call.words import from_raw, separate, to_raw
from fsgitops.sandbox.leg import Leg

if TYPE_CHECKING:
    from fsgitops.sandbox.loaded import SwitchMemory


def split_words(text: str, limit: int = 1024) -> list[str]:
    """Return up to `limit` words; the last one takes all that is left."""
    return [from_raw(word) for word in separate(to_raw(text), " ", limit)]


NO_CHANNEL = "-ERR No such channel!\n"
_ORIGINATE_USAGE = (
    "-USAGE: <call url> <exten>|&<application_name>(<app_args>) [<dialplan>] [<context>] "
    "[<cid_name>] [<cid_num>] [<timeout_sec>]\n"
)


def channel_rows(memory: SwitchMemory) -> list[dict[str, str]]:
    """Return the rows of `show channels`."""
    with memory.lock:
        return [leg.channel_row() for leg in memory.legs]


def call_rows(memory: SwitchMemory) -> list[dict[str, str]]:
    """Return the rows of `show calls`."""
    with memory.lock:
        legs = {leg.uuid: leg for leg in memory.legs}
        others = [leg for leg in memory.legs if leg.call_uuid != leg.uuid]
        return [legs[leg.call_uuid].call_row(leg) for leg in others if leg.call_uuid in legs]


def variable(memory: SwitchMemory, argument: str) -> str:
    """Answer `uuid_getvar`: a variable of a leg."""
    words = split_words(argument, 3)
    if len(words) < 2:
        return "-USAGE: <uuid> <var>\n"
    leg = _find(memory, words[0])
    if leg is None:
        return NO_CHANNEL
    return leg.event_headers().get(f"variable_{words[1]}", "_undef_")


def kill(memory: SwitchMemory, argument: str) -> str:
    """Answer `uuid_kill`: the whole call ends."""
    if not argument:
        return "-USAGE: <uuid> [cause]\n"
    from fsgitops.routing.call.known import read_cause
    from fsgitops.sandbox.routed import end_legs

    wanted, _, cause = argument.partition(" ")
    with memory.lock:
        leg = _find(memory, wanted)
        if leg is None:
            return NO_CHANNEL
        call = [item for item in memory.legs if item.call_uuid == leg.call_uuid]
    end_legs(memory, call, read_cause(cause))
    return "+OK\n"


def transfer(memory: SwitchMemory, argument: str) -> str:
    """Answer `uuid_transfer`: the leg goes on alone, through the dialplan."""
    from fsgitops.sandbox.routed import end_legs, send_on

    words = split_words(argument, 5)
    if not 2 <= len(words) <= 5:
        return "-USAGE: <uuid> [-bleg|-both] <dest-exten> [<dialplan>] [<context>]\n"
    other = words[1].lower() == "-bleg"
    rest = words[2:] if words[1].startswith("-") else words[1:]
    with memory.lock:
        leg = _find(memory, words[0])
        if leg is None:
            return NO_CHANNEL
        if not rest:
            return "-ERR\n"
        same = [item for item in memory.legs if item.call_uuid == leg.call_uuid]
        moved = next((item for item in same if item.uuid != leg.uuid), leg) if other else leg
        memory.legs = [item for item in memory.legs if item.uuid != moved.uuid]
    end_legs(memory, (item for item in same if item.uuid != moved.uuid), "BLIND_TRANSFER")
    number, dialplan, context = [*rest, "", ""][:3]
    moved = replace(moved, other="", call_uuid="")
    send_on(memory, moved, number, context or moved.context, dialplan or "XML")
    return "+OK\n"


def originate(memory: SwitchMemory, argument: str) -> str:
    """Answer `originate`: a registered phone is picked up at once, and goes through the dialplan.

    Calls are only made to users.
    """
    words = split_words(argument, 10)
    if not 2 <= len(words) <= 7:
        return _ORIGINATE_USAGE
    from fsgitops.sandbox.routed import send_on

    given, _, target = words[0].rpartition("}")
    leg = _pick_up(memory, target, f"{given}}}")
    if isinstance(leg, str):
        return f"-ERR {leg}\n"
    memory.tell("CHANNEL_CREATE", leg)
    memory.tell("CHANNEL_ANSWER", leg)
    number, dialplan, context = [*words[1:], "", ""][:3]
    if number.startswith("&"):
        application, _, data = number[1:].partition("(")
        number, dialplan = f"m:\x1f:{application}:{data.removesuffix(')')}", "inline"
    send_on(memory, leg, number, context or "default", dialplan or "XML")
    return f"+OK {leg.uuid}\n"


def _pick_up(memory: SwitchMemory, target: str, given: str) -> Leg | str:
    """Return the leg of a phone that is picked up, or the cause for which it is not."""
    from fsgitops.routing.call.dialling import read_brackets
    from fsgitops.sandbox.routed import PLACE, UNFOLLOWED

    kind, _, address = target.partition("/")
    if kind != "user":
        return UNFOLLOWED
    user, _, domain = address.partition("@")
    domain = domain or memory.variable("domain")
    found = memory.loaded.directory.user(user, domain)
    if found is None:
        return "SUBSCRIBER_ABSENT"
    user = found.attribute("id")
    if not any(item.address == f"{user}@{domain}" for item in memory.registrations):
        return "USER_NOT_REGISTERED"
    refusal = memory.refusals.pop(user, None)
    if refusal is not None:
        return refusal
    values = read_brackets(given) or {}
    now = time.time()
    return Leg(
        f"sofia/internal/{user}@{PLACE}:5070", "outbound", user,
        values.get("origination_caller_id_name", ""),
        values.get("origination_caller_id_number", "0000000000"),
        presence=f"{user}@{domain}", uuid=values.get("origination_uuid") or str(uuid.uuid4()),
        variables=values, created=now, answered=now,
    )  # fmt: skip


def call_from_outside(memory: SwitchMemory, argument: str) -> str:
    """Answer `sandbox_call NUMBER CALLER`, which no FreeSWITCH has: a carrier delivers a call."""
    from fsgitops.sandbox.routed import call_in

    words = split_words(argument, 3)
    if len(words) != 2:
        return "-USAGE: <number> <caller>\n"
    leg, told = call_in(memory, *words)
    return f"-ERR {leg.cause} {told}\n" if leg.cause else f"+OK {leg.uuid} {told}\n"


def _find(memory: SwitchMemory, wanted: str) -> Leg | None:
    return next((leg for leg in memory.legs if leg.uuid == wanted), None)
