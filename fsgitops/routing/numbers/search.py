"""What expressions match, and what their groups hold, as sets of texts (automaton.py).

Follows the search of PCRE2: unanchored, the leftmost match, and of several the one that
backtracking finds first. So a set of captured texts is exact too. Only the limits of PCRE2 are not
followed: a text on which it gives up is none that FreeSWITCH matches.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from fsgitops.routing.call.match import read_asterisk
from fsgitops.routing.numbers.automaton import EVERYTHING, NOTHING, Draft, Store
from fsgitops.routing.numbers.expression import EXACTLY, NotRegularError
from fsgitops.routing.numbers.program import read_program
from fsgitops.routing.pattern import is_valid, list_choices

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fsgitops.routing.numbers.automaton import Key, Node
    from fsgitops.routing.numbers.program import Program, Step

_LINE_FEED: Final = 10
_ENDED: Final = -1
"""Stands for a match that holds only if the text ends here."""

Piece = bytes | int
"""A part of a text that is made from a match: bytes as they stand, or a group by its number."""


class Searches:
    """Answers of one store, each made once. All raise NotRegularError and TooLargeError."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._matching: dict[tuple[str, str], int] = {}
        self._made: dict[tuple[str, tuple[Piece, ...], int], int] = {}

    def matching(self, expression: str, how: str = EXACTLY) -> int:
        """Return the texts that a raw expression matches, read in this way."""
        key = (expression, how)
        if key not in self._matching:
            self._matching[key] = self.store.adopt(*_match(expression, how))
        return self._matching[key]

    def making(self, expression: str, pieces: Sequence[Piece], wanted: int) -> int:
        """Return the texts without line feeds whose match makes a text of a set.

        `pieces` are what the match's groups are put between. A group that is not set makes nothing.
        """
        key = (expression, tuple(pieces), wanted)
        if key not in self._made:
            making = _Making(self.store, read(expression), key[1], wanted)
            self._made[key] = self.store.build(making.start, making.draft)
        return self._made[key]


@lru_cache(maxsize=128)
def _match(expression: str, how: str) -> tuple[int, Sequence[Node]]:
    """Return what an expression matches, and its states: the same ones are asked for again."""
    store = Store()
    choices = list_choices(expression)
    if choices is not None:
        texts = [choice.encode("latin-1") for choice in choices]
        if expression.endswith("$"):
            texts += [text + b"\n" for text in texts]
        return store.texts(texts), store.nodes[2:]
    if not is_valid(expression):
        return NOTHING, ()
    search = _Search(read(expression, how))
    return store.build(search.start, search.draft), store.nodes[2:]


def read(expression: str, how: str = EXACTLY) -> Program:
    """Read an expression as `switch_regex_perform` does, those of Asterisk among them."""
    if expression.startswith("_"):
        expression = read_asterisk(expression[1:]) or expression
    return read_program(expression, how)


class _Search:
    """The states of a search: sets of steps that read, or that hold at the end of the text."""

    def __init__(self, program: Program) -> None:
        self.steps = program.steps
        self.again = self._close((0,), frozenset())
        self.start = self._close((0,), frozenset(("start",)))

    def _close(self, places: Sequence[int], holding: frozenset[str]) -> frozenset[int] | int:
        """Return the steps that wait behind these; EVERYTHING: the match is made."""
        found: set[int] = set()
        seen: set[int] = set()
        stack = list(places)
        while stack:
            at = stack.pop()
            if at in seen:
                continue
            seen.add(at)
            if at == _ENDED:
                found.add(at)
                continue
            step = self.steps[at]
            if step.what == "match":
                return EVERYTHING
            if step.what == "split":
                stack += step.to
            elif step.what == "open" or step.what in holding:
                stack.append(at + 1)
            elif step.what != "start":
                found.add(at)
        return frozenset(found)

    def draft(self, key: Key) -> Draft:
        places: frozenset[int] = key
        ends = self._close(tuple(places), frozenset(("end", "line")))
        accepts = _ENDED in places or ends == EVERYTHING
        reads = [at for at in places if at != _ENDED and self.steps[at].what == "read"]
        edges: dict[int, Key] = {
            byte: self._read(reads, byte) for byte in _list_bytes(self.steps, reads)
        }
        line = self._close(tuple(places - {_ENDED}), frozenset(("line",)))
        if line == EVERYTHING:
            after = self._read(reads, _LINE_FEED)
            ended = frozenset((_ENDED,))
            edges[_LINE_FEED] = after if isinstance(after, int) else after | ended
        return Draft(accepts, self._read(reads, None), edges)

    def _read(self, reads: Sequence[int], byte: int | None) -> frozenset[int] | int:
        """Return where a byte leads; None: one that no step names."""
        steps = self.steps
        moved = [at + 1 for at in reads if _takes(steps[at], byte)]
        after = self._close(moved, frozenset())
        if isinstance(after, int) or isinstance(self.again, int):
            return EVERYTHING
        return after | self.again


