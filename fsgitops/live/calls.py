"""Calls as people on duty think of them: who talks to whom, on which number, for how long."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fsgitops.live.roster import Roster
    from fsgitops.switch.replies import Channel


@dataclass(frozen=True, slots=True)
class LiveLeg:
    """One leg; `agent` is the declared agent whose phone it is. `age` is in seconds."""

    uuid: str
    direction: str
    agent: str | None
    number: str
    state: str
    read_codec: str
    write_codec: str
    network_ip: str
    age: int


@dataclass(frozen=True, slots=True)
class LiveCall:
    """A call with its legs, the first one first; `did` is the declared number that was called."""

    uuid: str
    direction: str
    caller: str
    caller_name: str
    callee: str
    agents: tuple[str, ...]
    did: str | None
    state: str
    age: int
    legs: tuple[LiveLeg, ...]

    def to_json(self) -> dict[str, Any]:
        """Return JSON values (docs/json.md)."""
        return {
            "uuid": self.uuid,
            "direction": self.direction,
            "caller": self.caller,
            "caller_name": self.caller_name,
            "callee": self.callee,
            "agent": self.agents[0] if self.agents else None,
            "agents": list(self.agents),
            "did": self.did,
            "state": self.state,
            "age": self.age,
            "legs": [asdict(leg) for leg in self.legs],
        }


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
    agent = roster.agents.get(user)
    if agent is None or host != domain:
        return None
    if channel.direction == "inbound" and channel.initial_context != agent.context:
        return None
    return user


def _call(uuid: str, channels: list[Channel], roster: Roster, domain: str, now: int) -> LiveCall:
    ordered = sorted(channels, key=lambda item: (item.uuid != uuid, item.created, item.uuid))
    first, last = ordered[0], ordered[-1]
    owners = [agent_of(item, roster, domain) for item in ordered]
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
        agents=tuple(dict.fromkeys(owner for owner in owners if owner)),
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
    number = "+" + first.initial_destination.removeprefix("+")
    return number if number in roster.numbers else None


def _direction(first: Channel, owners: list[str | None]) -> str:
    if owners[0] is None:
        return "inbound" if first.direction == "inbound" else "outbound"
    return "internal" if len(owners) > 1 and owners[-1] else "outbound"


def _state(channels: list[Channel]) -> str:
    states = {item.call_state for item in channels}
    waiting = states & {"RINGING", "EARLY", "RING_WAIT", "DOWN", "DIALING"}
    return min(waiting) if waiting else channels[0].call_state
