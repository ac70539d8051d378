"""File name patterns as the preprocessor's `glob(3)` reads them: sorted by byte, not recursive."""

from __future__ import annotations

import os
import re
from functools import lru_cache


class UnreadableFolderError(OSError):
    """A folder that a pattern goes through cannot be listed: the whole pattern yields nothing."""


def find_files(folder: str, pattern: str) -> list[str]:
    """Return the paths that match `pattern`, which is relative to `folder` unless absolute.

    Hidden files need a literal dot, `*` and `?` never match a slash, `**` means `*`, and the
    order is that of the bytes of the paths (FreeSWITCH runs `glob` in the C locale).

    Raises:
        UnreadableFolderError: a folder on the way is missing or may not be listed.
    """
    if pattern.startswith("/"):
        found, rest = ["/"], pattern.lstrip("/")
    else:
        found, rest = [folder.rstrip("/") + "/"], pattern
    parts = [part for part in rest.split("/") if part]
    if not parts:
        return []
    for number, part in enumerate(parts):
        slash = "/" if number < len(parts) - 1 else ""
        found = [name + slash for parent in found for name in _step(parent, part)]
    return sorted(found, key=os.fsencode)


def matches_name(part: str, name: str) -> bool:
    """Tell whether one part of a pattern takes a name; a hidden one needs a literal dot."""
    dotted = part.startswith((".", "\\."))
    return (dotted or name[:1] != ".") and glob_expression(part).fullmatch(name) is not None


def _step(parent: str, part: str) -> list[str]:
    if not re.search(r"[*?\[\\]", part):
        path = parent + part
        return [path] if os.path.lexists(path) else []
    match = glob_expression(part).fullmatch
    dotted = part.startswith((".", "\\."))
    try:
        names = os.listdir(parent)  # noqa: PTH208 - one string each, for 100,000 names
    except NotADirectoryError:
        return []
    except OSError as error:
        raise UnreadableFolderError(error.errno, error.strerror, parent) from error
    return [parent + name for name in names if match(name) and (dotted or name[0] != ".")]


@lru_cache(maxsize=256)
def glob_expression(part: str) -> re.Pattern[str]:
    """Return what the names match whole that one part of a pattern stands for."""
    out: list[str] = [""]
    position = 0
    while position < len(part):
        char = part[position]
        position += 1
        if char == "*":
            out.append("")
        elif char == "?":
            out[-1] += "."
        elif char == "\\" and position < len(part):
            out[-1] += re.escape(part[position])
            position += 1
        elif char == "[" and (end := _class_end(part, position)) > 0:
            out[-1] += character_class(part[position:end])
            position = end + 1
        else:
            out[-1] += re.escape(char)
    return re.compile(_join_stars(out), re.DOTALL)


def _join_stars(pieces: list[str]) -> str:
    """Return the expression of what stands between stars.

    Each piece is taken where it stands first, and for good: any later place leaves less for the
    rest, and to try them all would take minutes with a dozen stars.
    """
    first, *others = pieces
    if not others:
        return first
    middle = "".join(f"(?>.*?{piece})" for piece in others[:-1] if piece)
    return f"{first}{middle}.*{others[-1]}"


def _class_end(part: str, start: int) -> int:
    first = start + 1 if part[start : start + 1] in ("!", "^") else start
    return part.find("]", first + 1)


def character_class(inside: str) -> str:
    """Return what stands between the brackets of a pattern as an expression."""
    negated = inside[0] in "!^"
    members = inside[1:] if negated else inside
    escaped = re.sub(r"([\\\]\[^&~|])", r"\\\1", members)
    try:
        re.compile(f"[{escaped}]")
    except re.error:
        return "(?!)"
    return f"[{'^' if negated else ''}{escaped}]"
