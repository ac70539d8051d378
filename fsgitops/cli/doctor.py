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
    from fsgitops.cli.printing import print_json, print_lines, working
    from fsgitops.commands.doctor import run_doctor
    from fsgitops.model.lines import Line
    from fsgitops.visible import make_visible

    workspace = open_place(shared, directory, target)
    with working("Looking around"):
        diagnosis = run_doctor(workspace)
    if as_json:
        print_json(diagnosis.to_json())
        return 0 if diagnosis.healthy else 1
    styles = {"ok": "create", "warning": "update", "error": "delete"}
    for check in diagnosis.checks:
        text = f"{check.health.value:<8} {check.name}: {check.message}"
        print_lines([Line(make_visible(text), styles.get(check.health.value, ""))])
        if check.remedy:
            print_lines([Line(make_visible(f"         {check.remedy}"))])
    return 0 if diagnosis.healthy else 1
