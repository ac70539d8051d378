"""What the calls of expectations come to, and what of all that is declared they leave out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fsgitops.expectation.compare import list_stations
from fsgitops.model.resource import Resource
from fsgitops.model.verdict import Untouched
from fsgitops.phone import NumberError, normalise_number
from fsgitops.routing.call.menu import list_keys

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from fsgitops.expectation.prove import Proved
    from fsgitops.model.desired import Desired
    from fsgitops.model.kind import Kinds
    from fsgitops.routing.call.world import World

KEY: Final = "key"
"""What a choice of a menu is called among the kinds."""


def measure(
    proved: Iterable[Proved], desired: Desired, kinds: Kinds, world: World, region: str | None
) -> tuple[Untouched, ...]:
    """Return for each kind that can be called, and for the keys of menus, what nobody's call is to.

    A call counts as far as something is expected of it. National numbers are read as those of
    `region`.
    """
    numbers = _list_numbers(desired, kinds)
    touched: set[Resource] = set()
    for item in proved:
        touched.update(_list_touched(item, numbers, region))
    keys = [Resource(KEY, name) for name in list_keys(world)]
    resources = dict.fromkeys((*(item for found in numbers.values() for item in found), *keys))
    by_kind: dict[str, list[Resource]] = {}
    for resource in resources:
        by_kind.setdefault(resource.kind, []).append(resource)
    return tuple(
        Untouched(
            kind,
            sum(item in touched for item in found),
            tuple(sorted(item.name for item in found if item not in touched)),
        )
        for kind, found in by_kind.items()
    )


def _list_numbers(desired: Desired, kinds: Kinds) -> Mapping[tuple[str, str], list[Resource]]:
    """Return all that is enabled and can be called, by number and context ("": from outside)."""
    found: dict[tuple[str, str], list[Resource]] = {}
    for kind in kinds.values():
        for name, noun in desired.nouns.get(kind.word, {}).items():
            if not noun.enabled:
                continue
            reach = kind.reach(noun) if kind.reach else None
            numbers = [(number, reach.context if reach else "") for number in kind.dialled(noun)]
            for place in (*numbers, *((reach,) if reach else ())):
                found.setdefault((place[0], place[1]), []).append(Resource(kind.word, name))
    return found


def _list_touched(
    proved: Proved, numbers: Mapping[tuple[str, str], list[Resource]], region: str | None
) -> Iterator[Resource]:
    test = proved.test
    if test.agent is not None:
        yield Resource("agent", test.agent)
    else:
        yield from numbers.get((_normalise(test.call, region), ""), ())
    for way in proved.ways:
        for _, station in zip((test, *test.then), list_stations(way), strict=False):
            for place in station.entered:
                yield from numbers.get(place, ())
            phones = (goal.name for goal in station.goals if goal.kind in ("phone", "mailbox"))
            yield from (Resource("agent", name) for name in phones)
            yield from (Resource(KEY, name) for name in station.keys)


def _normalise(number: str, region: str | None) -> str:
    try:
        return normalise_number(number, region)
    except NumberError:
        return number
