"""`fsgitops diff`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from fsgitops.cli.formats import choose_outputs, with_formats
from fsgitops.cli.options import Shared, find_root, with_json, with_place

if TYPE_CHECKING:
    from pathlib import Path

CHANGES_PENDING = 2


@click.command("diff", epilog="Example: fsgitops diff main my-branch")
@click.argument("before", metavar="REV1")
@click.argument("after", metavar="[REV2]", required=False)
@with_place
@click.option(
    "--detailed-exitcode", is_flag=True, help="Exit with 2 when there are changes, 0 when none."
)
@with_formats
@with_json
@click.pass_obj
def command(
    shared: Shared,
    before: str,
    after: str | None,
    directory: str | None,
    target: str | None,
    detailed_exitcode: bool,
    named: str | None,
    outputs: tuple[Path, ...],
    full_at: str,
    as_json: bool,
) -> int:
    """Show what REV2 (or the working tree) changes against REV1, compiled on both sides.

    Reads git and nothing else: no switch, no conf directory, no key. Secrets that would change
    are named and never shown.
    """
    from fsgitops.cli.printing import print_findings, print_json, print_lines, working
    from fsgitops.commands.diff import run_diff
    from fsgitops.commands.review import review_plan, review_refusal
    from fsgitops.errors import DesiredInvalidError
    from fsgitops.model.plan_json import plan_to_json
    from fsgitops.steps.render_json import error_to_json
    from fsgitops.steps.render_text import render_plan

    wanted = choose_outputs(named, outputs, as_json=as_json, full=full_at)
    root = find_root(shared, directory)
    try:
        with working("Compiling both revisions"):
            planned = run_diff(root, target or shared.target, before, after)
    except DesiredInvalidError as problem:
        findings = problem
        name = target or shared.target or "sandbox"
        wanted.write(
            lambda: review_refusal(findings, name, root, wanted.full),
            lambda: error_to_json(findings),
        )
        raise
    print_findings(planned.compilation.declared.findings)
    wanted.write(
        lambda: review_plan(planned, root, wanted.full), lambda: plan_to_json(planned.plan)
    )
    if wanted.shown == "json":
        print_json(plan_to_json(planned.plan))
    elif wanted.shown == "text":
        print_lines(render_plan(planned.plan))
    return CHANGES_PENDING if detailed_exitcode and planned.plan.changes else 0
