r"""`${name}`, `${name:offset:length}` and `${function(argument)}` in a text, expanded.

Follows `switch_channel_expand_variables_check` of FreeSWITCH 1.11 (`src/switch_channel.c`), its
oddities included: what comes right behind a `}` is copied as it is, `\'` vanishes, an unclosed
`${` reaches to the end. Texts are raw (words.py).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from fsgitops.routing.call.words import DyedError, is_dyed, needs_expansion, to_int

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_DEPTH: Final = 100
"""How deep FreeSWITCH expands what variables hold."""
MAX_SCANNED: Final = 1_000_000
"""Characters that are looked at for one text, with what stands within its braces."""
MAX_SIZE: Final = 65_536
"""Characters that one text may grow to: variables that hold each other multiply without end."""
_PLAIN: Final = re.compile(r"[^$\\]*")
_CALL: Final = re.compile(r"[ (]")


class Value(NamedTuple):
    """A raw text, and why some of it is not known; those parts stand in it as they are written."""

    text: str
    why: tuple[str, ...] = ()


class TooLongError(Exception):
    """The text grows without end."""


class Expander:
    """Expands texts with what `variable(name, index)` and `function(name, argument)` answer.

    Each may answer None: there is no such variable, or the function failed. An index is -1 where
    none is given.
    """

    def __init__(
        self,
        variable: Callable[[str, int], Value | None],
        function: Callable[[str, Value], Value | None],
    ) -> None:
        self._variable = variable
        self._function = function
        self._left, self._unread = MAX_SIZE, MAX_SCANNED

    def expand(self, text: str) -> Value:
        """Return the expanded text. Raises TooLongError."""
        if not needs_expansion(text):
            return Value(text)
        self._left, self._unread = MAX_SIZE, MAX_SCANNED
        return self._expand(text, 0)

    def _expand(self, text: str, depth: int) -> Value:
        if ("$" not in text and "\\" not in text) or depth > MAX_DEPTH or not needs_expansion(text):
            return Value(text)
        self._unread -= len(text)
        if self._unread < 0:
            raise TooLongError
        out: list[str] = []
        why: list[str] = []
        for part in _split(text):
            if isinstance(part, str):
                out.append(part)
                continue
            value = self._evaluate(part, depth)
            if value is not None:
                self._spend(len(value.text))
                out.append(value.text)
                why += value.why
        return Value("".join(out), tuple(dict.fromkeys(why)) if why else ())

    def _spend(self, size: int) -> None:
        self._left -= size + 1
        if self._left < 0:
            raise TooLongError

    def _evaluate(self, asked: Asked, depth: int) -> Value | None:
        self._spend(0)
        inside, function = asked
        if function is not None:
            return self._call(asked, depth)
        name, why = self._expand(inside, depth + 1)
        if why:
            return Value(f"${{{inside}}}", why)
        name, index, offset, length = _read_name(name)
        found = self._variable(name, index) if name else None
        if found is None:
            return None
        # What is not known stands in the text as it was written, and is not expanded again.
        value, unknown = found if found.why else self._expand(found.text, depth + 1)
        if (offset or length) and unknown:
            return Value(f"${{{inside}}}", unknown)
        return Value(_cut(value, offset, length), unknown)

    def _call(self, asked: Asked, depth: int) -> Value | None:
        name, argument = _split_call(asked.inside, asked.function or 0)
        expanded, why = self._expand(name, depth + 1)
        if why:
            return Value(f"${{{asked.inside}}}", why)
        return self._function(expanded, self._expand(argument, depth + 1))


class Asked(NamedTuple):
    """What stands in braces; `function` is where a function's name ends, None of a variable."""

    inside: str
    function: int | None


@lru_cache(maxsize=4096)
def _read_name(text: str) -> tuple[str, int, int, int]:
    """Return a variable's name, its index (-1: none), and the offset and length of a part."""
    name, colon, rest = text.partition(":")
    offset = to_int(rest) if colon else 0
    _, colon, most = rest.partition(":")
    length = to_int(most) if colon else 0
    index = -1
    if "]" in name.partition("[")[2]:
        name, _, number = name.partition("[")
        index = to_int(number)
    return name, index, offset, length


@lru_cache(maxsize=4096)
def _split_call(inside: str, at: int) -> tuple[str, str]:
    """Return a function's name, which ends at a place, and its argument."""
    name, argument = inside[:at].rstrip(" "), inside[at + 1 :]
    depth = 1 if inside[at] == "(" else 0
    for place, char in enumerate(argument):
        if char == "(":
            depth += 1
        elif char == ")" and depth > 1:
            depth -= 1
        elif char == ")" and depth == 1:
            return name, argument[:place]
    return name, argument


@lru_cache(maxsize=4096)
def _split(text: str) -> tuple[str | Asked, ...]:
    """Return what a text is made of."""
    parts: list[str | Asked] = []
    at, end = 0, len(text)
    while at < end:
        char = text[at]
        after = text[at + 1 : at + 2]
        literal = char == "\\" and after == "$"
        if literal:
            at += 2 if text[at + 2 : at + 3] == "$" else 1
        elif char == "\\" and after in ("'", "\\"):
            parts.append(after.replace("'", ""))
            at += 2
            continue
        elif char == "$":
            at += after == "$"
            literal = text[at + 1 : at + 2] != "{"
        if literal or text[at] != "$":
            stop = at + 1 + len(_PLAIN.match(text, at + 1)[0])  # type: ignore[index]
            parts.append(text[at:stop])
            at = stop
            continue
        inside, at = _read_braces(text, at + 2)
        call = _CALL.search(inside)
        parts.append(Asked(inside, call.start() if call else None))
        if at < end and text[at] != "$":
            parts.append(text[at])
            at += 1
    return tuple(parts)


def _read_braces(text: str, start: int) -> tuple[str, int]:
    """Return what stands in braces, and where the text goes on behind them."""
    open_braces = 1
    for at in range(start, len(text)):
        char = text[at]
        if char == "}" and open_braces == 1:
            return text[start:at], at + 1
        if char == "{" and at != start:
            open_braces += 1
        elif char == "}":
            open_braces -= 1
    return text[start:], len(text)


def _cut(text: str, offset: int, length: int) -> str:
    if (offset or length) and is_dyed(text):
        raise DyedError("a part of it is taken")
    if offset >= 0 or -offset <= len(text):
        text = text[offset:]
    return text[:length] if length > 0 else text
