"""`fsgitops diff`."""

from __future__ import annotations

import click

from fsgitops.cli.options import Shared, find_root, with_json, with_place

CHANGES_PENDING = 2


@click.command("diff", epilog="Example: fsgitops diff main my-branch")
@click.argument("before", metavar="REV1")
@click.argument("after", metavar="[REV2]", required=False)
@with_place
@click.option(
    "--detailed-exitcode", is_flag=True, help="Exit with 2 when there are changes, 0 when none."
)
@with_json
@click.pass_obj
def command(
    shared: Shared,
    before: str,
    after: str | None,
    directory: str | None,
    target: str | None,
    detailed_exitcode: bool,
    as_json: bool,
) -> int:
    """Show what REV2 (or the working tree) changes against REV1, compiled on both sides.

    Reads git and nothing else: no switch, no conf directory, no key. Secrets that would change
    are named and never shown.
    """
    from fsgitops.cli.printing import print_findings, print_json, print_lines, working
    from fsgitops.commands.diff import run_diff
    from fsgitops.model.plan_json import plan_to_json
    from fsgitops.steps.render_text import render_plan

    root = find_root(shared, directory)
    with working("Compiling both revisions"):
        planned = run_diff(root, target or shared.target, before, after)
    print_findings(planned.compilation.declared.findings)
    if as_json:
        print_json(plan_to_json(planned.plan))
    else:
        print_lines(render_plan(planned.plan))
    return CHANGES_PENDING if detailed_exitcode and planned.plan.changes else 0
