"""`fsgitops secret`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from fsgitops.cli.options import Shared, open_place, with_group_place, with_place
from fsgitops.console.commands import Group
from fsgitops.console.stream import confirm_done


@click.group("secret", cls=Group, epilog="Example: fsgitops secret encrypt < password.txt")
@with_group_place
def command() -> None:
    """Encrypt secrets with age, to keep them in the YAML."""


@command.command("keygen", epilog="Example: fsgitops secret keygen")
@with_place
@click.option("--file", "file", type=click.Path(path_type=Path), help="Where to write it.")
@click.pass_obj
def keygen(shared: Shared, directory: str | None, target: str | None, file: Path | None) -> int:
    """Make an age identity, and print its recipient.

    Only you may read its file. The identity opens what is encrypted for the recipient; keep it out
    of git. The recipient is public: it belongs into fsgitops.yaml, as `secrets: {age_recipients:
    [age1…]}`.
    """
    from fsgitops.secret.age import write_identity
    from fsgitops.workspace.key_in_git import keep_from_git

    path = file
    if path is None:
        workspace = open_place(shared, directory, target)
        path = workspace.root / workspace.settings.secrets.age_identity
    keep_from_git(path)
    recipient = write_identity(path)
    confirm_done(f"Wrote {path}. Keep a copy with your other secrets, never in git.", err=True)
    click.echo(recipient)
    return 0


@command.command("encrypt", epilog="Example: fsgitops secret encrypt < password.txt")
@with_place
@click.option("--recipient", "extra", multiple=True, metavar="AGE1…", help="One more recipient.")
@click.pass_obj
def encrypt(
    shared: Shared, directory: str | None, target: str | None, extra: tuple[str, ...]
) -> int:
    """Encrypt a secret from standard input, as YAML.

    Encrypts for every recipient in fsgitops.yaml. On a terminal, it asks for the secret and
    does not show it.
    """
    from fsgitops.secret.age import encrypt as encrypt_for
    from fsgitops.secret.value import check_secret

    workspace = open_place(shared, directory, target)
    if sys.stdin.isatty():
        text = click.prompt("Secret", hide_input=True, confirmation_prompt=True, err=True)
    else:
        text = sys.stdin.read(65536).removesuffix("\n").removesuffix("\r")
    secret = check_secret(text, "standard input")
    recipients = [*workspace.settings.secrets.age_recipients, *extra]
    click.echo(f"{{age: {encrypt_for(secret, recipients)}}}")
    return 0
