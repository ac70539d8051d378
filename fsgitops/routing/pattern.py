"""Regular expressions as FreeSWITCH runs them (`switch_regex_perform`): PCRE2, unanchored.

Many numbers are held against one expression without asking each where none of them can match.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fsgitops.model.draft import Elements
    from fsgitops.places import Places

# No class but of digits, no group but plain ones, and nothing in it can match a line's end.
_LINEWISE = re.compile(r"(?:[A-Za-z0-9_ ^$.|*+?(){},#]|\\[d+*#.]|\[[0-9+*#.-]+\]|\(\?:)*")
_POSSESSIVE = re.compile(r"[*+?}]\+|\(\?[^:]|\[[^\[\]]*[^0-9]-|\(\*")


# A choice of texts, with an escaped plus sign or without: nothing in it can be wrong in PCRE2.
_CHOICE = re.compile(r"\^\((?:\\\+\??|[A-Za-z0-9_|-]){0,500}\)(?:\$|\\z)")


_TEXT = r"(?:\\\+\??)?[A-Za-z0-9_-]+"
_PLAIN_CHOICE = re.compile(rf"\^(?:\(({_TEXT}(?:\|{_TEXT})*)\)|({_TEXT}))(?:\$|\\z)")


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


@lru_cache(maxsize=4096)
def search_bytes(field: bytes, expression: bytes) -> tuple[bytes | None, ...] | None:
    """Return the whole match and its groups, byte by byte as FreeSWITCH matches; None: no match.

    FreeSWITCH compiles without PCRE2_UTF, so `.` is one byte. Raises TooManyStepsError.
    """
    import pcre2

    compiled = _compile_bytes(expression)
    if compiled is None:
        return None
    try:
        match = compiled.search(field)
    except (pcre2.error, pcre2.LibraryError) as problem:
        raise TooManyStepsError(str(problem)) from None
    return None if match is None else (match.group(0), *match.groups())


@lru_cache(maxsize=4096)
def list_choices(expression: str) -> frozenset[str] | None:
    r"""Return the texts that `^(\+?123|abc)$`, or `^123$`, matches; None: it is no choice of texts.

    A `$` also matches before a line feed at the end, which is not among them.
    """
    found = _PLAIN_CHOICE.fullmatch(expression)
    if found is None:
        return None
    texts: set[str] = set()
    for choice in (found[1] or found[2]).split("|"):
        rest = choice.removeprefix("\\+")
        plain = rest.removeprefix("?")
        texts.add(choice if rest == choice else f"+{plain}")
        if rest not in (choice, plain):
            texts.add(plain)
    return frozenset(texts)


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
    # With 100,000 numbers, each with an expression of its own, compiling them would be felt.
    return _CHOICE.fullmatch(expression) is not None or _compile(expression) is not None


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


@lru_cache(maxsize=65_536)
def _compile_bytes(expression: bytes) -> Any:
    import pcre2

    flags = 0
    if expression.startswith(b"/"):
        expression, slash, options = expression[1:].rpartition(b"/")
        if not slash:
            return None
        flags |= pcre2.IGNORECASE if b"i" in options else 0
        flags |= pcre2.DOTALL if b"s" in options else 0
    try:
        return pcre2.compile(expression, flags)
    except (pcre2.error, pcre2.LibraryError, ValueError):
        return None


_OURS: Final = re.compile(r"fsgitops_transfer\w*", re.ASCII)


def strange_contexts(found: Elements, places: Places) -> list[str]:
    """Return what names the context for moved calls of another target of the same switch."""
    named = {
        name
        for _, attributes in found
        for value in attributes.values()
        for name in _OURS.findall(value or "")
    }
    wrong = sorted(named - {places.transfers})
    return [f"write {{{{ transfers }}}} in place of {name}" for name in wrong]


def broken_expressions(found: Elements) -> list[str]:
    """FreeSWITCH only logs an expression that it cannot compile, and matches nothing with it."""
    return [
        f"the expression {attributes['expression']} is not a regular expression"
        for path, attributes in found
        if path[-1] == "condition" and not is_valid(attributes.get("expression", ""))
    ]


GIVES_UP = 8
"""Numbers that PCRE2 gives up on before an expression is held against no others: each costs it the
ten million steps of its limit."""
_PREFIX = re.compile(r"\^\(?(?:\\\+\??)?\(?([0-9]{1,32})(?![0-9?*{])")
"""The digits that every match begins with, behind a plus sign or none."""
_BRANCHES = re.compile(r"\||\)[?*{]")
"""What makes them one choice of several, or none at all."""


class Numbers:
    """Dialled numbers, and what expressions make of them."""

    def __init__(self, numbers: Sequence[str]) -> None:
        self.numbers = numbers
        self._text = "\n".join(numbers)
        self._known: dict[str, tuple[frozenset[int], frozenset[int]]] = {}
        ordered = sorted((number.removeprefix("+"), at) for at, number in enumerate(numbers))
        self._digits = [digits for digits, _ in ordered]
        self._order = [at for _, at in ordered]

    def search(self, expression: str) -> tuple[frozenset[int], frozenset[int]]:
        """Return the indexes of the numbers that match, and of those that PCRE2 gave up on.

        FreeSWITCH takes the latter as no match.
        """
        if expression in self._known:
            return self._known[expression]
        found: list[int] = []
        unknown: list[int] = []
        for index in self._candidates(expression):
            if len(unknown) >= GIVES_UP:
                unknown.append(index)
                continue
            try:
                if has_match(self.numbers[index], expression):
                    found.append(index)
            except TooManyStepsError:
                unknown.append(index)
        self._known[expression] = frozenset(found), frozenset(unknown)
        return self._known[expression]

    def _candidates(self, expression: str) -> Sequence[int]:
        prefix = _PREFIX.match(expression)
        if prefix and not _BRANCHES.search(expression):
            first = bisect_left(self._digits, prefix[1])
            return self._order[first : bisect_left(self._digits, prefix[1] + ":", first)]
        return range(len(self.numbers)) if find_possible(self._text, expression) else ()
