"""`fsgitops compile`."""

from __future__ import annotations

from pathlib import Path

import click

from fsgitops.cli.options import Shared, open_place, with_place
from fsgitops.console.commands import Command, Option
from fsgitops.console.stream import confirm_done
from fsgitops.visible import count_noun


@click.command("compile", cls=Command, epilog="Example: fsgitops compile --output build/conf")
@with_place
@click.option(
    "--output",
    "out",
    cls=Option,
    former=("--out",),
    metavar="DIR",
    required=True,
    type=click.Path(path_type=Path),
    help="An empty directory.",
)
@click.pass_obj
def command(shared: Shared, directory: str | None, target: str | None, out: Path) -> int:
    """Write every compiled file into an empty directory.

    For a look at them, or to build an image. Compares nothing, and reloads nothing. Files that hold
    secrets are 0640.
    """
    from fsgitops.cli.printing import print_findings, print_notes
    from fsgitops.commands.compile import run_compile
    from fsgitops.planning.planned import name_unavailable

    compilation = run_compile(open_place(shared, directory, target), out)
    print_notes([*compilation.notes, *name_unavailable(compilation)])
    print_findings(compilation.declared.findings)
    confirm_done(f"Wrote {count_noun(len(compilation.compiled.files), 'file')} below {out}")
    return 0