def _list_bytes(steps: Sequence[Step], reads: Sequence[int]) -> set[int]:
    return {char for at in reads for char in steps[at].chars.chars}


def _takes(step: Step, byte: int | None) -> bool:
    return step.chars.negated if byte is None else step.chars.has(byte)


class _Thread(NamedTuple):
    """A way to match so far: its step, how many pieces have begun, the state of what is made."""

    at: int
    pieces: int
    state: int


class _Threads(NamedTuple):
    """All ways in the order in which PCRE2 would find them, and what the best match made so far.

    `matched` is None where there is no match yet; no way behind a match counts.
    """

    ways: tuple[_Thread, ...]
    matched: bool | None = None


class _Making:
    """A search that runs what the match makes through an automaton."""

    def __init__(
        self, store: Store, program: Program, pieces: tuple[Piece, ...], wanted: int
    ) -> None:
        groups = [item for item in pieces if isinstance(item, int)]
        if program.repeated.intersection(groups):
            raise NotRegularError("a group in a repetition is captured")
        if len(set(groups)) < len(groups):
            raise NotRegularError("a group is put twice")
        if program.hollow:
            raise NotRegularError("a repetition in it may take nothing")
        if any(len(step.groups.intersection(groups)) > 1 for step in program.steps):
            raise NotRegularError("a group within a group is put beside it")
        self.nodes = store.nodes
        self.steps = program.steps
        self.pieces = tuple(item for item in pieces if not isinstance(item, int) or self._has(item))
        self.wanted = wanted
        self.start = self._settle(self._close([self._first()], _Threads(()), start=True))

    def _has(self, group: int) -> bool:
        return any(step.what == "open" and step.group == group for step in self.steps)

    def _first(self) -> _Thread:
        return _Thread(0, 0, self.wanted)

    def _close(
        self, first: Sequence[_Thread], threads: _Threads, *, start: bool = False, end: bool = False
    ) -> _Threads:
        """Add the ways that begin with some, each behind those before it."""
        ways = list(threads.ways)
        seen = {way.at for way in ways}
        stack = [*reversed(first)]
        while stack:
            way = stack.pop()
            if way.at in seen:
                continue
            seen.add(way.at)
            step = self.steps[way.at]
            if step.what == "match":
                return _Threads(tuple(ways), self._finish(way))
            if step.what == "split":
                stack += [way._replace(at=at) for at in reversed(step.to)]
            elif step.what == "open":
                stack.append(self._open(way._replace(at=way.at + 1), step.group))
            elif step.what == "start":
                stack += [way._replace(at=way.at + 1)] if start else []
            elif step.what in ("end", "line") and end:
                stack.append(way._replace(at=way.at + 1))
            else:
                ways.append(way)
        return _Threads(tuple(ways), threads.matched)

    def _open(self, way: _Thread, group: int) -> _Thread:
        if group not in self.pieces:
            return way
        place = self.pieces.index(group)
        if place < way.pieces:
            raise NotRegularError("groups are put in another order")
        return way._replace(pieces=place + 1, state=self._put(way, place))

    def _put(self, way: _Thread, end: int) -> int:
        """Return the state behind the bytes that stand before a piece; groups between are empty."""
        state = way.state
        for piece in self.pieces[way.pieces : end]:
            for byte in piece if isinstance(piece, bytes) else b"":
                state = self._move(state, byte)
        return state

    def _move(self, state: int, byte: int | None) -> int:
        node = self.nodes[state]
        return node.other if byte is None else node.edges.get(byte, node.other)

    def _finish(self, way: _Thread) -> bool:
        return self.nodes[self._put(way, len(self.pieces))].accepts

    @staticmethod
    def _settle(threads: _Threads) -> _Threads | int:
        if threads.ways:
            return threads
        return NOTHING if threads.matched is False else EVERYTHING if threads.matched else threads

    def draft(self, key: Key) -> Draft:
        threads: _Threads = key
        ended = self._close(threads.ways, _Threads((), threads.matched), end=True)
        named = _list_bytes(self.steps, [way.at for way in threads.ways])
        # A byte that an expression does not name may be one that what is made tells apart.
        named.update(byte for way in threads.ways for byte in self.nodes[way.state].edges)
        edges: dict[int, Key] = {byte: self._read(threads, byte) for byte in named}
        edges[_LINE_FEED] = NOTHING
        return Draft(bool(ended.matched), self._read(threads, None), edges)

    def _read(self, threads: _Threads, byte: int | None) -> _Threads | int:
        moved = []
        for way in threads.ways:
            step = self.steps[way.at]
            if step.what != "read" or not _takes(step, byte):
                continue
            piece = self.pieces[way.pieces - 1] if way.pieces else None
            inside = isinstance(piece, int) and piece in step.groups
            state = self._move(way.state, byte) if inside else way.state
            moved.append(way._replace(at=way.at + 1, state=state))
        after = self._close(moved, _Threads((), threads.matched))
        if after.matched is None:
            after = self._close([self._first()], after)
        return self._settle(after)
