"""The script with which a shell asks for the words that complete a command line."""

from __future__ import annotations

import click

SHELLS = ("bash", "zsh", "fish")


def print_script(program: str, shell: str) -> None:
    """Print what a shell has to read to complete a program's command line."""
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    if found is None:
        raise click.UsageError(f"no completion for {shell}")
    variable = f"_{program.replace('-', '_').upper()}_COMPLETE"
    click.echo(found(click.Command(program), {}, program, variable).source())
