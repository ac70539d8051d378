"""Simulated calls: legs that carry nothing, so that one can watch, move and end them.

The words of a command are told apart as `switch_separate_string` does at spaces.
"""

from __future__ import annotations

import re
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING

from fsgitops.sandbox.loaded import Leg

if TYPE_CHECKING:
    from fsgitops.sandbox.loaded import SwitchMemory

_ESCAPED = {"n": "\n", "r": "\r", "t": "\t", "s": " ", "'": "'", '"': '"', "\\": "\\"}
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


def split_words(text: str, limit: int = 1024) -> list[str]:
    """Return up to `limit` words; the last one takes all that is left.

    Single quotes hold words together and a backslash escapes the character after it.
    """
    words: list[str] = []
    at = 0
    while at < len(text) and len(words) < limit:
        end = _word_end(text, at) if len(words) < limit - 1 else len(text)
        words.append(_clean(text[at:end]))
        at = end
        while at < len(text) and text[at] == " ":
            at += 1
    return words


def _word_end(text: str, at: int) -> int:
    quoted = False
    while at < len(text) and text[at] == " ":
        at += 1
    while at < len(text):
        char = text[at]
        if char == "\\":
            at += 1
        elif char == "'":
            quoted = not quoted
        elif char == " " and not quoted:
            break
        at += 1
    return min(at, len(text))


def _clean(word: str) -> str:
    parts = re.split(r"((?<!\\)')", word.strip(" "))
    if parts.count("'") % 2:
        last = len(parts) - 1 - parts[::-1].index("'")
        parts[last] = "\\'"
    joined = "".join(part for part in parts if part != "'")
    return _ESCAPE.sub(lambda found: _ESCAPED.get(found[1], found[0]), joined)


NO_CHANNEL = "-ERR No such channel!\n"
_ORIGINATE_USAGE = (
    "-USAGE: <call url> <exten>|&<application_name>(<app_args>) [<dialplan>] [<context>] "
    "[<cid_name>] [<cid_num>] [<timeout_sec>]\n"
)
_GATEWAY = re.compile(r"sofia/gateway/([^/]+)/(.+)")
_USER = re.compile(r"(?:user/)?([^/@]+)(?:@[^/@]*)?")


def bridge(memory: SwitchMemory, leg: Leg, other: Leg) -> tuple[Leg, Leg]:
    """Put two legs up as one call."""
    first = replace(leg, call_uuid=leg.uuid)
    second = replace(other, call_uuid=leg.uuid)
    with memory.lock:
        memory.legs += [first, second]
    return first, second


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


def kill(memory: SwitchMemory, argument: str) -> str:
    """Answer `uuid_kill`: the whole call ends."""
    if not argument:
        return "-USAGE: <uuid> [cause]\n"
    wanted = argument.partition(" ")[0]
    with memory.lock:
        leg = _find(memory, wanted)
        if leg is None:
            return NO_CHANNEL
        memory.legs = [item for item in memory.legs if item.call_uuid != leg.call_uuid]
    return "+OK\n"


def transfer(memory: SwitchMemory, argument: str) -> str:
    """Answer `uuid_transfer`: the leg goes on alone, or to an agent whose phone is registered."""
    words = split_words(argument, 5)
    if not 2 <= len(words) <= 5:
        return "-USAGE: <uuid> [-bleg|-both] <dest-exten> [<dialplan>] [<context>]\n"
    other = words[1].lower() == "-bleg"
    rest = words[2:] if words[1].startswith("-") else words[1:]
    with memory.lock:
        leg = _find(memory, words[0])
        if leg is None:
            return NO_CHANNEL
        same = [item for item in memory.legs if item.call_uuid == leg.call_uuid]
        moved = next((item for item in same if item.uuid != leg.uuid), leg) if other else leg
        memory.legs = [item for item in memory.legs if item not in same]
    if not rest:
        return "-ERR\n"
    _join(memory, moved, _bridged_to(rest[0]) or rest[0])
    return "+OK\n"


