"""greenswitch's inbound connection, hardened: our frame reader, bounded waits, no lost waiters.

What is replaced, because greenswitch 0.0.19 would: wait for ever for a greeting or a reply, leave
commands waiting when the peer goes away, speak IPv4 only, and percent-decode `event plain` before
splitting it into lines, which lets any caller forge event headers. `event plain` is never decoded
here: such frames are dropped.
"""

from __future__ import annotations

import contextlib
import socket
from collections import deque
from io import BytesIO
from typing import TYPE_CHECKING, Any

import gevent
import gevent.event
import gevent.lock
import gevent.socket
from greenswitch.esl import InboundESL

from fsgitops.errors import (
    SwitchAuthError,
    SwitchError,
    SwitchProtocolError,
    SwitchTimeoutError,
    SwitchUnreachableError,
)
from fsgitops.esl.frames import Body, Frame, FrameReader, PassedOn

if TYPE_CHECKING:
    from collections.abc import Callable

_RECEIVE_BYTES = 262_144
_RECEIVES_PER_TURN = 4
_SHORTEST_SLEEP = 1e-6
_KEEPALIVE = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3}


class Pending:
    """Commands sent in one piece, and their replies so far, in order.

    With a `sink`, there is one, and its answer is handed on to that.
    """

    __slots__ = ("count", "ready", "replies", "sink")

    def __init__(self, count: int, sink: Callable[[bytes], None] | None = None) -> None:
        self.count = count
        self.sink = sink
        self.replies: list[Frame] = []
        self.ready = gevent.event.Event()

    def complete(self) -> bool:
        """Tell whether every reply is here."""
        return len(self.replies) >= self.count


