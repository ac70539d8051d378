"""In which forms each DID route takes its number, where no other number has the same form."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from fsgitops.model.did_forms import did_expression
from fsgitops.phone import national_form, region_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fsgitops.model.desired import Agent, DidRoute
    from fsgitops.model.did_forms import DidForm


class Taken(NamedTuple):
    """The expression that takes a number; `left_out` is a form that belongs to `rival` as well."""

    expression: str
    left_out: str | None = None
    rival: str = ""


def choose_forms(
    routes: Sequence[DidRoute],
    agents: Sequence[Agent],
    forms: Sequence[DidForm],
    default_region: str | None,
) -> Mapping[str, Taken]:
    """Return DID -> how its route takes it. `routes` and `agents` are the enabled ones.

    A national form that is also another DID's number without its plus sign, or an extension, is
    left out. One that two DIDs of two countries share belongs to that of `default_region`.
    """
    owners: dict[str, list[str]] = defaultdict(list)
    if "national" in forms:
        for route in routes:
            if national := national_form(route.did_number):
                owners[national].append(route.did_number)
    numbers = {route.did_number[1:] for route in routes}
    extensions = {agent.extension for agent in agents}
    chosen = {}
    for route in routes:
        number = route.did_number
        found = national_form(number) if "national" in forms else None
        rival = ""
        if found is not None:
            rival = _find_rival(number, found, owners[found], numbers, extensions, default_region)
        expression = did_expression(
            number[1:],
            plus_only="digits" not in forms,
            national=None if rival or found == number[1:] else found,
        )
        chosen[number] = Taken(expression, found if rival else None, rival)
    return chosen


def _find_rival(
    number: str,
    national: str,
    owners: Sequence[str],
    numbers: set[str],
    extensions: set[str],
    default_region: str | None,
) -> str:
    """Return what else a national form means, or "" where this number alone has it."""
    if national in numbers and national != number[1:]:
        return f"did +{national}"
    if national in extensions:
        return f"agent {national}"
    if len(owners) == 1:
        return ""
    at_home = [owner for owner in owners if default_region and region_of(owner) == default_region]
    if at_home == [number]:
        return ""
    return f"did {next(owner for owner in owners if owner != number)}"
