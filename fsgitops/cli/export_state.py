"""`fsgitops export-state`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from fsgitops.cli.options import Shared, open_place, with_place
from fsgitops.console.commands import Command, Option
from fsgitops.console.stream import confirm_done
from fsgitops.visible import count_noun


@click.command(
    "export-state",
    cls=Command,
    epilog="Example: fsgitops export-state --target prod --output state.json",
)
@with_place
@click.option(
    "--output",
    "out",
    cls=Option,
    former=("--out",),
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="The file to write [default: stdout].",
)
@click.pass_obj
def command(shared: Shared, directory: str | None, target: str | None, out: Path | None) -> int:
    """Record what is live, for `plan --against` elsewhere.

    Records the target, the time, and each managed file: its name, keyed digest and masked
    attributes. If FILE ends with .gz, it is compressed.
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
    confirm_done(
        f"{out}: {count_noun(len(state.files), 'file')} of target {state.target}", err=True
    )
    return 0
