"""`fsgitops fmt`."""

from __future__ import annotations

import click

from fsgitops.cli.complete import DECLARED_FILE
from fsgitops.cli.options import Shared, find_path, open_place, with_json, with_place
from fsgitops.console.commands import Command
from fsgitops.console.stream import confirm_done

NOT_CANONICAL = 1


@click.command("fmt", cls=Command, epilog="Example: fsgitops fmt --check desired/agents.yaml")
@click.argument("paths", nargs=-1, metavar="[PATH]...", shell_complete=DECLARED_FILE)
@with_place
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 when a file would change.")
@with_json
@click.pass_obj
def command(
    shared: Shared,
    paths: tuple[str, ...],
    directory: str | None,
    target: str | None,
    check: bool,
    as_json: bool,
) -> int:
    """Format YAML files without changing what they say.

    Puts fields in order, and quotes only what needs them. Comments stay with their field.
    Without PATH, formats every declared file. Writes a file only after proving that it still
    says the same.
    """
    from fsgitops.cli.printing import print_json
    from fsgitops.commands.fmt import run_fmt

    workspace = open_place(shared, directory, target)
    placed = [find_path(shared, directory, path) for path in paths]
    done = run_fmt(workspace, placed, check=check)
    if as_json:
        data = {"changed": list(done.changed), "canonical": done.canonical, "check": check}
        print_json({"format": "fsgitops-fmt", "version": 1, **data})
    else:
        for name in done.changed:
            click.echo(f"{'would change' if check else 'changed'}: {name}")
        confirm_done(f"{len(done.changed)} changed, {done.canonical} canonical already", err=True)
    return NOT_CANONICAL if check and done.changed else 0
