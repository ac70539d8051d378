"""The commands about keys, secrets and who may have them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fsgitops.cli.options import (
    EXTENSION,
    EXTENSIONS,
    GROUPS,
    TOKEN,
    Start,
    find_root,
    open_place,
    with_group_place,
    with_json,
    with_place,
    with_start,
    with_workspace,
)
from fsgitops.cli.printing import format_table, print_document
from fsgitops.console.commands import Command, Group, Number
from fsgitops.console.stream import confirm_done
from fsgitops.schema_parts import json_values

if TYPE_CHECKING:
    from fsgitops.commands.credentials import Credentials
    from fsgitops.workspace.open import Workspace


@click.group("key", cls=Group, epilog="Example: fsgitops key new")
@with_group_place
def key_command(**_start: str | None) -> None:
    """Make, show and rotate the project key."""


@key_command.command("new", epilog="Example: fsgitops key new --file /etc/fsgitops/key")
@with_place
@click.option("--file", "file", type=click.Path(path_type=Path), help="Where to write it.")
@click.option("--print", "show", is_flag=True, help="Print a key instead: for a CI secret.")
def make_key(start: Start, file: Path | None, show: bool) -> int:
    """Make a new project key.

    32 random bytes, written as base64 into a file that only you may read. An existing key is
    never overwritten. If you lose the key, you lose every password made from it: keep a copy
    with your other secrets, never in git.
    """
    from fsgitops.secret.key import new_key, write_key_file
    from fsgitops.workspace.git import keep_from_git

    if show:
        click.echo(new_key())
        return 0
    path = file
    if path is None:
        workspace = open_place(start)
        path = workspace.root / workspace.settings.key_file
    keep_from_git(path)
    key = write_key_file(path)
    confirm_done(f"Wrote {path} (key {key.id}). Keep a copy with your other secrets, never in git.")
    return 0


@key_command.command("status", epilog="Example: fsgitops key status --json")
@with_workspace
@with_json
def show_keys(workspace: Workspace, as_json: bool) -> int:
    """Show which keys are here, and who uses which."""
    from fsgitops.commands.rotate import read_rotation

    data = read_rotation(workspace).to_json()
    if as_json:
        print_document("keys", **data)
        return 0
    click.echo(f"current key: {data['current_key'] or 'none here'}")
    if not data["rotation_under_way"]:
        click.echo("no key rotation is under way")
        return 0
    click.echo(f"next key:    {data['next_key'] or 'none here'}")
    click.echo(f"all agents:  {data['agents_moved']} of {data['agents']} on the next key")
    for name, group in data["groups"].items():
        click.echo(f"  {name}: {group['moved']} of {group['agents']} on the next key")
    return 0


@key_command.command("rotate", epilog="Example: fsgitops key rotate --groups sales,support")
@with_place
@click.option("--start", is_flag=True, help="Make the next key, beside the project key.")
@click.option(
    "--groups",
    shell_complete=GROUPS,
    metavar="NAMES",
    help="Move the agents of these groups to it.",
)
@click.option(
    "--extensions", shell_complete=EXTENSIONS, metavar="NUMBERS", help="Move these agents to it."
)
@click.option("--everyone", is_flag=True, help="Move all agents to it.")
@click.option("--finish", is_flag=True, help="Make the next key the project key.")
def rotate_key(
    place: Start,
    start: bool,
    groups: str | None,
    extensions: str | None,
    everyone: bool,
    finish: bool,
) -> int:
    """Replace the project key step by step.

    Phones change group by group, not all on one day. Start, then move one group after another
    (each time: plan, apply, and give people their new credentials), and finish when all have moved.
    Who has moved is written into fsgitops.yaml: commit it. A pipeline gets the next key as
    FSGITOPS_KEY_NEXT.
    """
    from fsgitops.commands.rotate import finish_rotation

    moving = bool(groups or extensions or everyone)
    if not (start or moving or finish) or (finish and (start or moving)):
        raise click.UsageError("say --start, or who moves, or --finish")
    workspace = open_place(place)
    if finish:
        for line in finish_rotation(workspace):
            click.echo(line)
        return 0
    if start:
        _start(workspace)
        workspace = open_place(place)
    if moving:
        _move(workspace, _words(groups), _words(extensions), everyone=everyone)
    return 0


def _start(workspace: Workspace) -> None:
    from fsgitops.commands.rotate import start_rotation

    path, key = start_rotation(workspace)
    confirm_done(f"Wrote {path} (key {key.id}). Keep a copy with your other secrets, never in git.")
    confirm_done("Give it to your pipeline as FSGITOPS_KEY_NEXT, then move agents to it.")


def _move(
    workspace: Workspace, groups: tuple[str, ...], extensions: tuple[str, ...], *, everyone: bool
) -> None:
    from fsgitops.commands.rotate import move_agents

    if workspace.settings.key_rotation is None:
        raise click.UsageError("no key rotation is under way; begin with --start")
    move_agents(workspace, groups, extensions, everyone=everyone)
    confirm_done("Changed `key_rotation` in fsgitops.yaml. Commit it, plan, apply.")


def _words(text: str | None) -> tuple[str, ...]:
    return tuple(word.strip() for word in (text or "").split(",") if word.strip())


@click.group("secret", cls=Group, epilog="Example: fsgitops secret encrypt < password.txt")
@with_group_place
def secret_command(**_start: str | None) -> None:
    """Encrypt secrets with age, to keep them in the YAML."""


@secret_command.command("keygen", epilog="Example: fsgitops secret keygen")
@with_place
@click.option("--file", "file", type=click.Path(path_type=Path), help="Where to write it.")
def make_identity(start: Start, file: Path | None) -> int:
    """Make an age identity, and print its recipient.

    Only you may read its file. The identity opens what is encrypted for the recipient; keep it out
    of git. The recipient is public: it belongs into fsgitops.yaml, as `secrets: {age_recipients:
    [age1…]}`.
    """
    from fsgitops.secret.age import write_identity
    from fsgitops.workspace.git import keep_from_git

    path = file
    if path is None:
        workspace = open_place(start)
        path = workspace.root / workspace.settings.secrets.age_identity
    keep_from_git(path)
    recipient = write_identity(path)
    confirm_done(f"Wrote {path}. Keep a copy with your other secrets, never in git.", err=True)
    click.echo(recipient)
    return 0


@secret_command.command("encrypt", epilog="Example: fsgitops secret encrypt < password.txt")
@with_workspace
@click.option("--recipient", "extra", multiple=True, metavar="AGE1…", help="One more recipient.")
def encrypt_secret(workspace: Workspace, extra: tuple[str, ...]) -> int:
    """Encrypt a secret from standard input, as YAML.

    Encrypts for every recipient in fsgitops.yaml. On a terminal, it asks for the secret and
    does not show it.
    """
    from fsgitops.secret.age import encrypt as encrypt_for
    from fsgitops.secret.value import check_secret

    if sys.stdin.isatty():
        text = click.prompt("Secret", hide_input=True, confirmation_prompt=True, err=True)
    else:
        text = sys.stdin.read(65536).removesuffix("\n").removesuffix("\r")
    secret = check_secret(text, "standard input")
    recipients = [*workspace.settings.secrets.age_recipients, *extra]
    click.echo(f"{{age: {encrypt_for(secret, recipients)}}}")
    return 0


@click.command(
    "credentials", cls=Command, epilog="Example: fsgitops credentials 1020 --reveal --format js"
)
@click.argument("extension", shell_complete=EXTENSION)
@with_place
@click.option(
    "--reveal", is_flag=True, help="Show the secrets. The audit log records that you did."
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "js", "linphone"]),
    default="text",
    help="js: a module for JsSIP and SIP.js; linphone: its configuration [default: text].",
)
@click.option("--qr", is_flag=True, help="Show a QR code for Linphone on a mobile phone.")
@with_json
def credentials_command(
    start: Start, extension: str, reveal: bool, form: str, qr: bool, as_json: bool
) -> int:
    """Show what a phone needs to register as an agent.

    Shows username, domain, SIP server, WebSocket and STUN; with --reveal also the password and
    the voicemail PIN. The QR code holds the address of the configuration, and no secret.
    """
    from fsgitops.commands.credentials import run_credentials

    if qr and (as_json or form != "text"):
        raise click.UsageError("--qr goes with the text format only")
    workspace = open_place(start)
    url = run_credentials(workspace, extension).provisioning_url() if qr else ""
    found = run_credentials(workspace, extension, reveal=reveal)
    if as_json or form == "json":
        print_document("credentials", **found.to_json())
    elif form == "text":
        _print_text(found)
        if url:
            _print_qr(url)
    else:
        click.echo(found.to_script() if form == "js" else found.to_linphone(), nl=False)
    if not reveal:
        from fsgitops.workspace.secrets import find_keys

        missing = "" if find_keys(workspace).current else ", which needs the project key: none here"
        confirm_done(f"Secrets are shown with --reveal{missing}.", err=True)
    return 0


def _print_text(found: Credentials) -> None:
    lines = [
        ("username", found.username),
        ("password", found.password),
        ("domain", found.domain),
        ("voicemail pin", found.voicemail_pin),
        ("SIP server", f"{found.host}:{found.public.sip_port} ({found.public.sip_transport})"),
        ("WebSocket", found.websocket_url),
        ("STUN server", found.public.stun),
    ]
    for name, value in lines:
        if value is not None:
            click.echo(f"{name + ':':<15} {value}")


def _print_qr(text: str) -> None:
    import segno

    code: Any = segno.make_qr(text)
    code.terminal(out=sys.stdout, compact=True)
    click.echo(text)


@click.group(
    "token",
    cls=Group,
    epilog="Example: fsgitops token new --name console --scope read --scope operate",
)
@with_group_place
def token_command(**_start: str | None) -> None:
    """Make, list and revoke tokens of the HTTP API.

    Only their hashes are kept.
    """


@token_command.command(
    "new", epilog="Example: fsgitops token new --name console --scope read --days 90"
)
@with_start
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
def make_token(
    start: Start, name: str, scopes: tuple[str, ...], days: int | None, as_json: bool
) -> int:
    """Make a token, and print it once.

    Only its hash is kept, so it cannot be shown again.
    """
    from fsgitops.commands.token import new_token

    token, made = new_token(find_root(start), name, scopes, days=days)
    if as_json:
        print_document("token", token=token, **json_values(made))
        return 0
    confirm_done(f"Token {made.id} for {', '.join(made.scopes)}. It is shown this once:", err=True)
    click.echo(token)
    return 0


@token_command.command("list", epilog="Example: fsgitops token list --json")
@with_start
@with_json
def list_tokens(start: Start, as_json: bool) -> int:
    """List tokens: ids, names, scopes, and when they expire."""
    from fsgitops.commands.token import read_tokens

    tokens = read_tokens(find_root(start))
    if as_json:
        print_document("tokens", tokens=tokens)
        return 0
    rows = [
        [item.id, item.name, ", ".join(item.scopes), item.created, item.expires or "never"]
        for item in tokens
    ]
    click.echo("\n".join(format_table(("ID", "NAME", "SCOPES", "CREATED", "EXPIRES"), rows)))
    return 0


@token_command.command("revoke", epilog="Example: fsgitops token revoke 1f2e3d4c")
@with_start
@click.argument("token_id", metavar="ID", shell_complete=TOKEN)
def revoke(start: Start, token_id: str) -> int:
    """Revoke a token; a running API refuses it at once."""
    from fsgitops.commands.token import revoke_token

    gone = revoke_token(find_root(start), token_id)
    confirm_done(f"Revoked token {gone.id} ({gone.name}).", err=True)
    return 0
