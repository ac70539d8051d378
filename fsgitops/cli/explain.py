"""`fsgitops explain`."""

from __future__ import annotations

import click

from fsgitops.console.commands import Command


@click.command("explain", cls=Command, epilog="Example: fsgitops explain agent.caller_id_number")
@click.argument("path", default="agent", metavar="[KIND[.FIELD]...]")
def command(path: str) -> int:
    """Explain a kind, a field or a rule.

    KIND is agent, did, settings or plan; a field below a field is named with dots.
    """
    from fsgitops.commands.schema import explain

    for line in explain(path):
        click.echo(line)
    return 0
