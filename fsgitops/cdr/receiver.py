"""HTTP: mod_json_cdr's POST target, `/healthz` and `/metrics`.

A post is answered 200 only when its record is synced in the spool. Anything else makes
mod_json_cdr try again, or put the document into its `err-log-dir`.
"""

from __future__ import annotations

import base64
import contextlib
import hmac
import http.client
import json
import logging
import re
import socket
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, cast

from fsgitops.cdr.ingest import Road, Submission
from fsgitops.cdr.json_cdr import decode_document
from fsgitops.cdr.log import say
from fsgitops.cdr.record import MAX_EVENT, RecordError

if TYPE_CHECKING:
    from collections.abc import Callable

    from fsgitops.cdr.ingest import Ingest
    from fsgitops.cdr.quarantine import Quarantine
    from fsgitops.cdr.record import RecordBuilder

_MAX_HEAD = 16 * 1024
_MAX_BODY = MAX_EVENT
MAX_BODIES = 128 * 1024 * 1024
_MAX_AT_ONCE = 32
MAX_CONNECTIONS = 256
_SYNC_WAIT = 10.0
# How long each part of a request may take in all; a stranger gets no further than the head.
HEAD_SECONDS = 10.0
BODY_SECONDS = 20.0
_LINGER_SECONDS = 2.0
_LINGER_CHUNKS = 8
CHUNK = 64 * 1024
_END_SECONDS = 5.0
_PATIENCE = 60.0


class Receiver(Road):
    """The HTTP server; each connection has a thread of its own beside the one that takes them."""

    def __init__(
        self,
        place: tuple[str, int],
        ingest: Ingest,
        builder: RecordBuilder,
        quarantine: Quarantine,
        health: Callable[[], tuple[bool, dict[str, Any]]],
    ) -> None:
        """Bind. Raises OSError."""
        super().__init__("http", ingest, builder, quarantine, _PATIENCE)
        self.health = health
        # As mod_json_cdr's `cred`: `user:password`.
        credential = self.options.http_credential
        self.expected = (
            b"Basic " + base64.b64encode(credential.encode()) if credential is not None else None
        )
        self.slots = threading.BoundedSemaphore(_MAX_AT_ONCE)
        self.room = _Room()
        self.server = Server(place, self)

    def _run(self) -> None:
        self.server.serve_forever()

    def stop(self) -> None:
        """Stop answering."""
        super().stop()
        # It waits for the loop, which may stand still.
        threading.Thread(target=self.server.shutdown, daemon=True).start()
        self.join(_END_SECONDS)
        self.server.server_close()

    def take(self, body: bytes) -> tuple[int, str]:
        """Take a posted document in; return the status and a text for the answer."""
        try:
            received = time.time_ns() // 1000
            row = self._builder.build(decode_document(body), "http", received)
        except RecordError as problem:
            if self._quarantine.set_aside("post.json", body, self.metrics) is None:
                self.metrics.refused.labels("http").inc()
                return 503, f"{problem}; and the quarantine takes nothing at present"
            self.metrics.quarantined.labels("http").inc()
            return 400, str(problem)
        self.metrics.received.labels("http").inc()
        submission = Submission([row])
        taken = self._ingest.submit(submission, timeout=_SYNC_WAIT)
        if taken and submission.done.wait(_SYNC_WAIT) and submission.synced:
            return 200, "synced"
        self.metrics.refused.labels("http").inc()
        return 503, "the spool takes nothing at present; keep it and send it again"


class _Peer:
    """One connection: what it is at, since when, and how long that may take (None: its turn)."""

    def __init__(self) -> None:
        self.since = time.monotonic()
        self.limit: float | None = HEAD_SECONDS
        self.trusted = False


