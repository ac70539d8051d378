"""Place a call at a switch, and follow both of its legs until each is answered or has ended."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fsgitops.errors import SwitchError
from fsgitops.switch.dial import AGENT_LEG, FAR_LEG, originate_command

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fsgitops.esl.session import EslSession, EventQueue
    from fsgitops.switch.dial import Dial

FAR_SECONDS = 90.0
"""How long the far end may take: FreeSWITCH gives up after 60 s, unless there is early media."""

LAST_WORDS_SECONDS = 2.0
"""How long after the agent's leg ended the far one's end may be told."""

_JOB = "+OK Job-UUID:"
_CAUSE = re.compile(r"[A-Z][A-Z0-9_]{1,60}")
_JOB_EVENT, _ANSWER, _END = "BACKGROUND_JOB", "CHANNEL_ANSWER", "CHANNEL_HANGUP_COMPLETE"


class CallRefusedError(SwitchError):
    """The agent's phones did not answer; `cause` is FreeSWITCH's name for why."""

    def __init__(self, place: str, cause: str) -> None:
        super().__init__(f"{place}: the call was not answered: {cause}")
        self.cause = cause


@dataclass(frozen=True, slots=True)
class Leg:
    """What became of a leg. Neither answered nor a cause: it still rings, or was never called.

    `cause` is FreeSWITCH's name of why it ended (switch_channel_cause2str).
    """

    answered: bool = False
    cause: str | None = None
    uuid: str | None = None


@dataclass(frozen=True, slots=True)
class Legs:
    """Both legs of a call; `called` tells whether the far end was tried at all."""

    agent: Leg
    far: Leg = field(default_factory=Leg)

    @property
    def called(self) -> bool:
        """The far end is tried once the agent has answered."""
        return self.agent.answered

    @property
    def joined(self) -> bool:
        """Tell whether both answered."""
        return self.agent.answered and self.far.answered


def originate(session: EslSession, dial: Dial, patience: float) -> str | None:
    """Ring an agent and connect them; return the uuid of the agent's leg once it answered.

    Returns None when after `patience` seconds the phone still rings: the call goes on by itself.
    Raises CallRefusedError with the cause when the switch gave up before that.
    """
    # Subscribed before asking, so that a refusal that comes at once is not missed.
    events = session.subscribe_json([_JOB_EVENT])
    try:
        job = _begin(session, dial)
        seen = _Seen(job)
        _watch(events, seen, patience, lambda: seen.body is not None)
    finally:
        _unsubscribe(session, [_JOB_EVENT])
    return _agent_uuid(session, seen)


def follow(session: EslSession, dial: Dial, patience: float) -> Legs:
    """Place a call and wait until both legs were answered, or one of them was not.

    `patience` is how many seconds the agent may take. The call needs a `mark`: by it the events
    of its own legs are told from those of all others, at the switch.
    """
    if dial.mark is None:
        raise ValueError("a call that is followed needs a mark")
    names = [_JOB_EVENT, _ANSWER, _END]
    # A listener gets an event when any of its filters matches (mod_event_socket.c).
    for header, value in (
        ("Event-Name", _JOB_EVENT),
        (f"variable_{AGENT_LEG}", dial.mark),
        (f"variable_{FAR_LEG}", dial.mark),
    ):
        session.send(f"filter {header} {value}")
    events = session.subscribe_json(names)
    try:
        seen = _Seen(_begin(session, dial), dial.mark)
        _watch(events, seen, patience, lambda: seen.body is not None)
        try:
            uuid = _agent_uuid(session, seen)
        except CallRefusedError as refused:
            return Legs(Leg(cause=refused.cause, uuid=dial.uuid))
        if uuid is None:
            return Legs(Leg(uuid=dial.uuid))
        _watch(events, seen, FAR_SECONDS, lambda: bool(seen.far_uuid) or uuid in seen.ends)
        if uuid in seen.ends:
            _watch(events, seen, LAST_WORDS_SECONDS, lambda: _knows_why(seen, uuid))
        return _outcome(seen, uuid)
    finally:
        _unsubscribe(session, names)
        if not session.closed:
            session.send("filter delete all")


@dataclass(slots=True)
class _Seen:
    """What the events of one call told so far: answers, and ends by the uuid of the leg."""

    job: str
    mark: str | None = None
    body: str | None = None
    far_uuid: str | None = None
    far_cause: str | None = None
    ends: dict[str, tuple[str, str | None]] = field(default_factory=dict)

    def take(self, event: dict[str, Any]) -> None:
        """Take an event in; what belongs to others is passed over."""
        name, uuid = event.get("Event-Name"), str(event.get("Unique-ID", ""))
        if event.get("Job-UUID") == self.job:
            self.body = str(event.get("_body", ""))
        elif self.mark is None:
            return
        elif event.get(f"variable_{FAR_LEG}") == self.mark:
            if name == _ANSWER:
                self.far_uuid = uuid
            elif name == _END and self.far_uuid in (None, uuid):
                self.far_cause = _cause(event.get("Hangup-Cause"))
        elif event.get(f"variable_{AGENT_LEG}") == self.mark and name == _END:
            failed = event.get("variable_originate_failed_cause")
            why = None if failed is None else _cause(failed)
            self.ends[uuid] = (_cause(event.get("Hangup-Cause")), why)


def _knows_why(seen: _Seen, uuid: str) -> bool:
    return seen.far_cause is not None or seen.ends[uuid][1] is not None


def _outcome(seen: _Seen, uuid: str) -> Legs:
    ended, failed = seen.ends.get(uuid, (None, None))
    far = Leg(seen.far_uuid is not None, seen.far_cause or failed, seen.far_uuid)
    if not far.answered and ended is not None and far.cause is None:
        far = Leg(cause=ended)
    return Legs(Leg(answered=True, cause=ended, uuid=uuid), far)


def _begin(session: EslSession, dial: Dial) -> str:
    said = session.send(f"bgapi {originate_command(dial)}")
    if not said.startswith(_JOB):
        raise SwitchError(f"{session.place}: originate: the switch said {said[:200]!a}")
    return said.removeprefix(_JOB).strip()


def _watch(events: EventQueue, seen: _Seen, patience: float, done: Any) -> None:
    deadline = time.monotonic() + patience
    while not done() and (left := deadline - time.monotonic()) > 0:
        event = events.get(timeout=left)
        if event is not None:
            seen.take(event)


def _agent_uuid(session: EslSession, seen: _Seen) -> str | None:
    if seen.body is None:
        return None
    if not seen.body.startswith("+OK "):
        raise CallRefusedError(session.place, _cause(seen.body.removeprefix("-ERR ").strip()))
    return seen.body[4:].strip()


def _cause(text: object) -> str:
    found = str(text)
    return found if _CAUSE.fullmatch(found) else f"{found[:80]!a}"


def _unsubscribe(session: EslSession, names: Iterable[str]) -> None:
    if not session.closed:
        session.send(f"nixevent {' '.join(names)}")
