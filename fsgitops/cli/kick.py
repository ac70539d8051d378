"""`fsgitops kick`."""

from __future__ import annotations

import click

from fsgitops.cli.complete import EXTENSION
from fsgitops.cli.options import Shared, open_place, with_json, with_place
from fsgitops.console.commands import Command
from fsgitops.console.stream import confirm_done
from fsgitops.visible import count_noun


@click.command("kick", cls=Command, epilog="Example: fsgitops kick 1020 --target prod")
@click.argument("extension", metavar="EXT", shell_complete=EXTENSION)
@with_place
@with_json
@click.pass_obj
def command(
    shared: Shared, extension: str, directory: str | None, target: str | None, as_json: bool
) -> int:
    """End the registrations of an extension, declared or not.

    A phone with a valid password registers again: raise `password_version` too, and apply.
    """
    from fsgitops.cli.printing import print_json, working
    from fsgitops.commands.kick import run_kick
    from fsgitops.commands.registrations import registration_to_json

    workspace = open_place(shared, directory, target)
    with working(f"Ending the registrations of {extension}"):
        ended = run_kick(workspace, extension)
    if as_json:
        phones = [registration_to_json(item) for item in ended.phones]
        print_json(
            {"format": "fsgitops-kick", "version": 1, "extension": extension, "ended": phones}
        )
    else:
        told = count_noun(len(ended.phones), "registration")
        if ended.sessions:
            told += f" and {count_noun(ended.sessions, 'mod_verto session')}"
        confirm_done(f"Ended {told}.")
    return 0
