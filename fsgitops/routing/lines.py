"""One line of a configuration file, as FreeSWITCH's preprocessor takes it.

Follows `preprocess`, `expand_vars` (`src/switch_xml.c`) and `switch_core_set_variable`
(`src/switch_core.c`) of FreeSWITCH 1.11. A line's `$${name}` are expanded once, before anything
else looks at it: names are matched without regard to case, and an unknown name becomes nothing. A
line that then holds `<include>`, `</include>` or `<?` vanishes whole; so does every line with an
`X-PRE-PROCESS`, commented out or not; `<!--#command argument-->` may run over several lines, and
hides them up to its end.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

BLOCK = 1024
LINE_LIMIT = 1024 * 1024 - 2
"""Bytes of one line that the preprocessor's line buffer holds; the byte after them is lost."""

_REFERENCE = re.compile(rb"\$(?=\\*\{)")
_BRACE = re.compile(rb"[{}]")


class Variables:
    """The switch's global variables; bytes in, bytes out, the last value set wins."""

    def __init__(self, initial: Mapping[str, str]) -> None:
        self._values: dict[bytes, tuple[bytes, bytes]] = {}
        self.unknown: set[str] = set()
        for name, value in initial.items():
            self.set(_encode(name), _encode(value))

    def set(self, name: bytes, value: bytes) -> None:
        """Set a variable. A `${` in the value is stored as `%{`, as FreeSWITCH does."""
        key = name.lower()
        self._values.pop(key, None)
        self._values[key] = (name, _REFERENCE.sub(b"%", value))

    def get(self, name: bytes) -> bytes:
        """Return the value, or nothing; an unknown name is remembered in `unknown`."""
        found = self._values.get(name.lower())
        if found is None:
            self.unknown.add(_decode(name))
            return b""
        return found[1]

    def as_dict(self) -> dict[str, str]:
        """Return every variable by its name, in the order they were last set."""
        return {_decode(name): _decode(value) for name, value in self._values.values()}


def set_from_line(variables: Variables, assignment: bytes) -> bool:
    """Carry out the `name=value` of a `set`. Spaces beside the `=` are dropped; False: no `=`."""
    name, sign, value = assignment.partition(b"=")
    if sign:
        variables.set(name.rstrip(b" "), value.lstrip(b" "))
    return bool(sign)


def expand(line: bytes, variables: Variables, capacity: int) -> tuple[bytes, bytes]:
    """Return the line as expanded, and the line as the preprocessor still sees it unexpanded.

    The second differs from `line` because FreeSWITCH ends the string at the `}` of the first
    variable while it expands, and then looks for `<include>`, `<?` and `-->` in what is left.
    `capacity` is the size in bytes of FreeSWITCH's line buffer. An expansion that does not fit
    twice that size is cut, as it is there.
    """
    references = list(find_references(line))
    if not references:
        return line, line
    seen = line[: references[0][2]]
    limit = 2 * capacity - 1
    out = bytearray()
    cursor = 0
    for start, name, end in references:
        out += line[cursor:start]
        value = variables.get(name)
        if len(out) >= limit or len(out) + len(value) == limit:
            return seen, seen
        if len(out) + len(value) > limit:
            return bytes((out + value)[: limit + 1]), seen
        out += value
        cursor = end + 1
    out += line[cursor:]
    return (seen, seen) if len(out) >= limit else (bytes(out), seen)


def line_capacity(line: bytes, capacity: int) -> int:
    """Return the size of the line buffer after reading `line` into one of `capacity` bytes."""
    needed = -(-(len(line) + 2) // BLOCK) * BLOCK
    return min(max(capacity, needed), LINE_LIMIT + 2)


def cut_seen(line: bytes) -> bytes:
    """Return the second of what `expand` returns, whatever the variables are."""
    return next((line[:end] for _, _, end in find_references(line)), line)


def expand_text(text: str, value_of: Callable[[str], str]) -> str:
    """Return a text with each `$${name}` in it replaced by what `value_of` says of the name."""
    data, cursor = text.encode("utf-8", "surrogatepass"), 0
    parts: list[bytes] = []
    for start, name, end in find_references(data):
        value = value_of(name.decode("utf-8", "surrogatepass"))
        parts += data[cursor:start], value.encode("utf-8", "surrogatepass")
        cursor = end + 1
    return b"".join([*parts, data[cursor:]]).decode("utf-8", "surrogatepass")


def find_names(*texts: str | None) -> set[str]:
    """Return the names that these texts take in with `$${name}`."""
    lines = (text.encode("utf-8", "surrogatepass") for text in texts if text and "$${" in text)
    found = {name for line in lines for _, name, _ in find_references(line)}
    return {name.decode("utf-8", "surrogatepass") for name in found}


def find_references(line: bytes) -> Iterator[tuple[int, bytes, int]]:
    """Yield (start, name, position of the closing brace) of each `$${name}`.

    One without its closing brace stands for itself, and the search goes on inside it.
    """
    start = line.find(b"$${")
    closing = _matching_braces(line) if start >= 0 else {}
    while start >= 0:
        end = closing.get(start + 2, -1)
        if end >= 0:
            yield start, line[start + 3 : end], end
        start = line.find(b"$${", max(start, end) + 1)


def _matching_braces(line: bytes) -> dict[int, int]:
    """Map each opening brace to the one that closes it; braces nest."""
    closing: dict[int, int] = {}
    opened: list[int] = []
    for match in _BRACE.finditer(line):
        if match.group() == b"{":
            opened.append(match.start())
        elif opened:
            closing[opened.pop()] = match.start()
    return closing


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _decode(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


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
