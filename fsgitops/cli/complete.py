"""What completes the parameters of `fsgitops`, by what they mean: words of the project."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    import click
    from click.shell_completion import CompletionItem


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

            start, target = _find_place(ctx)
            found = suggest(name, start, target, typed)
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
TOKEN = words_from("tokens")
