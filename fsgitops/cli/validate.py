"""`fsgitops validate`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from fsgitops.cli.formats import choose_outputs, with_formats
from fsgitops.cli.options import Shared, find_root, open_place, with_json, with_place
from fsgitops.console.commands import Command
from fsgitops.console.stream import confirm_done

if TYPE_CHECKING:
    from pathlib import Path


@click.command("validate", cls=Command, epilog="Example: fsgitops validate --format github")
@with_place
@with_formats
@with_json
@click.pass_obj
def command(
    shared: Shared,
    directory: str | None,
    target: str | None,
    named: str | None,
    outputs: tuple[Path, ...],
    full_at: str,
    as_json: bool,
) -> int:
    """Check everything declared, and show all errors at once.

    Loads, checks and compiles every YAML file, and reads the result back. Needs neither a
    switch nor the project key. Exit code 3 when there are errors.
    """
    from fsgitops.cli.printing import print_findings, print_json, working
    from fsgitops.cli.review import review_report
    from fsgitops.commands.validate import Report, run_validate
    from fsgitops.errors import DesiredInvalidError

    wanted = choose_outputs(named, outputs, as_json=as_json, full=full_at)
    try:
        workspace = open_place(shared, directory, target)
    except DesiredInvalidError as problem:
        report = Report(tuple(problem.findings))
    else:
        with working("Checking what is declared"):
            report = run_validate(workspace)
    root = find_root(shared, directory)
    wanted.write(lambda: review_report(report, root), report.to_json)
    if wanted.shown == "json":
        print_json(report.to_json())
    else:
        print_findings(report.findings)
        if report.valid and wanted.shown == "text":
            confirm_done(f"Valid: {report.tell_counts()}.")
    return 0 if report.valid else DesiredInvalidError.exit_code
