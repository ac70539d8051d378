"""Every resource has a file of its own, on file systems that ignore case as well."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsgitops.rules.breach import Breach, agent, route

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsgitops.model.desired import Desired
    from fsgitops.model.resource import Resource


def check(desired: Desired) -> Iterator[Breach]:
    """Yield every resource whose file another one has already."""
    taken: dict[str, Resource] = {}
    for resource, field, path in _paths(desired):
        first = taken.setdefault(path.casefold(), resource)
        if first != resource:
            yield Breach(
                resource,
                (field,),
                f"{resource} and {first} would both be written to {path}",
                "Rename or remove one of the two.",
            )


def _paths(desired: Desired) -> Iterator[tuple[Resource, str, str]]:
    for user in desired.agents:
        yield agent(user.extension), "extension", f"directory/default/{user.extension}.xml"
    for item in desired.did_routes:
        digits = "".join(char for char in item.did_number if char.isdigit())
        yield route(item.did_number), "did_number", f"dialplan/public/inbound_{digits}.xml"
