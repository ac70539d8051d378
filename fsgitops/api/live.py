"""What the operator page shows: who is there, who talks to whom, how the day goes."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

from fsgitops.api.gate import RefusedError, network_of
from fsgitops.commands.live_calls import join_calls
from fsgitops.commands.status import build_status
from fsgitops.errors import FsgitopsError
from fsgitops.visible import to_json

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from fsgitops.api.declared import DeclaredState
    from fsgitops.api.pool import SwitchPool
    from fsgitops.api.records import CallRecords
    from fsgitops.commands.operation import Roster
    from fsgitops.commands.status import AgentStatus
    from fsgitops.switch import Channel, Registration, Switch

SHOWN_AGENTS = 500
SHOWN_CALLS = 500
CACHE_SECONDS = 1.0
TICK_SECONDS = 2.0
KEEP_ALIVE_TICKS = 7
RETRY_SECONDS = 5
MAX_LISTENERS = 64
MAX_PER_CALLER = 8
MAX_PER_ADDRESS = 32
"""Half of all: behind a proxy everybody has one address, and nobody alone may take every place."""

_TOO_MANY_OF_CALLER = (
    f"this token has {MAX_PER_CALLER} streams of events open, and more are not given to one: close "
    "pages or programs that use it, or make a token for each of them with `fsgitops token new`"
)
_TOO_MANY_OF_ADDRESS = (
    f"your network address has {MAX_PER_ADDRESS} streams of events open, and more are not given to "
    "one: close pages or programs there"
)
_TOO_MANY = (
    f"all {MAX_LISTENERS} streams of events are taken: close pages that nobody looks at, and try "
    "again"
)

Seen = tuple[tuple["Registration", ...], tuple["Channel", ...]]


class LiveBoard:
    """One snapshot for everybody who looks, asked of the switch at most once a second."""

    def __init__(
        self,
        pool: SwitchPool,
        declared: DeclaredState,
        records: CallRecords | None,
        *,
        tick: float = TICK_SECONDS,
    ) -> None:
        self._pool = pool
        self._declared = declared
        self._records = records
        self._tick = tick
        self._lock = asyncio.Lock()
        self._cached: tuple[float, dict[str, Any]] | None = None
        self._closing = asyncio.Event()
        self._listeners: Counter[str] = Counter()

    def join(self, caller: str, address: str) -> tuple[str, ...]:
        """Take a place among those who look; return what `leave` takes to give it up again.

        `caller` is a token's id. Raises RefusedError when this caller, this address or everybody
        together has as many as there may be.
        """
        bounds = (
            (f"caller {caller}", MAX_PER_CALLER, _TOO_MANY_OF_CALLER),
            (f"network {network_of(address)}", MAX_PER_ADDRESS, _TOO_MANY_OF_ADDRESS),
            ("all", MAX_LISTENERS, _TOO_MANY),
        )
        for key, most, refusal in bounds:
            if self._listeners[key] >= most:
                status = 503 if key == "all" else 429
                raise RefusedError(status, refusal, {"Retry-After": str(RETRY_SECONDS)})
        place = tuple(key for key, _, _ in bounds)
        self._listeners.update(place)
        return place

    def leave(self, place: tuple[str, ...]) -> None:
        """Give up a place that `join` took."""
        self._listeners.subtract(place)
        # Only what is in use is remembered.
        self._listeners = +self._listeners

    def close(self) -> None:
        """End every stream of events, so that the server can stop; call it in the loop's thread."""
        self._closing.set()

    async def snapshot(self) -> dict[str, Any]:
        """Return what to show; a switch that is away is part of it, not an error."""
        async with self._lock:
            if self._cached is None or time.monotonic() - self._cached[0] >= CACHE_SECONDS:
                self._cached = (time.monotonic(), await self._ask())
            return self._cached[1]

    async def events(self, scopes: Callable[[], frozenset[str]]) -> AsyncIterator[str]:
        """Yield server-sent events: a snapshot whenever it differs, a comment now and then.

        `scopes` tells what the listener may see at that moment; without `read` the stream ends.
        """
        sent, quiet = "", 0
        while "read" in (allowed := scopes()) and not self._closing.is_set():
            seen = await self.snapshot()
            if "cdr" not in allowed:
                seen = {**seen, "today": None}
            text = to_json(seen, separators=(",", ":"))
            if text != sent:
                sent, quiet = text, 0
                yield f"event: snapshot\ndata: {text}\n\n"
            elif quiet >= KEEP_ALIVE_TICKS:
                quiet = 0
                yield ": still here\n\n"
            quiet += 1
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), self._tick)

    async def _ask(self) -> dict[str, Any]:
        workspace, roster = await asyncio.to_thread(self._declared.current)
        target = workspace.target
        problem: str | None = None
        seen: Seen = ((), ())
        try:
            seen = await self._pool.run(lambda switch: look(switch, target.profile))
        except FsgitopsError as trouble:
            problem = str(trouble)
        board = await asyncio.to_thread(show, roster, seen, target.domain)
        today = None
        if self._records is not None:
            # The board is of use without the figures, so trouble with the lake only blanks them.
            with contextlib.suppress(FsgitopsError):
                today = await asyncio.to_thread(self._records.today)
        return {
            "project": workspace.settings.project,
            "target": target.name,
            "simulated": target.simulated,
            "switch": {"up": problem is None, "message": problem},
            "declared": {"problem": self._declared.problem},
            "today": today,
            **board,
        }


def look(switch: Switch, profile: str) -> Seen:
    """Ask the switch who is registered and which legs are up."""
    return switch.registrations(profile), switch.channels()


def show(roster: Roster, seen: Seen, domain: str) -> dict[str, Any]:
    """Return the agents, those who are there first, and the calls, as JSON values."""
    registrations, channels = seen
    now = int(time.time())
    calls = join_calls(channels, roster, domain, now=now)
    agents = [
        item for item in build_status(roster, registrations, channels, domain) if item.agent.enabled
    ]
    ranked = sorted(agents, key=lambda item: (_RANK[_presence(item)], item.agent.extension))
    return {
        "counts": {
            "agents": len(agents),
            "registered": sum(bool(item.phones) for item in agents),
            "on_call": sum(bool(item.calls) for item in agents),
            "calls": len(calls),
        },
        "agents": [
            {
                "extension": item.agent.extension,
                "name": item.agent.name,
                "presence": _presence(item),
                "phones": [phone.agent for phone in item.phones],
            }
            for item in ranked[:SHOWN_AGENTS]
        ],
        "calls": [
            {
                "uuid": call.uuid,
                "direction": call.direction,
                "caller": call.caller,
                "caller_name": call.caller_name,
                "callee": call.callee,
                "agents": list(call.agents),
                "did": call.did,
                "state": call.state,
                "since": now - call.age,
            }
            for call in calls[:SHOWN_CALLS]
        ],
    }


_RANK = {"on call": 0, "available": 1, "offline": 2}


def _presence(item: AgentStatus) -> str:
    if item.calls:
        return "on call"
    return "available" if item.phones else "offline"
