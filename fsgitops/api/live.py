"""What the operator page shows: who is there, who talks to whom, how the day goes.

And what happened lately, for those who operate: calls, phones, the switch, and who did what.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections import Counter, deque
from typing import TYPE_CHECKING, Any

from fsgitops.api.edge import RefusedError, network_of
from fsgitops.api.view import EVERYBODY, Board, build_board, look, show_gateways
from fsgitops.errors import FsgitopsError, SwitchTimeoutError
from fsgitops.live.audit import AuditOutcomeError
from fsgitops.visible import count_noun, make_visible, to_json

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping

    from fsgitops.api.declared import DeclaredState
    from fsgitops.api.pool import SwitchPool
    from fsgitops.api.records import LakeRecords
    from fsgitops.api.view import Seen, View
    from fsgitops.live.calls import LiveCall
    from fsgitops.switch.replies import Gateway

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
        records: LakeRecords | None,
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
        gateways: tuple[Gateway, ...] = ()
        try:
            seen, gateways = await self._pool.run(
                lambda switch: (look(switch, target.profile), switch.gateways())
            )
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
            "gateways": show_gateways(gateways),
        }
        now = int(self._clock())
        board = await asyncio.to_thread(build_board, roster, seen, target.domain, head, now)
        if problem is None:
            await asyncio.to_thread(self.happened.see, board.registered(), board.calls)
        else:
            self.happened.see_away(problem)
        return board


KEPT = 200
BULK = 20
"""More changes of one sort than this, seen in one look, are told as one event."""

KINDS = ("call", "operation", "phone", "switch")
"""What an event is about."""

STALE_SECONDS = 15.0
"""Nobody looked for so long: what was seen before is no longer compared with."""

_WAITING = frozenset({"RINGING", "EARLY", "RING_WAIT", "DOWN", "DIALING"})
_DONE = {
    "dial": "rang {subject} for a call to {number}",
    "hangup": "hung up {subject}",
    "transfer": "sent {subject} to {destination}",
    "kick": "ended {phones} of {subject}",
}
_FAILED = {
    "dial": "dial from {subject} to {number}",
    "hangup": "hang up {subject}",
    "transfer": "transfer {subject} to {destination}",
    "kick": "kick {subject}",
}
_OTHER = "{action} {subject}"


class Happened:
    """The last 200 events, the oldest first. Every method may be called from any thread.

    Calls and phones are compared from look to look: what came and went between two looks is not
    seen. `clock` is in seconds since 1970 UTC.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self._number = 0
        self._looked: float | None = None
        self._away = False
        self._phones: Mapping[str, str] | None = None
        self._calls: dict[str, LiveCall] = {}

    def after(self, number: int) -> list[dict[str, Any]]:
        """Return the events after the one with this number, as JSON values."""
        with self._lock:
            return [event for event in self._kept if event["number"] > number]

    def note_operation(
        self,
        who: str,
        action: str,
        subject: str,
        details: Mapping[str, str],
        problem: Exception | None = None,
    ) -> None:
        """Keep that somebody did something to the switch, or failed to."""
        with self._lock:
            self._note("operation", f"{who} {self._word(action, subject, details, problem)}")

    def see(self, phones: Mapping[str, str], calls: Iterable[LiveCall]) -> None:
        """Compare with the look before. `phones` names each registered agent by extension."""
        with self._lock:
            found = {call.uuid: call for call in calls}
            known = self._phones is not None and self._is_fresh()
            self._looked = self._clock()
            if self._away:
                self._note("switch", "The switch answers again")
                self._away = False
            if known:
                self._compare(self._phones or {}, phones, found)
            else:
                self._note("switch", "Watching from here on: no page was open before")
            self._phones, self._calls = phones, found

    def see_away(self, message: str) -> None:
        """Keep that the switch does not answer; what it held is compared when it is back."""
        with self._lock:
            if not self._is_fresh():
                self._phones, self._calls = None, {}
            self._looked = self._clock()
            if not self._away:
                self._note("switch", f"The switch does not answer: {message}")
            self._away = True

    def _is_fresh(self) -> bool:
        return self._looked is not None and self._clock() - self._looked <= STALE_SECONDS

    def _compare(
        self, before: Mapping[str, str], phones: Mapping[str, str], calls: dict[str, LiveCall]
    ) -> None:
        came = sorted(phones.keys() - before.keys())
        went = sorted(before.keys() - phones.keys())
        self._note_many("phone", "registered", [phones[item] for item in came])
        self._note_many("phone", "no longer registered", [before[item] for item in went])
        began = [call for uuid, call in calls.items() if uuid not in self._calls]
        ended = [call for uuid, call in self._calls.items() if uuid not in calls]
        both = [(self._calls[uuid], call) for uuid, call in calls.items() if uuid in self._calls]
        self._note_many("call", "ended", [name_call(call) for call in ended], "call")
        self._note_many("call", "began", [name_call(call) for call in began], "call")
        answered = [new for old, new in both if old.state in _WAITING and new.state not in _WAITING]
        self._note_many("call", "was answered", [name_call(call) for call in answered], "call")
        moved = [new for old, new in both if name_call(old) != name_call(new)]
        self._note_many("call", "goes on", [name_call(call) for call in moved], "call")

    def _note_many(self, kind: str, what: str, names: Collection[str], noun: str = "agent") -> None:
        if len(names) > BULK:
            self._note(kind, f"{count_noun(len(names), noun)} {what}")
            return
        for name in names:
            self._note(kind, f"{'Call' if noun == 'call' else 'Agent'} {name} {what}")

    def _note(self, kind: str, text: str) -> None:
        self._number += 1
        self._kept.append(
            {
                "number": self._number,
                "at": int(self._clock()),
                "kind": kind,
                "text": make_visible(text, 400),
            }
        )

    def _word(
        self, action: str, subject: str, details: Mapping[str, str], problem: Exception | None
    ) -> str:
        call = self._find(subject)
        phones = details.get("phones", "")
        words = {
            "action": action,
            "number": "a number",
            "destination": "somewhere",
            **details,
            "subject": f"call {name_call(call)}" if call else subject,
            "phones": count_noun(int(phones), "registration") if phones.isdigit() else "phones",
        }
        if problem is None:
            return _DONE.get(action, _OTHER).format_map(words)
        if isinstance(problem, AuditOutcomeError):
            return f"was told: {problem}"
        tried = _FAILED.get(action, _OTHER).format_map(words)
        if isinstance(problem, SwitchTimeoutError):
            return f"asked to {tried}, and nobody knows whether it was done: {problem}"
        return f"could not {tried}: {problem}"

    def _find(self, uuid: str) -> LiveCall | None:
        legs = (call for call in self._calls.values() for leg in call.legs if leg.uuid == uuid)
        return self._calls.get(uuid) or next(legs, None)


def name_call(call: LiveCall) -> str:
    """Return who calls whom, such as `+12025550123 → 1020`."""
    return f"{call.caller or '?'} → {call.callee or '?'}"
