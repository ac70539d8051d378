"""Which numbers end otherwise in one configuration than in another, those that nobody declares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from fsgitops.routing.call.contents import NUMBER
from fsgitops.routing.numbers.automaton import NOTHING, TooLargeError
from fsgitops.routing.numbers.entered import INSIDE, list_entered
from fsgitops.routing.numbers.explore import Explorer
from fsgitops.routing.numbers.shown import OTHERS, list_expressions, show_numbers
from fsgitops.routing.tree import fold

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from fsgitops.model.trace import End
    from fsgitops.routing.call.clock import Clock
    from fsgitops.routing.call.load import Loaded
    from fsgitops.routing.numbers.entered import Entered
    from fsgitops.routing.numbers.search import Searches

Ends = tuple[tuple[str, str], ...]
"""Each way of some numbers, the likeliest first: what it takes for granted, and where it ends."""


class Row(NamedTuple):
    """Numbers that fare alike; the extension that takes them, with its place; its expressions."""

    numbers: int
    taker: str
    expressions: tuple[str, ...]


class Changed(NamedTuple):
    """Numbers of a context that end otherwise: in words, how many, and the shortest of them."""

    context: str
    numbers: str
    many: int | None
    example: str
    before: Ends
    after: Ends
    taker: str


@dataclass(slots=True)
class Side:
    """A configuration, the time of its calls, and which paths in it hold what is declared."""

    loaded: Loaded
    clock: Clock
    ours: Callable[[str], bool]
    domain: str
    inbound: str

    def list_entered(self) -> dict[tuple[str, str], Entered]:
        """Return where calls come in, by who dials there and the context's name."""
        doors = self.loaded.doors(self.domain)
        found = list_entered(self.loaded.world, doors, self.domain, self.inbound)
        return {(item.who, fold(item.call.context)): item for item in found}

    def list_texts(self, context: str) -> tuple[set[str], set[str]]:
        """Return the numbers that extensions of a context name: of declared ones, and of others."""
        element = self.loaded.world.context(context)
        declared: set[str] = set()
        others: set[str] = set()
        contents = self.loaded.world.contents(element) if element is not None else None
        for extension, quick in contents.extensions if contents else ():
            if quick and quick.texts and quick.field == NUMBER:
                path = self.loaded.place(extension.line).rpartition(":")[0]
                (declared if self.ours(path) else others).update(quick.texts)
        return declared, others


def compare_sides(
    before: Side, after: Side, tell: Callable[[End], str], *, every: bool
) -> Iterator[Changed]:
    """Yield the numbers of which it is certain that they end otherwise, context by context.

    `every` means all numbers; else only those that hand-written extensions name. What is declared
    is left out, and so are agents in their own context: those are followed one by one.
    """
    entered = before.list_entered()
    for key, there in after.list_entered().items():
        if key in entered:
            try:
                yield from _compare(before, after, entered[key], there, tell, every=every)
            except TooLargeError:
                continue


def _compare(
    before: Side,
    after: Side,
    here: Entered,
    there: Entered,
    tell: Callable[[End], str],
    *,
    every: bool,
) -> Iterator[Changed]:
    new = Explorer(after.loaded.world, after.clock, besides=False)
    old = Explorer(before.loaded.world, before.clock, new.searches, besides=False)
    texts = [side.list_texts(there.call.context) for side in (before, after)]
    declared = texts[0][0] | texts[1][0]
    if there.who == INSIDE:
        domain = there.call.domain
        declared |= old.list_users(domain) | new.list_users(domain)
    store = new.store
    within = new.dialled
    if not every:
        within = store.both(within, _gather(new.searches, texts[0][1] | texts[1][1]))
    within = store.without(within, _gather(new.searches, declared))
    if within == NOTHING:
        return
    were = _look_out(before, old, here, within, tell)
    for ends, row in _look_out(after, new, there, within, tell).items():
        changed = store.without(row.numbers, were[ends].numbers) if ends in were else row.numbers
        for ended, known in were.items() if changed != NOTHING else ():
            moved = NOTHING if ended == ends else store.both(changed, known.numbers)
            if moved != NOTHING:
                named = (*row.expressions, *known.expressions)
                shown, many = show_numbers(new.searches, new.dialled, moved, named)
                example = (store.shortest(moved) or b"").decode("latin-1")
                shown = f"numbers such as {example}" if shown == OTHERS else shown
                yield Changed(there.call.context, shown, many, example, ended, ends, row.taker)


def _gather(searches: Searches, texts: set[str]) -> int:
    return searches.store.texts(text.encode("latin-1", "replace") for text in texts)


def _look_out(
    side: Side, explorer: Explorer, entered: Entered, within: int, tell: Callable[[End], str]
) -> Mapping[Ends, Row]:
    """Return where numbers end, as far as that is known of all."""
    hide = side.loaded.veil.hide
    found: dict[Ends, Row] = {}
    for share in explorer.explore(entered.call, within, entered.unknown):
        if share.why or not share.complete:
            continue
        ends = tuple((hide(", ".join(way.assumed)), hide(tell(way.end))) for way in share.ways)
        known = found.get(ends)
        if known is not None:
            found[ends] = known._replace(
                numbers=explorer.store.either(known.numbers, share.numbers)
            )
            continue
        taker, expressions = "", tuple[str, ...]()
        if share.extension is not None:
            where = side.loaded.place(share.extension.line)
            name = share.extension.attributes.get("name", "(no name)")
            taker = f"{name} ({where})" if where else name
            expressions = tuple(list_expressions(share.extension))
        found[ends] = Row(share.numbers, taker, expressions)
    return found
