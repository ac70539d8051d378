"""The API over an embedded switch, with the project's files on disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from scripted_esl import connect_switch
from served_api import Served, token

from fsgitops.workspace.open import open_workspace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from project import Project

    from fsgitops.sandbox.switch import EmbeddedSwitch
    from fsgitops.switch.client import Switch


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
