"""A client of a running API, the API on a port of its own, and tokens for it."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import uvicorn

from fsgitops.api.app import create_app
from fsgitops.api.serve import ApiServer
from fsgitops.commands.token import new_token

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from project import Project
    from starlette.testclient import TestClient

    from fsgitops.api.handlers import Service
    from fsgitops.sandbox.switch import EmbeddedSwitch
    from fsgitops.switch.client import Switch
    from fsgitops.workspace.open import Workspace

ALL = ("read", "cdr", "operate", "credentials")


@dataclass
class Served:
    """A client of a running API, and what is behind it."""

    client: TestClient
    service: Service
    board: EmbeddedSwitch
    project: Project
    workspace: Workspace
    connect: Callable[[], Switch]

    def get(self, path: str, **more: Any) -> Any:
        return self.client.get(path, **more)

    def post(self, path: str, body: Any = None, **more: Any) -> Any:
        return self.client.post(path, json=body, **more)

    def data(self, path: str) -> Any:
        answer = self.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]


def token(project: Project, *scopes: str) -> dict[str, str]:
    secret, _ = new_token(project.root, "test", scopes or ALL)
    return {"Authorization": f"Bearer {secret}"}


class Server(ApiServer):
    """Tells when it listens."""

    def __init__(self, service: Service) -> None:
        app = create_app(service)
        super().__init__(uvicorn.Config(app, port=0, log_config=None), service.board)
        self.listening = threading.Event()

    async def startup(self, sockets: list[object] | None = None) -> None:
        await super().startup(sockets)  # type: ignore[arg-type]
        self.listening.set()

    @property
    def port(self) -> int:
        return int(self.servers[0].sockets[0].getsockname()[1])


@contextlib.contextmanager
def listening(service: Service) -> Iterator[int]:
    server = Server(service)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        assert server.listening.wait(10)
        yield server.port
    finally:
        server.should_exit = True
        thread.join(10)
        assert not thread.is_alive()
