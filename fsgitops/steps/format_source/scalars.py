"""One way to quote: plain where nobody could misread it, double quotes elsewhere."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

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


def requote_scalars(text: str, top: Node | None) -> str:
    """Return the text with every scalar that stands on one line in its canonical form."""
    parts: list[str] = []
    position = 0
    for node, flow in _scalars(top):
        form = _canonical(node, flow=flow)
        if form is None or form == text[node.start : node.end]:
            continue
        parts += (text[position : node.start], form)
        position = node.end
    return "".join([*parts, text[position:]])


def tidy_lines(text: str, top: Node | None) -> str:
    """Return the text without white space at line ends, and with one newline at its end."""
    kept: set[int] = set()
    for node, _ in _scalars(top):
        if node.line != node.last_line:
            kept.update(range(node.line, node.last_line + 1))
    lines = text.split("\n")
    tidy = [line if number in kept else line.rstrip(" \t") for number, line in enumerate(lines)]
    while tidy and not tidy[-1] and len(tidy) - 1 not in kept:
        tidy.pop()
    return "\n".join(tidy) + "\n" if tidy else ""


def _scalars(node: Node | None) -> Iterator[tuple[Node, bool]]:
    """Yield every scalar in the order of the text, and whether it stands inside brackets."""
    pending = [(node, False)] if node is not None else []
    while pending:
        item, flow = pending.pop()
        if item.kind == "scalar":
            yield item, flow
        pending.extend((child, flow or item.flow) for child in reversed(item.children))


def _canonical(node: Node, *, flow: bool) -> str | None:
    """Return how the scalar is to be written, or None to leave it as it is."""
    value = node.value
    if not node.plain or node.empty or node.line != node.last_line or node.style in ("|", ">"):
        return None
    if not node.style and value in ("~", "null"):
        return "null"
    if value.lower() in _WORDS or value == "<<":
        return None if not node.style else _double(value)
    simple = _SIMPLE if flow else _SIMPLE_IN_BLOCK
    if simple.fullmatch(value) and value.isprintable():
        return value
    return _double(value)


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
