"""`fsgitops hangup`."""

from __future__ import annotations

import click

from fsgitops.cli.options import Shared, open_place, with_json, with_place
from fsgitops.console.commands import Command
from fsgitops.console.stream import confirm_done


@click.command(
    "hangup", cls=Command, epilog="Example: fsgitops hangup 4c02599d-865c-42fd-9045-079b692658b0"
)
@click.argument("uuid")
@with_place
@with_json
@click.pass_obj
def command(
    shared: Shared, uuid: str, directory: str | None, target: str | None, as_json: bool
) -> int:
    """End a call.

    UUID is that of any leg; `fsgitops calls` shows them.
    """
    from fsgitops.cli.printing import print_json
    from fsgitops.commands.hangup import run_hangup

    run_hangup(open_place(shared, directory, target), uuid)
    if as_json:
        print_json({"format": "fsgitops-hangup", "version": 1, "uuid": uuid})
    else:
        confirm_done(f"Ended {uuid}.")
    return 0
