"""A line for a terminal."""

from __future__ import annotations

from typing import NamedTuple


class Line(NamedTuple):
    """One line, and what it says: the terminal chooses a colour for that."""

    text: str
    style: str = ""
