"""The file of a DID route: the extension that takes its number."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, cast

from fsgitops.kinds.did_route.forms import TEMPLATE, Taken
from fsgitops.model.draft import Draft, DraftError
from fsgitops.phone import is_extension
from fsgitops.routing.proof import broken_expressions

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from fsgitops.kinds.did_route.noun import DidRoute
    from fsgitops.model.draft import Elements, Leaf
    from fsgitops.model.kind import Secrets, Site

_DID: Final = re.compile(r"\+[0-9]{3,15}", re.ASCII)


def route_path(route: DidRoute, site: Site) -> str:
    """Return the file of a route: in the context that calls from outside begin in."""
    return f"dialplan/{site.inbound_context}/inbound_{route.did_number[1:]}.xml"


def draft_route(route: DidRoute, site: Site, _secrets: Secrets, taken: Taken) -> Iterator[Draft]:
    """Yield the file of a route. Raises DraftError for what must not become dialplan."""
    if not _DID.fullmatch(route.did_number):
        raise DraftError(["a DID is + and 3 to 15 digits"], "it names a file and an extension")
    if not is_extension(route.destination_extension):
        raise DraftError(["a destination extension is 4 to 6 digits"], "it becomes dialplan")
    values = {
        "digits": route.did_number[1:],
        "expression": taken.expression,
        "destination": route.destination_extension,
        "domain": site.domain,
    }
    yield Draft(route_path(route, site), TEMPLATE, values, prove=prove_route)


def prove_route(found: Elements, values: Mapping[str, Leaf]) -> list[str]:
    """Return why the template does not render exactly one DID route, if it does not."""
    made_up = cast("Mapping[str, str]", values)
    digits, expression = made_up["digits"], made_up["expression"]
    extensions = [(path, at) for path, at in found if path[-1] == "extension"]
    if [(path, at.get("name")) for path, at in extensions] != [
        (("extension",), f"inbound_{digits}")
    ]:
        return ['it must render exactly one <extension name="inbound_{{ digits }}">']
    problems = []
    if not any(
        path[-1] == "condition"
        and (at.get("expression") == expression or digits in at.get("expression", ""))
        for path, at in found
    ):
        problems.append("no condition compares with {{ expression }}")
    if not any(
        at.get("application") == "transfer"
        and at.get("data", "").startswith(f"{made_up['destination']} ")
        for _, at in found
    ):
        problems.append("no action transfers to {{ destination }}")
    return problems + broken_expressions(found)
