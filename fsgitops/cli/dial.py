"""`fsgitops dial`."""

from __future__ import annotations

import click

from fsgitops.cli.options import Shared, open_place, with_json, with_place
from fsgitops.console.commands import Command
from fsgitops.console.stream import confirm_done


@click.command("dial", cls=Command, epilog="Example: fsgitops dial 1020 +18005551234 --target prod")
@click.argument("extension", metavar="EXT")
@click.argument("number")
@with_place
@click.option("--caller-id", metavar="NUMBER", help="Show this declared number of yours.")
@click.option("--timeout", type=click.IntRange(1, 120), help="Seconds that the phone may ring.")
@click.option("--wait", is_flag=True, help="Wait until the agent has answered, or not.")
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
    """Ring an agent's phone, then connect it with a number.

    Prints the call's uuid, for `fsgitops hangup` and `fsgitops transfer`.
    """
    from fsgitops.cli.printing import print_json, working
    from fsgitops.commands.dial import Asked, run_dial

    workspace = open_place(shared, directory, target)
    with working(f"Ringing {extension}"):
        dialled = run_dial(workspace, Asked(extension, number, caller_id, timeout), wait=wait)
    if as_json:
        print_json(dialled.to_json())
        return 0
    dial = dialled.dial
    doing = "answered" if dialled.answered else "is ringing"
    confirm_done(
        f"Agent {dial.extension} {doing}; calling {dial.number} through {dial.gateway} "
        f"as {dial.caller_number}.",
        err=True,
    )
    if dialled.uuid is None:
        confirm_done("Several phones ring; `fsgitops calls` shows which was picked up.", err=True)
    else:
        click.echo(dialled.uuid)
    return 0