def originate(memory: SwitchMemory, argument: str) -> str:
    """Answer `originate`: a registered simulated phone is picked up at once, and so is the far end.

    Calls are only made to users; what they are connected to is the target of `&bridge(…)`, or of
    the last application of an inline extension (`m:!:…!bridge:…`).
    """
    words = split_words(argument, 10)
    if not 2 <= len(words) <= 7:
        return _ORIGINATE_USAGE
    given, _, target = words[0].rpartition("}")
    kind, _, address = target.partition("/")
    if kind != "user":
        return "-ERR CHAN_NOT_IMPLEMENTED\n"
    user, _, domain = address.partition("@")
    domain = domain or memory.variable("domain")
    if memory.loaded.directory.user(user, domain) is None:
        return "-ERR SUBSCRIBER_ABSENT\n"
    if not any(item.address == f"{user}@{domain}" for item in memory.registrations):
        return "-ERR USER_NOT_REGISTERED\n"
    refusal = memory.refusals.pop(user, None)
    if refusal is not None:
        return f"-ERR {refusal}\n"
    values = _variables(given)
    leg = Leg(
        f"sofia/internal/{user}@127.0.0.1:5070", "outbound", user,
        values.get("origination_caller_id_name", ""),
        values.get("origination_caller_id_number", "0000000000"),
        presence=f"{user}@{domain}", uuid=values.get("origination_uuid") or str(uuid.uuid4()),
    )  # fmt: skip
    memory.tell("CHANNEL_ANSWER", leg.uuid, values)
    found = _bridged_to(words[1])
    if found:
        cause = _join(memory, leg, found)
        if cause is not None:
            why = values | {"originate_failed_cause": cause}
            memory.tell("CHANNEL_HANGUP_COMPLETE", leg.uuid, why, cause)
    else:
        with memory.lock:
            memory.legs.append(replace(leg, call_uuid=leg.uuid))
    return f"+OK {leg.uuid}\n"


def _bridged_to(text: str) -> str | None:
    """Return the dial string that an extension of `originate` or `uuid_transfer` ends in."""
    if text.startswith("&bridge(") and text.endswith(")"):
        return text.removeprefix("&bridge(").removesuffix(")")
    last = text.rpartition("!")[2] if text.startswith("m:!:") else text
    return last.removeprefix("bridge:") if last.startswith("bridge:") else None


def _variables(braces: str) -> dict[str, str]:
    """Return the leg variables that stand before a dial string."""
    return dict(part.partition("=")[::2] for part in braces.lstrip("{").split(",") if "=" in part)


def _join(memory: SwitchMemory, leg: Leg, target: str) -> str | None:
    """Put a leg up with what a dial string reaches; return the cause where it reaches nothing."""
    given, _, plain = target.removeprefix("bridge:").rpartition("}")
    values = _variables(given)
    number = values.get("origination_caller_id_number", leg.caller_number)
    name = values.get("origination_caller_id_name", leg.caller_name)
    outward, inward = _GATEWAY.fullmatch(plain), _USER.fullmatch(plain)
    if outward:
        if outward[1] not in {gateway for _, gateway in memory.usable_gateways()}:
            return "INVALID_GATEWAY"
        far = Leg(f"sofia/external/{outward[2]}", "outbound", outward[2], name, number)
    elif inward:
        address = f"{inward[1]}@{memory.variable('domain')}"
        if not any(item.address == address for item in memory.registrations):
            return "USER_NOT_REGISTERED"
        place = f"sofia/internal/{inward[1]}@127.0.0.1:5070"
        far = Leg(place, "outbound", inward[1], name, number, presence=address)
    else:
        return "CHAN_NOT_IMPLEMENTED"
    refusal = memory.refusals.pop(far.destination, None)
    if refusal is not None:
        return refusal
    bridge(memory, leg, far)
    memory.tell("CHANNEL_ANSWER", far.uuid, values)
    return None


def _find(memory: SwitchMemory, wanted: str) -> Leg | None:
    return next((leg for leg in memory.legs if leg.uuid == wanted), None)
