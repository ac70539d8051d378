"""Connections that say nothing, or not enough."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING

import pytest
import uvicorn

from fsgitops.api import serve
from fsgitops.api.app import create_app
from fsgitops.api.serve import ApiServer, build_service

if TYPE_CHECKING:
    from collections.abc import Iterator

    from served_api import Served

    from fsgitops.api.handlers import Service


class Server(ApiServer):
    """Tells when it listens."""

    def __init__(self, service: Service) -> None:
        config = uvicorn.Config(
            create_app(service), port=0, log_config=None, http=serve.HeadProtocol
        )
        super().__init__(config, service.board)
        self.listening = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()


@pytest.fixture
def port(served: Served, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    monkeypatch.setattr(serve, "HEAD_SECONDS", 0.05)
    server = Server(build_service(served.workspace, served.connect))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    assert server.listening.wait(10)
    yield int(server.servers[0].sockets[0].getsockname()[1])
    server.should_exit = True
    thread.join(10)


@pytest.mark.parametrize("said", [b"", b"GET / HTTP/1.1\r\nHost: localh"])
def test_a_connection_without_a_whole_head_is_closed(port: int, said: bytes) -> None:
    with contextlib.closing(socket.create_connection(("127.0.0.1", port), 10)) as peer:
        peer.sendall(said)
        assert peer.recv(1) == b""


def test_a_request_that_takes_longer_than_its_head_may_is_answered(port: int) -> None:
    head = b"GET /api/live HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with contextlib.closing(socket.create_connection(("127.0.0.1", port), 10)) as peer:
        for _ in range(2):
            peer.sendall(head)
            assert peer.recv(12) == b"HTTP/1.1 401"
            while not peer.recv(4096).endswith(b"}"):
                pass
