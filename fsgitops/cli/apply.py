"""`fsgitops apply`."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fsgitops.cli.notify import note_applied, note_plan, with_notify
from fsgitops.cli.options import Shared, open_place, with_demands, with_json, with_place

if TYPE_CHECKING:
    from fsgitops.commands.plan import Planned
    from fsgitops.commands.shape import Demands


@click.command("apply", epilog="Example: fsgitops apply --target prod plan.json")
@click.argument("saved", required=False, metavar="[PLAN]", type=click.Path(path_type=Path))
@with_place
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@click.option("--no-reload", is_flag=True, help="Write the files only: for building an image.")
@click.option("--no-wait", is_flag=True, help="Fail at once when another apply is at work.")
@with_demands
@with_json
@click.pass_obj
@with_notify
def command(
    shared: Shared,
    saved: Path | None,
    directory: str | None,
    target: str | None,
    yes: bool,
    no_reload: bool,
    no_wait: bool,
    demands: Demands,
    as_json: bool,
) -> int:
    """Carry a plan out: write, reload, and read back from the switch that it holds it.

    With PLAN, exactly that saved plan, or nothing if anything has changed since. On any failure
    the files are restored and reloaded: exit code 5, or 6 if even that failed.
    """
    from fsgitops.cli.printing import print_findings, print_json, print_lines, print_notes, working
    from fsgitops.commands.apply import run_apply
    from fsgitops.commands.plan import load_plan, run_plan
    from fsgitops.steps.render_json import applied_to_json
    from fsgitops.steps.render_text import render_applied, render_plan

    workspace = open_place(shared, directory, target)
    approved = load_plan(saved) if saved else None
    demands = replace(demands, reload=not no_reload)
    demands = demands.of_saved(approved) if approved else demands
    with working("Comparing what is declared with what is live"):
        planned = run_plan(workspace, demands, live=not no_reload)
    note_plan(planned.plan)
    print_notes(planned.notes)
    print_findings(planned.compilation.declared.findings)
    print_lines(render_plan(planned.plan), err=as_json)
    pending = planned.plan.changes or (planned.plan.unloaded and not no_reload)
    if pending and not (yes or approved):
        _ask(planned, shown_on_stderr=as_json)
    with working("Applying"):
        applied = run_apply(
            workspace,
            planned,
            approved=approved,
            reload=not no_reload,
            wait_seconds=0.0 if no_wait else 60.0,
            tell=lambda text: print_notes([text]),
        )
    note_applied(applied)
    if as_json:
        print_json(applied_to_json(applied))
    else:
        print_lines(render_applied(applied))
    return 0


def _ask(planned: Planned, *, shown_on_stderr: bool) -> None:
    from fsgitops.steps.apply import refuse_unsafe

    refuse_unsafe(planned.plan)
    if not sys.stdin.isatty():
        raise click.UsageError("nobody to ask: give --yes, or a saved plan")
    question = f"Apply this to {planned.plan.target}?"
    click.confirm(question, abort=True, err=shown_on_stderr)
