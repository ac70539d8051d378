"""One way to quote: plain where nobody could misread it, double quotes elsewhere."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fsgitops.steps.format_source.tree import Edit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsgitops.steps.format_source.tree import Node

# No `:`, `#` or bracket, which end a plain scalar in one place or another, and nothing at the
# beginning that means something there. A comma ends one only inside brackets.
_SIMPLE = re.compile(r"[\w(+/][\w ./+()@&'*-]*(?<! )")
_SIMPLE_IN_BLOCK = re.compile(r"[\w(+/][\w ./+()@&'*,-]*(?<! )")

# Other readers of YAML take these for something else than text, so quotes around them are kept,
# and so is their absence: for `fsgitops` both are the same text.
_WORDS = frozenset(["true", "false", "yes", "no", "on", "off", "y", "n", "null", "~"])

# Numbers that they would write another way, so that digits or letters would be lost.
_OTHER_NUMBER = re.compile(
    r"[+-]?(0[0-9_]+|0[xob][0-9a-f_]+|[0-9][0-9_]*(\.[0-9_]*)?e[+-]?[0-9]+"
    r"|[0-9_]+\.[0-9_]*|[0-9]+_[0-9_]*)|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}",
    re.IGNORECASE,
)


def requote_scalars(text: str, top: Node | None) -> Iterator[Edit]:
    """Yield the edits that give every scalar that stands on one line its canonical form."""
    for node, flow in _scalars(top):
        form = _canonical(node, flow=flow)
        if form is not None and form != text[node.start : node.end]:
            yield Edit(node.start, node.end, form)


def tidy_lines(text: str, top: Node | None) -> Iterator[Edit]:
    """Yield the edits that leave no white space at line ends, and one newline at the end."""
    kept: set[int] = set()
    for node, _ in _scalars(top):
        if node.line != node.last_line:
            kept.update(range(node.line, node.last_line + 1))
    lines = text.split("\n")
    last = len(lines)
    while last and not lines[last - 1].strip(" \t") and last - 1 not in kept:
        last -= 1
    place = 0
    for number, line in enumerate(lines[:last]):
        bare = line if number in kept else line.rstrip(" \t")
        if bare != line:
            yield Edit(place + len(bare), place + len(line), "")
        place += len(line) + 1
    if last == len(lines):
        yield Edit(len(text), len(text), "\n")
    elif place < len(text) or not last:
        yield Edit(place, len(text), "")


def _scalars(node: Node | None) -> Iterator[tuple[Node, bool]]:
    """Yield every scalar in the order of the text, and whether it stands inside brackets."""
    pending = [(node, False)] if node is not None else []
    while pending:
        item, flow = pending.pop()
        if item.kind == "scalar":
            yield item, flow
        pending.extend((child, flow or item.flow) for child in reversed(item.children))


def write_scalar(value: str, *, flow: bool = False) -> str:
    """Return a text as it is written: plain, or in quotes where plain would mean something else.

    `flow` is set inside brackets.
    """
    simple = _SIMPLE if flow else _SIMPLE_IN_BLOCK
    odd = value.lower() in _WORDS or _OTHER_NUMBER.fullmatch(value)
    return value if not odd and simple.fullmatch(value) and value.isprintable() else _double(value)


def _canonical(node: Node, *, flow: bool) -> str | None:
    """Return how the scalar is to be written, or None to leave it as it is."""
    value = node.value
    if not node.plain or node.empty or node.line != node.last_line or node.style in ("|", ">"):
        return None
    if not node.style and value in ("~", "null"):
        return "null"
    if value.lower() in _WORDS or value == "<<" or _OTHER_NUMBER.fullmatch(value):
        return None if not node.style else _double(value)
    return write_scalar(value, flow=flow)


def _double(value: str) -> str:
    """Return the value in double quotes, or in single ones where those need no escapes."""
    if '"' in value and "'" not in value and value.isprintable():
        return f"'{value}'"
    return '"' + "".join(_escape(char) for char in value) + '"'


def _escape(char: str) -> str:
    if char in ('"', "\\"):
        return "\\" + char
    if char.isprintable():
        return char
    named = {"\n": "\\n", "\t": "\\t", "\r": "\\r", "\0": "\\0"}.get(char)
    if named:
        return named
    code = ord(char)
    if code <= 0xFF:
        return f"\\x{code:02X}"
    return f"\\u{code:04X}" if code <= 0xFFFF else f"\\U{code:08X}"
