"""`fsgitops key`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from fsgitops.cli.complete import EXTENSIONS, GROUPS
from fsgitops.cli.options import Shared, open_place, with_group_place, with_json, with_place
from fsgitops.console.commands import Group
from fsgitops.console.stream import confirm_done

if TYPE_CHECKING:
    from fsgitops.workspace.open import Workspace


@click.group("key", cls=Group, epilog="Example: fsgitops key new")
@with_group_place
def command() -> None:
    """Make, show and rotate the project key."""


@command.command("new", epilog="Example: fsgitops key new --file /etc/fsgitops/key")
@with_place
@click.option("--file", "file", type=click.Path(path_type=Path), help="Where to write it.")
@click.option("--print", "show", is_flag=True, help="Print a key instead: for a CI secret.")
@click.pass_obj
def new(
    shared: Shared, directory: str | None, target: str | None, file: Path | None, show: bool
) -> int:
    """Make a new project key.

    32 random bytes, written as base64 into a file that only you may read. An existing key is
    never overwritten. If you lose the key, you lose every password made from it: keep a copy
    with your other secrets, never in git.
    """
    from fsgitops.secret.key import new_key, write_key_file
    from fsgitops.workspace.key_in_git import keep_from_git

    if show:
        click.echo(new_key())
        return 0
    path = file
    if path is None:
        workspace = open_place(shared, directory, target)
        path = workspace.root / workspace.settings.key_file
    keep_from_git(path)
    key = write_key_file(path)
    confirm_done(f"Wrote {path} (key {key.id}). Keep a copy with your other secrets, never in git.")
    return 0


@command.command("status", epilog="Example: fsgitops key status --json")
@with_place
@with_json
@click.pass_obj
def status(shared: Shared, directory: str | None, target: str | None, as_json: bool) -> int:
    """Show which keys are here, and who uses which."""
    from fsgitops.cli.printing import print_json
    from fsgitops.commands.rotate import read_rotation

    data = read_rotation(open_place(shared, directory, target)).to_json()
    if as_json:
        print_json(data)
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


@command.command("rotate", epilog="Example: fsgitops key rotate --groups sales,support")
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
@click.pass_obj
def rotate(
    shared: Shared,
    directory: str | None,
    target: str | None,
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
    from fsgitops.commands.finish_rotation import finish_rotation

    moving = bool(groups or extensions or everyone)
    if not (start or moving or finish) or (finish and (start or moving)):
        raise click.UsageError("say --start, or who moves, or --finish")
    workspace = open_place(shared, directory, target)
    if finish:
        for line in finish_rotation(workspace):
            click.echo(line)
        return 0
    if start:
        _start(workspace)
        workspace = open_place(shared, directory, target)
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
