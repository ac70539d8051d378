"""Every number that can be dialled in a context, in classes whose numbers fare alike.

A number stands for its class: it is evaluated like any call, and all that the evaluation learned of
it (witness.py) tells exactly which other numbers go the same way. What is left is split in the same
manner, until nothing is left.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from fsgitops.routing.call.applications import follow
from fsgitops.routing.call.evaluate import identify, list_others, make_leg
from fsgitops.routing.call.expand import Value
from fsgitops.routing.call.state import Answers
from fsgitops.routing.call.words import DyedError
from fsgitops.routing.call.world import Phones
from fsgitops.routing.numbers.automaton import NOTHING, Store, TooLargeError
from fsgitops.routing.numbers.expression import NotRegularError
from fsgitops.routing.numbers.facts import Numbers, UnclearError, Weighing
from fsgitops.routing.numbers.search import Searches
from fsgitops.routing.numbers.watched import (
    Answered,
    Tables,
    WatchedState,
    WatchedWorld,
    call_watched,
)
from fsgitops.routing.numbers.witness import Witness

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from fsgitops.model.trace import End
    from fsgitops.routing.call.clock import Clock
    from fsgitops.routing.call.evaluate import Call
    from fsgitops.routing.call.state import Question
    from fsgitops.routing.call.world import World
    from fsgitops.routing.numbers.witness import Fact, Source
    from fsgitops.routing.tree import Element

MAX_WAYS: Final = 32
"""Ways of one number that are followed."""
MAX_CLASSES: Final = 200_000
NUMBERS: Final = r"^[0-9A-Za-z+*#._]{1,}\z"
"""What can be dialled: nothing that means more to a dial string than the characters themselves."""


@dataclass(frozen=True, slots=True)
class Fare:
    """One way that calls take: where they end, and what is taken for granted."""

    end: End
    assumed: tuple[str, ...] = ()


@dataclass(slots=True)
class Share:
    """Numbers that fare alike: a set of the store, and one of them.

    `ways` are told in terms of the dialled number. `extension` takes the calls in the context where
    they come in; None: no extension does. `why` says what the dialplan does with the number that
    nothing exact can be said of: the ways are then those of `example` alone.
    """

    numbers: int
    example: str
    ways: tuple[Fare, ...]
    extension: Element | None
    complete: bool = True
    why: tuple[str, ...] = ()
    plain: tuple[Fare, ...] = field(default=(), compare=False)
    """The ways of `example` as they are."""

    def is_like(self, other: Share) -> bool:
        """Tell whether other numbers fare in the same way."""
        return (
            self.ways == other.ways
            and self.extension is other.extension
            and self.complete is other.complete
            and self.why == other.why
        )


class Explorer:
    """Splits the numbers of contexts of one world."""

    def __init__(self, world: World, clock: Clock, searches: Searches | None = None) -> None:
        self.world = world
        self.clock = clock
        self.searches = searches or Searches(Store())
        self.store = self.searches.store
        self.dialled = self.searches.matching(NUMBERS)
        self._tables = Tables(world)
        self._weighing = Weighing(self.store, self.searches)

    def list_users(self, domain: str) -> set[str]:
        """Return the names by which users of a domain are found, in small letters."""
        try:
            return set(self._tables.users(domain, ("id",)))
        except DyedError:
            return set()

    def explore(
        self, call: Call, within: int | None = None, unknown: Collection[str] = ()
    ) -> Iterator[Share]:
        """Yield the classes of the numbers that `call` may dial; its own number is not looked at.

        `unknown` are variables of the caller's of which nobody says what they hold. The classes
        are disjoint, and together all numbers (`NUMBERS`) or those of a set. Raises
        TooLargeError where they are too many.
        """
        pending: list[tuple[Numbers, int]] = [(self.dialled if within is None else within, 0)]
        count = 0
        while pending:
            numbers, settled = pending.pop()
            count += 1
            if count > MAX_CLASSES:
                raise TooLargeError
            if not isinstance(numbers, int):
                yield from self._explore_few(call, numbers, unknown)
                continue
            found = self.store.shortest(numbers)
            if found is None:
                continue
            share, facts, sources = self._evaluate(
                replace(call, number=found.decode("latin-1")), unknown
            )
            alone = self.store.count(numbers) == 1
            why = {} if alone else dict.fromkeys(share.why)
            left = numbers
            for at in range(settled, 0 if alone else len(facts)):
                try:
                    left, others = self._weighing.split(left, facts[at], sources)
                except (UnclearError, NotRegularError, TooLargeError) as problem:
                    why[str(problem) or "an expression is too large"] = None
                    continue
                # What could not be split is not known of the others either: they are asked again.
                pending += [(item, 0 if why else at + 1) for item in others]
            share.numbers = left
            share.why = tuple(why)
            yield share

    def _explore_few(
        self, call: Call, texts: Iterable[bytes], unknown: Collection[str]
    ) -> Iterator[Share]:
        """Yield the classes of a few numbers, each evaluated on its own."""
        found: list[tuple[Share, list[bytes]]] = []
        for text in texts:
            share, _, _ = self._evaluate(replace(call, number=text.decode("latin-1")), unknown)
            share.why = ()
            alike = next((item for item in found if item[0].is_like(share)), None)
            if alike is None:
                found.append((share, [text]))
            else:
                alike[1].append(text)
        for share, numbers in found:
            share.numbers = self.store.texts(numbers)
            yield share

    def _evaluate(
        self, call: Call, unknown: Collection[str]
    ) -> tuple[Share, list[Fact], list[Source]]:
        witness = Witness(call.number)
        try:
            share = self._follow(call, unknown, witness, witness.number)
        except DyedError as problem:
            share = self._follow(call, unknown, witness, call.number)
            share.why = (str(problem),)
        return share, list(witness.facts), witness.sources

    def _follow(self, call: Call, unknown: Collection[str], witness: Witness, number: str) -> Share:
        """Follow every way of a call, with its number dyed or as it is. Raises DyedError."""
        world = WatchedWorld(self.world, self._tables, witness)
        pending: list[tuple[int, ...]] = [()]
        found: list[Answered] = []
        extension: Element | None = None
        followed = 0
        while pending and followed < MAX_WAYS:
            answers = Answers(pending.pop(0))
            leg = make_leg(world, call)
            leg.profile = leg.profile.with_fields(destination_number=Value(number))
            for name in unknown:
                leg.set(name, Value(f"${{{name}}}", (f"${{{name}}} depends on who calls",)))
            state = WatchedState(witness, self._tables, world, self.clock, Phones(), answers, leg)
            state.functions = call_watched
            last = follow(state)
            found += [*state.answered, (last, tuple(answers.asked))]
            extension = extension or state.taker
            followed += 1
            pending += list_others(answers)
        ways: dict[tuple[object, ...], Answered] = {}
        for end, asked in sorted(found, key=_unlikely):
            ways.setdefault(identify(end, asked), (end, asked))
        told, plain = (
            tuple(_tell_way(*way, tell) for way in ways.values())
            for tell in (witness.tell, witness.plain)
        )
        return Share(NOTHING, call.number, told, extension, not pending, plain=plain)


def _unlikely(way: Answered) -> tuple[int, tuple[tuple[int, int], ...]]:
    """Return what the likeliest way is the first by: how many answers are not the first ones."""
    unlikely = tuple((at, chosen) for at, (_, chosen) in enumerate(way[1]) if chosen)
    return len(unlikely), unlikely


def _tell_way(end: End, asked: Sequence[tuple[Question, int]], tell: Callable[[str], str]) -> Fare:
    return Fare(_tell(end, tell), tuple(tell(item.answers[chosen]) for item, chosen in asked))


def _tell(end: End, tell: Callable[[str], str]) -> End:
    goals = tuple(
        replace(goal, name=tell(goal.name), number=tell(goal.number)) for goal in end.goals
    )
    return replace(end, after=None, told=tell(end.told), cause=tell(end.cause), goals=goals)
