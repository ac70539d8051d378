"""`fsgitops sandbox`."""

from __future__ import annotations

import click

from fsgitops.cli.complete import EXTENSION
from fsgitops.cli.options import Shared, open_place
from fsgitops.console.commands import Command, Number, with_directory


@click.command("sandbox", cls=Command, epilog="Example: fsgitops sandbox --port 8021")
@with_directory
@click.option("--port", type=Number(0, 65535), default=0, help="Port [default: a free one].")
@click.option(
    "--phone",
    "phones",
    shell_complete=EXTENSION,
    multiple=True,
    metavar="EXT",
    help="Simulate a registered phone of EXT.",
)
@click.pass_obj
def command(shared: Shared, directory: str | None, port: int, phones: tuple[str, ...]) -> int:
    """Run the embedded switch, a simulation of FreeSWITCH.

    Runs until Ctrl-C, on loopback only.
    While it runs, commands for the target `sandbox` talk to it. It loads the sandbox's conf
    directory as FreeSWITCH would. Its phones are simulated, and answer at once.
    """
    from fsgitops.commands.sandbox import run_sandbox
    from fsgitops.settings.shapes import SANDBOX

    workspace = open_place(shared, directory, SANDBOX)
    run_sandbox(workspace, port, lambda text: click.echo(text, err=True), phones)
    return 0
