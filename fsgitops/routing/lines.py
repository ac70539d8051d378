"""One line of a configuration file, as FreeSWITCH's preprocessor takes it.

Follows `preprocess` of FreeSWITCH 1.11 (`src/switch_xml.c`): a line that holds `<include>`,
`</include>` or `<?` vanishes whole; so does every line with an `X-PRE-PROCESS`, commented out or
not; `<!--#command argument-->` may run over several lines, and hides them up to its end.
"""

from __future__ import annotations

from typing import NamedTuple


class Instruction(NamedTuple):
    """What a line tells the preprocessor to do; nothing where `command` is empty.

    `command` is in lower case, `told` is what stands there. `in_tag` is False for a comment.
    """

    told: bytes
    command: bytes
    argument: bytes
    in_tag: bool


class Line(NamedTuple):
    """What is left of a line, what it tells to do, and whether a comment goes on behind it."""

    text: bytes
    instruction: Instruction | None
    in_comment: bool


def read_line(text: bytes, seen: bytes, in_comment: bool) -> Line:
    """Read a line, `in_comment` or not; `seen` is what `expand` says that the search sees of it."""
    if b"<include>" in seen or b"</include>" in seen or b"<?" in seen:
        return Line(b"", None, in_comment)
    if in_comment:
        _, closed, text = seen.partition(b"-->")
        if not closed:
            return Line(b"", None, True)
    at = text.lower().find(b"x-pre-process")
    if at >= 0:
        tag = text[at - 1 : at] == b"<"
        return Line(b"", _read_tag(text[at:]) if tag else None, False)
    before, special, after = text.partition(b"<!--#")
    if not special:
        return Line(text, None, False)
    inside, closed, rest = after.partition(b"-->")
    return Line(before + rest, _read_comment(inside), not closed)


def _read_tag(text: bytes) -> Instruction:
    """`<X-PRE-PROCESS cmd="..." data="..."/>`, only with double quotes, in that order."""
    inside, closed, _ = text.partition(b"/>")
    command, rest = _quoted_after(inside + closed, b"cmd")
    argument = None if rest is None else _quoted_after(rest, b"data")[0]
    if command is None or argument is None:
        return Instruction(text, b"", b"", in_tag=True)
    return Instruction(command + b" " + argument, command.lower(), argument, in_tag=True)


def _read_comment(inside: bytes) -> Instruction:
    told = inside.partition(b"\r")[0] if b"\r" in inside else inside.partition(b"\n")[0]
    command, space, argument = told.partition(b" ")
    quoted = argument.split(b'"', 2)
    argument = quoted[1] if len(quoted) == 3 else argument
    return Instruction(told.strip(), command.lower() if space else b"", argument, in_tag=False)


def _quoted_after(text: bytes, word: bytes) -> tuple[bytes | None, bytes | None]:
    """Find `word`, then `=`, then `"`: return what is quoted and what follows the quotes."""
    at = text.lower().find(word)
    at = text.find(b"=", at) if at >= 0 else -1
    at = text.find(b'"', at) if at >= 0 else -1
    if at < 0:
        return None, None
    value, closed, rest = text[at + 1 :].partition(b'"')
    return value, rest if closed else None
