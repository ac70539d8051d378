"""`fsgitops registrations`."""

from __future__ import annotations

import click

from fsgitops.cli.options import Shared, open_place, with_json, with_place
from fsgitops.console.commands import Command


@click.command(
    "registrations", cls=Command, epilog="Example: fsgitops registrations --target prod --json"
)
@with_place
@with_json
@click.pass_obj
def command(shared: Shared, directory: str | None, target: str | None, as_json: bool) -> int:
    """Show every registered phone, declared or not."""
    from fsgitops.cli.printing import print_json, working
    from fsgitops.cli.tables import format_registrations
    from fsgitops.commands.registrations import registrations_to_json, run_registrations

    workspace = open_place(shared, directory, target)
    with working("Asking the switch"):
        found = run_registrations(workspace)
    if as_json:
        print_json(registrations_to_json(found))
    else:
        click.echo("\n".join(format_registrations(found) if found else ["No phone is registered."]))
    return 0
