"""Place and move calls at a switch, and follow both legs of one until it is answered or has ended.

Commands are built from parts that are each held to an allow-list. FreeSWITCH gives meaning to
blanks, quotes and backslashes (switch_separate_string), to braces, brackets, commas, `^^`, `|` and
`:_:` in dial strings (switch_ivr_originate), to `&` and parentheses in `originate`, and to `${`
nearly everywhere. None of them passes any check here.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from fsgitops.errors import SwitchError
from fsgitops.phone import E164, EXTENSION
from fsgitops.schema_parts import flag, maybe_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fsgitops.esl.session import EslSession, EventQueue

FAR_SECONDS = 90.0
"""How long the far end may take: FreeSWITCH gives up after 60 s, unless there is early media."""

LAST_WORDS_SECONDS = 2.0
"""How long after the agent's leg ended the far one's end may be told."""

_WHY = "FreeSWITCH's name of why it ended; null: it is up, rings, or never was."
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

    answered: bool = field(default=False, metadata=flag("It was answered."))
    cause: str | None = field(default=None, metadata=maybe_text(_WHY))
    uuid: str | None = field(default=None, metadata=maybe_text("The leg's uuid; null: not known."))


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
            _watch(
                events, seen, LAST_WORDS_SECONDS, lambda: bool(seen.far_cause or seen.ends[uuid][1])
            )
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
                self.far_uuid, self.far_cause = uuid, None  # of a group, others may have been busy
            elif name == _END and self.far_uuid in (None, uuid):
                self.far_cause = _cause(event.get("Hangup-Cause"))
        elif event.get(f"variable_{AGENT_LEG}") == self.mark and name == _END:
            failed = event.get("variable_originate_failed_cause")
            why = None if failed is None else _cause(failed)
            self.ends[uuid] = (_cause(event.get("Hangup-Cause")), why)


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


NAME_LENGTH = 40

TRANSFERS = "fsgitops_transfer"
"""The context that moved calls are sent to, unless a target has one of another name."""

AGENT_LEG, FAR_LEG = "fsgitops_agent_leg", "fsgitops_far_leg"
"""Leg variables that hold a call's mark while somebody waits for what becomes of it."""


_PARTS = {
    "uuid": re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,127}"),
    "extension": re.compile(EXTENSION),
    "number": re.compile(E164),
    "domain": re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,254}"),
    "gateway": re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}"),
    "place": re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,255}"),
}
_NAME = re.compile(r"[^\W_]+(?:[ .-]{1,2}[^\W_]+)*\.?")
_NOT_NAME = re.compile(r"[^\w.-]+|_+")


@dataclass(frozen=True, slots=True)
class Dial:
    """A call to place: first the agent's phones ring, then the number is called.

    `number` is outside, in E.164, and called by `gateway`; or an extension of the domain, and then
    there is no gateway; or what is dialled in a `context`. `uuid` becomes the agent's leg's; None
    lets the switch choose, which it must where several phones ring: each is a leg. `timeout` is
    how many seconds phones may ring. With a `mark`, each leg carries it in a variable.
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
    context: str | None = None
    transfers: str = TRANSFERS


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
    transfers: str = TRANSFERS


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
    if not 1 <= dial.timeout <= 600:
        raise ValueError("a phone may ring from 1 to 600 seconds")
    timeout = str(int(dial.timeout))
    kind = "extension" if dial.gateway is None else "number"
    number = _part("place" if dial.context else kind, dial.number)
    domain = _part("domain", dial.domain)
    shown = {"origination_caller_id_number": number, "origination_caller_id_name": number}
    if dial.uuid is not None:
        shown = {"origination_uuid": _part("uuid", dial.uuid), **shown}
    closed = _closed(dial.transfers)
    own = {**closed, "origination_caller_id_number": _part(kind, dial.caller_number)}
    if dial.caller_name:
        own["origination_caller_id_name"] = _name(dial.caller_name)
    if dial.gateway is None:
        own["originate_timeout"] = timeout
        far = f"user/{number}@{domain}"
    else:
        far = f"sofia/gateway/{_part('gateway', dial.gateway)}/{number}"
    leg = {**closed, **shown, "originate_timeout": timeout, "hangup_after_bridge": "true"}
    if dial.mark is not None:
        leg[AGENT_LEG] = own[FAR_LEG] = _part("uuid", dial.mark)
    agent = f"user/{_part('extension', dial.extension)}@{domain}"
    onward = _closed_bridge(_variables(own) + far, dial.transfers)
    if dial.context is not None:
        where = f"{number} XML {_part('place', dial.context)}"
        onward = _closed_transfer(own, where, dial.transfers)
    return f"originate '{_variables(leg)}{agent}' {onward} inline"


def transfer_command(uuid: str, onward: Onward, *, other_leg: bool = False) -> str:
    """Return the `uuid_transfer` command. Raises ValueError for a part with a meaning."""
    leg = f"{_part('uuid', uuid)}{' -bleg' if other_leg else ''}"
    if isinstance(onward, ToNumber):
        number = _part("number", onward.caller_number)
        closed = _closed(onward.transfers)
        shown = _variables({**closed, "origination_caller_id_number": number})
        far = f"sofia/gateway/{_part('gateway', onward.gateway)}/{_part('number', onward.number)}"
        return f"uuid_transfer {leg} {_closed_bridge(shown + far, onward.transfers)} inline"
    return (
        f"uuid_transfer {leg} {_part('place', onward.destination)} "
        f"XML {_part('place', onward.context)}"
    )


def _closed(transfers: str) -> dict[str, str]:
    """Return leg variables: who moves the leg is sent to our context, and a 302 leads nowhere."""
    return {
        "force_transfer_context": _part("place", transfers),
        "outbound_redirect_fatal": "true",
    }


def _closing(transfers: str) -> str:
    """Return the same for a leg and those that it is bridged to; who moves it is noted."""
    return (
        f"export:force_transfer_context={_part('place', transfers)}!"
        f"execute_extension:fsgitops_closed XML {transfers}"
    )


def _closed_bridge(dial_string: str, transfers: str) -> str:
    """Return an extension of the inline dialplan (mod_dptools.c): it closes the leg, and bridges.

    `m:!:` says that `!` stands between its applications: a dial string holds commas.
    """
    return f"'m:!:{_closing(transfers)}!bridge:{dial_string}'"


def _closed_transfer(own: dict[str, str], where: str, transfers: str) -> str:
    """Return the same for what is dialled in a context, and hand on what the far leg is to have."""
    shown = [
        f"set:{name.replace('origination', 'effective')}={value}!"
        for name, value in own.items()
        if name.startswith("origination_")
    ]
    mark = f"export:nolocal:{FAR_LEG}={own[FAR_LEG]}!" if FAR_LEG in own else ""
    return f"'m:!:{_closing(transfers)}!{''.join(shown)}{mark}transfer:{where}'"


def _variables(values: dict[str, str]) -> str:
    return "{" + ",".join(f"{name}={value}" for name, value in values.items()) + "}"


def _name(text: str) -> str:
    if len(text) > NAME_LENGTH or not _NAME.fullmatch(text):
        raise ValueError(f"{text!a} cannot be shown as a caller's name")
    return text


def _part(kind: str, value: str) -> str:
    if not _PARTS[kind].fullmatch(value):
        raise ValueError(f"{value!a} cannot be used as {kind} in a command to the switch")
    return value
