"""Regular expressions as FreeSWITCH runs them (`switch_regex_perform`): PCRE2, unanchored."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

# No class but of digits, no group but plain ones, and nothing in it can match a line's end.
_LINEWISE = re.compile(r"(?:[A-Za-z0-9_ ^$.|*+?(){},#]|\\[d+*#.]|\[[0-9+*#.-]+\]|\(\?:)*")
_POSSESSIVE = re.compile(r"[*+?}]\+|\(\?[^:]|\[[^\[\]]*[^0-9]-|\(\*")


class TooManyStepsError(Exception):
    """PCRE2 ran into a limit, so nobody knows whether the expression matches."""


def match_groups(field: str, expression: str) -> tuple[str, ...] | None:
    """Return the whole match and its groups, or None where nothing matches.

    `/…/i` and `/…/s` set options. An expression that PCRE2 refuses matches nothing, as in
    FreeSWITCH, which only logs it; so does one that runs into PCRE2's match limit.
    """
    try:
        match = _search(field, expression)
    except TooManyStepsError:
        return None
    if match is None:
        return None
    return (match.group(0), *(group or "" for group in match.groups()))


def has_match(field: str, expression: str) -> bool:
    """Tell whether the expression matches. Raises TooManyStepsError when PCRE2 gave up."""
    return _search(field, expression) is not None


def _search(field: str, expression: str) -> Any:
    import pcre2

    compiled = _compile(expression)
    if compiled is None:
        return None
    try:
        return compiled.search(field)
    except (pcre2.error, pcre2.LibraryError) as problem:
        raise TooManyStepsError(str(problem)) from None


def find_possible(text: str, expression: str) -> bool:
    """Tell whether the expression may match any line of a text of numbers, one a line.

    False is certain, and found in one pass. Expressions that could look across a line's end, or
    whose search could take more than linear time, are not tried: they may.
    """
    if not _LINEWISE.fullmatch(expression) or _POSSESSIVE.search(expression):
        return True
    compiled = _compile(expression, lines=True)
    if compiled is None:
        return is_valid(expression)
    import pcre2

    try:
        return compiled.search(text) is not None
    except (pcre2.error, pcre2.LibraryError):
        return True


def is_valid(expression: str) -> bool:
    """Tell whether PCRE2 takes the expression."""
    return _compile(expression) is not None


@lru_cache(maxsize=4096)
def _compile(expression: str, *, lines: bool = False) -> Any:
    import pcre2

    flags = pcre2.MULTILINE if lines else 0
    if expression.startswith("/"):
        expression, slash, options = expression[1:].rpartition("/")
        if not slash:
            return None
        flags |= pcre2.IGNORECASE if "i" in options else 0
        flags |= pcre2.DOTALL if "s" in options else 0
    try:
        return pcre2.compile(expression, flags)
    except (pcre2.error, pcre2.LibraryError, ValueError):
        return None
