"""Extensions that people wrote for public numbers, as DID routes say them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from fsgitops.kinds.did_route.forms import choose_forms
from fsgitops.kinds.did_route.noun import DidRoute
from fsgitops.model.imports import Brought, Kept, Reason
from fsgitops.phone import NumberError, list_forms, normalise_number
from fsgitops.routing.call.words import to_raw
from fsgitops.routing.numbers.automaton import Store, TooLargeError
from fsgitops.routing.numbers.expression import NotRegularError
from fsgitops.routing.numbers.search import Searches
from fsgitops.routing.pattern import match_groups
from fsgitops.routing.tree import fold
from fsgitops.visible import count_noun

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from fsgitops.model.kind import Site
    from fsgitops.routing.handwritten import Handwritten
    from fsgitops.routing.tree import Element

MOST: Final = 10_000
"""Texts of one expression; one that takes more is no list of numbers."""
FEWEST: Final = 5
"""So many numbers in a row are written as one range."""
_NAME: Final = re.compile(r"[0-9._-]*[A-Za-z][A-Za-z0-9._-]*", re.ASCII)
_TRANSFER: Final = re.compile(r"(\S+)(?: +XML(?: +(\S+))?)?", re.IGNORECASE)
_BRIDGE: Final = re.compile(r"user/([0-9$]+)(?:@(\S+))?")
_GROUP: Final = re.compile(r"\$([0-9])")


class _LeftError(Exception):
    """The extension stays as it is."""

    def __init__(self, element: Element, why: str) -> None:
        super().__init__(why)
        self.element = element


class _Route(NamedTuple):
    """One public number: where it leads, and the texts that the carrier sends for it."""

    number: str
    destination: str
    texts: frozenset[str]
    names: tuple[str, ...]
    lost: tuple[str, ...] = ()


def import_routes(hand: Handwritten, site: Site) -> Iterator[Brought | Kept]:
    """Yield the routes of each extension in which calls from outside begin, or why it stays."""
    searches = Searches(Store())
    for extension in hand.extensions(site.places.inbound_context):
        place = hand.place(extension)
        try:
            yield from _Reader(hand, site, searches, extension).read()
        except _LeftError as left:
            name = hand.hide(extension.attributes.get("name", "(no name)"))
            why = Reason(hand.place(left.element), hand.hide(str(left)))
            yield Kept(f"extension {name}", place, (why,))


class _Reader:
    def __init__(
        self, hand: Handwritten, site: Site, searches: Searches, extension: Element
    ) -> None:
        self.hand = hand
        self.site = site
        self.searches = searches
        self.extension = extension
        self.sets_domain = False

    def read(self) -> list[Brought]:
        condition = self._find_condition()
        leads = self._find_lead(condition)
        routes = self._find_routes(condition, leads)
        comments = self.hand.comments(self.extension)
        place = self.hand.place(self.extension)
        made = []
        for run in _find_runs(routes):
            first, last = run[0], run[-1]
            number, destination = first.number, first.destination
            if len(run) > 1:
                number = _span(number, last.number)
                if destination != last.destination:
                    destination = _span(destination, last.destination)
            also = {"also": [*first.names]} if first.names else {}
            values = {"did_number": number, "destination_extension": destination, **also}
            changes = self._find_changes(run, leads)
            made.append(Brought(DidRoute.kind, number, values, place, comments, changes=changes))
            comments = ()
        return made

    def _find_condition(self) -> Element:
        """Return the one condition, which asks for the number that is dialled."""
        extension = self.extension
        if fold(extension.attributes.get("continue", "")) == "true":
            raise _LeftError(extension, "the search goes on behind it (continue)")
        conditions = extension.all("condition")
        for condition in conditions:
            if condition.child("condition") or condition.child("anti-action"):
                raise _LeftError(condition, "it does one thing or another")
        if len(conditions) != 1 or len(extension.children) != 1:
            raise _LeftError(extension, "it asks for more than the number that is dialled")
        attributes = conditions[0].attributes
        if attributes.keys() != {"field", "expression"} or (
            fold(attributes["field"]) != "destination_number"
        ):
            raise _LeftError(conditions[0], "it does not ask for destination_number alone")
        return conditions[0]

    def _find_lead(self, condition: Element) -> Element:
        """Return the action that leads on; whatever else the extension does would be lost."""
        for action in condition.children:
            name, data = (action.attributes.get(key, "") for key in ("application", "data"))
            if action is condition.children[-1] and fold(name) in ("transfer", "bridge"):
                return action
            if fold(name) == "set" and data in self._domains():
                self.sets_domain = True
            else:
                told = f"{name} {data.partition('=')[0]}".strip()
                raise _LeftError(action, f"a route does not do this: {told}")
        raise _LeftError(condition, "it leads to no extension: no transfer and no bridge")

    def _domains(self) -> tuple[str, ...]:
        """Return what sets the domain: files may take its name from what only the switch knows."""
        named = self.hand.find_domain(self.site.domain)
        names = (self.site.domain, named.attributes.get("name", "") if named else "")
        return tuple(f"domain_name={name}" for name in names)

    def _find_routes(self, condition: Element, lead: Element) -> list[_Route]:
        texts = self._list_texts(condition)
        found: dict[str, dict[str, str]] = {}
        names, lost = list[str](), list[str]()
        expression = to_raw(condition.attributes["expression"])
        for text in texts:
            if text in self.site.dialled:
                raise _LeftError(condition, f"it takes {text}: an extension, no public number")
            if _NAME.fullmatch(text):
                names.append(text)
                continue
            try:
                number = normalise_number(text, self.site.default_region)
            except NumberError as problem:
                if text[:1] == "+" and text[1:] in texts:  # `\+?1?…` takes what nobody dials
                    lost.append(text)
                    continue
                raise _LeftError(condition, f"{text} {problem}. {problem.hint}") from None
            groups = match_groups(text, expression) or ()
            found.setdefault(number, {})[text] = self._read_lead(lead, groups)
        if names and len(found) != 1:
            raise _LeftError(condition, f"{names[0]} is no telephone number")
        return [
            self._make_route(condition, number, by_text, tuple(names))._replace(
                lost=tuple(text for text in lost if text[1:] in by_text)
            )
            for number, by_text in sorted(found.items())
        ]

    def _list_texts(self, condition: Element) -> list[str]:
        expression = to_raw(condition.attributes["expression"])
        store = self.searches.store
        try:
            taken = store.both(
                self.searches.matching(expression), self.searches.matching(r"^[^\n]*\z")
            )
            many = store.count(taken)
        except (NotRegularError, TooLargeError):
            raise _LeftError(condition, "nobody can say which numbers it takes") from None
        if many is None or many > MOST:
            raise _LeftError(condition, f"it takes more than {count_noun(MOST, 'number')}")
        if not many:
            raise _LeftError(condition, "it takes no number")
        return sorted(text.decode("latin-1") for text in store.walk(taken))

    def _read_lead(self, lead: Element, groups: tuple[str, ...]) -> str:
        """Return the extension that a call goes to, with what was captured of its number."""
        data = _GROUP.sub(
            lambda found: groups[int(found[1])] if int(found[1]) < len(groups) else "",
            lead.attributes.get("data", ""),
        )
        wanted = self.site.places.context
        if fold(lead.attributes["application"]) == "transfer":
            found = _TRANSFER.fullmatch(data.strip())
            context = (found[2] or self.site.places.inbound_context) if found else ""
            if found is None or fold(context) != fold(wanted):
                raise _LeftError(lead, f"it does not lead to an extension of {wanted}: {data}")
            number = found[1]
        else:
            found = _BRIDGE.fullmatch(data.strip())
            if found is None or fold(found[2] or self.site.domain) != fold(self.site.domain):
                raise _LeftError(lead, "it does not ring one user of the domain")
            number = found[1]
        if number not in self.site.dialled:
            raise _LeftError(lead, f"it leads to {number}, which is not declared")
        return number

    def _make_route(
        self, condition: Element, number: str, by_text: Mapping[str, str], names: tuple[str, ...]
    ) -> _Route:
        destinations = set(by_text.values())
        if len(destinations) > 1:
            raise _LeftError(
                condition, f"{number} leads to one extension or another, by the form it has"
            )
        [taken] = choose_forms({number: names}, self.site).values()
        if odd := sorted(set(by_text) - {*list_forms(taken.expression)}):
            raise _LeftError(
                condition,
                f"it takes {odd[0]}, which is none of the forms of {number} that carriers deliver "
                "here: `did_forms` and `did_prefixes` of the target",
            )
        return _Route(number, destinations.pop(), frozenset(by_text), names)

    def _find_changes(self, run: list[_Route], lead: Element) -> tuple[str, ...]:
        """Return which forms of the first number are taken that were not, and what rings now."""
        [taken] = choose_forms({run[0].number: run[0].names}, self.site).values()
        more = sorted({*list_forms(taken.expression)} - run[0].texts - {*run[0].names})
        changes = [f"destination_number={' '.join(more)}"] if more else []
        changes += [f"no destination_number={' '.join(run[0].lost)}"] if run[0].lost else []
        if not self.sets_domain:
            changes.append(f"domain_name={self.site.domain}")
        if fold(lead.attributes["application"]) == "bridge":
            changes.append(f"transfer={run[0].destination} XML {self.site.places.context}")
        return tuple(changes)


def _span(first: str, last: str) -> str:
    """Return a range of numbers: what differs of the last one stands behind the dots."""
    same = next(at for at, (one, two) in enumerate(zip(first, last, strict=True)) if one != two)
    return f"{first}..{last[same:]}"


def _find_runs(routes: list[_Route]) -> Iterator[list[_Route]]:
    """Yield routes that follow each other in their numbers, and lead to one place or count up."""
    at = 0
    while at < len(routes):
        run = [routes[at]]
        step = 0
        for before, route in zip(routes[at:], routes[at + 1 :], strict=False):
            goes = _distance(before.destination, route.destination)
            if len(run) == 1 and goes in (0, 1):
                step = goes
            follows = _distance(before.number, route.number) == 1 and goes == step
            if not follows or before.names or route.names:
                break
            run.append(route)
        if len(run) < FEWEST:
            run = run[:1]
        yield run
        at += len(run)


def _distance(one: str, other: str) -> int | None:
    """Return how far two numbers of one length are apart, None where they differ early."""
    same_length = len(one) == len(other) and one[:-4] == other[:-4]
    return int(other.lstrip("+")) - int(one.lstrip("+")) if same_length else None
