"""One ESL connection to the embedded switch, from the greeting to the farewell, and its events."""

from __future__ import annotations

import contextlib
import hmac
import json
import re
import socket
import struct
import threading
import uuid
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from fsgitops.sandbox.answers import answer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from fsgitops.sandbox.loaded import Printing, SwitchMemory

MAX_COMMAND = 64 * 1024
MAX_BODY = 1024 * 1024
LOGIN_SECONDS = 25.0
SEND_SECONDS = 30
GOODBYE = b"Disconnected, goodbye.\nSee you at ClueCon! http://www.cluecon.com/\n"

# A peer that stops reading must not hold a thread, or everybody else's events, for ever.
_SEND_LIMIT = struct.pack("ll", SEND_SECONDS, 0)
_END = re.compile(rb"\n\r*\n")
_LEVELS = ("console", "alert", "crit", "err", "warning", "notice", "info", "debug")


class _Command(NamedTuple):
    line: str
    headers: dict[str, str]


class Session:
    """Reads commands until the peer leaves or misbehaves. `run` never raises."""

    def __init__(
        self,
        peer: socket.socket,
        memory: SwitchMemory,
        password: str,
        announce: Callable[[str, Mapping[str, str], str | None], None],
    ) -> None:
        self._peer = peer
        self._memory = memory
        self._password = password
        self._announce = announce
        self._buffer = b""
        self._sending = threading.Lock()
        self._known = False
        self._leaving = False
        self._style = "plain"
        self._events: set[str] = set()

    def run(self) -> None:
        """Serve the connection to its end."""
        with contextlib.suppress(OSError, ConnectionError), self._peer:
            self._peer.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _SEND_LIMIT)
            self._peer.settimeout(LOGIN_SECONDS)
            self._send(b"Content-Type: auth/request\n\n")
            while not self._leaving:
                command = self._read()
                if command is None:
                    break
                self._answer(command)
            notice = f"Content-Type: text/disconnect-notice\nContent-Length: {len(GOODBYE)}\n\n"
            self._send(notice.encode() + GOODBYE)

    def close(self) -> None:
        """End the connection from outside; `run` returns soon after."""
        with contextlib.suppress(OSError):
            self._peer.shutdown(socket.SHUT_RDWR)

    def deliver(self, name: str, headers: Mapping[str, str], body: str | None) -> None:
        """Send an event, if this connection asked for it."""
        wanted = {name, "ALL"}
        if name == "CUSTOM":
            wanted.add(headers.get("Event-Subclass", ""))
        if self._known and wanted & self._events:
            with contextlib.suppress(OSError):
                self._send(encode_event(self._style, headers, body))

    def _send(self, data: bytes, more: Iterable[bytes] = ()) -> None:
        with self._sending:
            self._peer.sendall(data)
            for piece in more:
                self._peer.sendall(piece)

    def _read(self) -> _Command | None:
        """Return the next command; None: the peer left, or sent more than a command may be."""
        while True:
            self._buffer = self._buffer.lstrip(b"\r\n")
            end = _END.search(self._buffer)
            if end is not None:
                head, self._buffer = self._buffer[: end.start()], self._buffer[end.end() :]
                command = _parse(head)
                return command if self._skip_body(command) else None
            if len(self._buffer) > MAX_COMMAND or not self._more():
                return None

    def _more(self) -> bool:
        chunk = self._peer.recv(65536)
        self._buffer += chunk
        return bool(chunk)

    def _skip_body(self, command: _Command) -> bool:
        """Read past a body that was announced; no command here has a use for one."""
        length = command.headers.get("content-length", "0").strip()
        if not length.isascii() or not length.isdigit() or len(length) > 9:
            return False
        left = int(length)
        if left > MAX_BODY:
            return False
        while len(self._buffer) < left:
            if not self._more():
                return False
        self._buffer = self._buffer[left:]
        return True

    def _answer(self, command: _Command) -> None:
        line = command.line
        verb = line.lower()
        if verb.startswith(("exit", "...")):
            self._leaving = True
            self._send(_reply_text("+OK bye"))
        elif not self._known:
            self._send(_reply_text(self._log_in(line)))
        elif verb.startswith("api "):
            name, _, argument = line[4:].partition(" ")
            self._respond(answer(self._memory, name, argument))
        elif verb.startswith("bgapi "):
            self._run_in_background(line[6:], command.headers)
        else:
            self._send(_reply_text(self._control(line)))

    def _respond(self, body: str | Printing) -> None:
        """Send what an API command answers; what is printed of the tree goes piece by piece."""
        data = _bytes(body) if isinstance(body, str) else b""
        size = len(data) if isinstance(body, str) else body.size()
        head = f"Content-Type: api/response\nContent-Length: {size}\n\n".encode()
        self._send(head + data, () if isinstance(body, str) else body)

    def _log_in(self, line: str) -> str:
        if line.lower().startswith("auth "):
            given = line[5:].encode("utf-8", "surrogateescape")
            if hmac.compare_digest(given, self._password.encode()):
                self._known = True
                self._peer.settimeout(None)
                return "+OK accepted"
        elif not line.lower().startswith("userauth "):
            return "-ERR command not found"
        self._leaving = True
        return "-ERR invalid"

    def _run_in_background(self, line: str, headers: Mapping[str, str]) -> None:
        name, _, argument = line.partition(" ")
        job = headers.get("job-uuid") or str(uuid.uuid4())
        body = str(answer(self._memory, name, argument))
        facts = {"Job-UUID": job, "Job-Command": name}
        if argument:
            facts["Job-Command-Arg"] = argument
        reply = f"Content-Type: command/reply\nReply-Text: +OK Job-UUID: {job}\nJob-UUID: {job}\n\n"
        self._send(reply.encode("utf-8", "surrogateescape"))
        self._announce("BACKGROUND_JOB", facts, body)

    def _control(self, line: str) -> str:
        """Answer what is neither `api` nor `bgapi`: subscriptions and the like."""
        word, _, rest = line.partition(" ")
        verb = word.lower()
        if verb == "event":
            return self._subscribe(rest.split())
        if verb == "nixevent":
            return self._unsubscribe(rest.split())
        if verb == "noevents":
            listening, self._events = bool(self._events), set()
            return f"{'+OK no longer' if listening else '-ERR not'} listening for events"
        if verb == "log":
            level = rest.strip().lower() or "7"
            number = level if level.isdigit() else str(_index(level))
            return f"+OK log level {rest.strip()} [{number}]"
        if verb == "nolog":
            return "+OK no longer logging"
        if verb == "filter":
            name, _, value = rest.strip().removeprefix("add ").partition(" ")
            if name.lower() == "delete":
                name, _, value = value.partition(" ")
                return f"+OK filter deleted. [{name}][{value}]"
            return f"+OK filter added. [{name}]=[{value}]" if value else "-ERR invalid syntax"
        return "-ERR command not found"

    def _subscribe(self, words: list[str]) -> str:
        if words and words[0].lower() in FORMATS:
            self._style = words.pop(0).lower()
        names = _event_names(words)
        if not names:
            return "-ERR no keywords supplied"
        self._events |= names
        return f"+OK event listener enabled {self._style}"

    def _unsubscribe(self, words: list[str]) -> str:
        names = _event_names(words)
        if not names:
            return "-ERR no keywords supplied"
        self._events = set() if "ALL" in names else self._events - names
        return "+OK events nixed"


