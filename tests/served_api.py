"""A client of a running API, and tokens for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fsgitops.commands.token import new_token

if TYPE_CHECKING:
    from collections.abc import Callable

    from project import Project
    from starlette.testclient import TestClient

    from fsgitops.api.handlers import Service
    from fsgitops.commands.workspace import Workspace
    from fsgitops.sandbox import EmbeddedSwitch
    from fsgitops.switch import Switch

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
