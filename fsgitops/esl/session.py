"""One ESL session: every wait bounded, commands pipelined, events decoded by us from JSON.

Importing this patches nothing. A session belongs to the thread that opened it (gevent keeps one
event loop per thread): use it there, from plain code or from greenlets; another thread opens a
session of its own. Replies and events are read while that thread waits in this module.
"""

from __future__ import annotations

import json
import re
import threading
from collections import deque
from typing import TYPE_CHECKING, Any

import gevent.event
import orjson

from fsgitops.errors import SwitchError, SwitchProtocolError
from fsgitops.esl.wire import Wire, command_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Self

    from fsgitops.esl.frames import Frame

_CHUNK = 64
_EVENT_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_:.-]*")


def connect_esl(
    host: str,
    port: int,
    password: str,
    *,
    connect_timeout: float = 5.0,
    reply_timeout: float = 10.0,
) -> EslSession:
    """Connect, wait for the greeting, log in. Time limits are in seconds.

    Raises:
        SwitchUnreachableError: nobody listens, the name is unknown, or the peer hung up.
        SwitchTimeoutError: no connection, greeting or answer in time.
        SwitchAuthError: the password is wrong, or the switch's ACL refuses this address.
        SwitchProtocolError: whatever answers does not speak ESL.
        ValueError: the password holds CR, LF or NUL.
    """
    command_bytes(f"auth {password}")
    wire = Wire(host, port, connect_timeout=connect_timeout, reply_timeout=reply_timeout)
    try:
        wire.connect()
        wire.authenticate(password)
    except BaseException:
        wire.abort()
        raise
    return EslSession(wire)


