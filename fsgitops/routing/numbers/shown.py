"""Sets of numbers as people write them: `1000-1019`, `9xxxxxxxxxx`, an expression."""

from __future__ import annotations

from itertools import islice, pairwise
from typing import TYPE_CHECKING, Final

from fsgitops.routing.call.contents import NUMBER
from fsgitops.routing.numbers.automaton import NOTHING, TooLargeError
from fsgitops.routing.numbers.expression import NotRegularError
from fsgitops.routing.tree import fold

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from fsgitops.routing.numbers.automaton import Store
    from fsgitops.routing.numbers.search import Searches
    from fsgitops.routing.tree import Element

LISTED: Final = 20_000
"""Numbers that are looked at one by one."""
MOST_PARTS: Final = 4
_DIGITS: Final = frozenset(b"0123456789")
_MOST_STATES: Final = 200
OTHERS: Final = "any other number"


def show_numbers(
    searches: Searches, dialled: int, numbers: int, expressions: Iterable[str]
) -> tuple[str, int | None]:
    """Return a set of numbers in words, and how many they are; None: endless many.

    `dialled` are all numbers there are, and `expressions` those that numbers of this set match: one
    of them says it where digits do not, with `what is left of` before it where others took some.
    """
    store = searches.store
    count = store.count(numbers)
    if count is not None and count <= LISTED:
        parts = list(_list_ranges(store.walk(numbers)))
        if len(parts) <= MOST_PARTS:
            return ", ".join(parts), count
    patterns = _list_patterns(store, numbers)
    if patterns is not None and len(patterns) <= MOST_PARTS:
        return ", ".join(patterns), count
    known = list(_read_known(searches, expressions, dialled))
    for expression, found in known:
        if store.same(found, numbers):
            return expression, count
    if known:
        return f"what is left of {known[0][0]}", count
    if count is not None and count <= LISTED:
        return f"{', '.join(parts[:MOST_PARTS])} and {len(parts) - MOST_PARTS} more", count
    return OTHERS, count


def _read_known(
    searches: Searches, expressions: Iterable[str], dialled: int
) -> Iterator[tuple[str, int]]:
    for expression in dict.fromkeys(expressions):
        try:
            yield expression, searches.store.both(searches.matching(expression), dialled)
        except (NotRegularError, TooLargeError):
            continue


def _list_ranges(texts: Iterable[bytes]) -> Iterator[str]:
    """Yield numbers, those that follow each other as a range."""
    ordered = sorted(texts, key=lambda text: (len(text), text))
    start = 0
    for at, (text, after) in enumerate(pairwise([*ordered, b""]), 1):
        if _follows(text, after):
            continue
        first = ordered[start].decode("latin-1")
        last = text.decode("latin-1")
        if at - start > 2:
            yield f"{first}-{last}"
        else:
            yield from (item.decode("latin-1") for item in ordered[start:at])
        start = at


def _follows(text: bytes, after: bytes) -> bool:
    return (
        text.isdigit() and after.isdigit() and len(text) == len(after)
        and int(text) + 1 == int(after)
    )  # fmt: skip


def _list_patterns(store: Store, numbers: int) -> list[str] | None:
    """Return patterns in which `x` is any digit; None: they would be endless, or too many."""
    merged = _merge(store, numbers)
    if merged is None:
        return None
    found = list(islice(_walk_patterns(merged, _START, ()), MOST_PARTS + 1))
    return None if None in found else [text for text in found if text is not None]


_START: Final = 0
_Merged = dict[int, tuple[bool, list[tuple[str, int]]]]
"""States that are told apart by what follows them: whether a number ends, and what leads where."""


def _merge(store: Store, numbers: int) -> _Merged | None:
    """Return the states of a set, those that are alike as one; the first is 0."""
    states = [numbers]
    for state in states:
        node = store.nodes[state]
        if node.other != NOTHING or len(states) > _MOST_STATES:
            return None
        states += dict.fromkeys(
            item for item in node.edges.values() if item != NOTHING and item not in states
        )
    blocks = {state: int(store.nodes[state].accepts) for state in states}
    while True:
        seen: dict[object, int] = {}
        finer = {}
        for state in states:
            edges = store.nodes[state].edges.items()
            moves = frozenset((byte, blocks[item]) for byte, item in edges if item != NOTHING)
            finer[state] = seen.setdefault((blocks[state], moves), len(seen))
        if len(seen) == len(set(blocks.values())):
            break
        blocks = finer
    merged: _Merged = {}
    for state in states:
        targets: dict[int, set[int]] = {}
        for byte, item in store.nodes[state].edges.items():
            if item != NOTHING:
                targets.setdefault(finer[item], set()).add(byte)
        moves_shown = sorted((_show_bytes(found), item) for item, found in targets.items())
        merged[finer[state]] = (store.nodes[state].accepts, moves_shown)
    return merged


def _walk_patterns(merged: _Merged, state: int, above: tuple[int, ...]) -> Iterator[str | None]:
    """Yield each pattern from a state on; None where a state comes again."""
    if state in above:
        yield None
        return
    ends, moves = merged[state]
    if ends:
        yield ""
    for shown, target in moves:
        for rest in _walk_patterns(merged, target, (*above, state)):
            yield None if rest is None else shown + rest
            if rest is None:
                return


def _show_bytes(found: set[int]) -> str:
    if found == _DIGITS:
        return "x"
    ordered = sorted(found)
    if len(ordered) == 1:
        return chr(ordered[0])
    parts: list[str] = []
    start = 0
    for at, (char, after) in enumerate(pairwise([*ordered, 999]), 1):
        if after == char + 1:
            continue
        run = ordered[start:at]
        text = f"{chr(run[0])}-{chr(run[-1])}" if len(run) > 2 else "".join(map(chr, run))
        parts.append(text)
        start = at
    return f"[{''.join(parts)}]"


def list_expressions(extension: Element) -> Iterator[str]:
    """Yield the expressions that an extension holds the number against."""
    for condition in extension.all("condition"):
        if fold(condition.attributes.get("field", "")) == NUMBER:
            yield condition.attributes.get("expression", "")
