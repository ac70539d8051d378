"""The commands with which one looks at what is declared, and at what becomes of it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from fsgitops.cli.options import DECLARED_NAME, KIND, with_json, with_workspace
from fsgitops.cli.printing import format_table, print_document, print_notes, working
from fsgitops.console.commands import Command
from fsgitops.model.wording import label_attribute
from fsgitops.visible import guard_cell, is_signed, make_visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from fsgitops.commands.listing import Listed, Looked
    from fsgitops.workspace.open import Workspace

LIST_FORMATS = ("table", "json", "yaml", "csv")


@click.command("list", cls=Command, epilog="Example: fsgitops list agents --format csv")
@click.argument("kind", metavar="[KIND]", required=False, shell_complete=KIND)
@with_workspace
@click.option("--format", "named", type=click.Choice(LIST_FORMATS), help="[default: table]")
@with_json
def list_command(workspace: Workspace, kind: str | None, named: str | None, as_json: bool) -> int:
    """List what is declared, and what an apply does with it.

    KIND is a word such as agent or did; without it, all kinds. The state is that of a plan:
    unchanged, create, update, delete, blocked (something stands in the way), or off (declared and
    not enabled).
    """
    from fsgitops.commands.listing import run_list

    with working("Comparing"):
        found, notes = run_list(workspace, kind)
    print_notes(notes)
    shown = _choose_format(named, as_json=as_json)
    if shown in ("json", "yaml"):
        _print_document("list", shown, target=workspace.target.name, resources=found)
    elif shown == "csv":
        _print_csv(found)
    else:
        head = ("kind", "name", "about", "declared", "file", "state")
        rows = [
            (row.kind, row.name, row.about, row.source, row.path, _tell_state(row)) for row in found
        ]
        click.echo("\n".join(format_table(head, rows)) if rows else "Nothing is declared.")
    return 0


@click.command("get", cls=Command, epilog="Example: fsgitops get agent 1020")
@click.argument("kind", metavar="[KIND]", shell_complete=KIND)
@click.argument("name", metavar="NAME", required=False, shell_complete=DECLARED_NAME)
@with_workspace
@click.option("--format", "named", type=click.Choice(LIST_FORMATS), help="[default: table]")
@with_json
def get_command(
    workspace: Workspace, kind: str, name: str | None, named: str | None, as_json: bool
) -> int:
    """Show one resource as declared, compiled and live.

    Also as KIND:NAME, or by its name alone where no other kind has it. A number may be written as
    it is dialled. Live is the file on disk; `status` asks the switch. Secrets are masked.
    """
    from fsgitops.commands.listing import run_get

    with working("Comparing"):
        found, notes = run_get(workspace, kind, name)
    print_notes(notes)
    shown = _choose_format(named, as_json=as_json)
    if shown == "table":
        click.echo("\n".join(_format_looked(found)))
    elif shown == "csv":
        _print_looked(found)
    else:
        _print_document(
            "get", shown, target=workspace.target.name, resource=found.listed,
            fields=dict(found.fields), attributes=found.attributes,
        )  # fmt: skip
    return 0


def _choose_format(named: str | None, *, as_json: bool) -> str:
    if as_json and named not in (None, "json"):
        raise click.UsageError(f"--json and --format {named}: give one of them")
    return "json" if as_json else named or "table"


def _print_document(name: str, shown: str, **values: object) -> None:
    if shown == "json":
        print_document(name, **values)
        return
    from fsgitops.schema_parts import json_values
    from fsgitops.steps.load.events import write_yaml

    click.echo(write_yaml({key: json_values(value) for key, value in values.items()}), nl=False)


def _print_csv(found: Sequence[Listed]) -> None:
    from dataclasses import astuple, fields

    from fsgitops.commands.listing import Listed

    _write_csv([item.name for item in fields(Listed)], map(astuple, found))


def _print_looked(found: Looked) -> None:
    """Print fields and attributes in one table: a field is declared, an attribute is not."""
    fields = ((name, _join(value), "", "") for name, value in found.fields.items())
    attributes = ((item.name, "", item.after, item.before) for item in found.attributes)
    _write_csv(("name", "declared", "compiled", "live"), (*fields, *attributes))


def _write_csv(head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    import csv

    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(head)
    for row in rows:
        texts = ("" if value is None else make_visible(str(value)) for value in row)
        writer.writerow(text if is_signed(text) else guard_cell(text) for text in texts)


def _join(value: str | Sequence[str]) -> str:
    return value if isinstance(value, str) else ", ".join(value)


def _tell_state(listed: Listed) -> str:
    return f"{listed.state}, edited by somebody else" if listed.drifted else listed.state


def _format_looked(found: Looked) -> list[str]:
    listed = found.listed
    lines = [
        f"{listed.kind} {listed.name}"
        + (f" ({make_visible(listed.about)})" if listed.about else ""),
        f"declared  {make_visible(listed.source) or '(no longer)'}",
        f"file      {listed.path or '(none)'}",
        f"state     {_tell_state(listed)}",
    ]
    if found.fields:
        values = [(name, _join(value)) for name, value in found.fields.items()]
        lines += ["", *format_table(("field", "declared"), values)]
    if found.attributes:
        rows = [
            (label_attribute(item.name), *(side or "(none)" for side in (item.after, item.before)))
            for item in found.attributes
        ]
        lines += ["", *format_table(("attribute", "compiled", "live"), rows)]
    return lines
