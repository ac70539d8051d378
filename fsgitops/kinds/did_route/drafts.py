"""The file of a DID route: the extension that takes its number."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Final, cast

from fsgitops.kinds.did_route.forms import TEMPLATE, Taken
from fsgitops.model.draft import Draft, DraftError
from fsgitops.model.kind import Reach
from fsgitops.model.reading import leads_to
from fsgitops.phone import is_extension
from fsgitops.routing.pattern import broken_expressions

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from fsgitops.kinds.did_route.noun import DidRoute
    from fsgitops.model.draft import Elements, Leaf
    from fsgitops.model.kind import Secrets, Site

_WORD: Final = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_DID: Final = re.compile(r"\+[0-9]{3,15}", re.ASCII)


def route_path(route: DidRoute, site: Site) -> str:
    """Return the file of a route: in the context that calls from outside begin in."""
    return f"dialplan/{site.inbound_context}/inbound_{route.did_number[1:]}.xml"


def draft_route(route: DidRoute, site: Site, _secrets: Secrets, taken: Taken) -> Iterator[Draft]:
    """Yield the file of a route. Raises DraftError for what must not become dialplan."""
    if not _DID.fullmatch(route.did_number):
        raise DraftError(["a DID is + and 3 to 15 digits"], "it names a file and an extension")
    reached = _find_reached(route, site)
    values = {
        "digits": route.did_number[1:],
        "expression": taken.expression,
        "destination": reached.number,
        "domain": site.domain,
    }
    yield Draft(
        route_path(route, site), TEMPLATE, values, {"context": reached.context},
        prove=partial(prove_route, reached.context),
    )  # fmt: skip


def _find_reached(route: DidRoute, site: Site) -> Reach:
    [resource] = leads_to(route)
    found = site.reach(resource)
    if found is not None and _WORD.fullmatch(found.number) and _WORD.fullmatch(found.context):
        return found
    if not is_extension(route.destination_extension):
        message = "a destination is an extension of 4 to 6 digits, or what a call can be led to"
        raise DraftError([message], "it becomes dialplan")
    return Reach(route.destination_extension)


def prove_route(context: str, found: Elements, values: Mapping[str, Leaf]) -> list[str]:
    """Return why the template does not render exactly one DID route, if it does not."""
    made_up = cast("Mapping[str, str]", values)
    digits, expression = made_up["digits"], made_up["expression"]
    # A template of one's own may send calls to agents through a context of its own.
    sent = "" if context == "default" else f"XML {context} "
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
        and f"{at.get('data', '')} ".startswith(f"{made_up['destination']} {sent}")
        for _, at in found
    ):
        problems.append("no action transfers to {{ destination }} XML {{ context }}")
    return problems + broken_expressions(found)
