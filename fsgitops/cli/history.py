"""`fsgitops history`."""

from __future__ import annotations

import click

from fsgitops.cli.options import Shared, open_place, with_json, with_place
from fsgitops.console.commands import Command


@click.command("history", cls=Command, epilog="Example: fsgitops history --target prod")
@with_place
@with_json
@click.pass_obj
def command(shared: Shared, directory: str | None, target: str | None, as_json: bool) -> int:
    """List every apply and rollback of a target, latest last.

    Shows who, when, what, and how it ended. `history: {keep: 50, days: 365}` in fsgitops.yaml
    sets how many are kept.
    """
    from fsgitops.cli.printing import print_json, print_lines
    from fsgitops.commands.history import history_to_json
    from fsgitops.live.revisions import list_revisions
    from fsgitops.steps.render_history import render_history

    workspace = open_place(shared, directory, target)
    revisions = list_revisions(workspace.target.state_dir)
    if as_json:
        print_json(history_to_json(revisions))
    else:
        print_lines(render_history((kept.number, kept.revision) for kept in revisions))
    return 0
