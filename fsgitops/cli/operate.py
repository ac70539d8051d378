"""The commands that operate a switch, or serve one."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fsgitops.cli.options import (
    DID,
    EXTENSION,
    NUMBER,
    Start,
    open_place,
    with_json,
    with_place,
    with_start,
    with_workspace,
)
from fsgitops.cli.printing import print_document, working
from fsgitops.console.commands import Command, Number
from fsgitops.console.stream import confirm_done, print_text
from fsgitops.errors import UsageError
from fsgitops.visible import count_noun, make_visible

if TYPE_CHECKING:
    from fsgitops.commands.dial import Dialled
    from fsgitops.workspace.open import Workspace

ASTRAY = 2


@click.command("dial", cls=Command, epilog="Example: fsgitops dial 1020 +18005551234 --target prod")
@click.argument("extension", metavar="EXT", shell_complete=EXTENSION)
@click.argument("number", metavar="NUMBER|EXT", shell_complete=NUMBER)
@with_workspace
@click.option(
    "--caller-id", shell_complete=DID, metavar="NUMBER", help="Show this declared number of yours."
)
@click.option("--timeout", type=Number(1, 120), help="Seconds that the phone may ring.")
@click.option("--wait", is_flag=True, help="Wait until both have answered, or one has not.")
@with_json
def dial_command(
    workspace: Workspace,
    extension: str,
    number: str,
    caller_id: str | None,
    timeout: int | None,
    wait: bool,
    as_json: bool,
) -> int:
    """Ring an agent, then connect a number, an agent or a group.

    Prints the call's uuid, for `fsgitops hangup` and `fsgitops transfer`. With --wait the exit code
    is 0 only if both have answered.
    """
    from fsgitops.commands.dial import Asked, NotConnectedError, run_dial

    try:
        with working(f"Ringing {extension}"):
            dialled = run_dial(workspace, Asked(extension, number, caller_id, timeout), wait=wait)
    except NotConnectedError as failed:
        if not as_json:
            raise
        print_document("dial", **failed.dialled.to_json())
        print_text(f"fsgitops: {failed}", err=True)
        return failed.exit_code
    if as_json:
        print_document("dial", **dialled.to_json())
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


@click.command(
    "transfer",
    cls=Command,
    epilog="Example: fsgitops transfer 4c02599d-865c-42fd-9045-079b692658b0 1021",
)
@click.argument("uuid")
@click.argument("destination", metavar="DEST", shell_complete=NUMBER)
@with_workspace
@click.option("--other-leg", is_flag=True, help="Move the leg that UUID is connected to.")
@click.option(
    "--caller-id",
    shell_complete=DID,
    metavar="NUMBER",
    help="Show this declared number of yours outside.",
)
@with_json
def transfer_command(
    workspace: Workspace,
    uuid: str,
    destination: str,
    other_leg: bool,
    caller_id: str | None,
    as_json: bool,
) -> int:
    """Send one leg of a call to another agent, group or number.

    DEST is what people dial inside, KIND/NAME of it, a declared number, or a number outside
    (E.164). Drops the leg that it was connected to.
    """
    from fsgitops.commands.dial import Transfer, run_transfer

    asked = Transfer(uuid, destination, caller_id, other_leg)
    where = run_transfer(workspace, asked)
    if as_json:
        print_document("transfer", uuid=uuid, destination=where, other_leg=other_leg)
    else:
        confirm_done(f"Transferred {uuid} to {where}.")
    return 0


@click.command(
    "hangup", cls=Command, epilog="Example: fsgitops hangup 4c02599d-865c-42fd-9045-079b692658b0"
)
@click.argument("uuid")
@with_workspace
@with_json
def hangup_command(workspace: Workspace, uuid: str, as_json: bool) -> int:
    """End a call.

    UUID is that of any leg; `fsgitops calls` shows them.
    """
    from fsgitops.commands.calls import run_hangup

    run_hangup(workspace, uuid)
    if as_json:
        print_document("hangup", uuid=uuid)
    else:
        confirm_done(f"Ended {uuid}.")
    return 0


@click.command("kick", cls=Command, epilog="Example: fsgitops kick 1020 --target prod")
@click.argument("extension", metavar="EXT", shell_complete=EXTENSION)
@with_workspace
@with_json
def kick_command(workspace: Workspace, extension: str, as_json: bool) -> int:
    """End the registrations of an extension, declared or not.

    A phone with a valid password registers again: raise `password_version` too, and apply.
    """
    from fsgitops.commands.calls import run_kick

    with working(f"Ending the registrations of {extension}"):
        ended = run_kick(workspace, extension)
    if as_json:
        print_document("kick", extension=extension, ended=ended.phones)
    else:
        told = count_noun(len(ended.phones), "registration")
        if ended.sessions:
            told += f" and {count_noun(ended.sessions, 'mod_verto session')}"
        confirm_done(f"Ended {told}.")
    return 0


@click.command("api", cls=Command, epilog="Example: fsgitops api --target prod --port 3000")
@with_place
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", type=Number(1, 65535), default=3000, show_default=True, help="Port to listen on."
)
@click.option(
    "--anonymous",
    multiple=True,
    type=click.Choice(["read", "cdr", "operate", "credentials"]),
    help="Allow this without a token; on a loopback address only. Can be given several times.",
)
@click.option("--lake", metavar="URL", help="Where call records are kept, for /api/cdr.")
@click.option(
    "--spool", type=click.Path(path_type=Path), help="Where the newest call records still wait."
)
def api_command(
    start: Start,
    host: str,
    port: int,
    anonymous: tuple[str, ...],
    lake: str | None,
    spool: Path | None,
) -> int:
    """Serve the HTTP API and the operator page.

    Runs until Ctrl-C (docs/api.md). It shows and operates; agents and routes change only through
    git. Needs the extra `api`.
    """
    try:
        from fsgitops.api.serve import serve
    except ModuleNotFoundError as missing:
        raise UsageError(
            f"the HTTP API needs {missing.name}, which is not installed: "
            "pip install 'fsgitops[api]'"
        ) from None
    workspace = open_place(start)
    tell = partial(click.echo, err=True)
    serve(workspace, host, port, anonymous, tell, lake=lake, spool=spool)
    return 0


@click.command("sandbox", cls=Command, epilog="Example: fsgitops sandbox --port 8021")
@with_start
@click.option("--port", type=Number(0, 65535), default=0, help="Port [default: a free one].")
@click.option(
    "--phone",
    "phones",
    shell_complete=EXTENSION,
    multiple=True,
    metavar="EXT",
    help="Simulate a registered phone of EXT.",
)
@click.option(
    "--call", "number", metavar="NUMBER", help="Call NUMBER at the sandbox that runs, from outside."
)
@click.option("--from", "caller", metavar="NUMBER", help="Who calls [default: +12025550100].")
def sandbox_command(
    start: Start, port: int, phones: tuple[str, ...], number: str | None, caller: str | None
) -> int:
    """Run the embedded switch, a simulation of FreeSWITCH.

    Runs until Ctrl-C, on loopback only.
    While it runs, commands for the target `sandbox` talk to it. It loads the sandbox's conf
    directory as FreeSWITCH would. Its phones are simulated, and answer at once. With --call,
    exit code 0 when the call is up, 2 when it is not.
    """
    if number is not None:
        return _call_in(start, number, caller)
    from fsgitops.live.connect import RUNNING_FILE, prepare_conf_dir
    from fsgitops.sandbox.switch import serve_forever
    from fsgitops.settings.shapes import SANDBOX

    target = open_place(start._replace(target=SANDBOX)).target
    prepare_conf_dir(target)
    state = target.conf_dir.parent / RUNNING_FILE
    registered = [(extension, target.domain) for extension in phones]
    tell = partial(click.echo, err=True)
    serve_forever(target.conf_dir, state, port=port, phones=registered, tell=tell)
    return 0


def _call_in(start: Start, number: str, caller: str | None) -> int:
    from fsgitops.commands.call_in import run_call_in
    from fsgitops.settings.shapes import SANDBOX

    called = run_call_in(open_place(start._replace(target=SANDBOX)), number, caller)
    click.echo(make_visible(f"{called.caller} calls {number}: {called.told}"))
    return 0 if called.up else ASTRAY
