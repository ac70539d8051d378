"""`fsgitops explain`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from fsgitops.cli.complete import NAME
from fsgitops.cli.options import Shared, find_kinds, open_place, with_place
from fsgitops.console.commands import Command
from fsgitops.console.stream import terminal_width

if TYPE_CHECKING:
    from fsgitops.commands.lint import RuleState


@click.command("explain", cls=Command, epilog="Example: fsgitops explain agent.caller_id_number")
@click.argument("path", default="agent", metavar="[NAME]", shell_complete=NAME)
@with_place
@click.pass_obj
def command(shared: Shared, path: str, directory: str | None, target: str | None) -> int:
    """Explain a kind, a field, a rule or a finding.

    NAME is a kind (agent, did, settings), an output (plan, status and so on), a field (with dots
    for a field below a field: settings.targets.prod.domain), a rule of `fsgitops lint --rules`,
    or what stands in brackets behind a finding.
    """
    from fsgitops.commands.explain import explain

    def rules() -> list[RuleState]:
        from fsgitops.commands.lint import list_built_in, list_rules
        from fsgitops.errors import DesiredInvalidError, UsageError

        try:
            return list_rules(open_place(shared, directory, target))
        except (DesiredInvalidError, UsageError):
            # There is no project here; or what is wrong with it is for other commands to tell.
            return list_built_in()

    kinds, width = find_kinds(shared, directory), terminal_width(sys.stdout)
    click.echo("\n".join(explain(path, kinds=kinds, width=width, rules=rules)))
    return 0
