"""`fsgitops sandbox`."""

from __future__ import annotations

import click

from fsgitops.cli.options import Shared, open_place


@click.command("sandbox", epilog="Example: fsgitops sandbox --port 8021")
@click.option("-C", "directory", metavar="DIR", help="Run as if in DIR.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, help="Port [default: a free one]."
)
@click.pass_obj
def command(shared: Shared, directory: str | None, port: int) -> int:
    """Run the embedded switch until Ctrl-C: a simulation of FreeSWITCH, on loopback only.

    While it runs, commands for the target `sandbox` talk to it. It loads the sandbox's conf
    directory as FreeSWITCH would, and rings no phone.
    """
    from fsgitops.commands.sandbox import run_sandbox
    from fsgitops.settings import SANDBOX

    workspace = open_place(shared, directory, SANDBOX)
    run_sandbox(workspace, port, lambda text: click.echo(text, err=True))
    return 0
