"""The classes of a context as a table: those that fare alike are one, in the dialplan's order."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from fsgitops.model.numbers import Ending, NumberClass
from fsgitops.model.trace import Fate
from fsgitops.routing.numbers.shown import list_expressions, show_numbers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from fsgitops.routing.numbers.explore import Explorer, Fare, Share


def merge_shares(explorer: Explorer, shares: Iterable[Share]) -> list[Share]:
    """Return classes that differ in more than numbers, by their extensions; nowhere comes last."""
    merged: dict[tuple[object, ...], Share] = {}
    for share in shares:
        # What is said of one number alone is said of no other.
        alone = share.example if share.why else ""
        key = (share.extension, share.ways, share.complete, share.why, alone)
        known = merged.get(key)
        if known is None:
            merged[key] = replace(share)
            continue
        known.numbers = explorer.store.either(known.numbers, share.numbers)
        if _rank(share.example) < _rank(known.example):
            known.example, known.plain = share.example, share.plain
    return sorted(merged.values(), key=_order)


def _rank(number: str) -> tuple[int, str]:
    return len(number), number


def _order(share: Share) -> tuple[bool, float, int, str]:
    line = share.extension.line if share.extension else math.inf
    return share.ways[0].end.fate is Fate.NOWHERE, line, *_rank(share.example)


def tabulate(
    explorer: Explorer,
    shares: Iterable[Share],
    place: Callable[[int], str],
    hide: Callable[[str], str],
) -> Iterator[NumberClass]:
    """Yield classes as they are printed; `hide` hides secrets in what their ends are told with."""
    for share in shares:
        expressions = list(list_expressions(share.extension)) if share.extension else []
        shown, count = show_numbers(explorer.searches, explorer.dialled, share.numbers, expressions)
        name = share.extension.attributes.get("name", "(no name)") if share.extension else ""
        ways = share.plain if count == 1 or share.why else share.ways
        yield NumberClass(
            numbers=hide(shown),
            example=share.example,
            count=count,
            extension=name,
            place=place(share.extension.line) if share.extension else "",
            ends=tuple(_finish(way, hide) for way in ways),
            complete=share.complete,
            unknown=tuple(map(hide, share.why)),
            tried=share.tried,
        )


def _finish(way: Fare, hide: Callable[[str], str]) -> Ending:
    goals = tuple(
        replace(goal, name=hide(goal.name), number=hide(goal.number)) for goal in way.end.goals
    )
    end = replace(way.end, told=hide(way.end.told), cause=hide(way.end.cause), goals=goals)
    return Ending(end, tuple(map(hide, way.assumed)))
