"""What calls are placed in: a world, who is registered there, and where calls come in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from fsgitops.routing.call.evaluate import Call
from fsgitops.routing.call.world import Phones, World
from fsgitops.routing.places import main_doors
from fsgitops.routing.records import PlacedRecords
from fsgitops.routing.tree import fold, parse
from fsgitops.routing.veil import Veil

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from fsgitops.routing.call.load import Loaded
    from fsgitops.routing.call.world import Memory
    from fsgitops.routing.directory import LocatedUser
    from fsgitops.routing.places import Door
    from fsgitops.routing.tree import Element

USER_CONTEXT: Final = "default"
"""The context of an agent whose directory entry names none."""
SHOWN: Final = 3


@dataclass(frozen=True, slots=True)
class Scene:
    """A world, and what is said of it.

    `name` says where it comes from (plan, disk, live), `place` where a line of it was written, and
    `phones` who is registered, in small letters; None: everybody.
    """

    world: World
    name: str
    veil: Veil
    doubts: tuple[str, ...]
    doors: tuple[Door, ...]
    place: Callable[[int], str]
    phones: frozenset[str] | None = None

    def registered(self, users: Iterable[str] | None, domain: str) -> Phones:
        """Return who is registered: these users, or extensions; None: whom the scene has."""
        if users is None:
            return Phones(self.phones)
        found = ((user, self.world.user(user, domain)) for user in users)
        return Phones(frozenset(fold(it.attribute("id") if it else user) for user, it in found))

    def entry(self, inbound: str) -> tuple[str, list[str]]:
        """Return the context that calls from outside come in, and what is to be said of that.

        Profiles and gateways say it; `inbound` is where the target has it.
        """
        entries = main_doors(self.doors)
        contexts = list(dict.fromkeys(door.context for door in entries))
        if not contexts or any(fold(item) == fold(inbound) for item in contexts):
            return inbound, []
        door = entries[0]
        doubts = [
            f"calls from outside come in through {door.name} in the context {door.context}, and "
            f"not in the target's inbound_context {inbound}"
        ]
        if len(contexts) > 1:
            others = ", ".join(contexts[1 : SHOWN + 1])
            doubts.append(f"others come in with --context {others}")
        return door.context, doubts

    def call(
        self, number: str, context: str, caller: str | None, user: LocatedUser | None, domain: str
    ) -> Call:
        """Return a call: of `user` of the domain in its own context, or from outside."""
        said = {"sip_req_user": number}
        if user is None:
            said |= {"sip_from_user": caller} if caller else {}
            return Call(number, context, caller, None, domain, said, {"sip_authorized": ""})
        own, name = user.value("variables", "user_context") or USER_CONTEXT, user.attribute("id")
        said |= {"sip_authorized": "true", "sip_auth_username": name, "sip_from_user": name}
        return Call(number, own, caller or name, user, domain, said)


def scene_of_files(loaded: Loaded, name: str, domain: str) -> Scene:
    """Return the scene of files that were read."""
    doors = tuple(loaded.doors(domain))
    return Scene(loaded.world, name, loaded.veil, loaded.doubts, doors, loaded.place)


def scene_of_memory(
    locate: Callable[[str, str, str], bytes | None],
    variables: Mapping[str, str],
    users: Iterable[str],
    *,
    find_user: Callable[[str, str], LocatedUser | None] | None = None,
    memory: Memory | None = None,
) -> Scene:
    """Return the scene of a switch's memory.

    `locate(section, tag, name)` answers the XML of an element, None where there is none; `users`
    are registered, or logged in. `find_user(name, domain)` finds one in place of the whole domain,
    and `memory` is what mod_hash and mod_db hold.
    """

    def find(section: str, tag: str, name: str) -> Element | None:
        try:
            found = locate(section, tag, name)
        except ValueError:  # a name that no element can have
            return None
        return None if found is None else _read(found)

    world = World(find, variables, {}, find_user=find_user, memory=memory)
    doors = tuple(world.list_doors())
    phones = frozenset(map(fold, users))
    return Scene(world, "live", Veil(variables), (), doors, lambda _line: "", phones)


def _read(text: bytes) -> Element:
    """Return the tree of an element; the users and extensions in it are read when needed."""
    records = PlacedRecords(("",))
    return records.parse(records.take_out(text, "")) or parse(text)
