"""`fsgitops transfer`."""

from __future__ import annotations

import click

from fsgitops.cli.complete import DID, NUMBER
from fsgitops.cli.options import Shared, open_place, with_json, with_place
from fsgitops.console.commands import Command
from fsgitops.console.stream import confirm_done


@click.command(
    "transfer",
    cls=Command,
    epilog="Example: fsgitops transfer 4c02599d-865c-42fd-9045-079b692658b0 1021",
)
@click.argument("uuid")
@click.argument("destination", metavar="DEST", shell_complete=NUMBER)
@with_place
@click.option("--other-leg", is_flag=True, help="Move the leg that UUID is connected to.")
@click.option(
    "--caller-id",
    shell_complete=DID,
    metavar="NUMBER",
    help="Show this declared number of yours outside.",
)
@with_json
@click.pass_obj
def command(
    shared: Shared,
    uuid: str,
    destination: str,
    directory: str | None,
    target: str | None,
    other_leg: bool,
    caller_id: str | None,
    as_json: bool,
) -> int:
    """Send one leg of a call to another agent or number.

    DEST is a declared agent, a declared number, or a number outside (E.164). Drops the leg
    that it was connected to.
    """
    from fsgitops.cli.printing import print_json
    from fsgitops.commands.transfer import Transfer, run_transfer, transfer_to_json

    asked = Transfer(uuid, destination, caller_id, other_leg)
    where = run_transfer(open_place(shared, directory, target), asked)
    if as_json:
        print_json(transfer_to_json(asked, where))
    else:
        confirm_done(f"Transferred {uuid} to {where}.")
    return 0
