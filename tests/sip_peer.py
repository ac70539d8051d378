"""A SIP phone, trunk or outside caller that the test itself plays, message by message.

sipp plays one dialogue at a time; who transfers a call with consultation has two. No audio is
sent. Each wait ends by itself: a socket that hears nothing for SECONDS raises CallFailedError.
"""

from __future__ import annotations

import hashlib
import re
import socket
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from sip_phone import CallFailedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from real_switch import RealSwitch

SECONDS = 20
_QUOTED = re.compile(r'(\w+)="([^"]*)"')
_SDP = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
_MEDIA = "m=audio 40000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"


@dataclass(frozen=True)
class Message:
    """One SIP message; header names are in lower case, the first of each name counts."""

    first_line: str
    headers: dict[str, str]
    vias: str
    body: str

    @classmethod
    def parse(cls, data: bytes) -> Self:
        head, _, body = data.decode("utf-8", "replace").partition("\r\n\r\n")
        first, *lines = head.split("\r\n")
        headers: dict[str, str] = {}
        for line in lines:
            name, _, value = line.partition(":")
            headers.setdefault(name.strip().lower(), value.strip())
        vias = "".join(f"{line}\r\n" for line in lines if line.lower().startswith("via:"))
        return cls(first, headers, vias, body)

    @property
    def status(self) -> int:
        """The code of a response; 0 for a request."""
        words = self.first_line.split(" ")
        return int(words[1]) if words[0] == "SIP/2.0" else 0

    @property
    def method(self) -> str:
        """The method of a request, or of what a response answers."""
        return self.headers["cseq"].split(" ")[1]

    @property
    def uri(self) -> str:
        return self.first_line.split(" ")[1]

    @property
    def user(self) -> str:
        return self.uri.removeprefix("sip:").partition("@")[0]


@dataclass
class Dialogue:
    """One call of a peer: both ends' From or To with their tags, and where requests go."""

    call_id: str
    ours: str
    theirs: str
    target: str
    sequence: int = 1

    @property
    def replaces(self) -> str:
        """This dialogue as the Replaces of a Refer-To, for the switch that is the other end."""
        ours, theirs = (text.partition("tag=")[2] for text in (self.ours, self.theirs))
        return f"{self.call_id}%3Bto-tag%3D{theirs}%3Bfrom-tag%3D{ours}"


