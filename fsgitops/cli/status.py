"""`fsgitops status`."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import click

from fsgitops.cli.complete import EXTENSION
from fsgitops.cli.options import Shared, open_place, with_json, with_place
from fsgitops.console.commands import Command
from fsgitops.console.stream import moves, print_text
from fsgitops.visible import to_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fsgitops.commands.status import AgentStatus, Status
    from fsgitops.workspace.open import Workspace

CLEAR = "\x1b[H\x1b[2J"


@click.command("status", cls=Command, epilog="Example: fsgitops status --target prod --missing")
@click.argument("extensions", metavar="[EXT]...", nargs=-1, shell_complete=EXTENSION)
@with_place
@click.option("--registered", is_flag=True, help="Only agents with a registered phone.")
@click.option("--missing", is_flag=True, help="Only enabled agents without a registered phone.")
@click.option("--watch", is_flag=True, help="Refresh in place until Ctrl-C.")
@click.option(
    "--every",
    type=click.FloatRange(0.2, 3600),
    default=2.0,
    show_default=True,
    help="Seconds between two refreshes.",
)
@with_json
@click.pass_obj
def command(
    shared: Shared,
    extensions: tuple[str, ...],
    directory: str | None,
    target: str | None,
    registered: bool,
    missing: bool,
    watch: bool,
    every: float,
    as_json: bool,
) -> int:
    """Show each declared agent as the switch sees it.

    Shows phones, calls, and what the switch holds in memory.
    With EXT, only these agents. With --watch and --json, one JSON object a line.
    """
    from fsgitops.cli.printing import print_json, working
    from fsgitops.commands.status import run_status, status_to_json

    if registered and missing:
        raise click.UsageError("--registered and --missing exclude each other")
    workspace = open_place(shared, directory, target)
    if watch:
        return _watch(workspace, extensions, (registered, missing), every, as_json=as_json)
    with working("Asking the switch"):
        status = run_status(workspace, extensions)
    if as_json:
        agents = _chosen(status.agents, registered, missing)
        print_json(status_to_json(agents, status.strangers))
    else:
        print_text("\n".join(_lines(status, registered, missing)))
    return 0


def _chosen(
    agents: Sequence[AgentStatus], registered: bool, missing: bool
) -> tuple[AgentStatus, ...]:
    return tuple(
        item
        for item in agents
        if not (registered and not (item.phones or item.verto))
        and not (missing and (item.phones or item.verto or not item.agent.enabled))
    )


def _lines(status: Status, registered: bool, missing: bool) -> list[str]:
    from fsgitops.cli.tables import format_status, format_strangers, format_summary
    from fsgitops.commands.status import summarise

    return [
        *format_status(_chosen(status.agents, registered, missing)),
        "",
        *format_strangers(status.strangers),
        format_summary(summarise(status.agents)),
    ]


def _watch(
    workspace: Workspace,
    extensions: tuple[str, ...],
    shown: tuple[bool, bool],
    every: float,
    *,
    as_json: bool,
) -> int:

    from fsgitops.commands.status import status_to_json, watch_status

    clear = CLEAR if moves(sys.stdout) else ""
    for status in watch_status(workspace, extensions):
        if as_json:
            data = status_to_json(_chosen(status.agents, *shown), status.strangers)
            click.echo(to_json(data))
        else:
            click.echo(clear, nl=False)
            print_text("\n".join(_lines(status, *shown)))
        time.sleep(every)
    return 0
