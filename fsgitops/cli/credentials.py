"""`fsgitops credentials`."""

from __future__ import annotations

import click

from fsgitops.cli.options import Shared, open_place, with_json, with_place


@click.command("credentials", epilog="Example: fsgitops credentials 1020 --reveal --json")
@click.argument("extension")
@with_place
@click.option("--reveal", is_flag=True, help="Show the password and the voicemail PIN.")
@with_json
@click.pass_obj
def command(
    shared: Shared,
    extension: str,
    directory: str | None,
    target: str | None,
    reveal: bool,
    as_json: bool,
) -> int:
    """Show what a phone needs to register: username, domain, and with --reveal the password."""
    from fsgitops.cli.printing import print_json
    from fsgitops.commands.credentials import run_credentials

    found = run_credentials(open_place(shared, directory, target), extension)
    data = found.to_json(reveal=reveal)
    if as_json:
        print_json(data)
        return 0
    for name in ("username", "password", "domain", "voicemail_pin"):
        value = data[name]
        if value is not None:
            click.echo(f"{name.replace('_', ' ') + ':':<15} {value}")
    if not reveal:
        click.echo("Secrets are shown with --reveal.", err=True)
    return 0
