"""`fsgitops plan`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from fsgitops.cli.formats import choose_outputs, with_formats
from fsgitops.cli.options import Shared, open_place, with_demands, with_json, with_place

CHANGES_PENDING = 2


@click.command(
    "plan", epilog="Example: fsgitops plan --target prod --out plan.json --output plan.html"
)
@with_place
@click.option("--out", type=click.Path(path_type=Path), help="Save the plan for a later apply.")
@click.option(
    "--detailed-exitcode",
    is_flag=True,
    help="Exit with 2 when there are changes or hazards, 0 when none.",
)
@click.option(
    "--against",
    metavar="STATE",
    type=click.Path(path_type=Path),
    help="Compare with a file of `export-state`: needs no conf directory and no key.",
)
@with_formats
@click.option("--live", is_flag=True, help="Ask the switch who is registered or on a call now.")
@with_demands
@with_json
@click.pass_obj
def command(
    shared: Shared,
    directory: str | None,
    target: str | None,
    out: Path | None,
    detailed_exitcode: bool,
    against: Path | None,
    named: str | None,
    outputs: tuple[Path, ...],
    full_at: str,
    live: bool,
    only: tuple[str, ...],
    exclude: tuple[str, ...],
    allow: tuple[str, ...],
    kick_rotated: bool,
    as_json: bool,
) -> int:
    """Show what an apply would do, attribute by attribute, and do none of it.

    Reads the files that fsgitops manages and whatever stands in the way of new ones. Without the
    project key, secret values are shown as known after apply.
    """
    from fsgitops.cli.printing import print_findings, print_json, print_lines, print_notes, working
    from fsgitops.commands.export_state import load_state, plan_against
    from fsgitops.commands.plan import run_plan, save_plan
    from fsgitops.commands.review import review_plan, review_refusal
    from fsgitops.commands.shape import Demands
    from fsgitops.errors import DesiredInvalidError
    from fsgitops.model.plan_json import plan_to_json
    from fsgitops.steps.render_json import error_to_json
    from fsgitops.steps.render_text import render_plan

    wanted = choose_outputs(named, outputs, as_json=as_json, full=full_at)
    state = load_state(against) if against else None
    recorded_on = state.target if state and not shared.target else None
    workspace = open_place(shared, directory, target or recorded_on)
    demands = Demands(only, exclude, frozenset(allow), kick_rotated)
    try:
        with working("Comparing what is declared with what is live"):
            planned = (
                plan_against(workspace, state, datetime.now(UTC), demands)
                if state
                else run_plan(workspace, demands, live=live)
            )
    except DesiredInvalidError as problem:
        findings = problem
        wanted.write(
            lambda: review_refusal(findings, workspace.target.name, workspace.root, wanted.full),
            lambda: error_to_json(findings),
        )
        raise
    print_notes(planned.notes)
    print_findings(planned.compilation.declared.findings)
    if out is not None:
        save_plan(planned.plan, out)
    wanted.write(
        lambda: review_plan(planned, workspace.root, wanted.full),
        lambda: plan_to_json(planned.plan),
    )
    if wanted.shown == "json":
        print_json(plan_to_json(planned.plan))
    elif wanted.shown == "text":
        print_lines(render_plan(planned.plan))
    pending = planned.plan.changes or planned.plan.hazards
    return CHANGES_PENDING if detailed_exitcode and pending else 0
