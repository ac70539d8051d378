"""`fsgitops apply`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fsgitops.cli.carry import Carry, print_applied, print_note, with_carry
from fsgitops.cli.notify import note_applied, note_plan, with_notify
from fsgitops.cli.options import Shared, open_place, with_demands, with_full, with_json, with_place
from fsgitops.console.commands import Command
from fsgitops.console.stream import is_quiet

if TYPE_CHECKING:
    from fsgitops.planning.planned import Planned
    from fsgitops.planning.shape import Demands


@click.command("apply", cls=Command, epilog="Example: fsgitops apply --target prod plan.json")
@click.argument("saved", required=False, metavar="[PLAN]", type=click.Path(path_type=Path))
@with_place
@with_carry
@with_demands
@with_full
@with_json
@click.pass_obj
@with_notify
def command(
    shared: Shared,
    saved: Path | None,
    directory: str | None,
    target: str | None,
    carry: Carry,
    demands: Demands,
    full: bool,
    as_json: bool,
) -> int:
    """Apply a plan, and read it back from the switch.

    With PLAN, applies exactly that saved plan, or nothing if anything has changed since. If a
    step fails, it restores and reloads the files: exit code 5, or 6 if even that fails.
    """
    from fsgitops.cli.printing import working
    from fsgitops.commands.apply import run_apply
    from fsgitops.commands.plan import load_plan, run_plan

    workspace = open_place(shared, directory, target)
    approved = load_plan(saved) if saved else None
    demands = replace(demands, reload=carry.reload)
    demands = demands.of_saved(approved) if approved else demands
    with working("Comparing the declared with the live files"):
        planned = run_plan(workspace, demands, live=carry.reload)
    _show(planned, err=as_json, full=full, unread=(carry.yes or bool(approved)) and is_quiet())
    if not approved:
        question = f"Apply this to {planned.plan.target}?"
        carry.confirm(planned.plan, question, hint=", or apply a saved plan", err=as_json)
    with working("Applying"):
        applied = run_apply(
            workspace,
            planned,
            approved=approved,
            reload=carry.reload,
            wait_seconds=carry.wait_seconds,
            tell=print_note,
        )
    note_applied(applied)
    print_applied(applied, as_json=as_json)
    return 0


def _show(planned: Planned, *, err: bool, full: bool, unread: bool) -> None:
    from fsgitops.cli.printing import print_findings, print_lines, print_notes
    from fsgitops.steps.render_text import render_plan

    note_plan(planned.plan)
    print_notes(planned.notes)
    print_findings(planned.compilation.declared.findings)
    if unread:
        print_notes(planned.plan.warnings)
    else:
        print_lines(render_plan(planned.plan, full=full), err=err)
