"""One file of a conf directory as lines of XML to show, every secret in it masked.

The lines are written anew from what FreeSWITCH would load, so white space and comments, which mean
nothing to it, make no difference, and what a comment holds is never shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fsgitops.model.plan import is_secret, is_secret_attribute
from fsgitops.routing.fragment import COMMENT, END, TEXT, FragmentError, read_items

if TYPE_CHECKING:
    from collections.abc import Sequence

MASK: Final = "(secret)"
_ESCAPES: Final = str.maketrans({"&": "&amp;", "<": "&lt;", '"': "&quot;"})
_MARKS: Final = frozenset("<>#")


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
    position = 0
    while position < len(items):
        item = items[position]
        position += 1
        if item == END:
            tag, opened, _ = stack.pop()
            if opened == len(lines) - 1:
                lines[opened] = lines[opened][:-1] + "/>"
            else:
                lines.append(f"{_indent(stack)}</{tag}>")
        elif item in (TEXT, COMMENT):
            if item == TEXT:
                hidden = any(secret for _, _, secret in stack)
                lines.append(
                    _indent(stack)
                    + (
                        MASK
                        if hidden or is_secret("", items[position])
                        else _escape(items[position])
                    )
                )
            position += 1
        else:
            attributes: list[tuple[str, str]] = []
            while items[position][0:1] not in _MARKS:
                attributes.append((items[position], items[position + 1]))
                position += 2
            text, secret = _open(item[1:], attributes)
            lines.append(_indent(stack) + text)
            stack.append((item[1:], len(lines) - 1, secret))
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


def _open(tag: str, attributes: list[tuple[str, str]]) -> tuple[str, bool]:
    name = next((value for key, value in attributes if key == "name"), "")
    secret = is_secret_attribute(f"param {name}")
    words = [
        f'{key}="{_escape(value) if _is_shown(key, value, secret=secret) else MASK}"'
        for key, value in attributes
    ]
    return f"<{' '.join([tag, *words])}>", secret


def _is_shown(key: str, value: str, *, secret: bool) -> bool:
    if is_secret(key, value):
        return False
    return key == "name" if secret else not is_secret_attribute(f"param {key}")


def _escape(text: str) -> str:
    return text.translate(_ESCAPES)
