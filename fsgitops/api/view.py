"""One look at the switch, and the part of it that somebody wants to see."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fsgitops.commands.status import by_user, calls_by_agent
from fsgitops.errors import UsageError
from fsgitops.live.calls import join_calls
from fsgitops.visible import make_visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from fsgitops.kinds.agent.noun import Agent
    from fsgitops.live.calls import LiveCall
    from fsgitops.live.roster import Roster
    from fsgitops.switch.client import Switch
    from fsgitops.switch.replies import Channel, Gateway, Registration

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
    search, presence = query.get("search", ""), query.get("presence", "")
    if len(search) > MAX_SEARCH:
        raise UsageError(f"`search` has at most {MAX_SEARCH} characters")
    if presence and presence not in PRESENCES:
        raise UsageError(f"`presence` is one of: {', '.join(PRESENCES)}")
    return View(" ".join(search.casefold().split()), presence)


@dataclass(frozen=True, slots=True)
class Board:
    """What one look found: the agents, those on a call first, and the calls, the oldest first.

    `sizes` tells how many agents have each presence; `phones` and `busy` what was found of one, by
    extension: most of 100,000 have nothing.
    """

    head: dict[str, Any]
    agents: Sequence[Agent] = ()
    sizes: tuple[int, int, int] = (0, 0, 0)
    phones: Mapping[str, Sequence[Registration]] = field(default_factory=dict)
    busy: Mapping[str, Sequence[str]] = field(default_factory=dict)
    calls: tuple[LiveCall, ...] = ()
    now: int = 0
    made: dict[View, dict[str, Any]] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)

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
        there = self.agents[self.sizes[0] : self.sizes[0] + self.sizes[1]]
        return {
            agent.extension: f"{agent.extension} {agent.name}"
            for agent in [*self._with_phone(), *there]
        }

    def _with_phone(self) -> list[Agent]:
        """Return who is on a call and has a phone: one that was kicked meanwhile has none."""
        talking = self.agents[: self.sizes[0]]
        return [agent for agent in talking if agent.extension in self.phones]

    def _presence(self, extension: str) -> str:
        if extension in self.busy:
            return "on call"
        return "available" if extension in self.phones else "offline"

    def _make(self, view: View) -> dict[str, Any]:
        chosen = self._choose(view)
        return {
            **self.head,
            "counts": {
                "agents": len(self.agents),
                "registered": len(self._with_phone()) + self.sizes[1],
                "on_call": self.sizes[0],
                "calls": len(self.calls),
            },
            "view": {
                "search": view.search, "presence": view.presence, "matching": len(chosen),
            },
            "agents": [self._agent(agent) for agent in chosen[:SHOWN_AGENTS]],
            "calls": [self._call(call) for call in self.calls[:SHOWN_CALLS]],
        }  # fmt: skip

    def _choose(self, view: View) -> Sequence[Agent]:
        begin, end = 0, len(self.agents)
        if view.presence:
            rank = PRESENCES.index(view.presence)
            begin = sum(self.sizes[:rank])
            end = begin + self.sizes[rank]
        if not view.search:
            return self.agents[begin:end]
        if not self.texts:
            # Every search of this look reads them.
            self.texts[:] = [f"{one.extension} {one.name}".casefold() for one in self.agents]
        places: Sequence[int] = range(begin, end)
        for word in view.search.split(" "):
            places = [place for place in places if word in self.texts[place]]
        return [self.agents[place] for place in places]

    def _agent(self, agent: Agent) -> dict[str, Any]:
        return {
            "extension": agent.extension,
            "name": agent.name,
            "presence": self._presence(agent.extension),
            "phones": [
                make_visible(item.user_agent) for item in self.phones.get(agent.extension, ())
            ],
        }

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


def show_gateways(gateways: Iterable[Gateway]) -> list[dict[str, Any]]:
    """Return the gateways that the switch runs, those that are down first, as JSON values."""
    return [
        {
            "name": make_visible(one.name),
            "profile": make_visible(one.profile),
            "up": one.status == "UP",
            "registered": one.registered,
            "latency_ms": one.latency or None,
        }
        for one in sorted(gateways, key=lambda item: (item.status == "UP", item.name))
    ]


def build_board(roster: Roster, seen: Seen, domain: str, head: dict[str, Any], now: int) -> Board:
    """Join what is declared with what the switch said; `now` is in seconds since 1970 UTC."""
    registrations, channels = seen
    phones = {
        roster.users[user].extension: found
        for user, found in by_user(registrations, domain).items()
        if user in roster.users
    }
    calls = join_calls(channels, roster, domain, now=now)
    busy = calls_by_agent(calls)
    talking: list[Agent] = []
    there: list[Agent] = []
    away: list[Agent] = []
    for extension in sorted(roster.agents):
        agent = roster.agents[extension]
        if agent.enabled:
            (talking if extension in busy else there if extension in phones else away).append(agent)
    sizes = len(talking), len(there), len(away)
    return Board(head, [*talking, *there, *away], sizes, phones, busy, calls, now)
