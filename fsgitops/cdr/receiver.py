"""HTTP: mod_json_cdr's POST target, `/healthz` and `/metrics`.

A post is answered 200 only when its record is synced in the spool. Anything else makes
mod_json_cdr try again, or put the document into its `err-log-dir`.
"""

from __future__ import annotations

import base64
import hmac
import json
import logging
import socket
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, ClassVar

from fsgitops.cdr.ingest import Submission
from fsgitops.cdr.json_cdr import decode_document
from fsgitops.cdr.log import say
from fsgitops.cdr.record import RecordError

if TYPE_CHECKING:
    from collections.abc import Callable

    from fsgitops.cdr.ingest import Ingest
    from fsgitops.cdr.metrics import Metrics
    from fsgitops.cdr.quarantine import Quarantine
    from fsgitops.cdr.record import RecordBuilder

_MAX_BODY = 16 * 1024 * 1024
_MAX_AT_ONCE = 32
_SYNC_WAIT = 10.0


class Receiver:
    """The HTTP server, in threads of its own."""

    def __init__(
        self,
        place: tuple[str, int],
        metrics: Metrics,
        ingest: Ingest,
        builder: RecordBuilder,
        quarantine: Quarantine,
        health: Callable[[], tuple[bool, dict[str, Any]]],
        credential: str | None = None,
    ) -> None:
        """Bind. `credential` is `user:password`, as in mod_json_cdr's `cred`. Raises OSError."""
        self.metrics = metrics
        self.ingest = ingest
        self.builder = builder
        self.quarantine = quarantine
        self.health = health
        self.expected = (
            b"Basic " + base64.b64encode(credential.encode()) if credential is not None else None
        )
        self.slots = threading.BoundedSemaphore(_MAX_AT_ONCE)
        handler = type("Handler", (_Handler,), {"receiver": self})
        self._server = _Server(place, handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, name="cdr-http", daemon=True
        )

    @property
    def port(self) -> int:
        """The port that was bound."""
        return int(self._server.server_address[1])

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()

    def take(self, body: bytes) -> tuple[int, str]:
        """Take a posted document in; return the status and a text for the answer."""
        try:
            received = time.time_ns() // 1000
            row = self.builder.build(decode_document(body), "http", received)
        except RecordError as problem:
            if self.quarantine.set_aside("post.json", body, self.metrics) is None:
                self.metrics.refused.labels("http").inc()
                return 503, f"{problem}; and the quarantine takes nothing at present"
            self.metrics.quarantined.labels("http").inc()
            return 400, str(problem)
        self.metrics.received.labels("http").inc()
        submission = Submission([row])
        taken = self.ingest.submit(submission, timeout=_SYNC_WAIT)
        if taken and submission.done.wait(_SYNC_WAIT) and submission.synced:
            return 200, "synced"
        self.metrics.refused.labels("http").inc()
        return 503, "the spool takes nothing at present; keep it and send it again"


class _Server(ThreadingHTTPServer):
    def __init__(self, place: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        self.address_family = socket.AF_INET6 if ":" in place[0] else socket.AF_INET
        super().__init__(place, handler)

    def handle_error(self, *_: Any) -> None:
        """Log a peer that hung up, or a fault, as one line: a traceback is no structured log."""
        problem = sys.exc_info()[1]
        level = logging.DEBUG if isinstance(problem, OSError) else logging.ERROR
        say(level, "a request was not answered", why=repr(problem))


class _Handler(BaseHTTPRequestHandler):
    receiver: ClassVar[Receiver]
    protocol_version = "HTTP/1.1"
    server_version = "fsgitops-cdr"
    sys_version = ""
    timeout = 30

    def do_GET(self) -> None:
        path = self.path.split("?", 1)[0]
        if path == "/healthz":
            well, facts = self.receiver.health()
            self._answer(200 if well else 503, json.dumps(facts).encode(), "application/json")
        elif path == "/metrics":
            body = self.receiver.metrics.render()
            self._answer(200, body, "text/plain; version=0.0.4; charset=utf-8")
        else:
            self._answer(404, b"expected /healthz, /metrics, or a POST of a CDR\n")

    def do_POST(self) -> None:
        receiver = self.receiver
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > _MAX_BODY:
            self.close_connection = True
            self._answer(413, b"expected a Content-Length of at most 16 MiB\n")
            return
        if not receiver.slots.acquire(blocking=False):
            self.close_connection = True
            self._answer(503, b"too many posts at once; send it again\n")
            return
        try:
            body = self.rfile.read(int(length))
            if not self._may_post():
                self._answer(401, b"wrong or missing credentials (mod_json_cdr: `cred`)\n")
                return
            status, text = receiver.take(body)
            self._answer(status, text.encode() + b"\n")
        finally:
            receiver.slots.release()

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
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it
        """Say nothing: what matters is in the metrics."""
