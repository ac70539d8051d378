"""A DID route: a public number, and who rings for it."""

from __future__ import annotations

from typing import Final

from fsgitops.model.desired import DidRoute
from fsgitops.model.kind import Kind, Site


def _paths(route: DidRoute, site: Site) -> tuple[str, ...]:
    return (f"dialplan/{site.inbound_context}/inbound_{route.did_number[1:]}.xml",)


DID_ROUTE: Final = Kind(
    word="did",
    section="did_routes",
    noun=DidRoute,
    name=lambda route: route.did_number,
    paths=_paths,
    title="DID route",
    aliases=("did_route",),
    dialled=lambda route: (route.did_number, route.did_number[1:]),
)