class Wire(InboundESL):  # type: ignore[misc]  # greenswitch has no type hints
    """One connection. Raises only SwitchError kinds, each naming the peer as `host:port`."""

    def __init__(
        self, host: str, port: int, *, connect_timeout: float, reply_timeout: float
    ) -> None:
        # The password is passed to `authenticate` and not kept, so nothing can print it later.
        super().__init__(host, port, password=None, timeout=connect_timeout)
        self.sock: Any = None
        self.place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self.reply_timeout = reply_timeout
        self.failure: SwitchError | None = None
        self.on_event: Callable[[bytes], None] | None = None
        self.on_gone: Callable[[], None] | None = None
        self._commands_sent: deque[Pending] = deque()
        self._sending = gevent.lock.BoundedSemaphore(1)

    def connect(self) -> None:
        """Connect over IPv6 or IPv4, and wait for the greeting. Both waits are bounded.

        Raises SwitchUnreachableError, SwitchTimeoutError, SwitchAuthError (the switch's ACL
        refused this address) or SwitchProtocolError.
        """
        self.sock = self._open_socket()
        self.connected = True
        # One greenlet reads. greenswitch's second, polling one is not needed.
        self._receive_events_greenlet = gevent.spawn(self.receive_events)
        if not self._auth_request_event.wait(self.reply_timeout) and self.failure is None:
            self.fail(
                SwitchTimeoutError(
                    f"connected, but no greeting within {self.reply_timeout:g} s. Expected "
                    "FreeSWITCH's `auth/request`: is this the port of mod_event_socket?"
                )
            )
        self.raise_if_gone()

    def _open_socket(self) -> gevent.socket.socket:
        limit = gevent.Timeout(self.timeout)
        try:
            with limit:
                sock = gevent.socket.create_connection((self.host, self.port))
        except gevent.Timeout as expired:
            if expired is not limit:
                raise
            raise SwitchTimeoutError(
                f"{self.place}: no connection within {self.timeout:g} s. Check the address, and "
                "whether a firewall drops the packets."
            ) from None
        except (OSError, ValueError, OverflowError) as exc:
            raise SwitchUnreachableError(
                f"{self.place}: cannot connect: {_reason(exc)}. Expected FreeSWITCH's event "
                "socket: check that FreeSWITCH runs, and listen-ip and listen-port in "
                "event_socket.conf.xml."
            ) from None
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # A switch that loses power sends no FIN: without this a quiet event session never ends.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in _KEEPALIVE.items():
            if hasattr(socket, name):
                sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
        return sock

    def authenticate(self, password: str = "") -> None:
        """Log in. Raises SwitchAuthError when the switch says that the password is wrong."""
        try:
            frame = self.request(command_bytes(f"auth {password}"), 1, self.reply_timeout)[0]
        except (SwitchProtocolError, SwitchUnreachableError) as exc:
            # What the peer said is not quoted: an echo service repeats the password.
            what = "was answered with something that is not ESL"
            if isinstance(exc, SwitchUnreachableError):
                what = "made the peer end the connection"
            raise type(exc)(
                f"{self.place}: the log-in {what}. Expected `+OK accepted` or `-ERR invalid` "
                "from FreeSWITCH: is this the port of mod_event_socket?"
            ) from None
        if frame.headers.get("Reply-Text") != "+OK accepted":
            raise SwitchAuthError(
                f"{self.place}: wrong ESL password: expected the `password` of "
                "event_socket.conf.xml. Check where this target takes its password from."
            )

    def receive_events(self) -> None:
        """Read frames until the connection ends; then release everybody who waits."""
        reader = FrameReader(self._open_body)
        space = memoryview(bytearray(_RECEIVE_BYTES))
        turns = 0
        try:
            while self._run:
                size = self.sock.recv_into(space)
                if not size:
                    cut = " in the middle of a message" if reader.inside_frame else ""
                    raise SwitchUnreachableError(
                        f"the switch closed the connection{cut}. Check that FreeSWITCH still runs."
                    )
                for frame in reader.frames(space[:size]):
                    self.handle_event(frame)
                turns += 1
                if turns % _RECEIVES_PER_TURN == 0:
                    # A peer that sends without pause must not keep the time limits of others
                    # from running out. sleep(0) would not do: gevent looks at its timers only
                    # after fifty such turns.
                    gevent.sleep(_SHORTEST_SLEEP)
        except SwitchError as exc:
            self.fail(exc)
        except OSError as exc:
            self.fail(SwitchUnreachableError(f"the connection broke: {_reason(exc)}"))
        finally:
            self.fail(SwitchUnreachableError("the session is closed"))

    def _open_body(self, kind: str) -> Body:
        sink = self._commands_sent[0].sink if self._commands_sent else None
        return PassedOn(sink) if sink and kind == "api/response" else BytesIO()

    def handle_event(self, frame: Frame) -> None:
        """Pass one frame on. Events are only handed to `on_event`, which enqueues."""
        kind = frame.content_type
        if kind == "text/event-json":
            if self.on_event is not None:
                self.on_event(frame.body)
        elif kind in ("api/response", "command/reply"):
            self._take_reply(frame)
        elif kind == "auth/request":
            self._auth_request_event.set()
        elif kind == "text/disconnect-notice":
            said = frame.body.decode("utf-8", "replace").split("\n", 1)[0]
            raise SwitchUnreachableError(f"the switch ended the session: {said[:80]!a}")
        elif kind == "text/rude-rejection":
            said = frame.body.decode("utf-8", "replace").strip()
            raise SwitchAuthError(
                "refused by the switch's ACL, whatever the password: the switch said "
                f"{said[:80]!a}. Add this machine's address to the list that "
                "`apply-inbound-acl` of event_socket.conf.xml names."
            )

    def _take_reply(self, frame: Frame) -> None:
        if not self._commands_sent:
            raise SwitchProtocolError("a reply came to a command that was never sent")
        pending = self._commands_sent[0]
        pending.replies.append(frame)
        if pending.complete():
            self._commands_sent.popleft()
            pending.ready.set()

    def transmit(
        self,
        payload: bytes,
        count: int,
        timeout: float,
        sink: Callable[[bytes], None] | None = None,
    ) -> Pending:
        """Send `count` commands in one piece, within `timeout` seconds, without awaiting replies.

        A send that stalls half-way leaves half a command behind, so it ends the session.
        """
        self.raise_if_gone()
        pending = Pending(count, sink)
        limit = gevent.Timeout(timeout)
        try:
            with limit, self._sending:
                # A reply belongs to the oldest command, so this and the sending are one act.
                self._commands_sent.append(pending)
                self.sock.sendall(payload)
        except gevent.Timeout as expired:
            if expired is not limit:
                raise
            self.fail(SwitchTimeoutError(f"the switch takes no command within {timeout:g} s"))
        except OSError as exc:
            self.fail(SwitchUnreachableError(f"the connection broke: {_reason(exc)}"))
        self.raise_if_gone()
        return pending

    def collect(self, pending: Pending, timeout: float) -> list[Frame]:
        """Return all replies. `timeout` seconds without one more reply is the limit.

        After a time-out the session stays usable: the late reply still counts as that command's.
        """
        while not pending.complete():
            self.raise_if_gone()
            so_far = len(pending.replies)
            if not pending.ready.wait(timeout) and len(pending.replies) == so_far:
                raise SwitchTimeoutError(
                    f"{self.place}: no reply within {timeout:g} s. The switch is connected but "
                    "busy or stuck; raise the time limit if it is only slow."
                )
        return pending.replies

    def request(self, payload: bytes, count: int, timeout: float) -> list[Frame]:
        """Send and collect. Raises SwitchTimeoutError, SwitchUnreachableError, SwitchError."""
        return self.collect(self.transmit(payload, count, timeout), timeout)

    def raise_if_gone(self) -> None:
        """Raise what ended the session, anew each time, if it has ended."""
        if self.failure is not None:
            raise type(self.failure)(str(self.failure))

    def fail(self, error: SwitchError) -> None:
        """End the session: the first reason counts, and everybody who waits learns it now."""
        if self.failure is not None:
            return
        self.failure = type(error)(f"{self.place}: {error}")
        self.connected = False
        self._run = False
        if self.sock is not None:
            with contextlib.suppress(OSError):
                self.sock.close()
        self._auth_request_event.set()
        for pending in self._commands_sent:
            pending.ready.set()
        self._commands_sent.clear()
        if self.on_gone is not None:
            self.on_gone()

    def stop(self) -> None:
        """Say `exit`, wait for the goodbye at most a second, close. Never raises SwitchError."""
        if self.failure is None:
            limit = min(self.reply_timeout, 1.0)
            with contextlib.suppress(SwitchError):
                self.request(b"exit\n\n", 1, limit)
        self.abort()

    def abort(self) -> None:
        """Close without a word."""
        self.fail(SwitchUnreachableError("the session is closed"))
        if self._receive_events_greenlet is not None:
            self._receive_events_greenlet.kill(timeout=1.0)


def command_bytes(command: str) -> bytes:
    """Return the bytes of one command.

    Raises ValueError for CR, LF or NUL, with which a value would become a second command or a
    header; for an empty command, which the switch never answers; and for lone surrogates. The
    message does not repeat the command, which may be a password.
    """
    if any(sign in command for sign in "\r\n\0"):
        raise ValueError("an ESL command must not contain CR, LF or NUL")
    if not command.strip():
        raise ValueError("an ESL command must not be empty")
    try:
        return command.encode() + b"\n\n"
    except UnicodeEncodeError:
        raise ValueError("an ESL command must be text that UTF-8 can hold") from None


def _reason(exc: Exception) -> str:
    return str(getattr(exc, "strerror", None) or exc)
