"""What the operator page shows: who is there, who talks to whom, how the day goes."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

from fsgitops.api.edge import RefusedError, network_of
from fsgitops.api.happened import Happened
from fsgitops.api.view import EVERYBODY, Board, build_board, look
from fsgitops.errors import FsgitopsError
from fsgitops.visible import to_json

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from fsgitops.api.declared import DeclaredState
    from fsgitops.api.pool import SwitchPool
    from fsgitops.api.records import CallRecords
    from fsgitops.api.view import Seen, View

CACHE_SECONDS = 1.0
TICK_SECONDS = 2.0
KEEP_ALIVE_TICKS = 7
RETRY_SECONDS = 5
MAX_LISTENERS = 64
MAX_PER_CALLER = 8
MAX_PER_ADDRESS = 32
"""Half of all: behind a proxy everybody has one address, and nobody alone may take every place."""

_TOO_MANY_OF_CALLER = (
    f"this token has {MAX_PER_CALLER} streams of events open, the most for one: close pages or "
    "programs that use it, or make each its own token with `fsgitops token new`"
)
_TOO_MANY_OF_ADDRESS = (
    f"your network address has {MAX_PER_ADDRESS} streams of events open, the most for one: close "
    "pages or programs there"
)
_TOO_MANY = (
    f"all {MAX_LISTENERS} streams of events are taken: close pages that nobody looks at, and try "
    "again"
)


class LiveBoard:
    """One snapshot for everybody who looks, asked of the switch at most once a second."""

    def __init__(
        self,
        pool: SwitchPool,
        declared: DeclaredState,
        records: CallRecords | None,
        *,
        tick: float = TICK_SECONDS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`clock` is in seconds since 1970 UTC."""
        self._pool = pool
        self._declared = declared
        self._records = records
        self._tick = tick
        self._clock = clock
        self._lock = asyncio.Lock()
        self._cached: tuple[float, Board] | None = None
        self._closing = asyncio.Event()
        self.listeners: Counter[str] = Counter()
        self.happened = Happened(clock)

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
            if self.listeners[key] >= most:
                status = 503 if key == "all" else 429
                raise RefusedError(status, refusal, {"Retry-After": str(RETRY_SECONDS)})
        place = tuple(key for key, _, _ in bounds)
        self.listeners.update(place)
        return place

    def leave(self, place: tuple[str, ...]) -> None:
        """Give up a place that `join` took."""
        self.listeners.subtract(place)
        # Only what is in use is remembered.
        self.listeners = +self.listeners

    def close(self) -> None:
        """End every stream of events, so that the server can stop; call it in the loop's thread."""
        self._closing.set()

    async def snapshot(self, view: View = EVERYBODY) -> dict[str, Any]:
        """Return what to show; a switch that is away is part of it, not an error."""
        async with self._lock:
            if self._cached is None or time.monotonic() - self._cached[0] >= CACHE_SECONDS:
                self._cached = (time.monotonic(), await self._ask())
            board = self._cached[1]
            if view in board.made:
                return board.made[view]
            return await asyncio.to_thread(board.show, view)

    async def events(
        self, scopes: Callable[[], frozenset[str]], view: View = EVERYBODY
    ) -> AsyncIterator[str]:
        """Yield server-sent events: a snapshot whenever it differs, a comment now and then.

        `scopes` tells what the listener may see at that moment; without `read` the stream ends.
        With `operate`, what happened comes too: first all that is kept, then what is new.
        """
        sent, quiet, told = "", 0, 0
        while "read" in (allowed := scopes()) and not self._closing.is_set():
            seen = {**await self.snapshot(view), "scopes": sorted(allowed)}
            if "cdr" not in allowed:
                seen["today"] = None
            text = to_json(seen, separators=(",", ":"))
            fresh = self.happened.after(told) if "operate" in allowed else []
            if text != sent:
                sent, quiet = text, 0
                yield f"event: snapshot\ndata: {text}\n\n"
            elif quiet >= KEEP_ALIVE_TICKS:
                quiet = 0
                yield ": still here\n\n"
            if fresh:
                told = fresh[-1]["number"]
                yield f"event: happened\ndata: {to_json(fresh, separators=(',', ':'))}\n\n"
            quiet += 1
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), self._tick)

    async def _ask(self) -> Board:
        workspace, roster = await asyncio.to_thread(self._declared.current)
        target = workspace.target
        problem: str | None = None
        seen: Seen = ((), ())
        try:
            seen = await self._pool.run(lambda switch: look(switch, target.profile))
        except FsgitopsError as trouble:
            problem = str(trouble)
        today = None
        if self._records is not None:
            # The board is of use without the figures, so trouble with the lake only blanks them.
            with contextlib.suppress(FsgitopsError):
                today = await asyncio.to_thread(self._records.today)
        head = {
            "project": workspace.settings.project,
            "target": target.name,
            "simulated": target.simulated,
            "switch": {"up": problem is None, "message": problem},
            "declared": {"problem": self._declared.problem},
            "today": today,
        }
        now = int(self._clock())
        board = await asyncio.to_thread(build_board, roster, seen, target.domain, head, now)
        if problem is None:
            await asyncio.to_thread(self.happened.see, board.registered(), board.calls)
        else:
            self.happened.see_away(problem)
        return board
