"""The API over an embedded switch, with the project's files on disk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from switchboard import running_switch

from fsgitops.commands.token import new_token
from fsgitops.commands.workspace import Workspace, open_workspace
from fsgitops.sandbox import EmbeddedSwitch
from fsgitops.switch import connect_switch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from project import Project
    from starlette.testclient import TestClient

    from fsgitops.api.handlers import Service
    from fsgitops.switch import Switch

ROUTES = """\
did_routes:
  - {did_number: +19495431333, destination_extension: 1020}
  - {did_number: +19495431334, destination_extension: 1021}
"""
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


@pytest.fixture
def board(project: Project) -> Iterator[EmbeddedSwitch]:
    project.write("desired/routes.yaml", ROUTES)
    with running_switch(project) as switch:
        yield switch


@pytest.fixture
def served(project: Project, board: EmbeddedSwitch) -> Iterator[Served]:
    """The API with a client that may do everything."""
    from starlette.testclient import TestClient

    from fsgitops.api.app import create_app
    from fsgitops.api.serve import build_service

    workspace = open_workspace(project.root)
    host, port = board.address

    def connect() -> Switch:
        return connect_switch(host, port, "a password", connect_timeout=1.0, reply_timeout=1.0)

    service = build_service(workspace, connect)
    app = create_app(service, origins=("https://console.example",))
    with TestClient(app, headers=token(project)) as client:
        yield Served(client, service, board, project, workspace, connect)
