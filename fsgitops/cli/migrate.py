"""The commands that take a running switch under control."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import click

from fsgitops.cli.options import with_json, with_workspace
from fsgitops.cli.printing import print_document, print_lines, working
from fsgitops.console.commands import Command
from fsgitops.console.stream import confirm_done

if TYPE_CHECKING:
    from fsgitops.commands.importing.hiding import Hiding
    from fsgitops.workspace.open import Workspace


@click.command("import", cls=Command, epilog="Example: fsgitops import --target prod --dry-run")
@with_workspace
@click.option(
    "--out", metavar="DIR", help="Write the YAML files here [default: the desired folder]."
)
@click.option(
    "--secrets",
    "hiding",
    type=click.Choice(("age", "env", "derive", "a1")),
    default="age",
    show_default=True,
    help="Encrypt passwords, name variables for them, make new ones, or keep their hashes.",
)
@click.option("--dry-run", is_flag=True, help="Show what would be imported, and write nothing.")
@click.option("--force", is_flag=True, help="Replace YAML files that are there.")
@with_json
def import_command(
    workspace: Workspace,
    out: str | None,
    hiding: str,
    dry_run: bool,
    force: bool,
    as_json: bool,
) -> int:
    """Declare what stands in a conf directory as YAML.

    Reads the files as FreeSWITCH does, and writes the users there as agents. The conf directory
    stays as it is: `fsgitops adopt` takes it over. What cannot be declared is listed with its
    place and the reason, and left alone. Every phone keeps its password, unless --secrets is
    derive, and none is written in plain text.
    """
    from fsgitops.commands.importing import Wanted, run_import
    from fsgitops.steps.render_import import render_import

    wanted = Wanted(
        out or workspace.settings.desired, cast("Hiding", hiding), dry_run=dry_run, force=force
    )
    with working("Reading the conf directory"):
        found = run_import(workspace, wanted)
    if as_json:
        print_document("import", **found.to_json())
        return 0
    print_lines(render_import(found, workspace.kinds))
    if found.files and not dry_run:
        confirm_done("Next: read the files, fsgitops validate, fsgitops adopt .")
    return 0
