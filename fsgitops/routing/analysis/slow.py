"""Expressions on which backtracking takes more than linear time, decided by their structure alone.

The work of a search that fails is the number of ways to read a part of the text. It grows faster
than the text exactly where one text leads a loop p back to p, on to another loop q, and q back to q
(or p back to p in two ways: then it doubles with each round), and where q's loop can still fail
(Weber and Seidl, On the degree of ambiguity of finite automata). A search may begin anywhere, which
is one more loop over every character. Line feeds are left out: a caller's number holds none.
"""

from __future__ import annotations

from collections import Counter, deque
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from fsgitops.routing.call.words import to_raw
from fsgitops.routing.numbers.expression import NotRegularError
from fsgitops.routing.numbers.program import read_program

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from fsgitops.routing.numbers.expression import Bytes
    from fsgitops.routing.numbers.program import Step

_ALL: Final = ((1 << 256) - 1) & ~(1 << 10)
_MOST_PLACES: Final = 300
_MOST_WORK: Final = 200_000
"""Beyond these nothing is said of an expression."""


class Growth(Enum):
    """How the work grows with the text."""

    SQUARE = "with the square of its length, or faster"
    EXPONENT = "many times over with each character"


class _TooMuchError(Exception):
    pass


@lru_cache(maxsize=4096)
def find_growth(expression: str) -> Growth | None:
    """Return how the work for an expression may grow; None: as its text does, or nobody knows."""
    try:
        return _Places(read_program(to_raw(expression)).steps).judge()
    except (NotRegularError, _TooMuchError):
        return None


class _Places:
    """The places of an expression that read a character, and which may follow which."""

    def __init__(self, steps: tuple[Step, ...]) -> None:
        self.steps = steps
        self.work = 0
        self.masks: dict[int, int] = {}
        self.next: dict[int, Counter[int]] = {}
        self.sure: set[int] = set()
        """Places behind which the match is made, whatever follows."""
        for at, step in enumerate(steps):
            if step.what == "read":
                self.masks[at] = _mask(step.chars)
                self.next[at], ends, made = self._close(at + 1)
                if made or (ends and at in self.next[at] and self.masks[at] == _ALL):
                    self.sure.add(at)
        if len(self.masks) > _MOST_PLACES:
            raise _TooMuchError
        begin, _, _ = self._close(0)
        if begin:
            self.masks[-1] = _ALL
            self.next[-1] = Counter({-1: 1, **begin})
        reach = {at: self._reach(at) for at in self.masks}
        self.loops = {
            at: frozenset(other for other in seen if at in reach[other])
            for at, seen in reach.items()
            if at in seen
        }

    def _close(self, start: int) -> tuple[Counter[int], bool, bool]:
        """Return the places that may be next, in how many ways, and whether it may be over there.

        That is at the end of the text, or anywhere.
        """
        found: Counter[int] = Counter()
        ends = made = False
        # A repetition of what may be empty comes by a second time, which is another way.
        stack: list[tuple[int, tuple[int, ...], bool]] = [(start, (), False)]
        while stack:
            at, way, at_end = stack.pop()
            self._spend()
            step = self.steps[at]
            if step.what == "read" and not at_end:
                found[at] += 1
            elif step.what == "match":
                ends, made = True, made or not at_end
            elif step.what == "split" and way.count(at) < 2:
                stack += [(to, (*way, at), at_end) for to in step.to]
            elif step.what in ("open", "end", "line"):
                stack.append((at + 1, way, at_end or step.what != "open"))
        return found, ends, made

    def _spend(self) -> None:
        self.work += 1
        if self.work > _MOST_WORK:
            raise _TooMuchError

    def _reach(self, at: int) -> set[int]:
        seen: set[int] = set()
        waiting = deque(self.next[at])
        while waiting:
            item = waiting.popleft()
            if item not in seen:
                self._spend()
                seen.add(item)
                waiting.extend(self.next[item])
        return seen

    def judge(self) -> Growth | None:
        """Return how the work grows."""
        fails = [at for at in self.loops if at not in self.sure]
        if any(self._splits(at, at) for at in fails if at >= 0):
            return Growth.EXPONENT
        pairs = ((p, q) for p in self.loops for q in fails if p != q)
        return Growth.SQUARE if any(self._splits(p, q) for p, q in pairs) else None

    def _splits(self, p: int, q: int) -> bool:
        """Tell whether one text leads p to p, p to q and q to q, on two different ways."""
        begin = (p, p, q, p != q)
        waiting, seen = deque([begin]), {begin}
        while waiting:
            a, b, c, apart = waiting.popleft()
            for a2, b2, c2 in self._step(a, b, c, p, q):
                twice = self.next[a][a2] > 1 and p == q
                item = (a2, b2, c2, apart or a2 != b2 or twice)
                if item == (p, q, q, True):
                    return True
                if item not in seen:
                    seen.add(item)
                    waiting.append(item)
        return False

    def _step(self, a: int, b: int, c: int, p: int, q: int) -> Iterable[tuple[int, int, int]]:
        for a2 in _within(self.next[a], self.loops[p]):
            for b2 in self.next[b]:
                both = self.masks[a2] & self.masks[b2]
                if not both:
                    continue
                for c2 in _within(self.next[c], self.loops[q]):
                    self._spend()
                    if both & self.masks[c2]:
                        yield a2, b2, c2


def _within(places: Mapping[int, int], loop: frozenset[int]) -> list[int]:
    return [at for at in places if at in loop]


def _mask(chars: Bytes) -> int:
    found = sum(1 << char for char in chars.chars)
    return _ALL & ~found if chars.negated else found & _ALL