@dataclass
class SipPeer:
    """One socket, and what arrives at it. BYE, NOTIFY and OPTIONS are answered by themselves."""

    switch: RealSwitch
    user: str
    password: str | None = None
    port: int = 0
    seen: list[Message] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._socket = socket.socket(type=socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", self.port))
        self._socket.settimeout(SECONDS)
        self.port = self._socket.getsockname()[1]
        inside = self.password is not None
        self._far = self.switch.internal_port if inside else self.switch.external_port

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def register(self) -> None:
        uri = f"sip:{self.switch.domain}"
        me = f"<sip:{self.user}@{self.switch.domain}>"
        where = Dialogue(uuid.uuid4().hex, f"{me};tag={uuid.uuid4().hex}", me, uri)
        extra = ("Expires: 600",)
        answer = self._ask("REGISTER", where, extra)
        assert answer.status == 200, answer.first_line

    def call(self, number: str) -> Dialogue:
        """Call a number and return once it is answered. Raises CallFailedError otherwise."""
        uri = f"sip:{number}@{self.switch.domain}:{self._far}"
        host = self.switch.domain
        me = f"<sip:{self.user}@{host}>;tag={uuid.uuid4().hex}"
        dialogue = Dialogue(uuid.uuid4().hex, me, f"<{uri}>", uri)
        answer = self._ask("INVITE", dialogue, ("Content-Type: application/sdp",), _SDP + _MEDIA)
        if answer.status != 200:
            raise CallFailedError(answer.first_line)
        dialogue.theirs = answer.headers["to"]
        dialogue.target = _address(answer.headers["contact"])
        self._send("ACK", dialogue, dialogue.sequence)
        return dialogue

    def wait_invite(self) -> Message:
        """Return the next call that arrives."""
        return self.wait(lambda message: not message.status and message.method == "INVITE")

    def answer(self) -> Dialogue:
        """Take the next call."""
        invite = self.wait_invite()
        ours = f"{invite.headers['to']};tag={uuid.uuid4().hex}"
        self._respond(invite, "200 OK", ours, _SDP + _MEDIA)
        self.wait(lambda message: not message.status and message.method == "ACK")
        target = _address(invite.headers["contact"])
        return Dialogue(invite.headers["call-id"], ours, invite.headers["from"], target)

    def ring(self, *, early: bool = False) -> Message:
        """Ring for the next call, or with `early` send media of its own, and leave it at that."""
        invite = self.wait_invite()
        status, body = ("183 Session Progress", _SDP + _MEDIA) if early else ("180 Ringing", "")
        self._respond(invite, status, _ringing(invite), body)
        return invite

    def wait_cancel(self, invite: Message) -> str:
        """Wait until a call that rings is given up; return the reason that is told."""
        call = invite.headers["call-id"]
        cancel = self.wait(
            lambda message: (
                message.first_line.startswith("CANCEL ") and message.headers["call-id"] == call
            )
        )
        self._respond(invite, "487 Request Terminated", _ringing(invite))
        return cancel.headers.get("reason", "")

    def redirect(self, contact: str) -> Message:
        """Answer the next call with 302, to a contact's URI."""
        invite = self.wait_invite()
        ours = f"{invite.headers['to']};tag={uuid.uuid4().hex}"
        self._respond(invite, "302 Moved Temporarily", ours, contact=contact)
        self.wait(lambda message: not message.status and message.method == "ACK")
        return invite

    def refuse(self) -> Message:
        """Answer the next call with 486."""
        invite = self.wait_invite()
        self._respond(invite, "486 Busy Here", f"{invite.headers['to']};tag={uuid.uuid4().hex}")
        self.wait(lambda message: not message.status and message.method == "ACK")
        return invite

    def refer(self, dialogue: Dialogue, to: str, more: str = "") -> int:
        """Ask the switch to send the other end elsewhere; return what it answers.

        `more` is appended to the URI in Refer-To.
        """
        lines = (
            f"Refer-To: <sip:{to}@{self.switch.domain}{more}>",
            f"Referred-By: <sip:1021@{self.switch.domain}>",
        )
        return self._ask("REFER", dialogue, lines).status

    def hang_up(self, dialogue: Dialogue) -> None:
        self._ask("BYE", dialogue)

    def wait_bye(self) -> None:
        """Wait for the switch to end a call of this peer."""
        self.wait(lambda message: not message.status and message.method == "BYE")

    def wait(self, wanted: Callable[[Message], bool]) -> Message:
        """Return the next message that is wanted, those that came meanwhile first."""
        while True:
            for message in self.seen:
                if wanted(message):
                    self.seen.remove(message)
                    return message
            self._read()

    def _read(self) -> None:
        try:
            data = self._socket.recv(65535)
        except TimeoutError:
            raise CallFailedError(f"{self.user}: nothing came for {SECONDS} s") from None
        message = Message.parse(data)
        again = (message.first_line, message.headers["cseq"], message.headers["call-id"])
        if not message.status and message.method in ("BYE", "NOTIFY", "OPTIONS", "CANCEL"):
            self._respond(message, "200 OK", message.headers["to"])
        if all(again != (m.first_line, m.headers["cseq"], m.headers["call-id"])
               for m in self.seen):  # fmt: skip
            self.seen.append(message)

    def _ask(
        self, method: str, dialogue: Dialogue, extra: tuple[str, ...] = (), body: str = ""
    ) -> Message:
        """Send a request and return its final answer; a challenge is answered."""
        answer = self._exchange(method, dialogue, extra, body)
        if answer.status in (401, 407) and self.password is not None:
            if method == "INVITE":
                unanswered = Dialogue(
                    dialogue.call_id, dialogue.ours, answer.headers["to"], dialogue.target
                )
                self._send("ACK", unanswered, dialogue.sequence)
            proof = self._prove(method, dialogue.target, answer)
            answer = self._exchange(method, dialogue, (*extra, proof), body)
        return answer

    def _exchange(
        self, method: str, dialogue: Dialogue, extra: tuple[str, ...], body: str
    ) -> Message:
        dialogue.sequence += 1
        cseq = f"{dialogue.sequence} {method}"
        self._send(method, dialogue, dialogue.sequence, extra, body)
        return self.wait(
            lambda message: (
                message.status >= 200
                and message.headers["cseq"] == cseq
                and message.headers["call-id"] == dialogue.call_id
            )
        )

    def _prove(self, method: str, uri: str, challenge: Message) -> str:
        name = "www-authenticate" if challenge.status == 401 else "proxy-authenticate"
        given = dict(_QUOTED.findall(challenge.headers[name]))
        first = _md5(f"{self.user}:{given['realm']}:{self.password}")
        second = _md5(f"{method}:{uri}")
        response = _md5(f"{first}:{given['nonce']}:00000001:c:auth:{second}")
        kind = "Authorization" if challenge.status == 401 else "Proxy-Authorization"
        return (
            f'{kind}: Digest username="{self.user}", realm="{given["realm"]}", '
            f'nonce="{given["nonce"]}", uri="{uri}", response="{response}", algorithm=MD5, '
            'qop=auth, nc=00000001, cnonce="c"'
        )

    def _send(
        self, method: str, dialogue: Dialogue, number: int,
        extra: tuple[str, ...] = (), body: str = "",
    ) -> None:  # fmt: skip
        lines = [
            f"{method} {dialogue.target} SIP/2.0",
            f"Via: SIP/2.0/UDP 127.0.0.1:{self.port};branch=z9hG4bK{uuid.uuid4().hex};rport",
            "Max-Forwards: 70",
            f"From: {dialogue.ours}",
            f"To: {dialogue.theirs}",
            f"Call-ID: {dialogue.call_id}",
            f"CSeq: {number} {method}",
            f"Contact: <sip:{self.user}@127.0.0.1:{self.port}>",
            *extra,
            f"Content-Length: {len(body)}",
        ]
        self._put("\r\n".join([*lines, "", body]))

    def _respond(
        self, request: Message, status: str, to: str, body: str = "", contact: str = ""
    ) -> None:
        where = contact or f"sip:{self.user}@127.0.0.1:{self.port}"
        lines = [f"{name.title()}: {request.headers[name]}" for name in ("from", "call-id", "cseq")]
        kind = "Content-Type: application/sdp\r\n" if body else ""
        self._put(
            f"SIP/2.0 {status}\r\n{request.vias}To: {to}\r\n"
            + "".join(f"{line}\r\n" for line in lines)
            + f"Contact: <{where}>\r\n{kind}Content-Length: {len(body)}\r\n\r\n{body}"
        )

    def _put(self, text: str) -> None:
        self._socket.sendto(text.encode(), ("127.0.0.1", self._far))


def _ringing(invite: Message) -> str:
    """Return the To of a phone that rings, the same in each response."""
    return f"{invite.headers['to']};tag={_md5(invite.headers['call-id'])}"


def _address(contact: str) -> str:
    found = re.search(r"<([^>]*)>", contact)
    return found[1] if found else contact


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
