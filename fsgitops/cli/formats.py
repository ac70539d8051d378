"""`--format`, `--output` and `--full-at`: one answer in any format, to stdout or to files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from fsgitops.cli.review import ENDINGS, FORMATS

if TYPE_CHECKING:
    from collections.abc import Callable

    from fsgitops.model.review import Review

_F = TypeVar("_F", bound="Callable[..., Any]")


def with_formats(function: _F) -> _F:
    """Give a command `--format`, `--output` and `--full-at`."""
    endings = " ".join(ENDINGS)
    options = (
        click.option("--format", "named", type=click.Choice(FORMATS), help="[default: text]"),
        click.option(
            "--output",
            "outputs",
            multiple=True,
            metavar="FILE",
            type=click.Path(path_type=Path, dir_okay=False),
            help=f"Write to FILE, in --format or as its ending says ({endings}). May be repeated.",
        ),
        click.option(
            "--full-at",
            metavar="WHERE",
            default="",
            help="Link to this file or URL if the Markdown is cut short.",
        ),
    )
    for option in reversed(options):
        function = option(function)
    return function


@dataclass(frozen=True, slots=True)
class Outputs:
    """The format for stdout, and each file with its own; `full` is what a cut one points to."""

    shown: str
    files: tuple[tuple[Path, str], ...] = ()
    full: str = ""

    def write(self, review: Callable[[], Review], to_json: Callable[[], Any]) -> None:
        r"""Write the files, and stdout unless it is for text or JSON: those the caller prints.

        Files are UTF-8; what UTF-8 has no way to say is written as `\\udc..`.
        """
        from fsgitops.cli.review import render_review
        from fsgitops.durable import write_output

        if not self.files and self.shown in ("text", "json"):
            return
        made = review()
        for path, name in self.files:
            text = render_review(name, made, to_json)
            write_output(path, text.encode("utf-8", errors="backslashreplace"))
        if self.shown not in ("text", "json"):
            click.echo(render_review(self.shown, made, to_json), nl=False)


def choose_outputs(
    named: str | None, outputs: tuple[Path, ...], *, as_json: bool, full: str
) -> Outputs:
    """Return what goes where. Raises click.UsageError for what does not go together."""
    if as_json and named not in (None, "json"):
        raise click.UsageError(f"--json and --format {named}: give one of them")
    if not outputs:
        return Outputs("json" if as_json else named or "text", (), full)
    if named and len(outputs) > 1:
        raise click.UsageError("--format with one --output only: let the files' endings tell")
    files = tuple((path, named or _by_ending(path)) for path in outputs)
    whole = next((str(path) for path, name in files if name in ("html", "json", "text")), "")
    return Outputs("json" if as_json else "text", files, full or whole)


def _by_ending(path: Path) -> str:
    name = ENDINGS.get(path.suffix.lower())
    if name is None:
        known = ", ".join(ENDINGS)
        raise click.UsageError(f"--output {path}: give --format, or an ending of {known}")
    return name
