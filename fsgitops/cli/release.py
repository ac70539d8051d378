"""`fsgitops release`."""

from __future__ import annotations

import click

from fsgitops.cli.carry import print_note, with_wait
from fsgitops.cli.complete import MANAGED
from fsgitops.cli.options import Shared, open_place, with_json, with_place
from fsgitops.console.commands import Command
from fsgitops.console.stream import is_quiet


@click.command("release", cls=Command, epilog="Example: fsgitops release agent:1020")
@click.argument(
    "names", shell_complete=MANAGED, nargs=-1, required=True, metavar="PATH-OR-RESOURCE..."
)
@with_place
@with_wait
@with_json
@click.pass_obj
def command(
    shared: Shared,
    names: tuple[str, ...],
    directory: str | None,
    target: str | None,
    wait_seconds: float,
    as_json: bool,
) -> int:
    """Stop managing files: they stay as they are.

    fsgitops never touches them again. A folder or a quoted glob stands for the managed files in
    it, and `.` for all of them: use that to leave. Remove their agents and routes from the
    desired files too: otherwise the next plan stops at the released files.
    """
    from fsgitops.cli.printing import print_json, print_lines
    from fsgitops.commands.adopt import released_to_json, run_release
    from fsgitops.steps.render_history import render_released

    workspace = open_place(shared, directory, target)
    released = run_release(
        workspace,
        names,
        wait_seconds=wait_seconds,
        tell=print_note,
    )
    if as_json:
        print_json(released_to_json(released))
    elif not is_quiet():
        print_lines(render_released(released))
    return 0
