"""A site of the target `image` with an applied project, and what doctor says of it."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import pytest

from fsgitops.sandbox.skeleton import write_skeleton

if TYPE_CHECKING:
    from project import Project

SOCKET = """\
<include>
<configuration name="event_socket.conf">
  <settings>
    <!-- <param name="listen-ip" value="127.0.0.1"/> -->
    {params}
  </settings>
</configuration>
</include>
"""
GOOD = '<param name="listen-ip" value="127.0.0.1"/>\n    <param name="password" value="own"/>'


def make_site(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A conf directory of the target `image`, and no switch that answers."""
    write_skeleton(project.root / "conf", "pbx.example.com")
    set_socket(project, GOOD)
    project.prepare("apply", "--yes", "--no-reload", "--target", "image")
    monkeypatch.setenv("FSGITOPS_ESL_PASSWORD", "own")
    monkeypatch.setenv("FSGITOPS_ESL_PORT", str(closed_port()))
    return project


def closed_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def set_socket(project: Project, params: str) -> None:
    project.write("conf/autoload_configs/event_socket.conf.xml", SOCKET.format(params=params))


def checks(project: Project, *words: str) -> dict[str, dict[str, Any]]:
    data = project.run("doctor", "--target", "image", "--json", *words).json()
    found: dict[str, dict[str, Any]] = {}
    for check in data["checks"]:
        found.setdefault(check["name"], check)
        if check["health"] == "error":
            found[check["name"]] = check
    return found
