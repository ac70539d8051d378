"""One look at the switch, and the part of it that somebody wants to see."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fsgitops.commands.live_calls import join_calls
from fsgitops.commands.status import build_status
from fsgitops.errors import UsageError
from fsgitops.visible import make_visible

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fsgitops.commands.live_calls import LiveCall
    from fsgitops.commands.operation import Roster
    from fsgitops.commands.status import AgentStatus
    from fsgitops.switch import Channel, Registration, Switch

SHOWN_AGENTS = 500
SHOWN_CALLS = 500
MAX_SEARCH = 80
MAX_VIEWS = 64
PRESENCES = ("on call", "available", "offline")

Seen = tuple[tuple["Registration", ...], tuple["Channel", ...]]


@dataclass(frozen=True, slots=True)
class View:
    """Which agents to show: those with every word of `search`, and with this presence if any."""

    search: str = ""
    presence: str = ""


EVERYBODY = View()


def read_view(query: Mapping[str, str]) -> View:
    """Return the view that a query string asks for. Raises UsageError."""
    for name in query:
        if name not in ("search", "presence"):
            raise UsageError(f"unknown query parameter {name[:40]!a}; known: search, presence")
    search, presence = query.get("search", ""), query.get("presence", "")
    if len(search) > MAX_SEARCH:
        raise UsageError(f"`search` has at most {MAX_SEARCH} characters")
    if presence and presence not in PRESENCES:
        raise UsageError(f"`presence` is one of: {', '.join(PRESENCES)}")
    return View(" ".join(search.casefold().split()), presence)


@dataclass(frozen=True, slots=True)
class Board:
    """What one look found: the agents, those on a call first, and the calls, the oldest first."""

    head: dict[str, Any]
    agents: tuple[AgentStatus, ...] = ()
    calls: tuple[LiveCall, ...] = ()
    now: int = 0
    made: dict[View, dict[str, Any]] = field(default_factory=dict)

    def show(self, view: View = EVERYBODY) -> dict[str, Any]:
        """Return the view as JSON values; it is made once for all who ask for it."""
        found = self.made.get(view)
        if found is None:
            found = self._make(view)
            if len(self.made) < MAX_VIEWS:
                self.made[view] = found
        return found

    def registered(self) -> dict[str, str]:
        """Return the names of the agents with a phone, by extension."""
        return {
            item.agent.extension: f"{item.agent.extension} {item.agent.name}"
            for item in self.agents
            if item.phones
        }

    def _make(self, view: View) -> dict[str, Any]:
        chosen = [item for item in self.agents if _matches(item, view)]
        return {
            **self.head,
            "counts": {
                "agents": len(self.agents),
                "registered": sum(bool(item.phones) for item in self.agents),
                "on_call": sum(bool(item.calls) for item in self.agents),
                "calls": len(self.calls),
            },
            "view": {
                "search": view.search, "presence": view.presence, "matching": len(chosen),
            },
            "agents": [_agent(item) for item in chosen[:SHOWN_AGENTS]],
            "calls": [self._call(call) for call in self.calls[:SHOWN_CALLS]],
        }  # fmt: skip

    def _call(self, call: LiveCall) -> dict[str, Any]:
        return {
            "uuid": call.uuid,
            "direction": call.direction,
            "caller": make_visible(call.caller),
            "caller_name": make_visible(call.caller_name),
            "callee": make_visible(call.callee),
            "agents": list(call.agents),
            "did": call.did,
            "state": call.state,
            "since": self.now - call.age,
            "legs": [
                {"uuid": leg.uuid, "agent": leg.agent, "number": make_visible(leg.number)}
                for leg in call.legs
            ],
        }


def look(switch: Switch, profile: str) -> Seen:
    """Ask the switch who is registered and which legs are up."""
    return switch.registrations(profile), switch.channels()


def build_board(roster: Roster, seen: Seen, domain: str, head: dict[str, Any], now: int) -> Board:
    """Join what is declared with what the switch said; `now` is in seconds since 1970 UTC."""
    registrations, channels = seen
    status = build_status(roster, registrations, channels, domain)
    enabled = [item for item in status if item.agent.enabled]
    enabled.sort(key=lambda item: (_RANK[presence_of(item)], item.agent.extension))
    calls = join_calls(channels, roster, domain, now=now)
    return Board(head, tuple(enabled), calls, now)


_RANK = {name: rank for rank, name in enumerate(PRESENCES)}


def presence_of(item: AgentStatus) -> str:
    """Return `on call`, `available` or `offline`."""
    if item.calls:
        return "on call"
    return "available" if item.phones else "offline"


def _matches(item: AgentStatus, view: View) -> bool:
    if view.presence and presence_of(item) != view.presence:
        return False
    if not view.search:
        return True
    text = f"{item.agent.extension} {item.agent.name}".casefold()
    return all(word in text for word in view.search.split(" "))


def _agent(item: AgentStatus) -> dict[str, Any]:
    return {
        "extension": item.agent.extension,
        "name": item.agent.name,
        "presence": presence_of(item),
        "phones": [make_visible(phone.agent) for phone in item.phones],
    }
