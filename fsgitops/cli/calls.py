"""`fsgitops calls`."""

from __future__ import annotations

import click

from fsgitops.cli.options import Shared, open_place, with_json, with_place
from fsgitops.console.commands import Command


@click.command("calls", cls=Command, epilog="Example: fsgitops calls --target prod --json")
@with_place
@with_json
@click.pass_obj
def command(shared: Shared, directory: str | None, target: str | None, as_json: bool) -> int:
    """Show every call: caller, number, agent, state and age."""
    from fsgitops.cli.printing import print_json, working
    from fsgitops.cli.tables import format_calls
    from fsgitops.commands.calls import calls_to_json, run_calls

    workspace = open_place(shared, directory, target)
    with working("Asking the switch"):
        calls = run_calls(workspace)
    if as_json:
        print_json(calls_to_json(calls))
    else:
        click.echo("\n".join(format_calls(calls) if calls else ["No call is up."]))
    return 0
