"""A running embedded switch for a project's sandbox, in which phones and calls can be pretended."""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from fsgitops.live.connect import RUNNING_FILE
from fsgitops.sandbox.switch import EmbeddedSwitch

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from project import Project

DOMAIN = "sandbox.example"
ROUTES = """\
did_routes:
  - {did_number: +19495431333, destination_extension: 1020}
  - {did_number: +19495431334, destination_extension: 1021}
"""


@contextmanager
def serve(project: Project, conf: Path | None = None) -> Iterator[EmbeddedSwitch]:
    """Let commands find a switch running that holds what stands there now, until it is reloaded."""
    with EmbeddedSwitch(conf or project.conf, "a password") as switch:
        host, port = switch.address
        state = {"pid": os.getpid(), "host": host, "port": port, "password": "a password"}
        place = project.conf.parent / RUNNING_FILE
        place.write_text(json.dumps(state))
        try:
            yield switch
        finally:
            place.unlink()


@contextmanager
def running_switch(project: Project) -> Iterator[EmbeddedSwitch]:
    """Apply the project to its sandbox and let commands find it running."""
    project.prepare("apply", "--yes")
    with serve(project) as switch:
        yield switch


@contextmanager
def switch_with_dids(project: Project) -> Iterator[EmbeddedSwitch]:
    """Let each of the project's two agents be reached by a number from outside as well."""
    project.write("desired/routes.yaml", ROUTES)
    with running_switch(project) as switch:
        yield switch


def audit(project: Project) -> list[dict[str, Any]]:
    lines = (project.conf / ".fsgitops" / "audit.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def operations(project: Project) -> list[tuple[str, str, str]]:
    kept = ("dial", "hangup", "transfer", "kick")
    return [
        (item["action"], item["subject"], item["result"])
        for item in audit(project)
        if item["action"] in kept and item["result"] != "intended"
    ]
