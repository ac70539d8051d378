"""`fsgitops schema`."""

from __future__ import annotations

import click

from fsgitops.console.commands import Command


@click.command(
    "schema", cls=Command, epilog="Example: fsgitops schema settings > schema/settings.schema.json"
)
@click.argument("name", default="desired", type=click.Choice(["desired", "settings", "plan"]))
def command(name: str) -> int:
    """Print a JSON Schema, for editors and programs.

    Of desired files (default), of fsgitops.yaml, or of a saved plan.

    An editor finds it by the first line of a file:
    # yaml-language-server: $schema=../schema/desired.schema.json
    """
    from fsgitops.cli.printing import print_json
    from fsgitops.commands.schema import read_schema

    print_json(read_schema(name))
    return 0
