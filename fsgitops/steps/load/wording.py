"""Say what a YAML parser stumbled over in words that help the person who wrote the file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from fsgitops.findings import Position, error

if TYPE_CHECKING:
    from fsgitops.findings import Finding

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
