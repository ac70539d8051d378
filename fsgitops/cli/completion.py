"""`fsgitops completion`."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from fsgitops.console.commands import Command


@click.command("completion", cls=Command, epilog='Example: eval "$(fsgitops completion bash)"')
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(ctx: click.Context, shell: str) -> int:
    """Print the script that completes commands in your shell."""
    found = get_completion_class(shell)
    if found is None:
        raise click.UsageError(f"no completion for {shell}")
    root = ctx.find_root().command
    click.echo(found(root, {}, "fsgitops", "_FSGITOPS_COMPLETE").source())
    return 0
