"""Whether two calls that dial other numbers in one context are held against the same extensions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsgitops.routing.call.evaluate import make_leg
from fsgitops.routing.call.words import to_raw

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    from fsgitops.routing.call.contents import Quick
    from fsgitops.routing.call.evaluate import Call
    from fsgitops.routing.call.world import World
    from fsgitops.routing.tree import Element


def tell_sort(world: World, call: Call) -> Hashable:
    """Return what calls have in common that are held against the same extensions.

    An extension that says which numbers it takes is known by that alone: nearly always it is the
    number's own. Where there are several, somebody else takes the number too.
    """
    asked = [*_list_asked(world, call)]
    others = tuple(element for element, quick in asked if quick is None or quick.texts is None)
    return others, len(asked) - len(others)


def _list_asked(world: World, call: Call) -> Iterator[tuple[Element, Quick | None]]:
    """Yield the extensions that do not pass a call on for certain, and what decides that."""
    context = world.context(to_raw(call.context))
    if context is None:
        return
    contents, leg = world.contents(context), make_leg(world, call)
    at = 0
    while (at := contents.find_next(at, leg)) < len(contents.extensions):
        yield contents.extensions[at]
        at += 1
