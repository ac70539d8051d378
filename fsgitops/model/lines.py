"""Text for a terminal, line by line: nothing in it can move the cursor or change the colour."""

from __future__ import annotations

from typing import NamedTuple

from fsgitops.visible import make_lines_visible as escape_lines
from fsgitops.visible import make_visible as escape
from fsgitops.visible import to_json

__all__ = ["Line", "escape", "escape_lines", "quote"]


class Line(NamedTuple):
    """One line, and what it says: the terminal chooses a colour for that."""

    text: str
    style: str = ""


def quote(value: str | None) -> str:
    """Return a value in double quotes, everything that is not printable escaped."""
    return "(none)" if value is None else to_json(value)
