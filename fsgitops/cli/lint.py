"""`fsgitops lint`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from fsgitops.cli.options import Shared, open_place, with_json, with_place
from fsgitops.console.commands import Command
from fsgitops.console.stream import confirm_done, terminal_width

if TYPE_CHECKING:
    from fsgitops.commands.lint import RuleState


@click.command("lint", cls=Command, epilog="Example: fsgitops lint --rules")
@with_place
@click.option("--rules", is_flag=True, help="List all rules, and their levels in this project.")
@click.option("--strict", is_flag=True, help="Exit with 3 for warnings too.")
@with_json
@click.pass_obj
def command(
    shared: Shared,
    directory: str | None,
    target: str | None,
    rules: bool,
    strict: bool,
    as_json: bool,
) -> int:
    """Check everything declared with the rules alone.

    Compiles nothing.

    `rules` in fsgitops.yaml sets a rule to error, warning or off. A comment silences one on its
    line: # fsgitops: ignore[rule-name] because it says why
    """
    from fsgitops.cli.printing import print_findings, print_json
    from fsgitops.commands.lint import list_rules
    from fsgitops.errors import DesiredInvalidError
    from fsgitops.findings import findings_to_json, has_errors
    from fsgitops.workspace.declare import declare_desired

    workspace = open_place(shared, directory, target)
    if rules:
        _list_rules(list_rules(workspace), as_json=as_json)
        return 0
    findings = list(declare_desired(workspace).findings)
    if as_json:
        data = {"format": "fsgitops-lint", "version": 1}
        print_json({**data, "findings": findings_to_json(findings)})
    else:
        print_findings(findings)
        if not findings:
            confirm_done("Nothing found.")
    wrong = bool(findings) if strict else has_errors(findings)
    return DesiredInvalidError.exit_code if wrong else 0


def _list_rules(states: list[RuleState], *, as_json: bool) -> None:
    from fsgitops.cli.printing import print_json
    from fsgitops.console.table import draw_lines

    if as_json:
        listed = [state.to_json() for state in states]
        print_json({"format": "fsgitops-rules", "version": 1, "rules": listed})
        return
    rows, width = [], terminal_width(sys.stdout)
    for state in states:
        note = " (fixed)" if state.fixed else " (own)" if state.own else ""
        rows.append([state.name, state.level, f"{state.description}{note}"])
    click.echo("\n".join(draw_lines(("RULE", "LEVEL", "WHAT IT FINDS"), rows, width=width)))
