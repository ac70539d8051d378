"""Whether two calls that dial other numbers in one context are held against the same extensions.

The forms of a public number are taken by one extension, which speaks of the number in the
expression that takes it, and nowhere else. What the first form does, the others do.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from fsgitops.routing.call.evaluate import make_leg
from fsgitops.routing.call.words import to_raw
from fsgitops.routing.tree import fold

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    from fsgitops.routing.call.contents import Quick
    from fsgitops.routing.call.evaluate import Call
    from fsgitops.routing.call.world import World
    from fsgitops.routing.tree import Element

_KEPT: Final = r"DP_MATCH|DP_REGEX|rdnis|\$\{sip_|inline:"
_SPEAKS: Final = re.compile(rf"{_KEPT}|destination_number|\$\{{?[0-9]|\$\$", re.IGNORECASE)
"""What holds the dialled number, or a part of it, or is told how by something else."""
_REMEMBERS: Final = re.compile(rf"{_KEPT}", re.IGNORECASE)
"""What still holds it where another number is dialled."""
_HIDES: Final = frozenset(("bridge", "ivr", "limit", "limit_execute", "lua", "socket", "multiset"))
"""Applications that go on to something which is not looked at here."""

Asked = tuple["Element", "Quick | None"]


def list_asked(world: World, call: Call) -> tuple[Asked, ...]:
    """Return the extensions that do not pass a call on for certain, and what decides that."""
    context = world.context(to_raw(call.context))
    if context is None:
        return ()
    contents, leg = world.contents(context), make_leg(world, call)
    found: list[Asked] = []
    at = 0
    while (at := contents.find_next(at, leg)) < len(contents.extensions):
        found.append(contents.extensions[at])
        at += 1
    return tuple(found)


def tell_sort(world: World, call: Call) -> Hashable:
    """Return what calls have in common that are held against the same extensions.

    An extension that says which numbers it takes is known by that alone: nearly always it is the
    number's own. Where there are several, somebody else takes the number too.
    """
    asked = list_asked(world, call)
    others = tuple(element for element, quick in asked if quick is None or quick.texts is None)
    return others, len(asked) - len(others)


def is_blind(world: World, extension: Element, quick: Quick | None) -> bool:
    """Tell whether nothing that an extension does follows from the number that is dialled."""
    known = world.blind.get(extension)
    if known is None:
        texts = list(_list_texts(extension, bare=quick is not None))
        known = not any(map(_SPEAKS.search, texts)) and all(
            _leads_blind(world, action) for action in _list_actions(extension)
        )
        world.blind[extension] = known
    return known


def _leads_blind(world: World, action: Element) -> bool:
    """Tell whether what an action executes on the way does not ask for the number of before."""
    application = fold(action.attributes.get("application", ""))
    if application in _HIDES:
        return False
    if application != "execute_extension":
        return True
    words = (action.text or action.attributes.get("data", "")).split()
    context = world.context(to_raw(words[2])) if len(words) == 3 and "$" not in words[2] else None
    return context is not None and _is_forgetful(world, context, words[2])


def _is_forgetful(world: World, context: Element, name: str) -> bool:
    """Tell whether no extension of a context asks for what was dialled before, or leads elsewhere.

    What it transfers to is looked at by who follows the call.
    """
    known = world.blind.get(context)
    if known is None:
        executed = [
            (action.text or action.attributes.get("data", "")).split()[2:]
            for action in _list_actions(context)
            if fold(action.attributes.get("application", "")) == "execute_extension"
        ]
        known = all(words == [name] for words in executed)
        known = known and not any(map(_REMEMBERS.search, _list_texts(context)))
        world.blind[context] = known
    return known


def _list_texts(element: Element, *, bare: bool = False) -> Iterator[str]:
    """Yield what an element says; `bare` leaves out what its first condition compares."""
    for child in element.children:
        first = bare and child.name == "condition"
        bare = bare and not first
        yield child.text
        for name, value in child.attributes.items():
            if not first or name not in ("field", "expression"):
                yield value
        yield from _list_texts(child)


def _list_actions(element: Element) -> Iterator[Element]:
    for child in element.children:
        if child.name in ("action", "anti-action"):
            yield child
        else:
            yield from _list_actions(child)
