"""The extensions of a context, and which of them a number need not be held against.

Most extensions say which numbers they take, one by one: of thousands, a number finds its own.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from typing import TYPE_CHECKING

from fsgitops.routing.call.contents import NUMBER, read_quick
from fsgitops.routing.call.mould import find_cast
from fsgitops.routing.pattern import GIVES_UP, TooManyStepsError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fsgitops.routing.call.leg import Leg
    from fsgitops.routing.call.mould import Cast
    from fsgitops.routing.tree import Element


class Contents:
    """The extensions of a context in their order, each with what decides alone, where it does."""

    def __init__(self, context: Element) -> None:
        found = context.all("extension")
        self._casts = [find_cast(item) for item in found]
        self.extensions = [
            (item, cast.mould.fill_quick(cast.runs) if cast else read_quick(item))
            for item, cast in zip(found, self._casts, strict=True)
        ]
        self._gave_up: Counter[int] = Counter()
        """How often PCRE2 gave up on an extension's expression: each time costs its whole limit."""
        self._taking: dict[str, list[int]] = {}
        self._others: list[int] = []
        for at, (_, quick) in enumerate(self.extensions):
            if quick is None or quick.texts is None or quick.field != NUMBER:
                self._others.append(at)
                continue
            for text in quick.texts:
                self._taking.setdefault(text, []).append(at)

    def find_next(self, at: int, leg: Leg) -> int:
        """Return the first extension from one on that does not pass the call on for certain."""
        number = leg.read_field(NUMBER)
        text = number.text if number else ""
        end = len(self.extensions)
        others: Sequence[int] = self._others
        if (number and number.why) or text.endswith("\n"):
            others = range(end)
        else:
            taking = self._taking.get(text, ())
            own = bisect_left(taking, at)
            end = taking[own] if own < len(taking) else end
        for place in range(bisect_left(others, at), len(others)):
            if others[place] >= end:
                break
            if self._stops(others[place], leg):
                return others[place]
        return end

    def list_taking(self, text: str, at: int = 0) -> Sequence[int]:
        """Return the places, from one on, of the extensions that name a number (`others`: not)."""
        taking = self._taking.get(text, ())
        return taking[bisect_left(taking, at) :]

    def find_cast(self, at: int) -> Cast | None:
        """Return the mould of the extension in a place, and its digits; None: it has none."""
        return self._casts[at]

    def count_others(self, at: int) -> int:
        """Return how many extensions before a place do not name the numbers that they take."""
        return bisect_left(self._others, at)

    def _stops(self, at: int, leg: Leg) -> bool:
        quick = self.extensions[at][1]
        if quick is None or self._gave_up[at] >= GIVES_UP:
            return True
        value = leg.read_field(quick.field)
        try:
            return bool(value and value.why) or quick.matches(value.text if value else "")
        except TooManyStepsError:
            self._gave_up[at] += 1
            return True  # a limit of PCRE2: the extension is held against the call in full
