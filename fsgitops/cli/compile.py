"""`fsgitops compile`."""

from __future__ import annotations

from pathlib import Path

import click

from fsgitops.cli.options import Shared, open_place, with_place


@click.command("compile", epilog="Example: fsgitops compile --out build/conf")
@with_place
@click.option("--out", required=True, type=click.Path(path_type=Path), help="An empty directory.")
@click.pass_obj
def command(shared: Shared, directory: str | None, target: str | None, out: Path) -> int:
    """Write every compiled file below an empty directory: to look at, or to build an image from.

    Nothing is compared, nothing is reloaded. Files that hold secrets are 0640.
    """
    from fsgitops.cli.printing import print_findings, print_notes
    from fsgitops.commands.compile import run_compile
    from fsgitops.commands.plan import name_unavailable

    compilation = run_compile(open_place(shared, directory, target), out)
    print_notes([*compilation.notes, *name_unavailable(compilation)])
    print_findings(compilation.declared.findings)
    click.echo(f"Wrote {len(compilation.compiled.files)} files below {out}")
    return 0
