"""`fsgitops api` as a process, and without what it needs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from real_switch import free_ports
from starlette.testclient import TestClient

from fsgitops.api.app import create_app

if TYPE_CHECKING:
    from project import Project
    from served_api import Served

MAIN = "from fsgitops.cli import main; main()"


def test_the_server_starts_answers_and_stops(project: Project) -> None:
    assert project.run("apply", "--yes").code == 0
    port = free_ports(1)[0]
    words = ["-C", str(project.root), "api", "--port", str(port), "--anonymous", "read"]
    process = subprocess.Popen(
        [sys.executable, "-c", MAIN, *words], stderr=subprocess.PIPE, text=True, env=os.environ
    )
    with process:
        assert process.stderr is not None
        try:
            for line in process.stderr:
                if "running on" in line.lower() or "anybody on this machine" in line:
                    break
            assert fetch(port, "/health")["switch"] == "up"
            assert [item["id"] for item in fetch(port, "/api/agents")["data"]] == ["1020", "1021"]
            process.send_signal(signal.SIGINT)
            said = process.stderr.read()
            assert process.wait(30) in (0, 130)
            assert "Traceback" not in said
        finally:
            process.kill()


def fetch(port: int, path: str) -> dict[str, object]:
    """Ask until the server listens; each attempt ends by itself."""
    for _ in range(2000):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
                found: dict[str, object] = json.load(answer)
                return found
        except ConnectionRefusedError:
            continue
        except OSError as problem:
            if not isinstance(getattr(problem, "reason", None), ConnectionRefusedError):
                raise
    raise AssertionError("nobody listens")


def test_without_the_extra_the_command_says_what_to_install(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.startswith("fsgitops.api")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    ran = project.run("api")
    assert (ran.code, "pip install 'fsgitops[api]'" in ran.err) == (64, True)


def test_help_needs_no_extra(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    assert "Example: " in project.run("api", "--help").out


def test_a_fault_of_ours_tells_nothing_of_its_inside(served: Served) -> None:
    class Broken:
        def find(self, **wanted: object) -> list[dict[str, object]]:
            raise RuntimeError("the inside")

        def today(self) -> dict[str, int]:
            raise RuntimeError("the inside")

    service = replace(served.service, records=Broken())
    client = TestClient(
        create_app(service), headers=dict(served.client.headers), raise_server_exceptions=False
    )
    answer = client.get("/api/cdr", headers={"X-Request-ID": "r-1"})
    assert (answer.status_code, answer.json()["request_id"]) == (500, "r-1")
    assert "inside" not in answer.text
