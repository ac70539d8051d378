"""What a person said about the output, and what the terminal can do."""

from __future__ import annotations

import os
import sys
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fsgitops.visible import make_lines_visible

if TYPE_CHECKING:
    from typing import TextIO

COLOUR_WORDS = ("auto", "always", "never")
NARROWEST = 20


@dataclass(slots=True)
class _Said:
    colour: str = "auto"
    quiet: bool = False


_said = _Said()


def forget() -> None:
    """Begin a command line: nothing was said about colour or quiet yet."""
    global _said
    _said = _Said()


def say_colour(word: str) -> None:
    """Remember one of COLOUR_WORDS."""
    _said.colour = word


def say_quiet() -> None:
    """Remember that only what was asked for is printed, and warnings and errors."""
    _said.quiet = True


def is_quiet() -> bool:
    """Tell whether progress, hints and confirmations are left out."""
    return _said.quiet


def wants_colour(stream: TextIO) -> bool:
    """Tell whether to colour what goes to a stream.

    Without `--color always` or `never`: on a terminal that is not TERM=dumb, where NO_COLOR
    (https://no-color.org) is unset or empty.
    """
    if _said.colour != "auto":
        return _said.colour == "always"
    return moves(stream) and not os.environ.get("NO_COLOR")


def moves(stream: TextIO) -> bool:
    """Tell whether a stream is a terminal that can move its cursor."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def terminal_width(stream: TextIO) -> int | None:
    """Return the columns to keep to: COLUMNS, or the terminal's; None where there are none.

    What goes into a file or another program keeps its lines whole.
    """
    told = os.environ.get("COLUMNS", "")
    if told.isascii() and told.isdecimal() and int(told[:6]) > 0:
        return max(NARROWEST, int(told[:6]))
    if not stream.isatty():
        return None
    try:
        columns = os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):
        return None
    return max(NARROWEST, columns) if columns else None


def wrap(text: str, width: int | None, *, hang: int | None = None) -> list[str]:
    """Return the lines of a text, broken between words only where a line is wider than `width`.

    The lines that follow are indented by `hang` columns, or by two more than the first.
    """
    if width is None or len(text) <= width:
        return [text]
    indent = len(text) - len(text.lstrip(" ")) + 2 if hang is None else hang
    return textwrap.wrap(
        text,
        width,
        subsequent_indent=" " * min(indent, width // 2),
        break_long_words=False,
        break_on_hyphens=False,
    ) or [text]


def print_text(text: str, *, err: bool = False) -> None:
    """Print lines, wrapped at the terminal's width; no character in them acts on it."""
    import click

    stream = sys.stderr if err else sys.stdout
    width = terminal_width(stream)
    lines = (piece for line in make_lines_visible(text).split("\n") for piece in wrap(line, width))
    click.echo("\n".join(lines), err=err)


def confirm_done(text: str, *, err: bool = False) -> None:
    """Print that something was done, or a hint, unless quiet was asked for."""
    if not _said.quiet:
        print_text(text, err=err)
