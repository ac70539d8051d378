r"""The one way in which text that somebody else wrote is shown: nothing in it acts on a terminal.

Control characters, bidi marks, invisible ones and lone surrogates are shown by their number, as
Python and JSON write them. In JSON that changes no value: `\u202e` and the character it stands for
are the same text to every reader.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable


_UNSEEN: Final = re.compile(
    r"[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
"""Default_Ignorable_Code_Point of Unicode, as far as Python takes it for something to be seen."""


def is_visible(text: str) -> bool:
    """Tell whether every character of a text is one that can be seen, or a space."""
    return text.isprintable() and (text.isascii() or not _UNSEEN.search(text))


def make_visible(text: str, limit: int = 0) -> str:
    r"""Return a text as one line that can be printed; `\n`, `\x1b`, `\u202e` show the rest.

    `limit` is in characters of the text; 0 means none.
    """
    if limit and len(text) > limit:
        text = f"{text[: limit - 1]}…"
    if is_visible(text):
        return text
    return "".join(char if is_visible(char) else _show(char) for char in text)


def make_lines_visible(text: str) -> str:
    """Return text of several lines, each as `make_visible` returns it."""
    return "\n".join(map(make_visible, text.split("\n")))


_MARKUP: Final = re.compile(r"[^A-Za-z0-9 .,:/@+*_()=-]")


def quote_mermaid(text: str, limit: int = 0) -> str:
    """Return a text to stand in the quotes of a Mermaid label: what could be markup as entities."""
    return _MARKUP.sub(lambda found: f"#{ord(found[0])};", make_visible(text, limit))


def count_noun(number: int, noun: str) -> str:
    """Return `1 file`, `2 files`, `10,000 entries`."""
    if number == 1:
        return f"1 {noun}"
    plural = f"{noun[:-1]}ies" if noun.endswith("ry") else f"{noun}s"
    return f"{number:,} {plural}"


def _show(char: str) -> str:
    return char.encode("unicode_escape").decode()


def to_json(
    value: Any,
    *,
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    default: Callable[[Any], Any] | None = None,
) -> str:
    """Return a value as JSON for people and programs: letters as they are, the rest escaped.

    Raises as `json.dumps`.
    """
    text = json.dumps(
        value, indent=indent, separators=separators, default=default, ensure_ascii=False
    )
    lines = text.split("\n")
    if all(map(is_visible, lines)):
        return text
    # What cannot be seen stands inside a string: outside of them JSON has ASCII only.
    return "\n".join(line if is_visible(line) else _escape(line) for line in lines)


def _escape(line: str) -> str:
    return "".join(char if is_visible(char) else json.dumps(char)[1:-1] for char in line)


FORMULA: Final = "=+-@\t\r"
"""What a spreadsheet may run a cell for that begins with it."""


def guard_cell(text: str) -> str:
    """Return a cell of a table that no spreadsheet runs, nor takes for a sum: `'+19495431333`."""
    quoted = text[:1] == "'" and text[1:2] and text[1] in f"{FORMULA}'"
    return f"'{text}" if quoted or (text and text[0] in FORMULA) else text


def unguard_cell(text: str) -> str:
    """Return a cell as it was before `guard_cell`."""
    return text[1:] if len(text) > 1 and text[0] == "'" and text[1] in f"{FORMULA}'" else text


def is_signed(text: str) -> bool:
    """Tell whether a cell is digits behind a sign: a spreadsheet runs nothing for that."""
    return text[:1] in ("+", "-") and text[1:].isdecimal()
