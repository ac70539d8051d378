"""Check the bytes of a YAML file before anything parses them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fsgitops.findings import Position, error

if TYPE_CHECKING:
    from fsgitops.findings import Finding

_CONTROLS = bytes({*range(0x20), 0x7F} - {0x09, 0x0A, 0x0D})
# YAML 1.1 takes U+0085, U+2028 and U+2029 for line breaks, and editors do not: with them in a
# file, a value could begin on another line than the one a reviewer sees.
_BAD = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufdd0-\ufdef\ufffe\uffff]"
)
_MARKS = (
    (b"\xff\xfe\x00\x00", "UTF-32"),
    (b"\x00\x00\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)


BYTE_ORDER_MARK = b"\xef\xbb\xbf"
"""What Notepad and PowerShell put before UTF-8; YAML allows it, and `fsgitops fmt` removes it."""


def check_source(path: str, data: bytes) -> Finding | None:
    """Return what is wrong with the bytes of a file, without its mark: no UTF-8, controls."""
    for mark, name in _MARKS:
        if data.startswith(mark):
            message = f"the file is written as {name}; UTF-8 is expected"
            return error("encoding", Position(path), message, "Save the file as plain UTF-8.")
    if data.isascii():
        # Deleting and comparing lengths runs at memory speed; a pattern does not.
        if len(data.translate(None, _CONTROLS)) == len(data):
            return None
        return _control_character(path, data.decode("ascii"))
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as problem:
        where = position_of(path, data[: problem.start].decode("utf-8"))
        byte = data[problem.start]
        return error(
            "encoding",
            where,
            f"the byte 0x{byte:02X} is not UTF-8 text",
            "Save the file as UTF-8; it may be in an older encoding, such as Latin-1.",
        )
    return _control_character(path, text)


def position_of(path: str, before: str) -> Position:
    """Return the position of the character that follows the text `before`."""
    breaks = before.count("\n") + before.count("\r") - before.count("\r\n")
    start = max(before.rfind("\n"), before.rfind("\r")) + 1
    return Position(path, breaks + 1, len(before) - start + 1)


def _control_character(path: str, text: str) -> Finding | None:
    match = _BAD.search(text)
    if match is None:
        return None
    return error(
        "control-character",
        position_of(path, text[: match.start()]),
        f"the invisible character U+{ord(match[0]):04X} is not allowed in a YAML file here",
        "Delete it. Only tabs between words and ordinary line ends may stand among the text.",
    )