class Server(ThreadingHTTPServer):
    """Knows who is connected, and hangs up on those who take too long."""

    request_queue_size = 128
    daemon_threads = True

    def __init__(self, place: tuple[str, int], receiver: Receiver) -> None:
        self.address_family = socket.AF_INET6 if ":" in place[0] else socket.AF_INET
        self.peers: dict[Any, _Peer] = {}
        self.lock = threading.Lock()
        self.receiver = receiver
        super().__init__(place, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Give the connection a thread. Where there are too many, the slowest stranger goes."""
        with self.lock:
            slow = [
                (peer.trusted, peer.since, other)
                for other, peer in self.peers.items()
                if peer.limit is not None
            ]
            full = len(self.peers) >= MAX_CONNECTIONS
            self.peers[request] = _Peer()
        if full:
            _hang_up(min(slow, key=lambda entry: entry[:2])[2] if slow else request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Close a connection that has ended."""
        with self.lock:
            self.peers.pop(request, None)
        super().shutdown_request(request)

    def service_actions(self) -> None:
        """Hang up on who takes longer than he may; called twice a second."""
        self.receiver.turned()
        now = time.monotonic()
        with self.lock:
            peers = list(self.peers.items())
        for request, peer in peers:
            if peer.limit is not None and now - peer.since > peer.limit:
                _hang_up(request)

    def handle_error(self, *_: Any) -> None:
        """Log a peer that hung up, or a fault, as one line: a traceback is no structured log."""
        problem = sys.exc_info()[1]
        level = logging.DEBUG if isinstance(problem, OSError) else logging.ERROR
        say(level, "a request was not answered", why=repr(problem))


def _hang_up(request: Any) -> None:
    """End a connection: the thread that reads from it finds its end."""
    with contextlib.suppress(OSError):
        request.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    server_version = "fsgitops-cdr"
    sys_version = ""
    timeout = 30
    _served = False

    def setup(self) -> None:
        super().setup()
        self.receiver = self.server.receiver
        self._reader = _Reader(self.rfile)
        self.rfile = cast("Any", self._reader)

    def handle_one_request(self) -> None:
        self._reader.left = _MAX_HEAD
        if self._served:
            self._begin(HEAD_SECONDS)
        # Before the first request, the connection's time counts from when it was taken.
        self._served = True
        super().handle_one_request()
        if self._reader.left <= 0 and self.close_connection:
            self._linger()

    def _begin(self, limit: float | None, *, trusted: bool = False) -> None:
        """Note what the connection is at from now on, for the server's eye on it."""
        peer = self.server.peers.get(self.request)
        if peer is not None:
            peer.since, peer.limit, peer.trusted = time.monotonic(), limit, trusted

    def do_GET(self) -> None:
        path = self.path.split("?", 1)[0]
        self._begin(None)
        if path == "/healthz":
            well, facts = self.receiver.health()
            self._answer(200 if well else 503, json.dumps(facts).encode(), "application/json")
        elif path == "/metrics":
            body = self.receiver.metrics.render()
            self._answer(200, body, "text/plain; version=0.0.4; charset=utf-8")
        else:
            self._answer(404, b"expected /healthz, /metrics, or a POST of a CDR\n")

    def handle_expect_100(self) -> bool:
        return not self._refuse() and super().handle_expect_100()

    def do_POST(self) -> None:
        if self._refuse():
            return
        receiver = self.receiver
        length = int(self.headers["Content-Length"])
        self._begin(BODY_SECONDS, trusted=receiver.expected is not None)
        with contextlib.ExitStack() as held:
            body = self._read_body(length, held)
            if body is None:
                return
            self._begin(None)
            if not receiver.slots.acquire(blocking=False):
                self.close_connection = True
                self._answer(503, b"too many posts at once; send it again\n")
                return
            try:
                status, text = receiver.take(body)
            finally:
                receiver.slots.release()
        self._answer(status, text.encode() + b"\n")

    def _read_body(self, length: int, held: contextlib.ExitStack) -> bytes | None:
        """Return the body, or None when it does not come.

        Memory is taken only for what has come, and given back when `held` ends.
        """
        take = self.receiver.room.take
        chunks: list[bytes] = []
        while length > 0:
            chunk = self.rfile.read(min(length, CHUNK))
            if not chunk:
                self.close_connection = True
                return None
            if not take(len(chunk)):
                self._turn_away(503, b"too much is being posted; send it again\n")
                return None
            held.callback(take, -len(chunk))
            chunks.append(chunk)
            length -= len(chunk)
        return b"".join(chunks)

    def _refuse(self) -> bool:
        """Answer what is not to be read at all, from its head alone; tell whether it was that."""
        length = self.headers.get("Content-Length", "")
        if not self._may_post():
            self._turn_away(401, b"wrong or missing credentials (mod_json_cdr: `cred`)\n")
        elif not re.fullmatch("[0-9]{1,9}", length) or int(length) > _MAX_BODY:
            self._turn_away(413, b"expected a Content-Length of at most 16 MiB\n")
        else:
            return False
        return True

    def _turn_away(self, status: int, text: bytes) -> None:
        """Answer and hang up."""
        self.close_connection = True
        self._begin(_LINGER_SECONDS)
        self._answer(status, text)
        self._linger()

    def _linger(self) -> None:
        """Read a little of what still comes, or the answer would be lost."""
        self._begin(_LINGER_SECONDS)
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_WR)
            for _ in range(_LINGER_CHUNKS):
                if not self.connection.recv(CHUNK):
                    break

    def _may_post(self) -> bool:
        expected = self.receiver.expected
        given = self.headers.get("Authorization", "").encode("latin-1", "replace")
        return expected is None or hmac.compare_digest(given, expected)

    def _answer(self, status: int, body: bytes, kind: str = "text/plain; charset=utf-8") -> None:
        self.send_response(status)
        if status == 401:
            self.send_header("WWW-Authenticate", 'Basic realm="cdr"')
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it
        """Say nothing: what matters is in the metrics."""


class _Reader:
    """What a connection sends; of a request's head no more than is allowed for.

    http.server takes a hundred lines of 64 KiB each, from everybody, before it looks at one.
    """

    def __init__(self, source: Any) -> None:
        self.read = source.read
        self.close = source.close
        self._source = source
        self.left = _MAX_HEAD

    def readline(self, size: int) -> bytes:
        """Return a line of the head. Raises HTTPException, which is answered 431."""
        if self.left <= 0:
            raise http.client.HTTPException(f"a head of more than {_MAX_HEAD} bytes")
        line: bytes = self._source.readline(min(size, self.left))
        self.left -= len(line)
        return line


class _Room:
    """The memory that all bodies under way may take together."""

    def __init__(self) -> None:
        self.left = MAX_BODIES
        self._lock = threading.Lock()

    def take(self, size: int) -> bool:
        """Take some of it, or give some back; False when there is not so much."""
        with self._lock:
            if size > self.left:
                return False
            self.left -= size
            return True
