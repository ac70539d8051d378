"""`fsgitops key`."""

from __future__ import annotations

from pathlib import Path

import click

from fsgitops.cli.options import Shared, open_place, with_place


@click.group("key", epilog="Example: fsgitops key new")
def command() -> None:
    """Make the project key, from which every SIP password and voicemail PIN is derived."""


@command.command("new", epilog="Example: fsgitops key new --file /etc/fsgitops/key")
@with_place
@click.option("--file", "file", type=click.Path(path_type=Path), help="Where to write it.")
@click.option("--print", "show", is_flag=True, help="Print a key instead: for a CI secret.")
@click.pass_obj
def new(
    shared: Shared, directory: str | None, target: str | None, file: Path | None, show: bool
) -> int:
    """Make a fresh key: 32 random bytes, written as base64 into a file that only you may read.

    An existing key is never overwritten: whoever loses the key loses every password made from
    it. Keep a copy where your other secrets are, never in git.
    """
    from fsgitops.secret import new_key, write_key_file

    if show:
        click.echo(new_key())
        return 0
    workspace = open_place(shared, directory, target)
    path = file or workspace.root / workspace.settings.key_file
    key = write_key_file(path)
    click.echo(f"Wrote {path} (key {key.id}). Keep a copy with your other secrets, never in git.")
    return 0
