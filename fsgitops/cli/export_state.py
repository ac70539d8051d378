"""`fsgitops export-state`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from fsgitops.cli.options import Shared, open_place, with_place


@click.command(
    "export-state", epilog="Example: fsgitops export-state --target prod --out state.json"
)
@with_place
@click.option("--out", type=click.Path(path_type=Path), help="The file to write [default: stdout].")
@click.pass_obj
def command(shared: Shared, directory: str | None, target: str | None, out: Path | None) -> int:
    """Record what is live, without its secrets, so that `plan --against` works anywhere.

    Holds keyed digests and masked attributes of the files that fsgitops manages, their names, the
    target and the time. A name that ends with .gz is compressed.
    """
    from fsgitops.cli.printing import print_json, working
    from fsgitops.commands.export_state import run_export_state, save_state

    workspace = open_place(shared, directory, target)
    with working("Reading what is live"):
        state = run_export_state(workspace, datetime.now(UTC))
    if out is None:
        print_json(state.to_json())
        return 0
    save_state(state, out)
    click.echo(f"{out}: {len(state.files)} files of target {state.target}", err=True)
    return 0
