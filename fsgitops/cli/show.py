"""`fsgitops show`."""

from __future__ import annotations

import click

from fsgitops.cli.complete import REVISION
from fsgitops.cli.options import Shared, open_place, with_json, with_place
from fsgitops.console.commands import Command, Number


@click.command("show", cls=Command, epilog="Example: fsgitops show 12 --target prod")
@click.argument("number", metavar="REV", shell_complete=REVISION, type=Number(min=1))
@with_place
@with_json
@click.pass_obj
def command(
    shared: Shared, number: int, directory: str | None, target: str | None, as_json: bool
) -> int:
    """Show what a revision changed, secrets masked."""
    from fsgitops.cli.printing import print_json, print_lines
    from fsgitops.commands.history import revision_to_json
    from fsgitops.live.revisions import find_revision, read_changes
    from fsgitops.steps.render_history import render_revision

    workspace = open_place(shared, directory, target)
    kept = find_revision(workspace.target.state_dir, number)
    changes = read_changes(kept)
    if as_json:
        print_json(revision_to_json(kept, changes))
    else:
        print_lines(render_revision(kept.number, kept.revision, changes))
    return 0
