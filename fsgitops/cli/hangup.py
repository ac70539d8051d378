"""`fsgitops hangup`."""

from __future__ import annotations

import click

from fsgitops.cli.options import Shared, open_place, with_json, with_place


@click.command("hangup", epilog="Example: fsgitops hangup 4c02599d-865c-42fd-9045-079b692658b0")
@click.argument("uuid")
@with_place
@with_json
@click.pass_obj
def command(
    shared: Shared, uuid: str, directory: str | None, target: str | None, as_json: bool
) -> int:
    """End the call that UUID is a leg of; `fsgitops calls` shows the uuids."""
    from fsgitops.cli.printing import print_json
    from fsgitops.commands.hangup import run_hangup

    run_hangup(open_place(shared, directory, target), uuid)
    if as_json:
        print_json({"format": "fsgitops-hangup", "version": 1, "uuid": uuid})
    else:
        click.echo(f"Ended {uuid}.")
    return 0
