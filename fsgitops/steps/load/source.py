"""What is wrong with the bytes of a YAML file, and what a parser stumbled over in them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

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


RULE = "yaml-syntax"

_QUOTE = "Put the whole value in double quotes."
_INDENT = "Indent what belongs together by the same number of spaces."

# What the two parsers say, in lower case, and what it most often means. The first match counts.
_KNOWN = (
    (
        "mapping values are not allowed",
        "a second `:` in the line, or a line that is indented too far",
        "Put a value that contains `: ` in double quotes; otherwise correct the indentation.",
    ),
    (
        "block sequence entries are not allowed",
        "a list item (`- `) cannot begin here",
        "Put the `-` on a line of its own, below its key.",
    ),
    ("could not find expected ':'", "a key without a `:` after it", "Write `key: value`."),
    ("unknown escape character", "an unknown `\\` escape in double quotes", "Use single quotes."),
    ("escape code", "a `\\` escape that is no character", "Write the character itself."),
    ("end of stream", "the file ends inside a quoted text", "Close the quote."),
    ("unexpected document indicator", "`---` or `...` inside a quoted text", "Close the quote."),
    ("undefined tag handle", "a tag (`!...`) that is not defined", _QUOTE),
    ("undefined alias", "an alias (`*...`) that names nothing", _QUOTE),
    ("while scanning an a", "`&` or `*` begins a value, which YAML takes for an anchor", _QUOTE),
    ("while scanning a tag", "`!` begins a value, which YAML takes for a tag", _QUOTE),
    ("while scanning a block scalar", "text after `|` or `>` on the same line", _QUOTE),
    ("while scanning a directive", "a line that begins with `%`", _QUOTE),
    ("%yaml", "a %YAML directive that cannot be used", "Remove the line."),
    (
        "cannot start any token",
        "a value cannot begin with this character unless it is quoted",
        _QUOTE,
    ),
    (
        "flow sequence",
        "a list in `[ ]` that is not closed, or lacks a comma",
        "Close it with `]`, and put commas between its items.",
    ),
    (
        "flow mapping",
        "a mapping in `{ }` that is not closed, or lacks a comma",
        "Close it with `}` and put commas between; or quote a value that begins with `{`.",
    ),
    (
        "flow node",
        "a value is missing in `[ ]` or `{ }`, or they are not closed",
        "Close the bracket, and remove any extra comma.",
    ),
    ("block mapping", "this line does not continue the mapping above it", _INDENT),
    ("block collection", "this line does not continue the list above it", _INDENT),
    ("block sequence", "this line does not continue the list above it", _INDENT),
    ("document start", "this does not fit what comes before it", _INDENT),
    ("multiple anchors", "a value with two anchors", "Keep one of the two `&` names."),
)


def describe_syntax_error(path: str, data: bytes, problem: Exception) -> Finding:
    """Return a finding for an error of the YAML parser, at the place where it gave up."""
    text = data.decode("utf-8", "replace")
    lines = re.split(r"\r\n|\r|\n", text)
    mark: Any = getattr(problem, "problem_mark", None) or getattr(problem, "context_mark", None)
    line, column = (mark.line, mark.column) if mark else (0, 0)
    if line >= len(lines):  # a parser takes the end of the file for a line of its own
        line, column = len(lines) - 1, len(lines[-1])
    column = min(column, len(lines[line]))
    indent = re.match(r"[ ]*(?:- *)*\t", lines[line])
    if indent:
        return error(
            "tab-indentation",
            Position(path, line + 1, indent.end()),
            "a tab is used to indent this line; YAML allows only spaces there",
            "Replace the tab by spaces.",
        )
    said = getattr(problem, "problem", None)
    context = getattr(problem, "context", None)
    full = " ".join(str(part) for part in (context, said) if part).lower()
    if "\\t" in full or ("tab" in full and "\t" in lines[line]):
        column = max(lines[line].find("\t"), 0)
        message, hint = "a tab stands where YAML allows only spaces", "Replace it by spaces."
        return error("tab-indentation", Position(path, line + 1, column + 1), message, hint)
    place = Position(path, line + 1, column + 1)
    for known, message, hint in _KNOWN:
        if known in full:
            return error(RULE, place, f"not valid YAML: {message}", hint)
    return error(RULE, place, "not valid YAML at this place", "Check the lines above it as well.")
