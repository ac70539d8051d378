"""What a person said about the output, what the terminal can do, and tables that fit it."""

from __future__ import annotations

import os
import sys
import textwrap
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest
from typing import TYPE_CHECKING

from fsgitops.visible import make_lines_visible, make_visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
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


_GAP = "  "
_INDENT = "  "
_NARROW = 18
"""A column of prose is never made narrower than this."""


def draw_lines(
    head: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    width: int | None = None,
    rule: bool = False,
    limit: int = 0,
) -> list[str]:
    """Return the lines of a table, its head first; with `rule`, a line below that.

    No character of a cell acts on a terminal; one of more than `limit` is cut (0: none is). Where
    the table is wider than `width` columns, the column with the longest prose is wrapped; where
    that is not enough, each row goes on in indented lines below.
    """
    cells = [[_show(value, limit) for value in row] for row in rows]
    widths = [
        max([display_width(name), *(display_width(row[at]) for row in cells)])
        for at, name in enumerate(head)
    ]
    fitted = _shrink(widths, [head, *cells], width)
    groups = _group(fitted, width)
    lines = list(_row(head, fitted, groups))
    if rule:
        lines += _row(["-" * size for size in fitted], fitted, groups)
    for row in cells:
        lines += _row(row, fitted, groups)
    return lines


def _show(value: object, limit: int) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.2f}"
    text = f"{value:%Y-%m-%d %H:%M:%S}" if isinstance(value, datetime) else str(value)
    return make_visible(text, limit)


def display_width(text: str) -> int:
    """Return how many terminal columns a text takes."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in text
    )


def _shrink(
    widths: Sequence[int], table: Sequence[Sequence[str]], width: int | None
) -> Sequence[int]:
    """Narrow the widest column that holds several words, where that makes the table fit."""
    excess = sum(widths) + len(_GAP) * (len(widths) - 1) - (width or 0)
    if width is None or excess <= 0 or not widths:
        return widths
    at = max(range(len(widths)), key=widths.__getitem__)
    longest = max((len(word) for row in table for word in row[at].split(" ")), default=0)
    if widths[at] - excess < max(_NARROW, longest):
        return [min(size, width - len(_INDENT)) for size in widths]
    return [size - excess if place == at else size for place, size in enumerate(widths)]


def _group(widths: Sequence[int], width: int | None) -> list[range]:
    """Return which columns stand in a line together."""
    groups: list[range] = []
    start, used = 0, 0
    for at, size in enumerate(widths):
        indent = len(_INDENT) if groups else 0
        if width is not None and at > start and indent + used + len(_GAP) + size > width:
            groups.append(range(start, at))
            start, used = at, size
        else:
            used += size + (len(_GAP) if at > start else 0)
    return [*groups, range(start, len(widths))]


def _row(cells: Sequence[str], widths: Sequence[int], groups: Sequence[range]) -> Iterator[str]:
    for number, group in enumerate(groups):
        columns = [
            [cells[at]]
            if display_width(cells[at]) <= widths[at]
            else wrap(cells[at], widths[at], hang=0)
            for at in group
        ]
        for pieces in zip_longest(*columns, fillvalue=""):
            padded = (
                piece + " " * (widths[at] - display_width(piece))
                for at, piece in zip(group, pieces, strict=True)
            )
            line = _GAP.join(padded).rstrip()
            if line or number == 0:
                yield (_INDENT + line) if number else line
