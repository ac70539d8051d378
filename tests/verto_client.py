"""A mod_verto client: JSON-RPC over a WebSocket, nothing but the standard library."""

from __future__ import annotations

import base64
import json
import os
import socket
import uuid
from typing import Any, Self

SECONDS = 20
_SDP = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n"
    "m=audio 40000 UDP/TLS/RTP/SAVPF 0\r\nc=IN IP4 127.0.0.1\r\na=rtcp:40000 IN IP4 127.0.0.1\r\n"
    "a=candidate:1 1 udp 2130706431 127.0.0.1 40000 typ host\r\n"
    "a=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\n"
    f"a=fingerprint:sha-256 {':'.join(['AA'] * 32)}\r\n"
    "a=setup:actpass\r\na=mid:0\r\na=sendrecv\r\na=rtcp-mux\r\na=rtpmap:0 PCMU/8000\r\n"
    "a=ssrc:1 cname:x\r\n"
)


class VertoClient:
    """One session. Each wait ends by itself after SECONDS."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), SECONDS)
        self._buffer = b""
        self.session = str(uuid.uuid4())
        key = base64.b64encode(os.urandom(16)).decode()
        self._socket.sendall(
            f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
            "Sec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        while b"\r\n\r\n" not in self._buffer:
            self._more()
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        assert b" 101 " in head.split(b"\r\n")[0], head

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def log_in(self, user: str, password: str) -> dict[str, Any]:
        """Log in and return the answer: with `result`, or with `error`."""
        return self.ask("login", {"login": user, "passwd": password, "loginParams": {}})

    def call(self, user: str, number: str) -> dict[str, Any]:
        """Ask for a call, and return the answer: with `result`, or with `error`."""
        dialogue = {
            "callID": str(uuid.uuid4()), "destination_number": number, "login": user,
            "caller_id_name": "x", "caller_id_number": "x", "remote_caller_id_number": number,
        }  # fmt: skip
        return self.ask("verto.invite", {"sdp": _SDP, "dialogParams": dialogue})

    def ask(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        """Send one request and return its answer; what the switch says meanwhile is passed over."""
        number = uuid.uuid4().hex
        request = {
            "jsonrpc": "2.0", "method": method, "id": number,
            "params": {**params, "sessid": self.session},
        }  # fmt: skip
        self._send(json.dumps(request).encode())
        while True:
            message = json.loads(self._receive())
            if message.get("id") == number:
                return dict(message)

    def _send(self, text: bytes) -> None:
        mask = os.urandom(4)
        masked = bytes(byte ^ mask[at % 4] for at, byte in enumerate(text))
        size = len(text)
        length = bytes([0x80 | size]) if size < 126 else b"\xfe" + size.to_bytes(2, "big")
        self._socket.sendall(b"\x81" + length + mask + masked)

    def _receive(self) -> bytes:
        first, size = self._take(2)
        size &= 0x7F
        if size >= 126:
            size = int.from_bytes(self._take(2 if size == 126 else 8), "big")
        body = self._take(size)
        if first & 0x0F == 8:
            raise ConnectionError("the switch closed the session")
        return body if first & 0x0F == 1 else self._receive()

    def _take(self, count: int) -> bytes:
        while len(self._buffer) < count:
            self._more()
        taken, self._buffer = self._buffer[:count], self._buffer[count:]
        return taken

    def _more(self) -> None:
        chunk = self._socket.recv(65536)
        if not chunk:
            raise ConnectionError("the switch hung up")
        self._buffer += chunk
