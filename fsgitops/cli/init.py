"""`fsgitops init`."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fsgitops.console.commands import Command, Common
from fsgitops.console.stream import confirm_done

if TYPE_CHECKING:
    from fsgitops.cli.options import Shared


@click.command("init", cls=Command, epilog="Example: fsgitops init pbx")
@click.argument("directory", required=False, type=click.Path(path_type=Path))
@click.option(
    "-C",
    "place",
    type=click.Path(file_okay=False),
    cls=Common,
    metavar="DIR",
    help="Run as if in DIR.",
)
@click.option("--templates", is_flag=True, help="Copy the templates too, to edit them.")
@click.option(
    "--ci",
    type=click.Choice(("github", "gitlab", "none")),
    default="github",
    show_default=True,
    help="Whose pipelines to write.",
)
@click.option(
    "--install",
    metavar="WHAT",
    envvar="FSGITOPS_INSTALL",
    help=(
        "What the pipelines install: a version, an address with its hash, a repository with a "
        "commit, or a wheel. Default: what this fsgitops was installed from."
    ),
)
@click.pass_context
def command(
    ctx: click.Context,
    /,
    directory: Path | None,
    place: str | None,
    templates: bool,
    ci: str,
    install: str | None,
) -> int:
    """Write a new project.

    Writes settings, an example, CI pipelines, .gitignore and editor schemas. Existing files
    stay as they are, but --install rewrites the line that the pipelines install.
    """
    from fsgitops.commands.init import run_init

    shared: Shared = ctx.obj
    root = shared.root / (place or "") / (directory or "")
    for above in (root, *root.parents):
        if above.exists() and not above.is_dir():
            raise click.UsageError(f"{above}: is a file, expected a folder")
    typed = ctx.get_parameter_source("install") is click.core.ParameterSource.COMMANDLINE
    done = run_init(root, templates=templates, pipelines=ci, install=install, rewrite=typed)
    for path in done.written:
        confirm_done(f"wrote {path}")
    for path in done.left:
        confirm_done(f"left as it is: {path}", err=True)
    for note in done.notes:
        confirm_done(note, err=True)
    confirm_done(f"Next: {_enter(root)}fsgitops key new, fsgitops plan, fsgitops apply")
    return 0


def _enter(root: Path) -> str:
    """Return the words that lead from here into the project; none where it is here."""
    here, there = Path.cwd(), root.resolve()
    if there == here:
        return ""
    way = there.relative_to(here) if there.is_relative_to(here) else there
    return f"cd {shlex.quote(str(way))}, "
