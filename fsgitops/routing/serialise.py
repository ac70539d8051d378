"""A tree written back as FreeSWITCH writes it (`xml_locate` answers with it).

Follows `switch_xml_toxml_r` of FreeSWITCH 1.11: no self-closing tags, two more spaces for each
level on top of the white space that is already there, and characters outside ASCII as
references.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fsgitops.routing.tree import Element

_INDENT = "  "
_SPECIAL_TEXT = re.compile(r"[&<>\r\x80-\U0010ffff]")
_SPECIAL_ATTRIBUTE = re.compile(r"[&<>\"\n\t\r\x80-\U0010ffff]")
_ESCAPES = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "\n": "&#xA;",
    "\t": "&#x9;",
    "\r": "&#xD;",
}


def serialise(element: Element) -> bytes:
    """Return the element and all below it as the switch would print them."""
    out = _Output()
    _write(element, out)
    return out.encode()


class _Output:
    def __init__(self) -> None:
        self.parts: list[str] = []
        self.last = ""

    def add(self, text: str) -> None:
        if text:
            self.parts.append(text)
            self.last = text[-1]

    def encode(self) -> bytes:
        return "".join(self.parts).encode("utf-8", "surrogateescape")


def _write(element: Element, out: _Output) -> None:
    """Write depth first with a stack of our own: a hostile file may nest a million deep."""
    _open(element, out, 0)
    stack = [(element, 0, iter(element.children))]
    while stack:
        parent, start, children = stack.pop()
        child = next(children, None)
        depth = len(stack)
        if child is None:
            out.add(_escape(parent.text[start:], _SPECIAL_TEXT))
            _close(parent, out, depth)
            continue
        # A length of nothing means "all of it" to the original, so text is printed twice there.
        end = child.offset if child.offset > start else len(parent.text)
        out.add(_escape(parent.text[start:end], _SPECIAL_TEXT))
        stack.append((parent, child.offset, children))
        _open(child, out, depth + 1)
        if child.children:
            stack.append((child, 0, iter(child.children)))
        else:
            out.add(_escape(child.text, _SPECIAL_TEXT))
            _close(child, out, depth + 1)


def _open(element: Element, out: _Output, depth: int) -> None:
    if out.last == ">":
        out.add("\n")
    out.add(_INDENT * depth + f"<{element.name}")
    for name, value in element.attributes.items():
        out.add(f' {name}="{_escape(value, _SPECIAL_ATTRIBUTE)}"')
    out.add(">")


def _close(element: Element, out: _Output, depth: int) -> None:
    if out.last == "\n":
        out.add(_INDENT * depth)
    out.add(f"</{element.name}>\n")


def _escape(text: str, special: re.Pattern[str]) -> str:
    if special.search(text) is None:
        return text
    markup = text.find("<!")
    if markup < 0:
        return special.sub(_reference, text)
    return special.sub(_reference, text[:markup]) + text[markup:]


def _reference(match: re.Match[str]) -> str:
    char = match.group()
    return _ESCAPES.get(char) or ("" if "\ud800" <= char <= "\udfff" else f"&#x{ord(char):X};")
