"""A webhook that answers, refuses, redirects, hangs or is not there."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from fsgitops.webhook import WebhookError, post_json

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRET = "T0-secret-path"


class Hook(ThreadingHTTPServer):
    """A webhook on the loopback address; `answer` writes what it says to a request."""

    daemon_threads = True

    def __init__(self, status: int = 200, location: str = "") -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status = status
        self.location = location
        self.hang = False
        self.free = threading.Event()
        self.bodies: list[dict[str, object]] = []
        self.paths: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/{SECRET}"


class _Handler(BaseHTTPRequestHandler):
    server: Hook

    def do_POST(self) -> None:
        self.server.paths.append(self.path)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.bodies.append(json.loads(body))
        if self.server.hang:
            self.server.free.wait(30)
            return
        self.send_response(self.server.status)
        if self.server.location:
            self.send_header("Location", self.server.location)
        self.end_headers()

    do_GET = do_POST

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@contextmanager
def running(hook: Hook) -> Iterator[Hook]:
    thread = threading.Thread(target=hook.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield hook
    finally:
        hook.free.set()
        hook.shutdown()
        thread.join()
        hook.server_close()


def test_the_payload_arrives_as_json() -> None:
    with running(Hook()) as hook:
        post_json(hook.url, {"text": "grüß dich"}, 5)
    assert hook.bodies == [{"text": "grüß dich"}]


@pytest.mark.parametrize("status", [400, 403, 404, 500])
def test_a_refusal_is_told_by_its_status_and_without_the_url(status: int) -> None:
    with running(Hook(status)) as hook, pytest.raises(WebhookError) as caught:
        post_json(hook.url, {}, 5)
    assert str(caught.value) == f"the webhook answered with status {status}"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_never_followed(status: int) -> None:
    with running(Hook()) as other, running(Hook(status, other.url)) as hook:
        with pytest.raises(WebhookError, match=f"status {status}"):
            post_json(hook.url, {}, 5)
        assert other.paths == []


def test_a_webhook_that_hangs_is_left_after_the_time_limit() -> None:
    hook = Hook()
    hook.hang = True
    with running(hook), pytest.raises(WebhookError) as caught:
        post_json(hook.url, {}, 0.2)
    assert SECRET not in str(caught.value)


def test_a_webhook_that_is_not_there_is_told_without_its_url() -> None:
    hook = Hook()
    url = hook.url
    hook.server_close()
    with pytest.raises(WebhookError) as caught:
        post_json(url, {}, 5)
    assert str(caught.value) == "the webhook was not reached: Connection refused"


@pytest.mark.parametrize(
    "url",
    [
        "", "hooks.example/T0-secret-path", "file:///T0-secret-path", "https://", "https://[x/y",
        "https://h:port/T0-secret-path", "http://hooks.example/T0-secret-path",
        "https://hooks.example/a b", "https://hooks.example/a\nb", "ftp://127.0.0.1/T0-secret-path",
    ],
)  # fmt: skip
def test_what_is_no_https_url_is_refused_and_not_shown(url: str) -> None:
    with pytest.raises(WebhookError) as caught:
        post_json(url, {}, 1)
    assert "secret-path" not in str(caught.value)
    assert "hooks" not in str(caught.value)
