"""Read what the switch holds in memory: a whole domain and whole contexts, in one call each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsgitops.routing.held import Globals
from fsgitops.routing.loaded import LoadedContext, Memory
from fsgitops.routing.loaded_users import flatten_users

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fsgitops.switch.client import Switch


def read_loaded(switch: Switch, domain: str, contexts: Iterable[str]) -> Memory:
    """Return what the switch holds of the domain and the contexts. Raises SwitchError.

    One `xml_locate` for each: 10,000 users are 7.7 MB. `expand` asks for each variable once, so
    it is of use only while the switch is connected.
    """
    answer = switch.locate_domain(domain)
    return Memory(
        users=flatten_users(answer) if answer is not None else {},
        contexts={name: LoadedContext(switch.locate_context(name)) for name in sorted(contexts)},
        expand=Globals(switch.global_variable).expand,
    )
