"""`fsgitops dial`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from fsgitops.cli.complete import DID, EXTENSION, NUMBER
from fsgitops.cli.options import Shared, open_place, with_json, with_place
from fsgitops.console.commands import Command, Number
from fsgitops.console.stream import confirm_done, print_text

if TYPE_CHECKING:
    from fsgitops.commands.dial import Dialled


@click.command("dial", cls=Command, epilog="Example: fsgitops dial 1020 +18005551234 --target prod")
@click.argument("extension", metavar="EXT", shell_complete=EXTENSION)
@click.argument("number", metavar="NUMBER|EXT", shell_complete=NUMBER)
@with_place
@click.option(
    "--caller-id", shell_complete=DID, metavar="NUMBER", help="Show this declared number of yours."
)
@click.option("--timeout", type=Number(1, 120), help="Seconds that the phone may ring.")
@click.option("--wait", is_flag=True, help="Wait until both have answered, or one has not.")
@with_json
@click.pass_obj
def command(
    shared: Shared,
    extension: str,
    number: str,
    directory: str | None,
    target: str | None,
    caller_id: str | None,
    timeout: int | None,
    wait: bool,
    as_json: bool,
) -> int:
    """Ring an agent, then connect with a number or another agent.

    Prints the call's uuid, for `fsgitops hangup` and `fsgitops transfer`. With --wait the exit code
    is 0 only if both have answered.
    """
    from fsgitops.cli.printing import print_json, working
    from fsgitops.commands.dial import Asked, NotConnectedError, run_dial

    workspace = open_place(shared, directory, target)
    try:
        with working(f"Ringing {extension}"):
            dialled = run_dial(workspace, Asked(extension, number, caller_id, timeout), wait=wait)
    except NotConnectedError as failed:
        if not as_json:
            raise
        print_json(failed.dialled.to_json())
        print_text(f"fsgitops: {failed}", err=True)
        return failed.exit_code
    if as_json:
        print_json(dialled.to_json())
        return 0
    confirm_done(_describe(dialled), err=True)
    if dialled.uuid is None:
        confirm_done("Several phones ring; `fsgitops calls` shows which was picked up.", err=True)
    else:
        click.echo(dialled.uuid)
    return 0


def _describe(dialled: Dialled) -> str:
    dial = dialled.dial
    way = f" through {dial.gateway}" if dial.gateway else ""
    how = f"{way} as {dial.caller_number}"
    if dialled.state == "connected":
        return f"Agent {dial.extension} and {dial.number} answered: connected{how}."
    if dialled.state == "answered":
        return f"Agent {dial.extension} answered; calling {dial.number}{how}."
    return f"Agent {dial.extension} is ringing; then {dial.number} is called{how}."
