"""Where numbers are dialled: the contexts that calls come in by, and who dials there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from fsgitops.routing.call.evaluate import Call
from fsgitops.routing.call.scene import USER_CONTEXT
from fsgitops.routing.call.settings import list_variables
from fsgitops.routing.directory import LocatedUser, walk_users
from fsgitops.routing.tree import fold

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from fsgitops.routing.call.world import World
    from fsgitops.routing.places import Door

OUTSIDE: Final = "outside"
INSIDE: Final = "agents"


class Entered(NamedTuple):
    """A context, a call that comes in there, and which of its variables nobody can say.

    `who` tells callers who do not log in (`outside`) from those who do (`INSIDE`).
    """

    who: str
    call: Call
    unknown: frozenset[str] = frozenset()


def list_entered(
    world: World, doors: Iterable[Door], domain: str, inbound: str
) -> Iterator[Entered]:
    """Yield each context that calls come in by, from outside and from agents.

    `inbound` counts where no profile takes calls from outside.
    """
    named = [door.context for door in doors if door.open and door.context] or [inbound]
    for context in {fold(name): name for name in reversed(named)}.values():
        yield Entered(OUTSIDE, Call("", context, domain=domain))
    yield from _list_inside(world, domain)


def _list_inside(world: World, domain: str) -> Iterator[Entered]:
    """Yield the contexts of agents, with the variables that all who dial there have in common."""
    home = world.find("directory", "domain", domain)
    common: dict[str, dict[str, str | None]] = {}
    for user, group in walk_users(home) if home is not None else ():
        located = LocatedUser(user, group, home or user)
        own = {fold(name): value for name, value in list_variables(located).items()}
        context = own.get("user_context") or USER_CONTEXT
        known = common.get(fold(context))
        if known is None:
            common[fold(context)] = {**own, "user_context": context}
            continue
        for name in known.keys() | own.keys():
            if name != "user_context" and known.get(name) != own.get(name):
                known[name] = None
    for variables in common.values():
        values = {name: value for name, value in variables.items() if value is not None}
        unknown = {name for name in variables if name not in values} | {"user_name"}
        call = Call(
            "", values["user_context"], domain=domain,
            variables={**values, "domain_name": domain},
        )  # fmt: skip
        yield Entered(INSIDE, call, frozenset(unknown))
