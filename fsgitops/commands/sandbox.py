"""`fsgitops sandbox`: the embedded switch in the foreground."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsgitops.live.connect import RUNNING_FILE, prepare_conf_dir

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fsgitops.workspace.open import Workspace


def run_sandbox(
    workspace: Workspace,
    port: int,
    tell: Callable[[str], None],
    phones: Sequence[str] = (),
) -> None:
    """Serve the sandbox's conf directory until SIGINT or SIGTERM. `port` 0 takes a free one.

    `phones` are extensions whose simulated phones are registered from the start.
    """
    from fsgitops.sandbox import serve_forever

    target = workspace.target
    prepare_conf_dir(target)
    state = target.conf_dir.parent / RUNNING_FILE
    registered = [(extension, target.domain) for extension in phones]
    serve_forever(target.conf_dir, state, port=port, phones=registered, tell=tell)
