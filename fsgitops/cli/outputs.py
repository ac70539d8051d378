"""What a command is asked to answer in: `--format`, `--output` and `--json` (docs/formats.md)."""

from __future__ import annotations

from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast

import click

if TYPE_CHECKING:
    from collections.abc import Callable

FORMATS = ("text", "json", "markdown", "html", "github", "gitlab", "sarif", "junit")
ENDINGS = {
    ".txt": "text",
    ".json": "json",
    ".md": "markdown",
    ".html": "html",
    ".sarif": "sarif",
    ".xml": "junit",
}


_F = TypeVar("_F", bound="Callable[..., Any]")


def with_formats(function: _F) -> _F:
    """Give a command that has `--json` also `--format`, `--output` and `--full-at`, as `wanted`."""
    endings = " ".join(ENDINGS)

    @click.option("--format", "named", type=click.Choice(FORMATS), help="[default: text]")
    @click.option(
        "--output",
        "outputs",
        multiple=True,
        metavar="FILE",
        type=click.Path(path_type=Path, dir_okay=False),
        help=f"Write to FILE, in --format or as its ending says ({endings}). May be repeated.",
    )
    @click.option(
        "--full-at",
        metavar="WHERE",
        default="",
        help="Link to this file or URL if the Markdown is cut short.",
    )
    @wraps(function)
    def gather(
        *words: Any,
        named: str | None,
        outputs: tuple[Path, ...],
        full_at: str,
        as_json: bool,
        **others: Any,
    ) -> Any:
        wanted = choose_outputs(named, outputs, as_json=as_json, full=full_at)
        return function(*words, wanted=wanted, **others)

    return cast("_F", gather)


class Outputs(NamedTuple):
    """The format for stdout, and each file with its own; `full` is what a cut one points to."""

    shown: str
    files: tuple[tuple[Path, str], ...] = ()
    full: str = ""


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
