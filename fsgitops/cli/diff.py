"""`fsgitops diff`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from fsgitops.cli.complete import COMMIT
from fsgitops.cli.formats import choose_outputs, with_formats
from fsgitops.cli.options import Shared, find_root, name_default, with_full, with_json, with_place
from fsgitops.console.commands import Command

if TYPE_CHECKING:
    from pathlib import Path


@click.command("diff", cls=Command, epilog="Example: fsgitops diff main my-branch")
@click.argument("before", metavar="REV1", shell_complete=COMMIT)
@click.argument("after", shell_complete=COMMIT, metavar="[REV2]", required=False)
@with_place
@click.option(
    "--detailed-exitcode", is_flag=True, help="Exit with 2 when there are changes, 0 when none."
)
@with_formats
@with_full
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
    full: bool,
    as_json: bool,
) -> int:
    """Show what changes between two git revisions.

    Compiles REV1 and REV2 (default: the working tree), and compares them. Reads only git: no
    switch, no conf directory, no key. Names secrets that would change, and never shows them.
    """
    from fsgitops.cli.planned import CHANGES_PENDING, answer_planned, make_planned
    from fsgitops.commands.diff import run_diff

    wanted = choose_outputs(named, outputs, as_json=as_json, full=full_at)
    root, name = find_root(shared, directory), target or shared.target
    planned = make_planned(
        lambda: run_diff(root, name, before, after),
        wanted,
        "Compiling both revisions",
        name or name_default(),
        root,
    )
    answer_planned(planned, wanted, root, full=full)
    return CHANGES_PENDING if detailed_exitcode and planned.plan.changes else 0
