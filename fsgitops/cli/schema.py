"""`fsgitops schema`."""

from __future__ import annotations

import click

from fsgitops.cli.options import Shared, find_kinds
from fsgitops.commands.schema import SCHEMAS
from fsgitops.console.commands import Command


@click.command(
    "schema", cls=Command, epilog="Example: fsgitops schema settings > schema/settings.schema.json"
)
@click.argument("name", default="desired", type=click.Choice(SCHEMAS), metavar="[NAME]")
@click.pass_obj
def command(shared: Shared, name: str) -> int:
    """Print a JSON Schema, for editors and programs.

    NAME is desired (default), settings (of fsgitops.yaml), plan, or another format of docs/json.md
    without its `fsgitops-`: applied, drift, status and so on. Kinds of the project's own are in it.

    For an editor, write this as the first line of a YAML file:
    # yaml-language-server: $schema=../schema/desired.schema.json
    """
    from fsgitops.cli.printing import print_json
    from fsgitops.commands.schema import read_schema

    print_json(read_schema(name, find_kinds(shared, None)))
    return 0
