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
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from fsgitops.kinds.did_route.noun import DidRoute
    from fsgitops.model.kind import Site

TEMPLATE: Final = "did_route.xml.j2"
DID_FORM: Final = "did-form"

_USES_EXPRESSION: Final = re.compile(r"\{\{-?\s*expression\b")


class Taken(NamedTuple):
    """The expression that takes a number, and the further `names` in it.

    `left_out` are the forms that belong to somebody else as well, each with whom that is.
    """

    expression: str
    names: tuple[str, ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()


def survey_routes(routes: Sequence[DidRoute], site: Site) -> Survey:
    """Return by number how each route takes it, and what people dial for it.

    Where nobody said in which forms the carriers deliver numbers, all of them are taken, and one
    that has another meaning is left out with a warning.
    """
    taken = choose_forms({route.did_number: route.also for route in routes}, site)
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
        resource = Resource("did", number)
        for form, rival in taken.left_out:
            is_national = form == national_form(number)
            told = "the national form of this number" if is_national else "this form of the number"
            message = f"{resource}: a call to {form} is not routed: {told} is {rival} as well"
            hint = (
                "Let the carrier deliver the number in E.164. Set `did_forms: [digits]` for the "
                "target if it does."
                if is_national
                else "Let the carrier use another prefix, or none (`did_prefixes` of the target)."
            )
            yield tell(DID_FORM, site.sources.get(resource, Position("desired")), message, hint)


def choose_forms(numbers: Mapping[str, Sequence[str]], site: Site) -> Mapping[str, Taken]:
    """Return DID -> how its route takes it; `numbers` are DIDs with the further names of each.

    A form that somebody else has as it is (another DID without its plus sign, an extension) is
    left out. One that two DIDs of two countries share belongs to that of the target's region.
    """
    forms = ALL_FORMS if site.did_forms is None else site.did_forms
    written = {number: list(_write(number, forms, site.did_prefixes)) for number in numbers}
    owners: dict[str, list[str]] = defaultdict(list)
    for number, found in written.items():
        for form in found:
            owners[form].append(number)
    chosen = {}
    for number, found in written.items():
        rivals = {form: _find_rival(number, form, owners[form], site) for form in found}
        names = tuple(numbers[number])
        expression = number_expression(
            number[1:],
            (*(form for form, rival in rivals.items() if not rival), *names),
            plus_only="digits" not in forms,
        )
        left = tuple((form, rival) for form, rival in rivals.items() if rival)
        chosen[number] = Taken(expression, names, left)
    return chosen


def _write(number: str, forms: Collection[str], prefixes: Iterable[str]) -> Iterator[str]:
    """Yield the forms of a number beside E.164 and its digits: national, and behind prefixes."""
    national = national_form(number) if "national" in forms else None
    if national is not None and national != number[1:]:
        yield national
    for prefix in prefixes:
        if prefix + number[1:] != national:
            yield prefix + number[1:]


def _find_rival(number: str, form: str, owners: Sequence[str], site: Site) -> str:
    """Return what else a form means, or "" where this number alone has it."""
    other = site.dialled.get(form)
    if other is not None and resource_of(other) != ("did", number):
        return " ".join(resource_of(other))
    if len(owners) == 1:
        return ""
    region = site.default_region
    at_home = [owner for owner in owners if region and region_of(owner) == region]
    if at_home == [number]:
        return ""
    return f"did {next(owner for owner in owners if owner != number)}"
