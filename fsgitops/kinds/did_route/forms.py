"""In which forms each DID route takes its number, where no other number has the same form."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple

from fsgitops.findings import Finding, Position, error, warning
from fsgitops.model.kind import Survey
from fsgitops.model.reading import resource_of
from fsgitops.model.resource import Resource
from fsgitops.phone import ALL_FORMS, list_forms, national_form, number_expression, region_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from fsgitops.kinds.did_route.noun import DidRoute
    from fsgitops.model.kind import Site

TEMPLATE: Final = "did_route.xml.j2"
DID_FORM: Final = "did-form"

_USES_EXPRESSION: Final = re.compile(r"\{\{-?\s*expression\b")


class Taken(NamedTuple):
    """The expression that takes a number; `left_out` is a form that belongs to `rival` as well."""

    expression: str
    left_out: str | None = None
    rival: str = ""


def survey_routes(routes: Sequence[DidRoute], site: Site) -> Survey:
    """Return by number how each route takes it, and what people dial for it.

    Where nobody said in which forms the carriers deliver numbers, all of them are taken, and one
    that has another meaning is left out with a warning.
    """
    taken = choose_forms([route.did_number for route in routes], site)
    return Survey(
        taken,
        {number: list_forms(item.expression) for number, item in taken.items()},
        (*_tell_old_template(site), *_tell_rivals(taken, site)) if routes else (),
    )


def _tell_old_template(site: Site) -> Iterator[Finding]:
    if not _USES_EXPRESSION.search("".join(site.templates.sources.values())):
        message = "the template takes no number in its national form"
        hint = 'Write expression="{{ expression }}" in its condition on destination_number.'
        yield warning(DID_FORM, Position(site.templates.file(TEMPLATE)), message, hint)


def _tell_rivals(found: Mapping[str, Taken], site: Site) -> Iterator[Finding]:
    tell = warning if site.did_forms is None else error
    for number, taken in found.items():
        if not taken.rival:
            continue
        resource = Resource("did", number)
        message = (
            f"{resource}: a call to {taken.left_out} is not routed: the national form of this "
            f"number is {taken.rival} as well"
        )
        hint = (
            "Let the carrier deliver the number in E.164. Set `did_forms: [digits]` for the target "
            "if it does."
        )
        yield tell(DID_FORM, site.sources.get(resource, Position("desired")), message, hint)


def choose_forms(numbers: Sequence[str], site: Site) -> Mapping[str, Taken]:
    """Return DID -> how its route takes it.

    A national form that somebody else has as it is (another DID without its plus sign, an
    extension) is left out. One that two DIDs of two countries share belongs to that of the
    target's region.
    """
    forms = ALL_FORMS if site.did_forms is None else site.did_forms
    nationals = {
        number: national_form(number) if "national" in forms else None for number in numbers
    }
    owners: dict[str | None, list[str]] = defaultdict(list)
    for number, found in nationals.items():
        owners[found].append(number)
    chosen = {}
    for number, found in nationals.items():
        rival = _find_rival(number, found, owners[found], site) if found is not None else ""
        expression = number_expression(
            number[1:],
            plus_only="digits" not in forms,
            national=None if rival or found == number[1:] else found,
        )
        chosen[number] = Taken(expression, found if rival else None, rival)
    return chosen


def _find_rival(number: str, national: str, owners: Sequence[str], site: Site) -> str:
    """Return what else a national form means, or "" where this number alone has it."""
    other = site.dialled.get(national)
    if other is not None and resource_of(other) != ("did", number):
        return " ".join(resource_of(other))
    if len(owners) == 1:
        return ""
    region = site.default_region
    at_home = [owner for owner in owners if region and region_of(owner) == region]
    if at_home == [number]:
        return ""
    return f"did {next(owner for owner in owners if owner != number)}"
