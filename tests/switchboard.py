"""A running embedded switch for a project's sandbox, in which phones and calls can be pretended."""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from fsgitops.commands.connect import RUNNING_FILE
from fsgitops.sandbox import EmbeddedSwitch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from project import Project

DOMAIN = "sandbox.example"


@contextmanager
def running_switch(project: Project) -> Iterator[EmbeddedSwitch]:
    """Apply the project to its sandbox and let commands find it running."""
    ran = project.run("apply", "--yes")
    assert ran.code == 0, ran.err
    with EmbeddedSwitch(project.conf, "a password") as switch:
        host, port = switch.address
        state = {"pid": os.getpid(), "host": host, "port": port, "password": "a password"}
        place = project.conf.parent / RUNNING_FILE
        place.write_text(json.dumps(state))
        try:
            yield switch
        finally:
            place.unlink()