class EslSession:
    """A logged-in session. Get one from `connect_esl`; close it, or use it in a `with`."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._thread = threading.get_ident()
        self._events: EventQueue | None = None

    @property
    def place(self) -> str:
        """The peer as `host:port`, for messages."""
        return str(self._wire.place)

    @property
    def closed(self) -> bool:
        """Whether the session has ended, as far as has been read."""
        return self._wire.failure is not None

    def send(self, command: str, *, timeout: float | None = None) -> str:
        """Send a raw command, such as `noevents`; return the text of its reply.

        Raises ValueError for CR, LF or NUL, before anything is sent; SwitchTimeoutError after
        `timeout` seconds; SwitchUnreachableError as soon as the peer is gone.
        """
        return _reply_text(self._ask([command], timeout)[0])

    def api(self, command: str) -> str:
        """Run an API command; return its output as UTF-8, undecodable bytes replaced.

        Raises as `send`, and SwitchError where the switch does not let this user run it.
        """
        return self.api_bytes(command).decode("utf-8", "replace")

    def api_bytes(
        self,
        command: str,
        *,
        timeout: float | None = None,
        sink: Callable[[bytes], None] | None = None,
    ) -> bytes:
        """Run an API command; return the bytes of its output. Raises as `api`.

        With a `sink`, they are handed on to that as they come and not held whole: what is returned
        is how they begin, up to HEAD_BYTES.
        """
        return self._body(self._ask([f"api {command}"], timeout, sink)[0])

    def api_many(self, commands: Sequence[str]) -> list[str]:
        """Run API commands, at most 128 of them on the way at a time; outputs in their order."""
        frames = self._ask([f"api {command}" for command in commands])
        return [self._body(frame).decode("utf-8", "replace") for frame in frames]

    def subscribe_json(self, event_names: Sequence[str], *, max_queued: int = 1000) -> EventQueue:
        """Subscribe to events as JSON; return the bounded queue that receives them.

        A full queue makes the reader stop, so that TCP holds the switch back (FreeSWITCH keeps
        100,000 events for a slow listener, then drops it). No reply is read meanwhile either:
        give events a session of their own. A second call adds events to the same queue.

        Raises SwitchError when the switch knows none of the events; ValueError for a bad name.
        """
        if not event_names or not all(_EVENT_NAME.fullmatch(name) for name in event_names):
            raise ValueError(f"event names expected, found {list(event_names)!r}")
        if self._events is None:
            self._events = EventQueue(self._wire, max_queued)
        said = self.send(f"event json {' '.join(event_names)}")
        if not said.startswith("+OK"):
            raise SwitchError(f"{self.place}: no subscription: the switch said {said[:80]!a}")
        return self._events

    def close(self) -> None:
        """Say goodbye, wait for the answer at most a second, close. Can be called again."""
        self._check_thread()
        if self._events is not None:
            self._events.stop()
        self._wire.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ask(
        self,
        commands: list[str],
        timeout: float | None = None,
        sink: Callable[[bytes], None] | None = None,
    ) -> list[Frame]:
        self._check_thread()
        limit = self._wire.reply_timeout if timeout is None else timeout
        payloads = [command_bytes(command) for command in commands]
        chunks = [payloads[at : at + _CHUNK] for at in range(0, len(payloads), _CHUNK)]
        frames: list[Frame] = []
        under_way = deque(self._transmit(chunk, limit, sink) for chunk in chunks[:1])
        for following in [*chunks[1:], None]:
            if following is not None:
                under_way.append(self._transmit(following, limit))
            if under_way:
                frames += self._wire.collect(under_way.popleft(), limit)
        return frames

    def _transmit(
        self, payloads: list[bytes], limit: float, sink: Callable[[bytes], None] | None = None
    ) -> Any:
        return self._wire.transmit(b"".join(payloads), len(payloads), limit, sink)

    def _body(self, frame: Frame) -> bytes:
        if frame.content_type == "api/response":
            return frame.body
        # mod_event_socket refuses a command that `userauth` does not allow with a command/reply.
        said = _reply_text(frame)
        raise SwitchError(f"{self.place}: the command was refused: {said[:80]!a}")

    def _check_thread(self) -> None:
        if threading.get_ident() != self._thread:
            raise RuntimeError("an ESL session must be used by the thread that opened it")


class EventQueue:
    """Events in the order in which they came, at most `max_queued` of them."""

    def __init__(self, wire: Wire, max_queued: int) -> None:
        if max_queued < 1:
            raise ValueError("an event queue must hold at least one event")
        self._wire = wire
        self._max_queued = max_queued
        self._bodies: deque[bytes] = deque()
        self._ready = gevent.event.Event()
        self._room = gevent.event.Event()
        self._stopped = False
        wire.on_event = self._put
        wire.on_gone = self._ready.set

    def __len__(self) -> int:
        return len(self._bodies)

    def _put(self, body: bytes) -> None:
        while len(self._bodies) >= self._max_queued and not self._stopped:
            self._room.clear()
            self._room.wait()
        if self._stopped:
            return
        self._bodies.append(body)
        if not self._ready.is_set():
            self._ready.set()

    def stop(self) -> None:
        """Drop what comes from now on, so that a full queue does not hold up the goodbye."""
        self._stopped = True
        self._room.set()

    def take(self, limit: int, *, timeout: float) -> list[bytes]:
        """Return up to `limit` events as the bytes of their JSON: the fast way.

        Waits at most `timeout` seconds for the first one; an empty list means that none came.
        Raises what ended the session (SwitchUnreachableError, ...) once nothing is left.
        """
        bodies = self._bodies
        if not bodies:
            self._ready.clear()
            self._room.set()
            if self._wire.failure is None:
                self._ready.wait(timeout)
            if not bodies:
                self._wire.raise_if_gone()
                return []
        taken = [bodies.popleft() for _ in range(min(limit, len(bodies)))]
        if len(bodies) <= self._max_queued // 2 and not self._room.is_set():
            self._room.set()
        return taken

    def get(self, *, timeout: float) -> dict[str, Any] | None:
        """Return the next event, or None when none came in `timeout` seconds. Raises as `take`.

        Raises SwitchProtocolError for an event that is not a JSON object; it is then used up.
        """
        taken = self.take(1, timeout=timeout)
        return decode_json_object(taken[0]) if taken else None


def decode_json_object(body: bytes) -> dict[str, Any]:
    """Decode an event, or an answer `as json`. Bytes that are not UTF-8 become U+FFFD.

    A caller's display name can hold any bytes, and FreeSWITCH passes them on: one such call must
    not cost its record. Raises SwitchProtocolError for what is not a JSON object.
    """
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        value = _decode_leniently(body)
    if not isinstance(value, dict):
        raise SwitchProtocolError(f"not a JSON object: {body[:60].decode('latin-1')!a}")
    return value


def _decode_leniently(body: bytes) -> object:
    try:
        value = json.loads(body.decode("utf-8", "replace"), strict=False)
        # Half a surrogate pair (`\ud800`) is a str that nothing could write out again.
        return orjson.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None


def _reply_text(frame: Frame) -> str:
    if frame.content_type == "command/reply":
        return frame.headers.get("Reply-Text", "")
    return frame.body.decode("utf-8", "replace")
