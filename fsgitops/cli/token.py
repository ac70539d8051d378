"""`fsgitops token`."""

from __future__ import annotations

import click

from fsgitops.cli.complete import TOKEN
from fsgitops.cli.options import Shared, find_root, with_group_place, with_json
from fsgitops.console.commands import Group, Number, with_directory
from fsgitops.console.stream import confirm_done


@click.group(
    "token",
    cls=Group,
    epilog="Example: fsgitops token new --name console --scope read --scope operate",
)
@with_group_place
def command() -> None:
    """Make, list and revoke tokens of the HTTP API.

    Only their hashes are kept.
    """


@command.command("new", epilog="Example: fsgitops token new --name console --scope read --days 90")
@with_directory
@click.option("--name", required=True, help="Whose token it is. The audit log shows this name.")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    required=True,
    type=click.Choice(["read", "cdr", "operate", "credentials"]),
    help="What it may do; can be given several times.",
)
@click.option("--days", type=Number(1, 3650), help="Days until it expires.")
@with_json
@click.pass_obj
def new(
    shared: Shared,
    directory: str | None,
    name: str,
    scopes: tuple[str, ...],
    days: int | None,
    as_json: bool,
) -> int:
    """Make a token, and print it once.

    Only its hash is kept, so it cannot be shown again.
    """
    from fsgitops.cli.printing import print_json
    from fsgitops.commands.token import new_token

    token, made = new_token(find_root(shared, directory), name, scopes, days=days)
    if as_json:
        kept = made.to_json()
        print_json({"format": "fsgitops-token", "version": 1, "token": token, **kept})
        return 0
    confirm_done(f"Token {made.id} for {', '.join(made.scopes)}. It is shown this once:", err=True)
    click.echo(token)
    return 0


@command.command("list", epilog="Example: fsgitops token list --json")
@with_directory
@with_json
@click.pass_obj
def list_tokens(shared: Shared, directory: str | None, as_json: bool) -> int:
    """List tokens: ids, names, scopes, and when they expire."""
    from fsgitops.cli.printing import print_json
    from fsgitops.cli.tables import format_table
    from fsgitops.commands.token import read_tokens, tokens_to_json

    tokens = read_tokens(find_root(shared, directory))
    if as_json:
        print_json(tokens_to_json(tokens))
        return 0
    rows = [
        [item.id, item.name, ", ".join(item.scopes), item.created, item.expires or "never"]
        for item in tokens
    ]
    click.echo("\n".join(format_table(("ID", "NAME", "SCOPES", "CREATED", "EXPIRES"), rows)))
    return 0


@command.command("revoke", epilog="Example: fsgitops token revoke 1f2e3d4c")
@with_directory
@click.argument("token_id", metavar="ID", shell_complete=TOKEN)
@click.pass_obj
def revoke(shared: Shared, directory: str | None, token_id: str) -> int:
    """Revoke a token; a running API refuses it at once."""
    from fsgitops.commands.token import revoke_token

    gone = revoke_token(find_root(shared, directory), token_id)
    confirm_done(f"Revoked token {gone.id} ({gone.name}).", err=True)
    return 0
