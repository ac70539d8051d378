"""Sets of texts as deterministic automata over bytes, in one store that shares their states.

A state never changes once it is made, and each but `NOTHING` accepts some text. So what two sets
have in common with a third costs nothing twice: taking a few texts out of a large set makes states
for those texts only.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

NOTHING: Final = 0
"""The state, and the set, of no text at all."""
EVERYTHING: Final = 1
"""The state, and the set, of every text."""
MOST_STATES: Final = 20_000
"""States that one expression may make."""
MOST_COMBINED: Final = 1_000_000
"""States that two sets may make together: those of many numbers, written out, are large."""
_ORDER: Final = b"0123456789+*#" + bytes(
    char for char in (*range(97, 123), *range(65, 91), *range(33, 127), *range(256))
)
PREFERRED: Final = tuple(dict.fromkeys(_ORDER))
"""All bytes, those that people dial first: which one stands for several."""
_RANKS: Final = {byte: rank for rank, byte in enumerate(PREFERRED)}


Key = Any
"""Stands for a state that is still to be made: any hashable value but an int."""


class TooLargeError(Exception):
    """An automaton would grow beyond all measure."""


class Node(NamedTuple):
    """A state: whether a text may end here, and where bytes lead (`other`: those not named)."""

    accepts: bool
    other: int
    edges: dict[int, int]


class Draft(NamedTuple):
    """A state to be made: its targets are states that exist (int), or keys of others to be made."""

    accepts: bool
    other: Key
    edges: dict[int, Key]


class Store:
    """States, and the operations on the sets that begin in them.

    A set is the number of its first state. Operations raise TooLargeError.
    """

    def __init__(self) -> None:
        self.nodes = [Node(False, NOTHING, {}), Node(True, EVERYTHING, {})]
        self._pairs: dict[tuple[str, int, int], int] = {}

    def both(self, one: int, other: int) -> int:
        """Return what is in both sets."""
        return self._combine("and", one, other)

    def either(self, one: int, other: int) -> int:
        """Return what is in one of the sets, or in both."""
        return self._combine("or", one, other)

    def without(self, one: int, other: int) -> int:
        """Return what is in the first set and not in the second."""
        return self._combine("not", one, other)

    def opposite(self, one: int) -> int:
        """Return all texts that are not in the set."""
        return self.without(EVERYTHING, one)

    def same(self, one: int, other: int) -> bool:
        """Tell whether two sets hold the same texts."""
        return self.without(one, other) == self.without(other, one) == NOTHING

    def holds(self, one: int, text: bytes) -> bool:
        """Tell whether a text is in the set."""
        for byte in text:
            node = self.nodes[one]
            one = node.edges.get(byte, node.other)
            if one <= EVERYTHING:
                return one == EVERYTHING
        return self.nodes[one].accepts

    def texts(self, found: Iterable[bytes]) -> int:
        """Return the set of these texts."""
        ordered = sorted(set(found))
        return self.build((0, 0, len(ordered)), _draft_texts(ordered), most=len(ordered) * 64 + 64)

    def adopt(self, start: int, nodes: Sequence[Node]) -> int:
        """Return a set of another store: `nodes` are all its states but the first two."""
        if start <= EVERYTHING:
            return start
        moved = len(self.nodes) - 2
        place = [NOTHING, EVERYTHING, *range(len(self.nodes), len(self.nodes) + len(nodes))]
        self.nodes += [
            Node(accepts, place[other], {byte: place[to] for byte, to in edges.items()})
            for accepts, other, edges in nodes
        ]
        return start + moved

    def build(self, start: Key, draft: Callable[[Key], Draft], most: int = MOST_STATES) -> int:
        """Make the states that `draft` tells of, each key once, and return the first.

        A key is anything that an int is not equal to. What accepts nothing becomes NOTHING, what
        accepts every text EVERYTHING.
        """
        return start if isinstance(start, int) else self._build(start, draft, most)[start]

    def _build(self, start: Key, draft: Callable[[Key], Draft], most: int) -> dict[Key, int]:
        drafts: dict[Key, Draft] = {}
        pending = [start]
        while pending:
            key = pending.pop()
            if key in drafts:
                continue
            if len(drafts) >= most:
                raise TooLargeError
            made = draft(key)
            if len(made.edges) == len(PREFERRED):
                made = made._replace(other=made.edges[0])
            drafts[key] = made
            pending += [
                target
                for target in _targets(made)
                if not isinstance(target, int) and target not in drafts
            ]
        return self._keep(drafts)

    def _keep(self, drafts: dict[Key, Draft]) -> dict[Key, int]:
        before: dict[Key, list[Key]] = {}
        for key, made in drafts.items():
            for target in _targets(made):
                if not isinstance(target, int):
                    before.setdefault(target, []).append(key)
        live = _spread(before, (key for key, made in drafts.items() if _leads(made, True)))
        partial = _spread(before, (key for key, made in drafts.items() if _leads(made, False)))
        known: dict[Key, int] = {}
        new: list[Key] = []
        for key in drafts:
            if key not in live:
                known[key] = NOTHING
            elif key not in partial:
                known[key] = EVERYTHING
            else:
                known[key] = len(self.nodes) + len(new)
                new.append(key)
        for key in new:
            made = drafts[key]
            states = {target: _resolve(target, known) for target in _targets(made)}
            other = states[made.other]
            edges = {
                byte: state
                for byte, target in made.edges.items()
                if (state := states[target]) != other
            }
            self.nodes.append(Node(made.accepts, other, edges))
        return known

    def _combine(self, how: str, one: int, other: int) -> int:
        found = self._settle(how, one, other)
        if not isinstance(found, int):
            known = self._build(found, self._draft_pair, MOST_COMBINED)
            self._pairs.update(known)
            found = known[found]
        return found

    def _settle(self, how: str, one: int, other: int) -> int | tuple[str, int, int]:
        """Return what is known of a pair of states without looking at where they lead."""
        if how == "not":
            if one == NOTHING or other in (EVERYTHING, one):
                return NOTHING
            if other == NOTHING:
                return one
        elif one == other:
            return one
        else:
            one, other = min(one, other), max(one, other)
            if one == NOTHING:
                return other if how == "or" else NOTHING
            if one == EVERYTHING:
                return EVERYTHING if how == "or" else other
        pair = (how, one, other)
        return self._pairs.get(pair, pair)

    def _draft_pair(self, key: Key) -> Draft:
        how, one, other = key
        a, b = self.nodes[one], self.nodes[other]
        accepts = {
            "and": a.accepts and b.accepts,
            "or": a.accepts or b.accepts,
            "not": a.accepts and not b.accepts,
        }[how]
        settled: dict[tuple[int, int], Key] = {}
        edges: dict[int, Key] = {}
        for byte in a.edges.keys() | b.edges.keys():
            pair = a.edges.get(byte, a.other), b.edges.get(byte, b.other)
            if pair not in settled:
                settled[pair] = self._settle(how, *pair)
            edges[byte] = settled[pair]
        return Draft(accepts, self._settle(how, a.other, b.other), edges)

    def walk(self, one: int) -> Iterator[bytes]:
        """Yield the texts of a set, the shortest first, and among those the likeliest dialled."""
        queue = deque([(b"", one)])
        while queue:
            text, state = queue.popleft()
            node = self.nodes[state]
            if node.accepts:
                yield text
            queue.extend((text + bytes([byte]), target) for byte, target in _list_moves(node))

    def shortest(self, one: int) -> bytes | None:
        """Return the first text of `walk`; None: there is none."""
        if one == NOTHING:
            return None
        seen = {one}
        queue = deque([(b"", one)])
        while queue:
            text, state = queue.popleft()
            node = self.nodes[state]
            if node.accepts:
                return text
            for byte, target in _list_moves(node):
                if target not in seen:
                    seen.add(target)
                    queue.append((text + bytes([byte]), target))
        return None

    def count(self, one: int) -> int | None:
        """Return how many texts are in the set; None: endless many."""
        counts: dict[int, int] = {NOTHING: 0}
        under_way: set[int] = set()
        stack = [one]
        while stack:
            state = stack[-1]
            if state in counts:
                stack.pop()
                continue
            node = self.nodes[state]
            targets = list(self._weigh(node))
            if state in under_way:
                under_way.discard(state)
                counts[state] = node.accepts + sum(
                    counts[target] * many for target, many in targets
                )
                stack.pop()
                continue
            under_way.add(state)
            for target, _ in targets:
                if target in under_way:
                    return None
                if target not in counts:
                    stack.append(target)
        return counts[one]

    @staticmethod
    def _weigh(node: Node) -> Iterator[tuple[int, int]]:
        """Yield each state that bytes lead to, and how many of them."""
        many: dict[int, int] = {node.other: 256 - len(node.edges)}
        for target in node.edges.values():
            many[target] = many.get(target, 0) + 1
        yield from ((target, count) for target, count in many.items() if target and count)


def _list_moves(node: Node) -> list[tuple[int, int]]:
    """Return the bytes that lead on, those first that people dial first, and where to."""
    edges, other = node.edges, node.other
    if other == NOTHING:
        ordered = sorted(edges, key=_RANKS.__getitem__) if len(edges) > 1 else edges
        return [(byte, edges[byte]) for byte in ordered if edges[byte] != NOTHING]
    moves = [(byte, edges.get(byte, other)) for byte in PREFERRED]
    return [(byte, target) for byte, target in moves if target != NOTHING]


def _draft_texts(ordered: list[bytes]) -> Callable[[Key], Draft]:
    """Return what drafts the tree of some texts: a key is a depth, and the run that shares it."""

    def draft(key: Key) -> Draft:
        depth, start, end = key
        accepts = start < end and len(ordered[start]) == depth
        start += accepts
        edges: dict[int, Key] = {}
        while start < end:
            byte = ordered[start][depth]
            stop = start
            while stop < end and ordered[stop][depth] == byte:
                stop += 1
            edges[byte] = (depth + 1, start, stop)
            start = stop
        return Draft(accepts, NOTHING, edges)

    return draft


def _targets(made: Draft) -> dict[Key, None]:
    """Return where bytes lead, each target once: of 256 bytes, most lead to the same."""
    return dict.fromkeys((made.other, *made.edges.values()))


def _leads(made: Draft, wanted: bool) -> bool:
    """Tell whether a text is accepted (or refused) here, or behind a state that is there."""
    hollow = NOTHING if wanted else EVERYTHING
    return made.accepts is wanted or any(
        isinstance(item, int) and item != hollow for item in _targets(made)
    )


def _resolve(target: Key, known: dict[Key, int]) -> int:
    return target if isinstance(target, int) else known[target]


def _spread(before: dict[Key, list[Key]], start: Iterable[Key]) -> set[Key]:
    found = set(start)
    pending = list(found)
    while pending:
        for key in before.get(pending.pop(), ()):
            if key not in found:
                found.add(key)
                pending.append(key)
    return found
