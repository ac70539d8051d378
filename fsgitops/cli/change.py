"""The commands that change a target, and tell what was changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fsgitops.cli.carry import (
    Carry,
    notifying,
    print_applied,
    print_note,
    with_carry,
)
from fsgitops.cli.options import (
    REVISION,
    Start,
    find_root,
    name_default,
    open_place,
    with_allow,
    with_demands,
    with_full,
    with_json,
    with_place,
    with_workspace,
)
from fsgitops.cli.outputs import with_formats
from fsgitops.cli.printing import (
    print_document,
    print_findings,
    print_json,
    print_layouts,
    print_lines,
    print_notes,
    working,
)
from fsgitops.console.commands import Command, Number
from fsgitops.console.stream import confirm_done, is_quiet

if TYPE_CHECKING:
    from collections.abc import Callable

    from fsgitops.cli.outputs import Outputs
    from fsgitops.planning.planned import Planned, Unchanged
    from fsgitops.planning.shape import Demands
    from fsgitops.settings.shapes import Layout
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
@click.option(
    "--rehash",
    "caching",
    flag_value="renew",
    help="Read every live file again, also those that look unchanged.",
)
@click.option("--no-cache", "caching", flag_value="off", help="Neither use nor write the cache.")
@with_demands
@with_full
@with_json
def plan_command(
    start: Start,
    out: Path | None,
    detailed_exitcode: bool,
    against: Path | None,
    wanted: Outputs,
    live: bool,
    caching: str | None,
    demands: Demands,
    full: bool,
) -> int:
    """Show what an apply would change, and change nothing.

    Reads the files that fsgitops manages, and any other file in the way of new ones. Without
    the project key, secret values are shown as (known after apply).
    """
    from fsgitops.cli.review import CHANGES_PENDING, answer_planned, make_planned, telling
    from fsgitops.commands.plan import Caching, save_plan, show_plan

    state = None
    if against:
        from fsgitops.commands.export_state import load_state, plan_against

        state = load_state(against)
    start = start._replace(target=start.target or (state.target if state else None))
    with telling(wanted, start.target or name_default(), find_root(start)):
        workspace = open_place(start)
    make: Callable[[], Planned | Unchanged] = partial(
        show_plan, workspace, demands, Caching(caching or "used"), live=live
    )
    if state is not None:
        make = partial(plan_against, workspace, state, datetime.now(UTC), demands)
    doing = "Comparing the declared with the live files"
    planned = make_planned(make, wanted, doing, workspace.target.name, workspace.root)
    if out is not None:
        save_plan(planned.plan, out)
    answer_planned(planned, wanted, workspace.root, full=full)
    pending = planned.plan.changes or planned.plan.hazards or planned.plan.unloaded
    return CHANGES_PENDING if detailed_exitcode and pending else 0


@click.command("apply", cls=Command, epilog="Example: fsgitops apply --target prod plan.json")
@click.argument("saved", required=False, metavar="[PLAN]", type=click.Path(path_type=Path))
@with_workspace
@with_carry
@with_demands
@with_full
@with_json
@click.option(
    "--notify",
    is_flag=True,
    help="Tell the webhook in fsgitops.yaml how it ended. A failing webhook is only a warning.",
)
def apply_command(
    workspace: Workspace,
    saved: Path | None,
    carry: Carry,
    demands: Demands,
    full: bool,
    as_json: bool,
    notify: bool,
) -> int:
    """Apply a plan, and read it back from the switch.

    With PLAN, applies exactly that saved plan, or nothing if anything has changed since. If a
    step fails, it restores and reloads the files: exit code 5, or 6 if even that fails.
    """
    from fsgitops.commands.apply import run_apply
    from fsgitops.commands.plan import load_plan, run_plan

    with notifying(workspace, notify) as story:
        approved = load_plan(saved) if saved else None
        demands = replace(demands, reload=carry.reload)
        demands = demands.of_saved(approved) if approved else demands
        with working("Comparing the declared with the live files"):
            ready = [run_plan(workspace, demands, live=carry.reload)]
        story.plan = plan = ready[0].plan
        unread = (carry.yes or bool(approved)) and is_quiet()
        _show(ready[0], err=as_json, full=full, unread=unread)
        if not approved:
            question = f"Apply this to {plan.target}?"
            carry.confirm(plan, question, hint=", or apply a saved plan", err=as_json)
        with working("Applying"):
            story.applied = run_apply(
                workspace,
                ready.pop(),  # handed over: it lets go of what it does not need any more
                approved=approved,
                reload=carry.reload,
                wait_seconds=carry.wait_seconds,
                tell=print_note,
            )
        print_applied(story.applied, as_json=as_json)
    return 0


def _show(planned: Planned, *, err: bool, full: bool, unread: bool) -> None:
    print_notes(planned.notes)
    print_findings(planned.findings)
    from fsgitops.steps.render_text import render_plan

    if unread:
        print_notes(planned.plan.warnings)
    else:
        print_lines(render_plan(planned.plan, full=full), err=err)


@click.command("rollback", cls=Command, epilog="Example: fsgitops rollback 11 --target prod")
@click.argument("to", required=False, metavar="[REV]", shell_complete=REVISION, type=Number(min=0))
@with_workspace
@with_carry
@with_allow
@with_full
@with_json
def rollback_command(
    workspace: Workspace,
    to: int | None,
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
    from fsgitops.commands.rollback import plan_rollback, run_rollback
    from fsgitops.planning.shape import Demands
    from fsgitops.steps.render_text import render_plan, render_rollback

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
            workspace, shown, reload=carry.reload, wait_seconds=carry.wait_seconds, tell=print_note
        )
    print_applied(applied, as_json=as_json)
    return 0


@click.command("history", cls=Command, epilog="Example: fsgitops history --target prod")
@with_workspace
@with_json
def history_command(workspace: Workspace, as_json: bool) -> int:
    """List every apply and rollback of a target, latest last.

    Shows who, when, what, and how it ended. `history: {keep: 50, days: 365}` in fsgitops.yaml
    sets how many are kept.
    """
    from fsgitops.live.revisions import list_revisions
    from fsgitops.steps.render_text import render_history

    revisions = list_revisions(workspace.target.state_dir)
    if as_json:
        print_document("history", revisions=[kept.to_json() for kept in revisions])
    else:
        print_lines(render_history((kept.number, kept.revision) for kept in revisions))
    return 0


@click.command("show", cls=Command, epilog="Example: fsgitops show 12 --target prod")
@click.argument("number", metavar="REV", shell_complete=REVISION, type=Number(min=1))
@with_workspace
@with_json
def show_command(workspace: Workspace, number: int, as_json: bool) -> int:
    """Show what a revision changed, secrets masked."""
    from fsgitops.live.revisions import find_revision, read_changes
    from fsgitops.steps.render_text import render_revision

    kept = find_revision(workspace.target.state_dir, number)
    changes = read_changes(kept)
    if as_json:
        # What is needed to roll back is not shown.
        shown = [
            {k: v for k, v in item.to_json().items() if k != "entry_before"} for item in changes
        ]
        print_json(
            {"format": "fsgitops-revision", **kept.to_json(), "version": 1, "changes": shown}
        )
    else:
        print_lines(render_revision(kept.number, kept.revision, changes))
    return 0


@click.command("layout", cls=Command, epilog="Example: fsgitops layout sharded --write")
@click.argument("layout", required=False, type=click.Choice(("files", "sharded")))
@with_workspace
@click.option("--write", is_flag=True, help="Set the layout in fsgitops.yaml. Applies nothing.")
@with_full
@with_json
def layout_command(
    workspace: Workspace, layout: Layout | None, write: bool, full: bool, as_json: bool
) -> int:
    """Show how files are cut, or the plan to another layout.

    In `files`, each agent and DID has a file. In `sharded`, for large sites, hundreds share one.
    """
    from fsgitops.cli.outputs import Outputs
    from fsgitops.cli.review import answer_planned, make_planned
    from fsgitops.commands.layout import judge_moves, plan_layout, read_layouts, write_layout

    if layout is None:
        if write:
            raise click.UsageError("--write needs a layout: files or sharded")
        found = read_layouts(workspace)
        print_json(found.to_json()) if as_json else print_layouts(found)
        return 0
    wanted = Outputs("json" if as_json else "text")
    planned = make_planned(
        partial(plan_layout, workspace, layout),
        wanted,
        f"Comparing the live files with layout {layout}",
        workspace.target.name,
        workspace.root,
    )
    answer_planned(planned, wanted, workspace.root, full=full)
    confirm_done(judge_moves(planned), err=as_json)
    if write:
        others = write_layout(workspace, layout)
        also = f", also for target {', '.join(others)}" if others else ""
        name = workspace.target.name
        target = "" if name == name_default() else f" --target {name}"
        told = f"Wrote fsgitops.yaml: layout {layout}{also}. Next: fsgitops apply{target}"
        confirm_done(told, err=as_json)
    return 0
