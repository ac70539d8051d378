"""An event socket on loopback that does what a script says: the truth, a replay, or mischief."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from typing import TYPE_CHECKING

from fsgitops.esl.session import EslSession, connect_esl
from fsgitops.switch.client import Switch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

GREETING = b"Content-Type: auth/request\n\n"
ACCEPTED = b"Content-Type: command/reply\nReply-Text: +OK accepted\n\n"
REFUSED = b"Content-Type: command/reply\nReply-Text: -ERR invalid\n\n"
BYE = b"Content-Type: command/reply\nReply-Text: +OK bye\n\n"
RUDE = b"Content-Type: text/rude-rejection\nContent-Length: 24\n\nAccess Denied, go away.\n"
NOTICE = b"Content-Type: text/disconnect-notice\nContent-Length: 13\n\nDisconnected\n"
PIECES = [
    b"\n",
    b"\n\n",
    b"Content-Type: api/response\n",
    b"Content-Length: 3\n",
    b"Content-Length: -1\n",
    b"abc",
    b"Content-Type: api/response\nContent-Length: 1\n\nx",
    GREETING,
    ACCEPTED,
    NOTICE,
]
"""What arbitrary bytes are mixed with, to get far enough to do harm."""

PASSWORD = "ClueCon-not"
_BOUND = 10.0


def api_response(body: str | bytes) -> bytes:
    data = body.encode() if isinstance(body, str) else body
    return b"Content-Type: api/response\nContent-Length: %d\n\n%s" % (len(data), data)


def reply(text: str) -> bytes:
    return f"Content-Type: command/reply\nReply-Text: {text}\n\n".encode()


def json_event(body: bytes) -> bytes:
    return b"Content-Length: %d\nContent-Type: text/event-json\n\n%s" % (len(body), body)


def connect(server: ScriptedEsl, limit: float = 0.2, password: str = PASSWORD) -> EslSession:
    """A session with the server; `limit` in seconds for connecting and for each reply."""
    return connect_esl(
        server.host, server.port, password, connect_timeout=limit, reply_timeout=limit
    )


def connect_switch(host: str, port: int, password: str, **limits: float) -> Switch:
    return Switch(connect_esl(host, port, password, **limits))


class Peer:
    """The server's end of one connection."""

    def __init__(self, conn: socket.socket) -> None:
        conn.settimeout(_BOUND)
        self.conn = conn
        self.received = b""
        self._unread = b""

    def send(self, *data: bytes) -> None:
        self.conn.sendall(b"".join(data))

    def read_command(self) -> str | None:
        """Return the next command; None once the client is gone."""
        while b"\n\n" not in self._unread:
            data = self.conn.recv(65536)
            if not data:
                return None
            self.received += data
            self._unread += data
        command, _, self._unread = self._unread.partition(b"\n\n")
        return command.decode()

    def hold(self) -> None:
        """Say nothing until the client goes away, or says that it will."""
        while self.read_command() not in (None, "exit"):
            pass

    def log_in(self) -> None:
        self.send(GREETING)
        self.read_command()
        self.send(ACCEPTED)


class ScriptedEsl:
    """Runs `script(peer)` for each connection, in a thread of its own; hangs up when it ends."""

    def __init__(self, script: Callable[[Peer], None], host: str = "127.0.0.1") -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, 0), family=family)
        self.host = host
        self.port = int(self._listener.getsockname()[1])
        self.peers: list[Peer] = []
        self._script = script
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def _accept(self) -> None:
        while True:
            try:
                conn, _ = self._listener.accept()
            except OSError:
                return
            peer = Peer(conn)
            self.peers.append(peer)
            thread = threading.Thread(target=self._serve, args=(peer,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, peer: Peer) -> None:
        with peer.conn, contextlib.suppress(OSError):
            self._script(peer)

    def join(self) -> None:
        """Wait until every script has ended."""
        for thread in self._threads[1:]:
            thread.join(_BOUND)

    def __enter__(self) -> ScriptedEsl:
        return self

    def __exit__(self, *_: object) -> None:
        # A blocked accept() only returns when the listening socket is shut down.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._threads[0].join(_BOUND)


def answering(replies: Mapping[str, str | bytes]) -> Callable[[Peer], None]:
    """A well-behaved switch: answers `api X` with replies[X], and events with +OK."""

    def script(peer: Peer) -> None:
        peer.log_in()
        while (command := peer.read_command()) is not None:
            if command == "exit":
                peer.send(BYE)
                return
            if command.startswith("api "):
                what = command.removeprefix("api ")
                missing = f"-ERR {what.split(' ')[0]} Command not found!\n"
                peer.send(api_response(replies.get(what, missing)))
            else:
                peer.send(reply("+OK event listener enabled json"))

    return script


def after_login(*data: bytes, hang_up: bool = False) -> Callable[[Peer], None]:
    """Log in, wait for one command, then send `data` whatever the command was."""

    def script(peer: Peer) -> None:
        peer.log_in()
        peer.read_command()
        peer.send(*data)
        if not hang_up:
            peer.hold()

    return script


def sending(data: bytes | Iterable[bytes], *, hang_up: bool = False) -> Callable[[Peer], None]:
    """Send `data` as soon as somebody connects."""
    pieces = [data] if isinstance(data, bytes) else list(data)

    def script(peer: Peer) -> None:
        for piece in pieces:
            peer.send(piece)
        if not hang_up:
            peer.hold()

    return script


def replies_of(path: Path) -> dict[str, str]:
    """The `api` commands of a capture and their answers."""
    rows = json.loads(path.read_text())
    return {
        row["command"].removeprefix("api "): row["body"]
        for row in rows
        if row.get("command", "").startswith("api ")
    }