def _event_names(words: list[str]) -> set[str]:
    """Return the known event names; after CUSTOM every word is a subclass."""
    names: set[str] = set()
    for word in words:
        name = word if "CUSTOM" in names else event_name(word)
        if name:
            names.add(name)
    return names


def _index(level: str) -> int:
    return _LEVELS.index(level) if level in _LEVELS else 7


def _parse(head: bytes) -> _Command:
    lines = re.split(r"[\r\n]+", head.decode("utf-8", "surrogateescape"))
    headers: dict[str, str] = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if colon:
            headers.setdefault(name.lower(), value.lstrip(" "))
    return _Command(lines[0], headers)


def _reply_text(text: str) -> bytes:
    reply = f"Content-Type: command/reply\nReply-Text: {text}\n\n"
    return reply.encode("utf-8", "surrogateescape")


_NAMES = """
CUSTOM CLONE CHANNEL_CREATE CHANNEL_DESTROY CHANNEL_STATE CHANNEL_CALLSTATE CHANNEL_ANSWER
CHANNEL_HANGUP CHANNEL_HANGUP_COMPLETE CHANNEL_EXECUTE CHANNEL_EXECUTE_COMPLETE CHANNEL_HOLD
CHANNEL_UNHOLD CHANNEL_BRIDGE CHANNEL_UNBRIDGE CHANNEL_PROGRESS CHANNEL_PROGRESS_MEDIA
CHANNEL_OUTGOING CHANNEL_PARK CHANNEL_UNPARK CHANNEL_APPLICATION CHANNEL_ORIGINATE CHANNEL_UUID
API LOG INBOUND_CHAN OUTBOUND_CHAN STARTUP SHUTDOWN PUBLISH UNPUBLISH TALK NOTALK SESSION_CRASH
MODULE_LOAD MODULE_UNLOAD DTMF MESSAGE PRESENCE_IN NOTIFY_IN PRESENCE_OUT PRESENCE_PROBE
MESSAGE_WAITING MESSAGE_QUERY ROSTER CODEC BACKGROUND_JOB DETECTED_SPEECH DETECTED_TONE
PRIVATE_COMMAND HEARTBEAT TRAP ADD_SCHEDULE DEL_SCHEDULE EXE_SCHEDULE RE_SCHEDULE RELOADXML
NOTIFY PHONE_FEATURE PHONE_FEATURE_SUBSCRIBE SEND_MESSAGE RECV_MESSAGE REQUEST_PARAMS
CHANNEL_DATA GENERAL COMMAND SESSION_HEARTBEAT CLIENT_DISCONNECTED SERVER_DISCONNECTED SEND_INFO
RECV_INFO RECV_RTCP_MESSAGE SEND_RTCP_MESSAGE CALL_SECURE NAT RECORD_START RECORD_STOP
PLAYBACK_START PLAYBACK_STOP CALL_UPDATE FAILURE SOCKET_DATA MEDIA_BUG_START MEDIA_BUG_STOP
CONFERENCE_DATA_QUERY CONFERENCE_DATA CALL_SETUP_REQ CALL_SETUP_RESULT CALL_DETAIL DEVICE_STATE
TEXT SHUTDOWN_REQUESTED CERT_RELOAD ALL
"""
NAMES = frozenset(_NAMES.split())
FORMATS = ("plain", "json", "xml")


def event_name(word: str) -> str | None:
    """Return the event that `word` names, in upper case; None: no such event."""
    name = word.upper().removeprefix("SWITCH_EVENT_")
    return name if name in NAMES else None


def encode_event(style: str, headers: Mapping[str, str], body: str | None) -> bytes:
    """Return the whole frame of an event. `plain` values are percent-encoded."""
    values = dict(headers)
    if body is not None:
        values["Content-Length"] = str(len(_bytes(body)))
    if style == "json":
        payload = _bytes(
            json.dumps(values | ({} if body is None else {"_body": body}), ensure_ascii=False)
        )
    else:
        lines = (f"{key}: {quote(_bytes(value), safe=_SAFE)}\n" for key, value in values.items())
        payload = _bytes("".join(lines) + "\n" + (body or ""))
        style = "plain"
    head = f"Content-Length: {len(payload)}\nContent-Type: text/event-{style}\n\n"
    return head.encode() + payload


_SAFE = "!*'();:@&=+$,/?[]"


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
