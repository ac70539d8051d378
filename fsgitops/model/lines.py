"""Text for a terminal, line by line: nothing in it can move the cursor or change the colour."""

from __future__ import annotations

import json
from typing import NamedTuple


class Line(NamedTuple):
    """One line, and what it says: the terminal chooses a colour for that."""

    text: str
    style: str = ""


def escape(text: str) -> str:
    """Return one line of text with every control character and line break made visible."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in text)


def escape_lines(text: str) -> str:
    """Return text of several lines, each with every control character made visible."""
    return "\n".join(escape(line) for line in text.split("\n"))


def quote(value: str | None) -> str:
    """Return a value in double quotes, everything that is not printable escaped."""
    return "(none)" if value is None else escape(json.dumps(value, ensure_ascii=False))
