"""The file of a DID route: the extension that takes its number."""

from __future__ import annotations

import re
from functools import partial
from itertools import takewhile
from typing import TYPE_CHECKING, Final, cast

from fsgitops.kinds.did_route.forms import TEMPLATE, Taken
from fsgitops.model.draft import Draft, DraftError
from fsgitops.model.kind import Reach
from fsgitops.model.reading import leads_to
from fsgitops.phone import name_expression
from fsgitops.places import USUAL_PLACES, Places
from fsgitops.routing.pattern import broken_expressions, strange_contexts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from fsgitops.kinds.did_route.noun import DidRoute
    from fsgitops.model.draft import Elements, Leaf
    from fsgitops.model.kind import Secrets, Site, Survey

_DISPATCH: Final = "did_dispatch.xml.j2"
_FORMS: Final = tuple(each for form in ("{}", r"\+{}", r"\+?{}") for each in (form, f"({form})"))
"""Expressions of a number alone that a template may have made: `expression` takes them all."""
_WORD: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}", re.ASCII)
_DID: Final = re.compile(r"\+[0-9]{3,15}", re.ASCII)


def route_path(route: DidRoute, site: Site) -> str:
    """Return the file of a route: in the context that calls from outside begin in.

    On a large site, it is a small context of the numbers that differ in their last two digits.
    """
    if site.sharded:
        return f"{site.places.contexts}/{_shard(route, site.places)}.xml"
    return _place(f"inbound_{route.did_number[1:]}", site.places)


def _place(name: str, places: Places) -> str:
    return f"{places.inbound}/{places.prefix}{name}.xml"


def find_path(context: str, name: str, places: Places) -> str:
    """Return the file of an extension that is found in a context."""
    if context.startswith(places.dids):
        return f"{places.contexts}/{context}.xml"
    if context == places.inbound_context:
        return _place(name, places)
    return f"{places.folder_of(context)}/{name}.xml"


def _shard(route: DidRoute, places: Places) -> str:
    return f"{places.dids}{route.did_number[1:-2]}"


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
    around = (f'  <context name="{_shard(route, site.places)}">\n', "  </context>\n")
    yield Draft(
        route_path(route, site), TEMPLATE, values,
        {"context": reached.context, "transfers": site.places.transfers},
        prove=partial(prove_route, reached.context, site.places, sharded=site.sharded),
        frame=around if site.sharded else ("", ""),
    )  # fmt: skip


def dispatch_path(site: Site) -> str:
    """Return the file that sends calls on to the small contexts."""
    return _place("inbound_fsgitops", site.places)


def draft_dispatch(site: Site, survey: Survey) -> Draft:
    """Return the extensions that find the context of a number by its digits.

    There is one for E.164, one for each way in which the numbers of a country are written in it or
    behind a prefix, and one for each name of a trunk. A number that nobody declares goes on as if
    they were not there: `continue`, and an `execute_extension` that finds nothing, leave the search
    as it was (docs/freeswitch.md, "Dialplan").
    """
    ways, named = set[tuple[str, str]](), dict[str, str]()
    for number, taken in survey.known.items():
        plain = {number, number[1:], *taken.names}
        ways |= {_way(number[1:], form) for form in survey.dialled[number] if form not in plain}
        named |= dict.fromkeys(taken.names, f"{site.places.dids}{number[1:-2]}")
    nationals = [{"country": country, "trunk": trunk} for country, trunk in sorted(ways)]
    names = [
        {"name": name, "expression": name_expression(name), "context": context}
        for name, context in sorted(named.items())
    ]
    values = {"nationals": nationals, "names": names}
    dids = site.places.dids
    prove = partial(prove_dispatch, dids)
    return Draft(dispatch_path(site), _DISPATCH, values, {"dids": dids}, prove=prove)


def _way(digits: str, national: str) -> tuple[str, str]:
    """Return what a number begins with in E.164, and in its country, where both end alike."""
    if digits.endswith(national):
        return digits[: len(digits) - len(national)], ""
    pairs = zip(reversed(digits), reversed(national), strict=False)
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    return digits[: len(digits) - same], national[: len(national) - same]


def prove_dispatch(dids: str, found: Elements, values: Mapping[str, Leaf]) -> list[str]:
    """Return why the template does not send each number on to its context, if it does not."""
    nationals = cast("Sequence[Mapping[str, str]]", values["nationals"])
    names = cast("Sequence[Mapping[str, str]]", values["names"])
    ways = [("", r"\+?"), *((item["country"], item["trunk"]) for item in nationals)]
    wanted = [
        *((f"^({trunk}([0-9]{{1,13}})[0-9]{{2}})$", f"{dids}{land}$2") for land, trunk in ways),
        *((f"^({item['expression']})$", item["context"]) for item in names),
    ]
    elements = [(path, dict(at)) for path, at in found]
    sent = [
        (("extension",), {"name": at.get("name"), "continue": "true"})
        for path, at in elements
        if path == ("extension",)
    ]
    rendered = [item for item in elements if item[0][:1] == ("extension",)]
    expected = [
        element
        for extension, (expression, context) in zip(sent, wanted, strict=False)
        for element in (
            extension,
            (("extension", "condition"), {
                "field": "destination_number",
                "expression": expression,
            }),
            (("extension", "condition", "action"), {
                "application": "execute_extension",
                "data": f"$1 XML {context}",
            }),
        )
    ]  # fmt: skip
    if len(sent) != len(wanted) or rendered != expected or rendered != elements:
        return [
            "it must send E.164, each of `nationals`, and each of `names` on to the context of its "
            "digits"
        ]
    return []


def _find_reached(route: DidRoute, site: Site) -> Reach:
    [resource] = leads_to(route)
    found = site.reach(resource)
    if found is not None and _WORD.fullmatch(found.number) and _WORD.fullmatch(found.context):
        return found
    if not site.lengths.hold(route.destination_extension):
        message = f"a destination is an extension of {site.lengths}, or what a call can be led to"
        raise DraftError([message], "it becomes dialplan")
    return Reach(route.destination_extension, site.places.context)


def prove_route(
    context: str,
    places: Places,
    found: Elements,
    values: Mapping[str, Leaf],
    *,
    sharded: bool = False,
) -> list[str]:
    """Return why the template does not render exactly one DID route, if it does not.

    Of a large site, a call comes to it in the forms of `expression` alone, and from its own context
    (`draft_dispatch`): a template that waits for others would wait in vain.
    """
    made_up = cast("Mapping[str, str]", values)
    digits, expression = made_up["digits"], made_up["expression"]
    # A template of one's own may send calls to agents through a context of its own.
    sent = "" if context == USUAL_PLACES.context else f"XML {context} "
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
    problems += _prove_shard(found, expression, digits) if sharded else []
    return [*problems, *strange_contexts(found, places), *broken_expressions(found)]


def _prove_shard(found: Elements, expression: str, digits: str) -> list[str]:
    """Return what waits in vain in a small context: a call comes there in some forms only."""
    asked = [(at.get("field"), at.get("expression")) for _, at in found]
    forms = {expression, *(f"^{form.format(digits)}$" for form in _FORMS)}
    problems = []
    if any(field == "destination_number" and said not in forms for field, said in asked):
        problems.append(
            "in layout sharded, calls come in the forms of {{ expression }} only: each condition "
            "on destination_number must compare with it"
        )
    if any(field == "context" for field, _ in asked):
        problems.append("in layout sharded, the context of a call is that of its digits")
    return problems
