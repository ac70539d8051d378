"""`fsgitops completion`."""

from __future__ import annotations

import click

from fsgitops.console.commands import Command
from fsgitops.console.complete import SHELLS, print_script


@click.command("completion", cls=Command, epilog='Example: eval "$(fsgitops completion bash)"')
@click.argument("shell", type=click.Choice(SHELLS))
def command(shell: str) -> int:
    """Print the script that completes commands in your shell.

    Options, targets, extensions, numbers, revisions, fields and files are completed too. Put the
    example into the start-up file of your shell; `fsgitops-cdr completion` does the same for that.
    """
    print_script("fsgitops", shell)
    return 0
