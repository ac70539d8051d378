"""Commands that place and move calls, built from parts that are each held to an allow-list.

FreeSWITCH gives meaning to blanks, quotes and backslashes (switch_separate_string), to braces,
brackets, commas, `^^`, `|` and `:_:` in dial strings (switch_ivr_originate), to `&` and
parentheses in `originate`, and to `${` nearly everywhere. None of them passes any check here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias

from fsgitops.phone import E164, EXTENSION

NAME_LENGTH = 40

CLOSED = {"force_transfer_context": "fsgitops_transfer", "outbound_redirect_fatal": "true"}
"""Leg variables: who moves the leg is sent to our context, and a 302 leads nowhere."""

AGENT_LEG, FAR_LEG = "fsgitops_agent_leg", "fsgitops_far_leg"
"""Leg variables that hold a call's mark while somebody waits for what becomes of it."""

_CLOSING = (
    "export:force_transfer_context=fsgitops_transfer!"
    "execute_extension:fsgitops_closed XML fsgitops_transfer"
)
"""The same for a leg and those that it is bridged to, and who moves it is noted (templates)."""

_PARTS = {
    "uuid": re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,127}"),
    "extension": re.compile(EXTENSION),
    "number": re.compile(E164),
    "domain": re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,254}"),
    "gateway": re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}"),
    "context": re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"),
}
_NAME = re.compile(r"[^\W_]+(?:[ .-]{1,2}[^\W_]+)*\.?")
_NOT_NAME = re.compile(r"[^\w.-]+|_+")


@dataclass(frozen=True, slots=True)
class Dial:
    """A call to place: first the agent's phones ring, then the number is called.

    `number` is outside, in E.164, and called by `gateway`; or an extension of the domain, and then
    there is no gateway. `uuid` becomes the agent's leg's; None lets the switch choose, which it
    must where several phones ring: each is a leg. `timeout` is how many seconds phones may ring.
    With a `mark`, each leg carries it in a variable.
    """

    uuid: str | None
    extension: str
    domain: str
    number: str
    gateway: str | None
    caller_number: str
    caller_name: str
    timeout: int
    mark: str | None = None


@dataclass(frozen=True, slots=True)
class ToExtension:
    """Through the dialplan: an extension or a number of ours, in a context."""

    destination: str
    context: str


@dataclass(frozen=True, slots=True)
class ToNumber:
    """Out by a gateway, showing a number of ours."""

    number: str
    gateway: str
    caller_number: str


Onward: TypeAlias = ToExtension | ToNumber


def uuid_word(uuid: str) -> str:
    """Return a channel's uuid; raise ValueError when it could be more than one."""
    return _part("uuid", uuid)


def plain_name(name: str) -> str:
    """Return a caller ID name with only letters, digits, blanks, full stops and hyphens."""
    words = _NOT_NAME.sub(" ", name).split(" ")
    kept = [word.strip(".-") for word in words]
    text = " ".join(word for word in kept if word)
    text = re.sub(r"[.-]{2,}", "-", text)[:NAME_LENGTH].rstrip(" .-")
    return text if _NAME.fullmatch(text) else ""


def originate_command(dial: Dial) -> str:
    """Return the `originate` command of a call. Raises ValueError for a part with a meaning."""
    timeout = _timeout(dial.timeout)
    kind = "extension" if dial.gateway is None else "number"
    number = _part(kind, dial.number)
    domain = _part("domain", dial.domain)
    shown = {"origination_caller_id_number": number, "origination_caller_id_name": number}
    if dial.uuid is not None:
        shown = {"origination_uuid": _part("uuid", dial.uuid), **shown}
    own = {**CLOSED, "origination_caller_id_number": _part(kind, dial.caller_number)}
    if dial.caller_name:
        own["origination_caller_id_name"] = _name(dial.caller_name)
    if dial.gateway is None:
        own["originate_timeout"] = timeout
        far = f"user/{number}@{domain}"
    else:
        far = f"sofia/gateway/{_part('gateway', dial.gateway)}/{number}"
    leg = {**CLOSED, **shown, "originate_timeout": timeout, "hangup_after_bridge": "true"}
    if dial.mark is not None:
        leg[AGENT_LEG] = own[FAR_LEG] = _part("uuid", dial.mark)
    agent = f"user/{_part('extension', dial.extension)}@{domain}"
    return f"originate '{_variables(leg)}{agent}' {_closed_bridge(_variables(own) + far)} inline"


def transfer_command(uuid: str, onward: Onward, *, other_leg: bool = False) -> str:
    """Return the `uuid_transfer` command. Raises ValueError for a part with a meaning."""
    leg = f"{_part('uuid', uuid)}{' -bleg' if other_leg else ''}"
    if isinstance(onward, ToNumber):
        number = _part("number", onward.caller_number)
        shown = _variables({**CLOSED, "origination_caller_id_number": number})
        far = f"sofia/gateway/{_part('gateway', onward.gateway)}/{_part('number', onward.number)}"
        return f"uuid_transfer {leg} {_closed_bridge(shown + far)} inline"
    kind = "number" if onward.destination.startswith("+") else "extension"
    return (
        f"uuid_transfer {leg} {_part(kind, onward.destination)} "
        f"XML {_part('context', onward.context)}"
    )


def _closed_bridge(dial_string: str) -> str:
    """Return an extension of the inline dialplan (mod_dptools.c): it closes the leg, and bridges.

    `m:!:` says that `!` stands between its applications: a dial string holds commas.
    """
    return f"'m:!:{_CLOSING}!bridge:{dial_string}'"


def _variables(values: dict[str, str]) -> str:
    return "{" + ",".join(f"{name}={value}" for name, value in values.items()) + "}"


def _name(text: str) -> str:
    if len(text) > NAME_LENGTH or not _NAME.fullmatch(text):
        raise ValueError(f"{text!a} cannot be shown as a caller's name")
    return text


def _timeout(seconds: int) -> str:
    if not 1 <= seconds <= 600:
        raise ValueError("a phone may ring from 1 to 600 seconds")
    return str(int(seconds))


def _part(kind: str, value: str) -> str:
    if not _PARTS[kind].fullmatch(value):
        raise ValueError(f"{value!a} cannot be used as {kind} in a command to the switch")
    return value
