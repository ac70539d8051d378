"""Completion on the command line: words of the project, and the script that asks for them."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.shell_completion import CompletionItem

SHELLS = ("bash", "zsh", "fish")


def words_from(name: str) -> Callable[[click.Context, click.Parameter, str], list[CompletionItem]]:
    """Return what completes a parameter with words such as `targets` (cli/suggest.py).

    That is imported when a shell asks. What goes wrong gives no words: a shell would put an error
    into the line that somebody types.
    """

    def complete(
        ctx: click.Context, _parameter: click.Parameter, typed: str
    ) -> list[CompletionItem]:
        from click.shell_completion import CompletionItem

        try:
            room = importlib.import_module("fsgitops.cli.suggest")
            start, target = _find_place(ctx)
            found = room.suggest(name, start, target, typed)
        except Exception:
            return []
        return [CompletionItem(item.word, help=item.about or None) for item in found]

    return complete


def _find_place(ctx: click.Context) -> tuple[Path, str | None]:
    """Return the directory and the target that the words typed so far name."""
    root, target = Path(), None
    lineage = [ctx]
    while lineage[-1].parent is not None:
        lineage.append(lineage[-1].parent)
    for context in reversed(lineage):
        named: dict[str, Any] = context.params
        root /= named.get("directory") or ""
        target = named.get("target") or target
    return root.resolve(), target


def print_script(program: str, shell: str) -> None:
    """Print what a shell has to read to complete a program's command line."""
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    if found is None:
        raise click.UsageError(f"no completion for {shell}")
    variable = f"_{program.replace('-', '_').upper()}_COMPLETE"
    click.echo(found(click.Command(program), {}, program, variable).source())
