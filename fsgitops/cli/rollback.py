"""`fsgitops rollback`."""

from __future__ import annotations

import click

from fsgitops.cli.carry import Carry, print_applied, print_note, with_carry
from fsgitops.cli.complete import REVISION
from fsgitops.cli.options import Shared, open_place, with_allow, with_full, with_json, with_place
from fsgitops.console.commands import Command, Number
from fsgitops.console.stream import is_quiet


@click.command("rollback", cls=Command, epilog="Example: fsgitops rollback 11 --target prod")
@click.argument("to", required=False, metavar="[REV]", shell_complete=REVISION, type=Number(min=0))
@with_place
@with_carry
@with_allow
@with_full
@with_json
@click.pass_obj
def command(
    shared: Shared,
    to: int | None,
    directory: str | None,
    target: str | None,
    carry: Carry,
    allow: tuple[str, ...],
    full: bool,
    as_json: bool,
) -> int:
    """Restore managed files as they were after a revision.

    Without REV, undoes the last apply. Shows a plan first, then applies it like any other: all
    or nothing, read back from the switch, and recorded as a revision. The desired files stay as
    they are.
    """
    from fsgitops.cli.printing import print_lines, print_notes, working
    from fsgitops.commands.rollback import plan_rollback, run_rollback
    from fsgitops.planning.shape import Demands
    from fsgitops.steps.render_history import render_rollback
    from fsgitops.steps.render_text import render_plan

    workspace = open_place(shared, directory, target)
    with working("Comparing the files of then with the live ones"):
        shown = plan_rollback(workspace, to, Demands(allow=frozenset(allow), reload=carry.reload))
    print_notes(shown.notes)
    if carry.yes and is_quiet():
        print_notes(shown.plan.warnings)
    else:
        print_lines(render_rollback(shown.to, shown.undone, shown.plan), err=as_json)
        print_lines(render_plan(shown.plan, full=full), err=as_json)
    carry.confirm(shown.plan, f"Roll {shown.plan.target} back?", err=as_json)
    with working("Rolling back"):
        applied = run_rollback(
            workspace,
            shown,
            reload=carry.reload,
            wait_seconds=carry.wait_seconds,
            tell=print_note,
        )
    print_applied(applied, as_json=as_json)
    return 0
