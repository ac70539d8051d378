"""Every number that can be dialled in a context, in classes whose numbers fare alike.

A number stands for its class: it is evaluated like any call, and all that the evaluation learned of
it (witness.py) tells exactly which other numbers go the same way. What is left is split in the same
manner, until nothing is left.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from fsgitops.model.trace import Fate
from fsgitops.routing.call.evaluate import identify, list_others, make_leg
from fsgitops.routing.call.expand import Value
from fsgitops.routing.call.state import BESIDE, OVER, Answers
from fsgitops.routing.call.words import DyedError
from fsgitops.routing.call.world import Phones
from fsgitops.routing.numbers.automaton import NOTHING, Store, TooLargeError
from fsgitops.routing.numbers.expression import NotRegularError
from fsgitops.routing.numbers.facts import Numbers, UnclearError, Weighing
from fsgitops.routing.numbers.search import Searches
from fsgitops.routing.numbers.watched import (
    Answered,
    Tables,
    ThoroughState,
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

MAX_WAYS: Final = 128
"""Ways of one number that are followed."""
MAX_CLASSES: Final = 200_000
ONE_BY_ONE: Final = 200
"""Numbers of which not all is known that are evaluated one by one."""
NUMBERS: Final = r"^[0-9A-Za-z+*#._]{1,}\z"
"""What can be dialled: nothing that means more to a dial string than the characters themselves."""


@dataclass(frozen=True, slots=True)
class Fare:
    """One way that calls take: where they end, and what is taken for granted.

    `besides` is what of that nobody has to do.
    """

    end: End
    assumed: tuple[str, ...] = ()
    besides: tuple[str, ...] = ()


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
    tried: int = 0
    """How many others were evaluated, where not all is known: they end as the example does."""
    settled: bool = False
    """Those are all: each ends so, though it cannot be said of all at once how."""
    plain: tuple[Fare, ...] = field(default=(), compare=False)
    """The ways of `example` as they are."""

    @property
    def sort(self) -> tuple[object, ...]:
        """Return what becomes of the example, without the names of whom it gets to."""
        ends = ((way.end.fate, tuple(goal.kind for goal in way.end.goals)) for way in self.plain)
        return self.extension, self.complete, *ends

    def is_like(self, other: Share) -> bool:
        """Tell whether other numbers fare in the same way."""
        return (
            self.ways == other.ways
            and self.extension is other.extension
            and self.complete is other.complete
            and self.why == other.why
        )


class Explorer:
    """Splits the numbers of contexts of one world.

    Without `besides`, nobody asks for what calls can set off besides where the dialplan leads them,
    and the numbers of which not all can be told are not tried out.
    """

    def __init__(
        self,
        world: World,
        clock: Clock,
        searches: Searches | None = None,
        *,
        besides: bool = True,
    ) -> None:
        self._state = ThoroughState if besides else WatchedState
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
                yield from _gather(self.store, self._evaluate_each(call, numbers, unknown))
                continue
            found = self.store.shortest(numbers)
            if found is None:
                continue
            share, facts, sources = self._evaluate(
                replace(call, number=found.decode("latin-1")), unknown
            )
            alone = self.store.count(numbers) == 1
            share.numbers, share.why = numbers, () if alone else share.why
            if not alone:
                pending += self._split(share, facts[settled:], sources, settled)
            if share.why and self._state is ThoroughState:
                samples = self._weighing.sample(share.numbers, facts, sources)
                yield from self._try_out(call, share, samples, unknown)
            else:
                yield share

    def _split(
        self, share: Share, facts: Sequence[Fact], sources: Sequence[Source], settled: int
    ) -> Iterator[tuple[Numbers, int]]:
        """Leave those numbers in a class of which facts are true; yield the others.

        With them comes the place of the first fact that is to be asked of them.
        """
        why = dict.fromkeys(share.why)
        left = share.numbers
        for at, fact in enumerate(facts, settled):
            again = at + 1
            try:
                left, others = self._weighing.split(left, fact, sources)
            except (NotRegularError, TooLargeError) as problem:
                why[str(problem) or "an expression is too large"] = None
                continue
            except UnclearError as problem:
                left = left if problem.left is None else problem.left
                others, again = [*problem.others], at
                why |= dict.fromkeys(filter(None, (str(problem),)))
            # What could not be split is not known of the others either: they are asked again.
            yield from ((item, 0 if why else again) for item in others)
        share.numbers, share.why = left, tuple(why)

    def _try_out(
        self, call: Call, share: Share, samples: Iterable[bytes], unknown: Collection[str]
    ) -> Iterator[Share]:
        """Yield a class of which not all is known, and those of its numbers that fare otherwise.

        Few numbers are evaluated one by one, of many samples.
        """
        store = self.store
        count = store.count(share.numbers)
        every = count is not None and count <= ONE_BY_ONE
        tried = self._evaluate_each(call, store.walk(share.numbers) if every else samples, unknown)
        alike = [item for item in tried if item.sort == share.sort]
        yield from _gather(store, (item for item in tried if item.sort != share.sort))
        if every and all(item.ways == share.ways for item in alike):
            yield from _gather(store, alike)
            return
        for item in tried:
            if item.sort != share.sort:
                share.numbers = store.without(share.numbers, item.numbers)
        share.tried = sum(item.example != share.example for item in alike)
        share.settled = every
        yield share

    def _evaluate_each(
        self, call: Call, texts: Iterable[bytes], unknown: Collection[str]
    ) -> list[Share]:
        """Return a class for each number, which is evaluated on its own."""
        found = []
        for text in texts:
            share, _, _ = self._evaluate(replace(call, number=text.decode("latin-1")), unknown)
            share.numbers, share.why = self.store.texts([text]), ()
            found.append(share)
        return found

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
            state = self._state(witness, self._tables, world, self.clock, Phones(), answers, leg)
            state.functions = call_watched
            last = state.follow()
            found += [*state.answered, (last, tuple(answers.asked))]
            extension = extension or state.taker
            followed += 1
            pending += list_others(answers)
        ways: dict[tuple[object, ...], Answered] = {}
        for end, asked in sorted(found, key=_unlikely):
            if not _leads_nowhere(end, asked):
                ways.setdefault(identify(end, asked), (end, asked))
        told, plain = (
            tuple(_tell_way(*way, tell) for way in ways.values())
            for tell in (witness.tell, witness.plain)
        )
        return Share(NOTHING, call.number, told, extension, not pending, plain=plain)


def _gather(store: Store, alone: Iterable[Share]) -> list[Share]:
    """Return classes of numbers each of which was evaluated on its own."""
    found: list[Share] = []
    for share in alone:
        alike = next((item for item in found if item.is_like(share)), None)
        if alike is None:
            found.append(share)
        else:
            alike.numbers = store.either(alike.numbers, share.numbers)
    return found


def _unlikely(way: Answered) -> tuple[int, tuple[tuple[int, int], ...]]:
    """Return what the likeliest way is the first by: how many answers are not the first ones."""
    unlikely = tuple((at, chosen) for at, (_, chosen) in enumerate(way[1]) if chosen)
    return len(unlikely), unlikely


def _leads_nowhere(end: End, asked: Sequence[tuple[Question, int]]) -> bool:
    """Tell whether what happens besides on a way gets nobody anywhere."""
    besides = any(chosen and item.subject.startswith(BESIDE) for item, chosen in asked)
    return besides and not end.fate.arrives and end.fate is not Fate.UNKNOWN


def _tell_way(end: End, asked: Sequence[tuple[Question, int]], tell: Callable[[str], str]) -> Fare:
    assumed: list[str] = []
    besides = [item.answers[it] for item, it in asked if it and item.subject.startswith(BESIDE)]
    for item, chosen in asked:
        told = item.answers[chosen]
        if told.endswith(OVER) and assumed and assumed[-1].startswith(told.removesuffix(OVER)):
            assumed.pop()  # that nobody answers: who did has hung up
        assumed += [told] if told else []
    return Fare(
        _tell(end, tell), tuple(map(tell, assumed)), tuple(map(tell, filter(None, besides)))
    )


def _tell(end: End, tell: Callable[[str], str]) -> End:
    goals = tuple(
        replace(goal, name=tell(goal.name), number=tell(goal.number)) for goal in end.goals
    )
    return replace(end, after=None, told=tell(end.told), cause=tell(end.cause), goals=goals)
