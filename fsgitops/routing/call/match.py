"""Expressions of the dialplan, and what `$1` becomes: `src/switch_regex.c` of FreeSWITCH 1.11."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from fsgitops.routing.pattern import TooManyStepsError, list_choices, search_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence

_ASTERISK: Final = {"N": "[2-9]", "X": "[0-9]", "Z": "[1-9]", ".": ".*"}
_ASTERISK_LENGTH: Final = 255


class Match(NamedTuple):
    """A match: each group (None: not set), and PCRE's count: the last that is set, plus 1."""

    groups: tuple[str | None, ...]
    reach: int


def perform(field: str, expression: str) -> Match | None:
    """`switch_regex_perform` of raw texts.

    What PCRE2 refuses, or gives up on, matches nothing. Raises TooManyStepsError in the latter
    case: other limits than ours may hold at the switch.
    """
    choices = list_choices(expression)
    if choices is not None and not field.endswith("\n"):
        return Match((field, field), 2) if field in choices else None
    if expression.startswith("_"):
        expression = read_asterisk(expression[1:]) or expression
    found = search_bytes(field.encode("latin-1"), expression.encode("latin-1"))
    if found is None:
        return None
    groups = tuple(None if item is None else item.decode("latin-1") for item in found)
    last = max(at for at, item in enumerate(groups) if item is not None)
    return Match(groups, last + 1)


def read_asterisk(pattern: str) -> str:
    """`switch_ast2regex`: `_NXX.` of Asterisk; "" where it is the same afterwards."""
    made = "^"
    for char in pattern:
        made += _ASTERISK.get(char, char)
        if len(made) >= _ASTERISK_LENGTH:
            made = made[:_ASTERISK_LENGTH]
            break
    made += "$"
    return made if made != pattern else ""


def substitute(data: str, match: Match, limit: int) -> str:
    """`switch_perform_substitution`: put groups for `$1` and `${1}`, at most `limit` - 1 bytes."""
    out: list[str] = []
    size, at, end = 0, 0, len(data)
    pending = ""
    while size < limit - 1 and at < end:
        char = data[at]
        if char != "$":
            out.append(char)
            size += 1
            at += 1
            continue
        at += 1
        brace = data[at : at + 1] == "{"
        at += brace
        if not _is_digit(data, at):
            at -= brace
            out.append("$")
            size += 1
            continue
        while _is_digit(data, at) and len(pending) < 9:
            pending += data[at]
            at += 1
        if brace:
            if data[at : at + 1] != "}":
                # C goes back, and keeps the digits that it has read for the next number.
                at -= len(pending) - 1
                out.append(data[at - 1])
                size += 1
                continue
            at += 1
        text = _group(match.groups, int(pending))
        pending = ""
        put = text[: max(0, limit - 1 - size)]
        out.append(put)
        size += len(put)
    return "".join(out)


def _is_digit(data: str, at: int) -> bool:
    return "0" <= data[at : at + 1] <= "9"


def _group(groups: Sequence[str | None], number: int) -> str:
    return (groups[number] or "") if number < len(groups) and number <= 256 else ""


__all__ = ["Match", "TooManyStepsError", "perform", "substitute"]
