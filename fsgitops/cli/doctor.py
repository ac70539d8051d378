"""`fsgitops doctor`."""

from __future__ import annotations

import click

from fsgitops.cli.options import Shared, open_place, with_json, with_place
from fsgitops.console.commands import Command


@click.command("doctor", cls=Command, epilog="Example: fsgitops doctor --target prod")
@with_place
@with_json
@click.pass_obj
def command(shared: Shared, directory: str | None, target: str | None, as_json: bool) -> int:
    """Check keys, files and the switch, and say what to correct.

    Keys and their files, secrets, the conf directory and who may read it, includes, the event
    socket, and the running switch. Changes nothing; exit code 1 when there are errors.
    """
    from fsgitops.cli.printing import print_diagnosis, working
    from fsgitops.commands.doctor import run_doctor

    workspace = open_place(shared, directory, target)
    with working("Looking around"):
        diagnosis = run_doctor(workspace)
    return print_diagnosis(diagnosis, as_json=as_json)
