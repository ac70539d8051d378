"""The commands that take a running switch under control."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from fsgitops.cli.options import KIND, with_json, with_workspace
from fsgitops.cli.printing import print_document, print_lines, print_notes, working
from fsgitops.console.commands import Command, output_option
from fsgitops.console.stream import confirm_done
from fsgitops.errors import DesiredInvalidError
from fsgitops.visible import count_noun

if TYPE_CHECKING:
    from fsgitops.commands.importing import Wanted
    from fsgitops.commands.importing.hiding import Hiding
    from fsgitops.model.imports import Imported
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
@click.option(
    "--csv",
    "table",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Read a table: a spreadsheet, or an export of FreePBX, FusionPBX or `fsgitops export`.",
)
@click.option(
    "--map",
    "named",
    metavar="FIELD=COLUMN,…",
    help="Which column of the table holds which field. Others are found by their names.",
)
@click.option("--skip-rejected", is_flag=True, help="Import the other rows of a table.")
@click.option("--dry-run", is_flag=True, help="Show what would be imported, and write nothing.")
@click.option("--force", is_flag=True, help="Replace YAML files that are there.")
@with_json
def import_command(
    workspace: Workspace,
    out: str | None,
    hiding: str,
    table: Path | None,
    named: str | None,
    skip_rejected: bool,
    dry_run: bool,
    force: bool,
    as_json: bool,
) -> int:
    """Declare what a conf directory, or a table, says as YAML.

    Reads the files as FreeSWITCH does. The conf directory stays as it is: `fsgitops adopt` takes
    it over. What cannot be declared is listed with its place and the reason, and left alone. Of a
    table, nothing is written where a row is rejected. Every phone keeps its password, unless
    --secrets is derive, and none is written in plain text.
    """
    from fsgitops.commands.importing import Wanted
    from fsgitops.steps.render_import import render_import

    if table is None and (named or skip_rejected):
        raise click.UsageError("--map and --skip-rejected are for --csv")
    wanted = Wanted(
        out or workspace.settings.desired, cast("Hiding", hiding), dry_run=dry_run, force=force,
        whole=table is not None and not skip_rejected,
    )  # fmt: skip
    found = _import(workspace, wanted, table, named or "")
    refused = wanted.whole and bool(found.kept)
    if as_json:
        print_document("import", **found.to_json())
    else:
        print_lines(render_import(found, workspace.kinds))
        if refused:
            print_notes(["nothing was written: correct these rows, or pass --skip-rejected"])
        elif found.files and not dry_run:
            next_step = "" if table else ", fsgitops adopt ."
            confirm_done(f"Next: read the files, fsgitops validate{next_step}")
    return DesiredInvalidError.exit_code if refused else 0


def _import(workspace: Workspace, wanted: Wanted, table: Path | None, named: str) -> Imported:
    from fsgitops.commands.importing import run_import, run_table

    if table is None:
        with working("Reading the conf directory"):
            return run_import(workspace, wanted)
    from fsgitops.commands.importing.table import read_table

    pairs = [pair.partition("=") for pair in named.split(",") if pair]
    if not all(field and head for field, _, head in pairs):
        raise click.UsageError("--map: expected FIELD=COLUMN, separated by commas")
    columns = {field.strip(): head.strip() for field, _, head in pairs}
    with working("Reading the table"):
        return run_table(workspace, wanted, read_table(table, columns, workspace.kinds))


@click.command(
    "export", cls=Command, epilog="Example: fsgitops export agents --csv --output agents.csv"
)
@click.argument("kind", metavar="[KIND]", default="agent", shell_complete=KIND)
@with_workspace
@click.option("--csv", is_flag=True, required=True, expose_value=False, help="As a table.")
@output_option(
    "out",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="The file to write [default: stdout].",
)
def export_command(workspace: Workspace, kind: str, out: Path | None) -> int:
    """Write what is declared as a table, for a spreadsheet.

    KIND is a word such as agent or did [default: agent]. `fsgitops import --csv` takes the table
    back. It holds no secret, only where each stands. An apostrophe stands before a cell that a
    spreadsheet would change or run, such as '+19495431333.
    """
    from fsgitops.commands.export_csv import run_export
    from fsgitops.durable import write_output

    exported = run_export(workspace, kind)
    print_notes(exported.notes)
    if out is None:
        click.echo(exported.text, nl=False)
        return 0
    write_output(out, exported.text.encode())
    confirm_done(f"{out}: {count_noun(exported.rows, 'row')}", err=True)
    return 0
