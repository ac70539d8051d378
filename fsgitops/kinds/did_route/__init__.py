"""A DID route: a public number, and who rings for it."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Final

from fsgitops.findings import Severity
from fsgitops.kinds.did_route.drafts import (
    dispatch_path,
    draft_dispatch,
    draft_route,
    find_path,
    route_path,
)
from fsgitops.kinds.did_route.forms import survey_routes
from fsgitops.kinds.did_route.noun import DidRoute
from fsgitops.model.kind import Kind, Left, Shared
from fsgitops.model.reading import resource_of
from fsgitops.model.resource import Resource
from fsgitops.model.rule import Breach, Rule
from fsgitops.phone import is_assignable, is_number_expression
from fsgitops.places import USUAL_PLACES, Places

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from fsgitops.model.columns import Columns
    from fsgitops.model.desired import Desired
    from fsgitops.model.imports import Brought, Kept
    from fsgitops.model.kind import Kinds, Read, Site
    from fsgitops.routing.handwritten import Handwritten

MANY: Final = 5_000
"""So many expressions cost a call some 20 ms; 10,000 cost 43, and 30,000 205 (docs/scale.md)."""
_NAME: Final = re.compile(r"inbound_([0-9]{3,15})", re.ASCII)


def _ours(places: Places, context: str, name: str, read: Read) -> Left | None:
    """People write `inbound_…` as well: its condition has to be one of ours too."""
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    condition = (read() or {}).get(f"{name}/destination_number", "")
    if not is_number_expression(condition, found[1]):
        return None
    alone = not context.startswith(places.dids)
    return Left(f"+{found[1]}", find_path(context, name, places), sure=alone, alone=alone)


def check_assigned(desired: Desired, _kinds: Kinds) -> Iterator[Breach]:
    """Yield every DID of the right length that its country does not give out."""
    for route in desired.of(DidRoute):
        if not is_assignable(route.did_number):
            yield Breach(
                resource_of(route),
                ("did_number",),
                f"{route.did_number} is not in use in the numbering plan of its country",
                "Check the area code for a slip.",
            )


def check_names(desired: Desired, _kinds: Kinds) -> Iterator[Breach]:
    """Yield every further name of a number that is another one's, or another one itself."""
    routes = desired.of(DidRoute)
    if not any(route.also for route in routes):
        return
    taken = {route.did_number[1:]: route.did_number for route in routes}
    for route in routes:
        for index, name in enumerate(route.also):
            first = taken.setdefault(name, route.did_number)
            if first != route.did_number:
                message = f"a call to {name} goes to {first} already"
                hint = "Take it out of one of the two: a call can only go to one of them."
                yield Breach(resource_of(route), ("also", index), message, hint)


def check_number(desired: Desired, _kinds: Kinds) -> Iterator[Breach]:
    """Yield one breach at the first enabled DID over the number that a call passes quickly.

    A call is held against the expression of one after the other, until one matches.
    """
    enabled = [route for route in desired.of(DidRoute) if route.enabled]
    if len(enabled) > MANY and not desired.sharded:
        yield Breach(
            resource_of(enabled[MANY]),
            (),
            f"{len(enabled):,} DIDs are enabled in `layout: files`: a call is held against one "
            "expression for each (measured: 43 ms for 10,000, 205 ms for 30,000; 2 ms for 100,000 "
            "in `layout: sharded`)",
            "`fsgitops layout sharded` shows the move to the other layout (docs/scale.md).",
        )


def _imports(hand: Handwritten, site: Site) -> Iterable[Brought | Kept]:
    from fsgitops.kinds.did_route.imports import import_routes  # loaded with an import alone

    return import_routes(hand, site)


def _columns() -> Columns:
    from fsgitops.kinds.did_route.columns import COLUMNS  # loaded with a table alone

    return COLUMNS


_RULES: Final = (
    Rule(
        "unassigned-number",
        Severity.WARNING,
        check_assigned,
        "A DID is a number that its country's numbering plan knows.",
    ),
    Rule(
        "duplicate-trunk-name",
        Severity.ERROR,
        check_names,
        "What else carriers dial for a DID belongs to it alone.",
        fixed=True,
    ),
    Rule(
        "many-dids",
        Severity.WARNING,
        check_number,
        f"In layout files, at most {MANY:,} DIDs are enabled.",
    ),
)


def place_routes(places: Places) -> Kind[DidRoute]:
    """Return the kind for a target whose files lie there."""
    return Kind(
        word="did",
        section="did_routes",
        noun=DidRoute,
        paths=lambda route, site: (route_path(route, site),),
        joint=lambda site: site.sharded,
        drafts=draft_route,
        title="DID route",
        aliases=("did_route",),
        imports=_imports,
        columns=_columns,
        rules=_RULES,
        lists="Public numbers.",
        shared=(
            Shared(
                Resource("dialplan", "dids"),
                dispatch_path,
                draft_dispatch,
                when=lambda site: site.sharded,
                follows=True,
            ),
        ),
        also=("dids", "route", "routes", "inbound_routes"),
        dialled=lambda route: (route.did_number, route.did_number[1:], *route.also),
        survey=survey_routes,
        ours=partial(_ours, places),
        placed=place_routes,
    )


DID_ROUTE: Final = place_routes(USUAL_PLACES)
