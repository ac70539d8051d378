"""`fsgitops schema`."""

from __future__ import annotations

import click

from fsgitops.commands.schema import SCHEMAS
from fsgitops.console.commands import Command


@click.command(
    "schema", cls=Command, epilog="Example: fsgitops schema settings > schema/settings.schema.json"
)
@click.argument("name", default="desired", type=click.Choice(SCHEMAS), metavar="[NAME]")
def command(name: str) -> int:
    """Print a JSON Schema, for editors and programs.

    NAME is desired (default), settings (of fsgitops.yaml), plan, or another format of docs/json.md
    without its `fsgitops-`: applied, drift, status and so on.

    For an editor, write this as the first line of a YAML file:
    # yaml-language-server: $schema=../schema/desired.schema.json
    """
    from fsgitops.cli.printing import print_json
    from fsgitops.commands.schema import read_schema

    print_json(read_schema(name))
    return 0
