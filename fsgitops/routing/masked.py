"""One file of a conf directory as lines of XML to show, every secret in it masked.

The lines are written anew from what FreeSWITCH would load, so white space and comments, which mean
nothing to it, make no difference, and what a comment holds is never shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fsgitops.model.plan import is_secret, is_secret_attribute
from fsgitops.routing.fragment import (
    END,
    TAG,
    TEXT,
    FragmentError,
    read_items,
    walk_items,
)
from fsgitops.routing.veil import MASK

if TYPE_CHECKING:
    from collections.abc import Sequence

_ESCAPES: Final = str.maketrans({"&": "&amp;", "<": "&lt;", '"': "&quot;"})


def show_masked(content: bytes) -> list[str]:
    """Return a file's lines with its secrets masked, told by their names: for a live file."""
    try:
        items, directives = read_items(content)
    except FragmentError as problem:
        return [f"(not XML as FreeSWITCH reads it: {problem})"]
    lines = [
        f"(preprocessor: {MASK if is_secret('X-PRE-PROCESS 1', text) else _escape(text)})"
        for text in directives
    ]
    stack: list[tuple[str, int, bool]] = []
    for kind, at, attributes in walk_items(items):
        if kind == END:
            tag, opened, _ = stack.pop()
            if opened == len(lines) - 1:
                lines[opened] = lines[opened][:-1] + "/>"
            else:
                lines.append(f"{_indent(stack)}</{tag}>")
        elif kind == TEXT:
            hidden = any(secret for _, _, secret in stack) or is_secret("", items[at])
            lines.append(_indent(stack) + (MASK if hidden else _escape(items[at])))
        elif kind == TAG:
            text, secret = _open(items[at][1:], attributes)
            lines.append(_indent(stack) + text)
            stack.append((items[at][1:], len(lines) - 1, secret))
    return lines


def show_compiled(content: bytes, spans: Sequence[tuple[int, int]]) -> list[str]:
    """Return a compiled file's lines with its secret spans masked as well as its secret names."""
    parts: list[bytes] = []
    cursor = 0
    for start, end in spans:
        parts += content[cursor:start], MASK.encode()
        cursor = end
    return show_masked(b"".join([*parts, content[cursor:]]))


def _indent(stack: Sequence[object]) -> str:
    return "  " * min(len(stack), 40)


def _open(tag: str, attributes: dict[str, str]) -> tuple[str, bool]:
    secret = is_secret_attribute(f"param {attributes.get('name', '')}")
    words = [
        f'{key}="{_escape(value) if _is_shown(key, value, secret=secret) else MASK}"'
        for key, value in attributes.items()
    ]
    return f"<{' '.join([tag, *words])}>", secret


def _is_shown(key: str, value: str, *, secret: bool) -> bool:
    if is_secret(key, value):
        return False
    return key == "name" if secret else not is_secret_attribute(f"param {key}")


def _escape(text: str) -> str:
    return text.translate(_ESCAPES)
