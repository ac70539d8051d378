"""`fsgitops adopt`."""

from __future__ import annotations

import click

from fsgitops.cli.carry import confirm, print_note, with_wait, with_yes
from fsgitops.cli.complete import LIVE_FILE
from fsgitops.cli.options import Shared, open_place, with_json, with_place
from fsgitops.console.commands import Command
from fsgitops.console.stream import confirm_done, is_quiet


@click.command("adopt", cls=Command, epilog="Example: fsgitops adopt directory/default/1020.xml")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...", shell_complete=LIVE_FILE)
@with_place
@with_yes
@with_wait
@with_json
@click.pass_obj
def command(
    shared: Shared,
    paths: tuple[str, ...],
    directory: str | None,
    target: str | None,
    yes: bool,
    wait_seconds: float,
    as_json: bool,
) -> int:
    """Start managing existing files at declared paths.

    PATH is below the conf directory. A folder or a quoted glob (`*` within a folder, `**`
    across) stands for the existing declared files in it, and `.` for all of them. Use `.` if
    you lost the state directory. It first shows how each file differs from the declared one.
    No file changes now; the next apply makes them as declared.
    """
    from fsgitops.cli.printing import print_json, print_lines, print_notes, working
    from fsgitops.commands.adopt import plan_adoption, run_adoption
    from fsgitops.steps.render_history import render_adoption

    workspace = open_place(shared, directory, target)
    with working("Comparing the files with the declared ones"):
        shown = plan_adoption(workspace, paths)
    print_notes(shown.notes)
    if not (yes and is_quiet()):
        print_lines(render_adoption(shown.plan, list(shown.entries)), err=as_json)
    if shown.entries:
        if not yes:
            confirm("Adopt?", err=as_json)
        run_adoption(
            workspace,
            shown,
            wait_seconds=wait_seconds,
            tell=print_note,
        )
    if as_json:
        print_json(shown.to_json())
    else:
        confirm_done(f"Adopted: {len(shown.entries)}")
    return 0
