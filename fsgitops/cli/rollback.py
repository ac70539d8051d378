"""`fsgitops rollback`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from fsgitops.cli.options import Shared, open_place, with_allow, with_json, with_place

if TYPE_CHECKING:
    from fsgitops.commands.rollback import RollBack


@click.command("rollback", epilog="Example: fsgitops rollback 11 --target prod")
@click.argument("to", required=False, metavar="[REV]", type=click.IntRange(min=0))
@with_place
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@click.option("--no-reload", is_flag=True, help="Write the files only: for building an image.")
@click.option("--no-wait", is_flag=True, help="Fail at once when another apply is at work.")
@with_allow
@with_json
@click.pass_obj
def command(
    shared: Shared,
    to: int | None,
    directory: str | None,
    target: str | None,
    yes: bool,
    no_reload: bool,
    no_wait: bool,
    allow: tuple[str, ...],
    as_json: bool,
) -> int:
    """Put every managed file back as it stood after revision REV [default: undo the last apply].

    It is shown as a plan first, and carried out as an apply is: all or nothing, read back from
    the switch, and recorded as a revision of its own. What is declared stays as it is.
    """
    from fsgitops.cli.printing import print_json, print_lines, print_notes, working
    from fsgitops.commands.rollback import plan_rollback, run_rollback
    from fsgitops.commands.shape import Demands
    from fsgitops.steps.render_history import render_rollback
    from fsgitops.steps.render_json import applied_to_json
    from fsgitops.steps.render_text import render_applied, render_plan

    workspace = open_place(shared, directory, target)
    with working("Comparing what stood then with what is live"):
        shown = plan_rollback(workspace, to, Demands(allow=frozenset(allow), reload=not no_reload))
    print_notes(shown.notes)
    print_lines(render_rollback(shown.to, shown.undone), err=as_json)
    print_lines(render_plan(shown.plan), err=as_json)
    if (shown.plan.changes or (shown.plan.unloaded and not no_reload)) and not yes:
        _ask(shown, shown_on_stderr=as_json)
    with working("Rolling back"):
        applied = run_rollback(
            workspace,
            shown,
            reload=not no_reload,
            wait_seconds=0.0 if no_wait else 60.0,
            tell=lambda text: print_notes([text]),
        )
    if as_json:
        print_json(applied_to_json(applied))
    else:
        print_lines(render_applied(applied))
    return 0


def _ask(shown: RollBack, *, shown_on_stderr: bool) -> None:
    from fsgitops.steps.apply import refuse_unsafe

    refuse_unsafe(shown.plan)
    if not sys.stdin.isatty():
        raise click.UsageError("nobody to ask: give --yes")
    question = f"Roll {shown.plan.target} back?"
    click.confirm(question, abort=True, err=shown_on_stderr)
