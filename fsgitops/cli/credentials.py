"""`fsgitops credentials`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from fsgitops.cli.complete import EXTENSION
from fsgitops.cli.options import Shared, open_place, with_json, with_place
from fsgitops.console.commands import Command
from fsgitops.console.stream import confirm_done

if TYPE_CHECKING:
    from fsgitops.commands.credentials import Credentials


@click.command(
    "credentials", cls=Command, epilog="Example: fsgitops credentials 1020 --reveal --format js"
)
@click.argument("extension", shell_complete=EXTENSION)
@with_place
@click.option(
    "--reveal", is_flag=True, help="Show the secrets. The audit log records that you did."
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "js", "linphone"]),
    default="text",
    help="js: a module for JsSIP and SIP.js; linphone: its configuration [default: text].",
)
@click.option("--qr", is_flag=True, help="Show a QR code for Linphone on a mobile phone.")
@with_json
@click.pass_obj
def command(
    shared: Shared,
    extension: str,
    directory: str | None,
    target: str | None,
    reveal: bool,
    form: str,
    qr: bool,
    as_json: bool,
) -> int:
    """Show what a phone needs to register as an agent.

    Shows username, domain, SIP server, WebSocket and STUN; with --reveal also the password and
    the voicemail PIN. The QR code holds the address of the configuration, and no secret.
    """
    from fsgitops.cli.printing import print_json
    from fsgitops.commands.credentials import run_credentials

    if qr and (as_json or form != "text"):
        raise click.UsageError("--qr goes with the text format only")
    workspace = open_place(shared, directory, target)
    url = run_credentials(workspace, extension).provisioning_url() if qr else ""
    found = run_credentials(workspace, extension, reveal=reveal)
    if as_json or form == "json":
        print_json(found.to_json())
    elif form == "text":
        _print_text(found)
        if url:
            _print_qr(url)
    else:
        click.echo(found.to_script() if form == "js" else found.to_linphone(), nl=False)
    if not reveal:
        from fsgitops.workspace.secrets import find_keys

        missing = "" if find_keys(workspace).current else ", which needs the project key: none here"
        confirm_done(f"Secrets are shown with --reveal{missing}.", err=True)
    return 0


def _print_text(found: Credentials) -> None:
    lines = [
        ("username", found.username),
        ("password", found.password),
        ("domain", found.domain),
        ("voicemail pin", found.voicemail_pin),
        ("SIP server", f"{found.host}:{found.public.sip_port} ({found.public.sip_transport})"),
        ("WebSocket", found.websocket_url),
        ("STUN server", found.public.stun),
    ]
    for name, value in lines:
        if value is not None:
            click.echo(f"{name + ':':<15} {value}")


def _print_qr(text: str) -> None:
    import segno

    code: Any = segno.make_qr(text)
    code.terminal(out=sys.stdout, compact=True)
    click.echo(text)
