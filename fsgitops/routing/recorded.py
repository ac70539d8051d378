"""What a file says with every secret in it masked: as a recording has it, and as lines to show.

Lines are written anew from what FreeSWITCH would load, so white space and comments, which mean
nothing to it, make no difference, and what a comment holds is never shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fsgitops.model.plan import MASK, is_secret, is_secret_attribute
from fsgitops.routing.fragment import (
    END,
    TAG,
    TEXT,
    FragmentError,
    flatten_fragment,
    read_items,
    walk_items,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from fsgitops.model.compiled import CompiledFile
    from fsgitops.model.live import LiveFile

UNREADABLE = "(the whole file)"


def mask_attributes(content: bytes) -> dict[str, str]:
    """Return what a file says, as `flatten_fragment` names it, with MASK for every secret."""
    return {
        name: MASK if is_secret(name, value) else value for name, value in _flatten(content).items()
    }


def digest_secrets(content: bytes, digest: Callable[[bytes], str]) -> str:
    """Return one keyed digest of all secrets in a file, "" where there is no key."""
    secrets = [f"{k}={v}" for k, v in sorted(_flatten(content).items()) if is_secret(k, v)]
    return digest("\n".join(secrets).encode())


def holds_recorded(file: CompiledFile, found: LiveFile, digest: Callable[[bytes], str]) -> bool:
    """Tell whether a recorded file said what the compiled one does, as far as can be known."""
    return mask_attributes(file.content) == found.attributes and _same_secrets(file, found, digest)


def flatten_recorded(
    file: CompiledFile, found: LiveFile, digest: Callable[[bytes], str]
) -> Mapping[str, str]:
    """Return a recorded file's attributes, to be compared with the compiled file's.

    Secrets that are known to be the same, or of which nothing is known, are the compiled file's.
    """
    recorded = dict(found.attributes or {})
    if _same_secrets(file, found, digest):
        compiled = flatten_fragment(file.content)
        recorded |= {k: compiled[k] for k, v in recorded.items() if v == MASK and k in compiled}
    return recorded


def _same_secrets(file: CompiledFile, found: LiveFile, digest: Callable[[bytes], str]) -> bool:
    if file.unknown or not found.secrets:
        return True
    return digest_secrets(file.content, digest) == found.secrets


def _flatten(content: bytes) -> dict[str, str]:
    try:
        return flatten_fragment(content)
    except FragmentError as problem:
        return {UNREADABLE: f"not readable as FreeSWITCH would: {problem}"}


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
