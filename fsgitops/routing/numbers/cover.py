"""Extensions that no call gets to: earlier ones of their context take every number first."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final, NamedTuple

from fsgitops.routing.call.condition import ANYTHING
from fsgitops.routing.call.contents import TIMES
from fsgitops.routing.call.words import is_true, needs_expansion, to_raw
from fsgitops.routing.numbers.automaton import EVERYTHING, NOTHING, Store, TooLargeError
from fsgitops.routing.numbers.expression import NotRegularError
from fsgitops.routing.numbers.search import Searches
from fsgitops.routing.pattern import list_choices
from fsgitops.routing.tree import fold

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from fsgitops.routing.tree import Element

_DIALLED: Final = frozenset(("destination_number", "${destination_number}"))
_ACTIONS: Final = frozenset(("action", "condition"))
SHOWN: Final = 8
"""Earlier extensions that are named for each one that is covered."""


class Between(NamedTuple):
    """Numbers for which something holds: for certain, and at most."""

    sure: int
    most: int


_UNKNOWN: Final = Between(NOTHING, EVERYTHING)


class Covered(NamedTuple):
    """An extension that no call gets to, and the first earlier ones that take its numbers."""

    extension: Element
    by: tuple[Element, ...]


def find_covered(context: Element) -> list[Covered]:
    """Return each extension of a context that can do nothing, whatever is dialled.

    What is returned is certain: every number of one line that the extension could match is taken
    before, whoever calls and when. An extension that only a condition of another kind makes
    unreachable is not among them. (Of a call with `auto_hunt=true`, FreeSWITCH begins at the
    extension that is called as the number; such calls are not meant.)
    """
    extents = Extents()
    left = _Left(extents)
    covered: list[Covered] = []
    before: list[tuple[Element, int]] = []
    for extension in context.all("extension"):
        texts = extents.list_texts(extension)
        if texts:
            # The same as below, without an automaton for each of thousands of DIDs.
            if not any(map(left.has, texts)):
                found_by = (left.find_taker(text, before) for text in sorted(texts))
                covered.append(Covered(extension, tuple(dict.fromkeys(found_by))))
            elif not is_true(extension.attributes.get("continue")):
                for text in texts:
                    left.gone.setdefault(text, extension)
            continue
        found = extents.measure(extension)
        try:
            if not left.meets(found.most):
                named = left.list_takers(found.most)
                takers = _list_takers(extents.store, found.most, before)
                covered.append(Covered(extension, (*named, *takers)[:SHOWN]))
            elif found.sure != NOTHING:
                left.take(found.sure)
                before.append((extension, found.sure))
        except TooLargeError:
            continue
    return covered


class _Left:
    """The numbers that no extension has taken so far: a set, without texts that are kept aside."""

    def __init__(self, extents: Extents) -> None:
        self.store = extents.store
        self.numbers = extents.one_line
        self.gone: dict[str, Element] = {}

    def has(self, text: str) -> bool:
        """Tell whether a number is left."""
        return text not in self.gone and self.store.holds(self.numbers, text.encode("latin-1"))

    def find_taker(self, text: str, before: Iterable[tuple[Element, int]]) -> Element:
        """Return the extension that has taken a number that is not left."""
        number = text.encode("latin-1")
        holding = (extension for extension, sure in before if self.store.holds(sure, number))
        return self.gone[text] if text in self.gone else next(holding)

    def take(self, found: int) -> None:
        """Take numbers away."""
        self.numbers = self.store.without(self.numbers, found)

    def meets(self, found: int) -> bool:
        """Tell whether any of these numbers is left."""
        both = self.store.both(self.numbers, found)
        count = self.store.count(both)
        if count is None or count > len(self.gone):
            return True
        texts = (text.decode("latin-1") for text in self.store.walk(both))
        return any(text not in self.gone for text in texts)

    def list_takers(self, found: int) -> Iterable[Element]:
        """Return the extensions of the texts that are kept aside and in a set."""
        both = self.store.both(self.numbers, found)
        texts = (text.decode("latin-1") for text in self.store.walk(both))
        return dict.fromkeys(self.gone[text] for text in islice(texts, SHOWN))


def _list_takers(
    store: Store, most: int, before: Iterable[tuple[Element, int]]
) -> Iterator[Element]:
    """Yield the extensions that take numbers of a set, until none is left."""
    count = 0
    for extension, sure in before:
        if count >= SHOWN or store.both(most, sure) == NOTHING:
            continue
        yield extension
        count += 1
        most = store.without(most, sure)
        if most == NOTHING:
            return


class Extents:
    """For which numbers extensions do anything, and which they take for certain."""

    def __init__(self) -> None:
        self.store = Store()
        self._searches = Searches(self.store)
        self.one_line = self._searches.matching(r"^[^\n]*\z")

    def list_texts(self, extension: Element) -> frozenset[str] | None:
        """Return the numbers of an extension that one condition chooses by their texts."""
        conditions = extension.all("condition")
        if len(conditions) != 1:
            return None
        attributes, children = conditions[0].attributes, conditions[0].children
        plain = attributes.keys() == {"field", "expression"} and all(
            item.name == "action" for item in children
        )
        if not plain or fold(attributes["field"]) not in _DIALLED:
            return None
        return list_choices(to_raw(attributes["expression"]))

    def measure(self, extension: Element) -> Between:
        """Return the numbers for which the search ends here, and those for which anything happens.

        Only conditions on the dialled number count; of any other, nobody knows whether it holds.
        """
        conditions = extension.all("condition")
        if not conditions:
            return Between(NOTHING, NOTHING)
        if any(_is_odd(item) for item in conditions):
            return _UNKNOWN
        sure, most = EVERYTHING, EVERYTHING
        acted = False
        for condition in conditions:
            try:
                found = self._hold(condition)
                sure = self.store.both(sure, found.sure)
                if not acted:
                    most = self.store.both(most, found.most)
            except TooLargeError:
                sure = NOTHING
            acted = acted or not _ACTIONS.isdisjoint(item.name for item in condition.children)
        nested = any(item.child("condition") is not None for item in conditions)
        goes_on = nested or is_true(extension.attributes.get("continue"))
        return Between(NOTHING if goes_on else sure, most)

    def _hold(self, condition: Element) -> Between:
        """Return the numbers for which a condition holds."""
        attributes = condition.attributes
        if not TIMES.isdisjoint(attributes):
            return _UNKNOWN
        if "regex" in attributes:
            return self._hold_rules(condition)
        if "field" not in attributes:
            return Between(EVERYTHING, EVERYTHING)
        return self._match(condition)

    def _hold_rules(self, condition: Element) -> Between:
        rule = fold(condition.attributes["regex"])
        store = self.store
        found = [self._hold_rule(item) for item in condition.all("regex")]
        if rule == "all":
            sure = most = EVERYTHING
            for item in found:
                sure, most = store.both(sure, item.sure), store.both(most, item.most)
            return Between(sure, most)
        sure = most = NOTHING
        for item in found:
            sure, most = store.either(sure, item.sure), store.either(most, item.most)
        return Between(NOTHING if rule == "xor" else sure, most)

    def _hold_rule(self, element: Element) -> Between:
        plain = "field" in element.attributes and TIMES.isdisjoint(element.attributes)
        return self._match(element) if plain else _UNKNOWN

    def _match(self, element: Element) -> Between:
        inner = element.child("expression")
        text = inner.text if inner is not None else element.attributes.get("expression", "")
        expression = to_raw(text)
        if fold(element.attributes["field"]) not in _DIALLED or needs_expansion(expression):
            return _UNKNOWN
        try:
            found = EVERYTHING if expression in ANYTHING else self._searches.matching(expression)
        except (NotRegularError, TooLargeError):
            return _UNKNOWN
        return Between(found, found)


def _is_odd(condition: Element) -> bool:
    """Tell whether a condition does something, or lets the next one be asked, where it fails."""
    stop = fold(condition.attributes.get("break", "on-false"))
    return stop != "on-false" or condition.child("anti-action") is not None
