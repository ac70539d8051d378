"""Options that several commands of `fsgitops-cdr` share."""

from __future__ import annotations

from functools import wraps
from typing import Any

import click

from fsgitops.cli.cdr.place import parse_date
from fsgitops.cli.complete import TARGET
from fsgitops.console.commands import Common, with_directory
from fsgitops.errors import UsageError

_PLACES = ("directory", "target", "lake", "spool", "json_dir")


def with_places(function: Any) -> Any:
    """Give a command `-C`, `--target`, `--lake`, `--spool` and `--json-dir`, as its first word."""

    @wraps(function)
    def gather(**chosen: Any) -> Any:
        places = {name: chosen.pop(name) for name in _PLACES}
        return function(click.get_current_context().obj.with_choices(places), **chosen)

    for option in (
        click.option("--json-dir", cls=Common, metavar="DIR", help="mod_json_cdr's log-dir."),
        click.option("--spool", cls=Common, metavar="DIR", help="The spool's directory."),
        click.option(
            "--lake", cls=Common, metavar="DIR-OR-URL", help="A directory, s3://… or gs://…"
        ),
        click.option(
            "--target",
            cls=Common,
            shell_complete=TARGET,
            metavar="NAME",
            help="The switch, as fsgitops.yaml names it.",
        ),
        with_directory,
    ):
        gather = option(gather)
    return gather


def with_json(function: Any) -> Any:
    """Give a command `--json`, as its `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(function)


def with_span(function: Any, zone: str = "UTC") -> Any:
    """Give a command `--from` and `--to`, whole days of a zone, as its `first` and `last`."""

    @wraps(function)
    def checked(*words: Any, **chosen: Any) -> Any:
        if chosen["last"] < chosen["first"]:
            raise UsageError("--to is before --from")
        return function(*words, **chosen)

    for flag, name, default, text in (
        ("--to", "last", "9999-12-31", f"Last day ({zone})."),
        ("--from", "first", "", f"First day ({zone})."),
    ):
        option = click.option(
            flag, name, default=default, metavar="DATE", callback=parse_date, help=text
        )
        checked = option(checked)
    return checked
