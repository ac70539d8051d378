"""`fsgitops plan`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fsgitops.cli.formats import choose_outputs, with_formats
from fsgitops.cli.options import (
    Shared,
    find_root,
    name_default,
    open_place,
    with_demands,
    with_full,
    with_json,
    with_place,
)
from fsgitops.console.commands import Command

if TYPE_CHECKING:
    from collections.abc import Callable

    from fsgitops.model.state import RecordedState
    from fsgitops.planning.planned import Planned
    from fsgitops.planning.shape import Demands
    from fsgitops.workspace.open import Workspace


@click.command(
    "plan",
    cls=Command,
    epilog="Example: fsgitops plan --target prod --out plan.json --output plan.html",
)
@with_place
@click.option("--out", type=click.Path(path_type=Path), help="Save the plan for a later apply.")
@click.option(
    "--detailed-exitcode",
    is_flag=True,
    help="Exit with 2 if an apply would change something or stop at a hazard, else with 0.",
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
@with_full
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
    demands: Demands,
    full: bool,
    as_json: bool,
) -> int:
    """Show what an apply would change, and change nothing.

    Reads the files that fsgitops manages, and any other file in the way of new ones. Without
    the project key, secret values are shown as (known after apply).
    """
    from fsgitops.cli.planned import CHANGES_PENDING, answer_planned, make_planned, telling
    from fsgitops.commands.export_state import load_state
    from fsgitops.commands.plan import save_plan

    wanted = choose_outputs(named, outputs, as_json=as_json, full=full_at)
    state = load_state(against) if against else None
    name = target or shared.target or (state.target if state else None)
    with telling(wanted, name or name_default(), find_root(shared, directory)):
        workspace = open_place(shared, directory, name)
    planned = make_planned(
        _choose(workspace, state, live=live, demands=demands),
        wanted,
        "Comparing the declared with the live files",
        workspace.target.name,
        workspace.root,
    )
    if out is not None:
        save_plan(planned.plan, out)
    answer_planned(planned, wanted, workspace.root, full=full)
    pending = planned.plan.changes or planned.plan.hazards or planned.plan.unloaded
    return CHANGES_PENDING if detailed_exitcode and pending else 0


def _choose(
    workspace: Workspace, state: RecordedState | None, *, live: bool, demands: Demands
) -> Callable[[], Planned]:
    """Return what makes the plan: against what is live, or against a recorded state."""
    from fsgitops.commands.export_state import plan_against
    from fsgitops.commands.plan import run_plan

    if state is None:
        return lambda: run_plan(workspace, demands, live=live)
    return lambda: plan_against(workspace, state, datetime.now(UTC), demands)
