"""Options that several commands share, and what completes them: words of the project."""

from __future__ import annotations

import os
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast

import click

from fsgitops.console.commands import Common, with_directory
from fsgitops.console.stream import confirm_done
from fsgitops.errors import FsgitopsError
from fsgitops.model.permission import PERMISSIONS

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.shell_completion import CompletionItem

    from fsgitops.model.kind import Kinds
    from fsgitops.workspace.open import Workspace


def words_from(name: str) -> Callable[[click.Context, click.Parameter, str], list[CompletionItem]]:
    """Return what completes a parameter with words such as `targets` (suggest.py).

    That is imported when a shell asks. What goes wrong gives no words: a shell would put an error
    into the line that somebody types.
    """

    def complete(
        ctx: click.Context, _parameter: click.Parameter, typed: str
    ) -> list[CompletionItem]:
        from click.shell_completion import CompletionItem

        try:
            from fsgitops.cli.suggest import suggest

            found = suggest(name, *find_start(ctx), typed, ctx.params.get("kind"))
        except Exception:
            return []
        return [CompletionItem(item.word, help=item.about or None) for item in found]

    return complete


class Start(NamedTuple):
    """The directory to run in, and the target, as the words of the command line name them."""

    directory: Path
    target: str | None


def find_start(ctx: click.Context) -> Start:
    """Return what the options of a command, and of the groups that it is in, together name."""
    above = find_start(ctx.parent) if ctx.parent else Start(Path(), None)
    directory = above.directory / (ctx.params.get("directory") or "")
    return Start(directory.resolve(), ctx.params.get("target") or above.target)


TARGET = words_from("targets")
EXTENSION = words_from("extensions")
EXTENSIONS = words_from("extension_list")
GROUPS = words_from("groups")
DID = words_from("dids")
NUMBER = words_from("numbers")
RESOURCE = words_from("resources")
MANAGED = words_from("managed")
DECLARED_FILE = words_from("declared_files")
LIVE_FILE = words_from("live_files")
REVISION = words_from("revisions")
COMMIT = words_from("commits")
NAME = words_from("names")
KIND = words_from("kinds")
DECLARED_NAME = words_from("declared_names")
TOKEN = words_from("tokens")


_F = TypeVar("_F", bound="Callable[..., Any]")


def with_group_place(function: Callable[..., Any]) -> Any:
    """Give a group of commands `-C DIR` and `--target NAME`, for the commands in it."""
    target = click.option(
        "--target",
        cls=Common,
        shell_complete=TARGET,
        metavar="NAME",
        help="Work on this target [default: sandbox].",
    )
    return with_directory(target(function))


def with_start(function: Callable[..., int]) -> Any:
    """Give a command `-C`, as its first word."""
    return with_directory(_gather_start(function))


def with_place(function: Callable[..., int]) -> Any:
    """Give a command `-C` and `--target`, together as its first word."""
    return with_group_place(_gather_start(function))


def _gather_start(function: Callable[..., int]) -> Callable[..., int]:
    @wraps(function)
    def gather(**chosen: Any) -> int:
        others = {name: value for name, value in chosen.items() if name not in Start._fields}
        return function(find_start(click.get_current_context()), **others)

    return gather


def with_workspace(function: Callable[..., int]) -> Any:
    """Give a command `-C` and `--target`, as its `workspace`. It fails as `open_place` does."""

    @wraps(function)
    def gather(start: Start, /, **others: Any) -> int:
        return function(workspace=open_place(start), **others)

    return with_place(gather)


def with_json(function: _F) -> _F:
    """Give a command `--json`."""
    text = "Print JSON of a documented, versioned shape."
    return click.option("--json", "as_json", is_flag=True, help=text)(function)


def with_full(function: _F) -> _F:
    """Give a command `--full`."""
    text = "Show the values of every creation, and every command and warning."
    return click.option("--full", is_flag=True, help=text)(function)


def with_allow(function: _F) -> _F:
    """Give a command `--allow`."""
    return click.option(
        "--allow",
        multiple=True,
        type=click.Choice(PERMISSIONS),
        help="Give a permission that the plan asks for.",
    )(function)


_NAMED = "agent:1020, did:+1949…, a glob (agent:10*) or a YAML path (desired/sales/*.yaml)"


def with_demands(function: _F) -> _F:
    """Give a command `--only`, `--exclude`, `--allow` and `--kick-rotated`, as its `demands`."""

    @click.option(
        "--only",
        shell_complete=RESOURCE,
        multiple=True,
        metavar="WHAT",
        help=f"Only this: {_NAMED}.",
    )
    @click.option(
        "--exclude",
        shell_complete=RESOURCE,
        multiple=True,
        metavar="WHAT",
        help="Everything but this.",
    )
    @with_allow
    @click.option(
        "--kick-rotated",
        is_flag=True,
        help="End the registrations of agents whose password changes.",
    )
    @wraps(function)
    def gather(
        *words: Any,
        only: tuple[str, ...],
        exclude: tuple[str, ...],
        allow: tuple[str, ...],
        kick_rotated: bool,
        **others: Any,
    ) -> Any:
        from fsgitops.planning.shape import Demands

        demands = Demands(_place(only), _place(exclude), frozenset(allow), kick_rotated)
        return function(*words, demands=demands, **others)

    return cast("_F", gather)


def _place(selectors: tuple[str, ...]) -> tuple[str, ...]:
    """Return selectors that name files as the project names them."""
    from fsgitops.steps.select import names_resource

    start = find_start(click.get_current_context())
    return tuple(item if names_resource(item) else find_path(start, item) for item in selectors)


def find_root(start: Start) -> Path:
    """Return the project's directory: where the command runs, or the nearest one above it.

    One above is told, once, since paths in messages start there. Raises click.UsageError when the
    directory is not there, UsageError when there is no project.
    """
    from fsgitops.settings.project import require_project

    if not start.directory.is_dir():
        raise click.UsageError(f"{start.directory}: no such directory")
    root = require_project(start.directory)
    told = click.get_current_context().meta
    if root != start.directory and told.get(__name__) != root:
        told[__name__] = root
        confirm_done(f"The project is {root}; paths start there.", err=True)
    return root


def find_path(start: Start, path: str) -> str:
    """Return a path, typed in a folder below the project's, as it is from the project's."""
    root = find_root(start)
    if root == start.directory or Path(path).is_absolute():
        return path
    return os.path.normpath(start.directory.relative_to(root) / path)


def name_default() -> str:
    """Return the target that is meant where none is named."""
    from fsgitops.settings.target import read_environment

    return read_environment().target or "sandbox"


def open_place(start: Start) -> Workspace:
    """Return the workspace that the command's options and the group's together name.

    An apply that was interrupted on its target is finished or undone first, and that is told.
    """
    from fsgitops.workspace.open import open_workspace

    workspace = open_workspace(find_root(start), start.target)
    _recover(workspace)
    return workspace


def find_kinds(start: Start) -> Kinds:
    """Return the kinds of the project here; the built-in ones where there is none, or it is wrong.

    What is wrong with its settings is for other commands to tell.
    """
    from fsgitops.expectation import READABLE
    from fsgitops.workspace.open import open_workspace

    try:
        return open_workspace(find_root(start)).readable
    except FsgitopsError:
        return READABLE


def _recover(workspace: Workspace) -> None:
    from fsgitops.live.recover import recover_unfinished

    try:
        notes = recover_unfinished(workspace)
    except FsgitopsError as problem:
        # A command that touches the target meets the same again and fails on it.
        notes = [str(problem)]
    if notes:
        from fsgitops.cli.printing import print_notes

        print_notes(notes)
