"""Calls as people on duty think of them: who talks to whom, on which number, for how long."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fsgitops.schema_parts import TEXT, count, list_of, maybe_text, rows_of, text, word

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fsgitops.live.roster import Roster
    from fsgitops.switch.replies import Channel

UUID = text("A leg's uuid.", examples=["4c02599d-865c-42fd-9045-079b692658b0"])
_DIRECTION = word("Where it came from.", "inbound", "outbound", "internal")


@dataclass(frozen=True, slots=True)
class LiveLeg:
    """One leg; `agent` is the declared agent whose phone it is. `age` is in seconds."""

    uuid: str = field(metadata=UUID)
    direction: str = field(metadata=text("As the switch sees the leg."))
    agent: str | None = field(metadata=maybe_text("The agent whose phone it is; null: nobody's."))
    number: str = field(metadata=text("Its number."))
    state: str = field(metadata=text("FreeSWITCH's word."))
    read_codec: str = field(metadata=text("The codec it hears."))
    write_codec: str = field(metadata=text("The codec it is sent."))
    network_ip: str = field(metadata=text("Its address."))
    age: int = field(metadata=count("Seconds."))


@dataclass(frozen=True, slots=True)
class LiveCall:
    """A call with its legs, the first one first; `did` is the declared number that was called."""

    uuid: str = field(metadata=UUID)
    direction: str = field(metadata=_DIRECTION)
    caller: str = field(metadata=text("Who calls."))
    caller_name: str = field(metadata=text("The caller's name."))
    callee: str = field(metadata=text("Who was called."))
    agent: str | None = field(metadata=maybe_text("The first of `agents`."))
    agents: tuple[str, ...] = field(metadata=list_of(TEXT, "The agents in it."))
    did: str | None = field(metadata=maybe_text("The declared number that was called."))
    state: str = field(metadata=text("FreeSWITCH's word."))
    age: int = field(metadata=count("Seconds."))
    legs: tuple[LiveLeg, ...] = field(metadata=rows_of("Its legs, the first one first.", LiveLeg))


def join_calls(
    channels: Iterable[Channel], roster: Roster, domain: str, *, now: float | None = None
) -> tuple[LiveCall, ...]:
    """Join the legs of each call, oldest call first. `now` is in seconds since 1970 UTC."""
    moment = int(time.time() if now is None else now)
    groups: dict[str, list[Channel]] = {}
    for channel in channels:
        groups.setdefault(channel.call_uuid or channel.uuid, []).append(channel)
    calls = [_call(uuid, legs, roster, domain, moment) for uuid, legs in groups.items()]
    return tuple(sorted(calls, key=lambda call: (-call.age, call.uuid)))


def agent_of(channel: Channel, roster: Roster, domain: str) -> str | None:
    """Return the declared agent whose phone a leg is, or None.

    An inbound leg carries whatever its caller claims, unless it was authenticated: only then does
    the call start in the context of the agent's directory entry, and not in `public`.
    """
    user, _, host = channel.presence.rpartition("@")
    agent = roster.users.get(user)
    if agent is None or host != domain:
        return None
    if channel.direction == "inbound" and channel.initial_context != agent.context:
        return None
    return agent.extension


def _call(uuid: str, channels: list[Channel], roster: Roster, domain: str, now: int) -> LiveCall:
    ordered = sorted(channels, key=lambda item: (item.uuid != uuid, item.created, item.uuid))
    first, last = ordered[0], ordered[-1]
    owners = [agent_of(item, roster, domain) for item in ordered]
    agents = tuple(dict.fromkeys(owner for owner in owners if owner))
    did = _did(first, roster)
    direction = _direction(first, owners)
    caller = first.caller_number if owners[0] is None else owners[0]
    click_to_call = first.direction == "outbound" and len(ordered) == 1
    return LiveCall(
        uuid=first.uuid,
        direction=direction,
        caller=caller,
        caller_name=first.caller_name if owners[0] is None else roster.agents[owners[0]].name,
        callee=first.caller_number if click_to_call else last.destination,
        agent=next(iter(agents), None),
        agents=agents,
        did=did,
        state=_state(ordered),
        age=max(0, now - first.created),
        legs=tuple(_leg(item, owner, now) for item, owner in zip(ordered, owners, strict=True)),
    )


def _leg(channel: Channel, owner: str | None, now: int) -> LiveLeg:
    far = channel.caller_number if channel.direction == "inbound" else channel.destination
    return LiveLeg(
        uuid=channel.uuid,
        direction=channel.direction,
        agent=owner,
        number=owner or far,
        state=channel.call_state,
        read_codec=channel.read_codec,
        write_codec=channel.write_codec,
        network_ip=channel.network_ip,
        age=max(0, now - channel.created),
    )


def _did(first: Channel, roster: Roster) -> str | None:
    if first.direction != "inbound":
        return None
    dialled = first.initial_destination
    number = roster.trunks.get(dialled) or "+" + dialled.removeprefix("+")
    return number if number in roster.numbers else None


def _direction(first: Channel, owners: list[str | None]) -> str:
    if owners[0] is None:
        return "inbound" if first.direction == "inbound" else "outbound"
    return "internal" if len(owners) > 1 and owners[-1] else "outbound"


def _state(channels: list[Channel]) -> str:
    states = {item.call_state for item in channels}
    waiting = states & {"RINGING", "EARLY", "RING_WAIT", "DOWN", "DIALING"}
    return min(waiting) if waiting else channels[0].call_state
