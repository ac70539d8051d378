"""The API writes no secret anywhere, save to whom it gives credentials."""

from __future__ import annotations

import io
import logging
import re
from typing import TYPE_CHECKING

import pytest
from leak_search import ESL_PASSWORD, MARK, Search, all_secrets
from scripted_esl import connect_switch
from secret_sources import EXTENSIONS, Planted, plant_secrets
from served_api import token
from starlette.testclient import TestClient
from switchboard import running_switch

from fsgitops.api.app import create_app
from fsgitops.api.operations import OPERATIONS
from fsgitops.api.serve import build_service
from fsgitops.workspace.open import open_workspace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from project import Project

    from fsgitops.switch.client import Switch

UUID = "00000000-0000-4000-8000-000000000001"
BODIES = {
    "dial": {"agent_extension": "2101", "destination": "2102"},
    "transfer": {"destination": "2102"},
}
PAGES = ("/", "/health", "/openapi.json", "/metrics", "/docs", "/api/agents/9999", "/nowhere")


@pytest.fixture
def planted(project: Project, monkeypatch: pytest.MonkeyPatch) -> Planted:
    found = plant_secrets(project, monkeypatch, MARK)
    monkeypatch.setenv("FSGITOPS_ESL_PASSWORD", ESL_PASSWORD)
    path = project.root / "fsgitops.yaml"
    limits = "api: {reads_per_minute: 6000, operations_per_minute: 6000}\n"
    path.write_text(path.read_text() + limits)
    return found


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """All that is logged, at debug level."""
    lines = io.StringIO()
    handler = logging.StreamHandler(lines)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield lines
    root.removeHandler(handler)
    root.setLevel(level)


@pytest.fixture
def client(project: Project, planted: Planted, log: io.StringIO) -> Iterator[TestClient]:
    """A client with no token yet, of an API before a switch with every kind of secret."""
    with running_switch(project) as board:
        host, port = board.address

        def connect() -> Switch:
            return connect_switch(host, port, "a password", connect_timeout=1.0, reply_timeout=1.0)

        app = create_app(build_service(open_workspace(project.root), connect), origins=())
        with TestClient(app, raise_server_exceptions=False) as client:
            yield client


def answers(client: TestClient, headers: dict[str, str]) -> Iterator[tuple[str, bytes]]:
    """Ask for everything but credentials, right and wrong, and yield what comes back."""
    for operation in OPERATIONS:
        if operation.scope == "credentials":
            continue
        for extension in EXTENSIONS.values():
            path = re.sub(r"\{uuid\}", UUID, operation.path)
            path = re.sub(r"\{\w+\}", extension, path)
            for body in (BODIES.get(operation.name), {"wrong": True}):
                found = client.request(operation.method, path, json=body, headers=headers)
                yield f"{operation.name} {extension}", found.content + str(found.headers).encode()
    for path in PAGES:
        yield path, client.get(path, headers=headers).content


def test_no_answer_but_credentials_holds_a_secret_nor_does_a_log(
    project: Project, planted: Planted, client: TestClient, log: io.StringIO
) -> None:
    headers = token(project)
    plain, hashes = all_secrets(planted)
    secret = headers["Authorization"].partition(" ")[2]
    search = Search({**plain, **hashes, "API token": secret})
    found = []
    for where, data in answers(client, headers):
        found += search.find(where, data)
    # Told once each, to whom may know them; then all that was written along the way is searched.
    for extension in EXTENSIONS.values():
        path = f"/api/agents/{extension}/credentials"
        assert Search(plain).find(path, client.get(path, headers=headers).content)
        found += search.find(path, client.get(path, headers=token(project, "read")).content)
    found += search.find("log", log.getvalue().encode())
    for path in sorted((project.root / ".fsgitops").rglob("*")):
        if path.is_file() and not path.name.startswith(("key", "age-identity")):
            conf = project.conf in path.parents
            known = Search(plain) if conf and ".fsgitops" not in path.parts[-4:] else search
            found += known.find(str(path), path.read_bytes())
    assert found == []


def test_a_secret_that_is_changed_into_a_plaintext_is_not_shown_as_the_problem(
    project: Project, planted: Planted, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fsgitops.api import declared

    monkeypatch.setattr(declared, "LOOK_SECONDS", -1.0)
    path = project.root / "desired" / "agents.yaml"
    marked = re.compile(r'\{"plaintext": true, "value": ("[^"]*")\}')
    path.write_text(marked.sub(r"\1", path.read_text()))
    plain, hashes = all_secrets(planted)
    search = Search({**plain, **hashes})
    headers = token(project)
    assert client.get("/api/agents", headers=headers).status_code == 200
    told = client.get("/health", headers=headers)
    assert "invalid" in told.text
    found = search.find("/health", told.content)
    for where, data in answers(client, headers):
        found += search.find(where, data)
    assert found == []
