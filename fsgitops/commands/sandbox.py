"""`fsgitops sandbox`: the embedded switch in the foreground."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsgitops.commands.connect import RUNNING_FILE, prepare_conf_dir

if TYPE_CHECKING:
    from collections.abc import Callable

    from fsgitops.commands.workspace import Workspace


def run_sandbox(workspace: Workspace, port: int, tell: Callable[[str], None]) -> None:
    """Serve the sandbox's conf directory until SIGINT or SIGTERM. `port` 0 takes a free one."""
    from fsgitops.sandbox import serve_forever

    target = workspace.target
    prepare_conf_dir(target)
    serve_forever(target.conf_dir, target.conf_dir.parent / RUNNING_FILE, port=port, tell=tell)
