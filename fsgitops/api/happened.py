"""What happened lately, for those who operate: calls, phones, the switch, and who did what."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any

from fsgitops.errors import SwitchTimeoutError
from fsgitops.live.audit import AuditOutcomeError
from fsgitops.visible import count_noun, make_visible

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from fsgitops.live.calls import LiveCall

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
