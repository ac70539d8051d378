"""Whether a backtracking matcher can need more than linear work for an expression, decided by its
structure: no clock, no guessed input.

The work of a failing match is the number of ways in which the automaton can read a prefix of the
text. It grows faster than the text exactly when two different states p and q, and a text v, are
there so that v leads from p to p, from p to q and from q to q (Weber and Seidl, On the degree of
ambiguity of finite automata); q's loop then has to be able to fail. A search may begin anywhere,
which is one more state that loops on every character.

Looser than the truth on purpose: other assertions than `^` hold always, and a back reference is
any text. What passes is linear; what is refused may only look bad.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field
from re import _constants as sre
from re import _parser as sre_parser

ANCHORED = {"fullmatch", "match"}
LONG = 256
_COPIES = 3
_SAMPLE = [
    *map(chr, range(0x180)),
    *"\u0660\u1e9e\u2028\u202e\u212a\u3000\u4e00\uac00\ud800\udc80\ufffe\uffff\U0001f600\U0010ffff",
]


@dataclass
class Piece:
    """A part of the automaton: where it can begin and end; whether it can be empty.

    `bound` are beginnings behind a `^`; `at_begin`: it can be empty, but only there. `sure` are the
    ends after which nothing has to hold, `sure_empty` likewise.
    """

    first: list[int] = field(default_factory=list)
    bound: list[int] = field(default_factory=list)
    at_begin: bool = False
    last: list[int] = field(default_factory=list)
    sure: set[int] = field(default_factory=set)
    empty: bool = True
    sure_empty: bool = True


class Automaton:
    """The position automaton of one expression: a state is a place that reads one character."""

    def __init__(self, pattern: str | bytes, flags: int, method: str) -> None:
        tree = sre_parser.parse(pattern, flags)
        self.flags = tree.state.flags
        self.sets: list[frozenset[str]] = []
        self.next: list[set[int]] = []
        self.twice = False
        self.groups: list[frozenset[int]] = []
        self._inside = False
        items = list(tree)
        anchored = method in ANCHORED or _is_begin(items, self.flags)
        start = None if anchored else self._state(frozenset(_SAMPLE))
        whole = self._sequence(items)
        self.final = whole.sure if method != "fullmatch" else set()
        if start is not None:
            self.next[start].add(start)
            self.next[start].update(whole.first)
            if self.flags & re.MULTILINE and whole.bound:
                line = self._state(frozenset("\n"))
                self.next[start].add(line)
                self.next[line].update(whole.bound)

    def _state(self, chars: frozenset[str]) -> int:
        self.sets.append(chars)
        self.next.append(set())
        return len(self.sets) - 1

    def _join(self, before: Piece, after: Piece) -> None:
        for place in before.last:
            for follower in after.first:
                self.twice |= follower in self.next[place]
                self.next[place].add(follower)

    def _sequence(self, items: list) -> Piece:
        whole = Piece()
        for op, argument in items:
            whole = self._then(whole, self._piece(op, argument))
        return whole

    def _then(self, whole: Piece, part: Piece, *, optional: bool = False) -> Piece:
        self._join(whole, part)
        first, bound = list(whole.first), list(whole.bound)
        if whole.empty:
            (bound if whole.at_begin else first).extend(part.first)
            bound += part.bound
        skipped = optional or (part.empty and not part.at_begin)
        return Piece(
            first,
            bound,
            whole.at_begin or (part.at_begin and not optional),
            part.last + whole.last if skipped else part.last,
            part.sure | whole.sure if optional or part.sure_empty else part.sure,
            whole.empty and (optional or part.empty),
            whole.sure_empty and (optional or part.sure_empty),
        )

    def _atomic(self, before: int, part: Piece) -> Piece:
        """Note that what is inside is not tried again once it has been left."""
        self.groups.append(frozenset(range(before, len(self.sets))))
        return part

    def _piece(self, op, argument) -> Piece:
        before = len(self.sets)
        if op is sre.POSSESSIVE_REPEAT:
            return self._atomic(before, self._repeat(*argument))
        if op in (sre.MAX_REPEAT, sre.MIN_REPEAT):
            return self._repeat(*argument)
        if op is sre.SUBPATTERN:
            return self._sequence(list(argument[3]))
        if op is sre.ATOMIC_GROUP:
            return self._atomic(before, self._sequence(list(argument)))
        if op is sre.BRANCH:
            return self._branches([list(item) for item in argument[1]])
        if op is sre.AT:
            begin = argument in (sre.AT_BEGINNING, sre.AT_BEGINNING_STRING)
            return Piece(at_begin=begin, sure_empty=False)
        if op in (sre.ASSERT, sre.ASSERT_NOT):
            direction, items = argument
            # What is behind has a fixed width. What is ahead is read, and then forgotten.
            ahead = self._sequence(list(items)) if direction > 0 else Piece()
            return Piece(first=ahead.first, sure_empty=False)
        if op is sre.GROUPREF:
            return self._repeat(0, sre.MAXREPEAT, [(sre.ANY_ALL, None)])
        place = self._state(self._chars(op, argument))
        return Piece([place], [], False, [place], {place}, empty=False, sure_empty=False)

    def _branches(self, branches: list[list]) -> Piece:
        parts = [self._sequence(items) for items in branches]
        self.twice |= sum(part.sure_empty for part in parts) > 1
        return Piece(
            [place for part in parts for place in part.first],
            [place for part in parts for place in part.bound],
            any(part.at_begin for part in parts)
            and not any(part.empty and not part.at_begin for part in parts),
            [place for part in parts for place in part.last],
            {place for part in parts for place in part.sure},
            any(part.empty for part in parts),
            any(part.sure_empty for part in parts),
        )

    def _repeat(self, least: int, most: int, body) -> Piece:
        items = list(body)
        endless = most is sre.MAXREPEAT or most > LONG or (most > _COPIES and self._inside)
        outer, self._inside = self._inside, self._inside or most > _COPIES
        copies = max(1, min(least, _COPIES)) if endless else min(most, _COPIES)
        parts = [self._sequence(items) for _ in range(copies)]
        self._inside = outer
        whole = Piece()
        for number, part in enumerate(parts):
            whole = self._then(whole, part, optional=number >= min(least, _COPIES))
        if endless:
            self._join(parts[-1], parts[-1])
        return whole

    def _chars(self, op, argument) -> frozenset[str]:
        if op is sre.ANY_ALL or (op is sre.ANY and self.flags & re.DOTALL):
            return frozenset(_SAMPLE)
        items = [(op, argument)] if op is not sre.IN else argument
        text = _spell(items)
        flags = self.flags & (re.IGNORECASE | re.ASCII | re.DOTALL)
        matcher = re.compile(text, flags & ~re.UNICODE)
        return frozenset(char for char in _SAMPLE if matcher.fullmatch(char))

    def faults(self) -> str | None:
        """Return why more than linear work may be needed; None where it cannot be."""
        if self.twice:
            return "a repetition within a repetition reads the same text in two ways"
        loops = self._loops()
        for p in loops:
            for q in loops:
                left = any(loops[p] <= group and q not in group for group in self.groups)
                if q not in self.final and not left and self._splits(p, q, loops):
                    return f"a text can be read by {self._show(p)} as well as by {self._show(q)}"
        return None

    def _show(self, place: int) -> str:
        chars = self.sets[place]
        sample = "".join(sorted(chars & set(map(chr, range(33, 127)))))
        return f"place {place} ({sample[:40]!r}{'…' if len(sample) > 40 else ''})"

    def _loops(self) -> dict[int, frozenset[int]]:
        """Return each state that leads back to itself, with the states on the way."""
        reach = [self._reach(place) for place in range(len(self.sets))]
        return {
            place: frozenset(other for other in seen if place in reach[other])
            for place, seen in enumerate(reach)
            if place in seen
        }

    def _reach(self, place: int) -> set[int]:
        seen: set[int] = set()
        todo = deque(self.next[place])
        while todo:
            item = todo.popleft()
            if item not in seen:
                seen.add(item)
                todo.extend(self.next[item])
        return seen

    def _splits(self, p: int, q: int, loops: dict[int, frozenset[int]]) -> bool:
        """Tell whether one text leads p to p, p to q, and q to q, along two different ways."""
        begin = (p, p, q, p != q)
        todo, seen = deque([begin]), {begin}
        while todo:
            a, b, c, apart = todo.popleft()
            for a2 in self.next[a] & loops[p]:
                for b2 in self.next[b]:
                    both = self.sets[a2] & self.sets[b2]
                    for c2 in self.next[c] & loops[q] if both else ():
                        if not both & self.sets[c2]:
                            continue
                        parted = apart or a2 != b2
                        if (a2, b2, c2) == (p, q, q) and parted:
                            return True
                        item = (a2, b2, c2, parted)
                        if item not in seen:
                            seen.add(item)
                            todo.append(item)
        return False


def _is_begin(items: list, flags: int) -> bool:
    at_line = flags & re.MULTILINE
    return bool(items) and (
        items[0] == (sre.AT, sre.AT_BEGINNING_STRING)
        or (not at_line and items[0] == (sre.AT, sre.AT_BEGINNING))
    )


_CATEGORIES = {
    sre.CATEGORY_DIGIT: r"\d",
    sre.CATEGORY_NOT_DIGIT: r"\D",
    sre.CATEGORY_SPACE: r"\s",
    sre.CATEGORY_NOT_SPACE: r"\S",
    sre.CATEGORY_WORD: r"\w",
    sre.CATEGORY_NOT_WORD: r"\W",
}


def _spell(items) -> str:
    """Return a class of characters as an expression of its own."""
    negated, text = "", ""
    for op, argument in items:
        if op is sre.NEGATE:
            negated = "^"
        elif op is sre.LITERAL:
            text += re.escape(chr(argument))
        elif op is sre.NOT_LITERAL:
            negated, text = "^", text + re.escape(chr(argument))
        elif op is sre.RANGE:
            text += f"{re.escape(chr(argument[0]))}-{re.escape(chr(argument[1]))}"
        elif op is sre.CATEGORY:
            text += _CATEGORIES[argument]
        elif op is sre.ANY:
            return "."
        else:
            raise NotImplementedError(f"no such class is known here: {op}")
    return f"[{negated}{text}]"


def why_not_linear(pattern: str | bytes, flags: int = 0, method: str = "search") -> str | None:
    """Return why an expression may need more than linear work; None where it cannot."""
    return Automaton(pattern, flags, method).faults()
