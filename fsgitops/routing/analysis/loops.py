"""Calls that are transferred round and round."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from fsgitops.findings import quote_value
from fsgitops.model.trace import Fate, What
from fsgitops.routing.analysis.edges import Edge, follow_act
from fsgitops.routing.analysis.found import Found
from fsgitops.routing.analysis.outline import ANYTHING, NUMBER
from fsgitops.routing.call.clock import Clock
from fsgitops.routing.call.evaluate import Call, evaluate
from fsgitops.routing.call.moving import MAX_FORWARDS
from fsgitops.routing.call.words import needs_expansion, to_raw
from fsgitops.routing.numbers.automaton import EVERYTHING, NOTHING, Store, TooLargeError
from fsgitops.routing.numbers.expression import NotRegularError
from fsgitops.routing.numbers.search import Searches
from fsgitops.routing.tree import fold

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsgitops.routing.analysis.outline import Act, Extension, Outline
    from fsgitops.routing.call.world import World

MAX_CALLS: Final = 200
"""Calls that are followed to see whether they end."""
_PLAIN: Final = r"^[0-9A-Za-z+*#]+\z"


def find_loops(outline: Outline) -> Iterator[Found]:
    """Yield the extensions that send a call to where it comes from, with a number that does that.

    Which could is read from the contexts that lead back to themselves; whether one does is seen by
    following a call that it takes.
    """
    suspects = _Suspects(outline)
    if not suspects.acts:
        return
    loaded = outline.load() if outline.load else None
    told: set[frozenset[Extension]] = set()
    for extension, act in suspects.acts[:MAX_CALLS]:
        number = suspects.find_number(act) if loaded else None
        if not loaded or number is None or any(extension in ring for ring in told):
            continue
        names = _follow(loaded.world, number, extension.context)
        if extension.name in names:
            ring = [item for item in suspects.extensions if item.name in names]
            told.add(frozenset(ring))
            way = " -> ".join((*names, names[0]))
            yield Found(
                "transfer-loop", act.line,
                f"a call to {quote_value(number)} in the context "
                f"{quote_value(extension.context)} is sent round and round: {way}; FreeSWITCH "
                "ends it after 70 transfers",
                "Let one of them end somewhere else.",
                extension,
                tuple(ring),
            )  # fmt: skip


class _Suspects:
    """Transfers within contexts that lead back to themselves."""

    def __init__(self, outline: Outline) -> None:
        leads: dict[str, set[str]] = {}
        acts: list[tuple[Extension, Act, str]] = []
        for extension in outline.extensions:
            here = fold(extension.context)
            for act in extension.acts:
                for edge in follow_act(act, outline):
                    if isinstance(edge, Edge) and "$" not in edge.context and not edge.other:
                        to = fold(edge.context) or here
                        leads.setdefault(here, set()).add(to)
                        acts.append((extension, act, to))
        reach = {name: _reach(leads, name) for name in leads}
        self.acts = [
            (extension, act)
            for extension, act, to in acts
            if fold(extension.context) in reach.get(to, ()) and extension.resource is None
        ]
        self.extensions = list(dict.fromkeys(extension for extension, _ in self.acts))
        self._store = Store()
        self._searches = Searches(self._store)

    def find_number(self, act: Act) -> str | None:
        """Return the shortest number for which an act is executed; None: nobody can say."""
        try:
            numbers = self._searches.matching(_PLAIN)
            for need in act.needs:
                if need.field in NUMBER and not needs_expansion(need.expression):
                    found = self._match(need.expression)
                    both = self._store.both if need.held else self._store.without
                    numbers = both(numbers, found)
        except (NotRegularError, TooLargeError):
            return None
        shortest = None if numbers == NOTHING else self._store.shortest(numbers)
        return None if shortest is None else shortest.decode("latin-1")

    def _match(self, expression: str) -> int:
        return EVERYTHING if expression in ANYTHING else self._searches.matching(to_raw(expression))


def _reach(leads: dict[str, set[str]], start: str) -> set[str]:
    found, waiting = {start}, [start]
    while waiting:
        new = leads.get(waiting.pop(), set()) - found
        found |= new
        waiting += new
    return found


def _follow(world: World, number: str, context: str) -> list[str]:
    """Return the extensions that a call goes round in, in order; none where it comes to an end."""
    clock = Clock(datetime(2026, 1, 1, tzinfo=UTC), world.zones, known=False)
    for way in evaluate(world, Call(number, context), clock)[0]:
        if way.end.fate is Fate.LOOP:
            taken = [step.extension for step in way.steps if step.what is What.TAKES]
            return list(dict.fromkeys(taken[-MAX_FORWARDS:]))
    return []
