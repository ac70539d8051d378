"""A provider that the test plays: it registers accounts by digest, and takes and makes calls.

It remembers what came in which order, and which binding of an account it holds. Each wait ends
when it has come to that, or fails after SECONDS.
"""

from __future__ import annotations

import hashlib
import re
import socket
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from sip_peer import Message

if TYPE_CHECKING:
    from collections.abc import Callable

SECONDS = 30
NONCE = "dcd98b7102dd2f0e8b11d0f600bfb0c0"
_QUOTED = re.compile(r'(\w+)=(?:"([^"]*)"|([^",\s]+))')
_SDP = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=audio 40000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"
)


@dataclass(frozen=True)
class Seen:
    """One REGISTER that was let in: how many seconds it is for, and when it came."""

    account: str
    expires: int
    at: float


@dataclass
class Registrar:
    """One socket, and a thread that answers what comes to it."""

    realm: str = "provider.example"
    passwords: dict[str, str] = field(default_factory=dict)
    registered: list[Seen] = field(default_factory=list)
    refused: int = 0
    bindings: dict[str, tuple[str, float]] = field(default_factory=dict)
    """The Contact of each account, and until when it is held."""
    seen: list[Message] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._socket = socket.socket(type=socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.sendto(b"", self._socket.getsockname())
        self._thread.join(SECONDS)
        self._socket.close()

    def wait(self, met: Callable[[], object]) -> None:
        """Return once it has come to that."""
        with self._changed:
            assert self._changed.wait_for(met, SECONDS), (self.registered, self.refused)

    def holds(self, account: str) -> bool:
        """Tell whether calls to an account would get to the switch now."""
        return self.bindings.get(account, ("", 0.0))[1] > time.monotonic()

    def count(self, method: str) -> int:
        """Return how many requests of a method came."""
        return sum(not item.status and item.method == method for item in self.seen)

    def call(self, account: str, number: str) -> None:
        """Call an account as a number of it, and return when the call is answered or refused."""
        contact, _ = self.bindings[account]
        host, _, port = contact.partition("@")[2].partition(";")[0].rpartition(":")
        mine = f"127.0.0.1:{self.port}"
        call_id = f"in-{number}-{len(self.seen)}"
        lines = (
            f"INVITE {contact} SIP/2.0",
            f"Via: SIP/2.0/UDP {mine};branch=z9hG4bK{call_id}",
            "Max-Forwards: 70",
            f"From: <sip:+12025550123@{mine}>;tag=f{call_id}",
            f"To: <sip:{number}@{host}>",
            f"Call-ID: {call_id}",
            "CSeq: 1 INVITE",
            f"Contact: <sip:{mine}>",
            "Content-Type: application/sdp",
            f"Content-Length: {len(_SDP)}",
        )
        data = "\r\n".join((*lines, "", _SDP)).encode()

        def answered() -> bool:
            mine = (item for item in self.seen if item.headers.get("call-id") == call_id)
            return any(item.status >= 200 for item in mine)

        self._socket.sendto(data, (host, int(port)))
        self.wait(answered)

    def _serve(self) -> None:
        while True:
            data, peer = self._socket.recvfrom(65536)
            if not data:
                return
            if not data.strip():
                continue
            message = Message.parse(data)
            with self._changed:
                self.seen.append(message)
                if not message.status:
                    self._answer(message, peer)
                self._changed.notify_all()

    def _answer(self, message: Message, peer: tuple[str, int]) -> None:
        if message.method == "REGISTER":
            self._register(message, peer)
        elif message.method == "INVITE":
            self._reply(message, peer, "200 OK", "Content-Type: application/sdp", body=_SDP)
        elif message.method != "ACK":
            self._reply(message, peer, "200 OK")

    def _register(self, message: Message, peer: tuple[str, int]) -> None:
        given = {
            name: quoted or plain
            for name, quoted, plain in _QUOTED.findall(message.headers.get("authorization", ""))
        }
        account = given.get("username", "")
        if not given or not self._is_right(given, message):
            self.refused += bool(given)
            challenge = (
                f'WWW-Authenticate: Digest realm="{self.realm}", nonce="{NONCE}", qop="auth"'
            )
            self._reply(message, peer, "401 Unauthorized", challenge)
            return
        now, expires = time.monotonic(), int(message.headers["expires"])
        contact = message.headers["contact"].partition("<")[2].partition(">")[0]
        known = self.bindings.get(account)
        if expires:
            self.bindings[account] = (contact, now + expires)
        elif known and known[0] == contact:
            del self.bindings[account]
        self.registered.append(Seen(account, expires, now))
        self._reply(message, peer, "200 OK", f"Contact: <{contact}>;expires={expires}")

    def _is_right(self, given: dict[str, str], message: Message) -> bool:
        def digest(*parts: str) -> str:
            return hashlib.md5(":".join(parts).encode(), usedforsecurity=False).hexdigest()

        account = given.get("username", "")
        first = digest(account, self.realm, self.passwords.get(account, "\0"))
        second = digest(message.method, given.get("uri", ""))
        middle = (given[name] for name in ("nc", "cnonce", "qop")) if "qop" in given else ()
        return given.get("response") == digest(first, NONCE, *middle, second)

    def _reply(
        self, message: Message, peer: tuple[str, int], status: str, *more: str, body: str = ""
    ) -> None:
        headers = message.headers
        to = headers["to"] if "tag=" in headers["to"] else f"{headers['to']};tag=registrar"
        lines = (
            f"SIP/2.0 {status}",
            f"{message.vias.rstrip()}",
            f"From: {headers['from']}",
            f"To: {to}",
            f"Call-ID: {headers['call-id']}",
            f"CSeq: {headers['cseq']}",
            *(() if message.method == "REGISTER" else (f"Contact: <sip:127.0.0.1:{self.port}>",)),
            *more,
            f"Content-Length: {len(body)}",
        )
        self._socket.sendto("\r\n".join((*lines, "", body)).encode(), peer)
