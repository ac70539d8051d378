"""Many numbers against one expression: which of them match, without asking each where none does."""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import TYPE_CHECKING

from fsgitops.routing.pattern import TooManyStepsError, find_possible, has_match

if TYPE_CHECKING:
    from collections.abc import Sequence

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
        self._found: dict[str, frozenset[int]] = {}
        self._unknown: dict[str, frozenset[int]] = {}
        ordered = sorted((number.removeprefix("+"), at) for at, number in enumerate(numbers))
        self._digits = [digits for digits, _ in ordered]
        self._order = [at for _, at in ordered]

    def matching(self, expression: str) -> frozenset[int]:
        """Return the indexes of the numbers that the expression matches."""
        self._search(expression)
        return self._found[expression]

    def unknown(self, expression: str) -> frozenset[int]:
        """Return the indexes of those that PCRE2 gave up on: FreeSWITCH takes them as no match."""
        self._search(expression)
        return self._unknown[expression]

    def _search(self, expression: str) -> None:
        if expression in self._found:
            return
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
        self._found[expression] = frozenset(found)
        self._unknown[expression] = frozenset(unknown)

    def _candidates(self, expression: str) -> Sequence[int]:
        prefix = _PREFIX.match(expression)
        if prefix and not _BRANCHES.search(expression):
            first = bisect_left(self._digits, prefix[1])
            return self._order[first : bisect_left(self._digits, prefix[1] + ":", first)]
        return range(len(self.numbers)) if find_possible(self._text, expression) else ()
