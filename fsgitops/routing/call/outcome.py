"""Where calls end, of many calls over one world.

The ways are those that `evaluate` finds, without their steps. What a call does once it is
transferred depends, nearly always, on everything but the number that was dialled first: of ten
thousand numbers that lead to one agent, what the agent's phone does is evaluated once. So a
transferred call is known by its state without what holds that number, and who reads that is noted:
then it is shared with no other call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from fsgitops.model.trace import Fate
from fsgitops.routing.call.applications import route
from fsgitops.routing.call.condition import TIME
from fsgitops.routing.call.evaluate import follow_ways, identify, list_others, make_leg
from fsgitops.routing.call.functions import call_function
from fsgitops.routing.call.state import (
    Answers,
    CallEndedError,
    CallMovedError,
    Question,
    State,
    Took,
)
from fsgitops.routing.call.words import to_raw
from fsgitops.routing.call.world import Phones
from fsgitops.routing.tree import fold

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from fsgitops.model.trace import End, Goal
    from fsgitops.routing.call.clock import Clock
    from fsgitops.routing.call.evaluate import Call
    from fsgitops.routing.call.leg import Leg
    from fsgitops.routing.call.world import World

MAX_WAYS: Final = 256
"""Ways of one call that are followed; of one that has more, the first 32."""
SHORTEST: Final = 3
"""Digits from which on a number is told from others within texts."""
_ROUTED: Final = frozenset(("destination_number", "context", "dialplan"))
"""Fields that a transfer sets: the call is known by them in any case."""


class Ending(NamedTuple):
    """Where one way of a call ends, what it takes for granted, and what came before.

    `took` are the extensions that had something for it, `rang` who was called and did not answer.
    """

    end: End
    assumed: tuple[str, ...]
    took: tuple[Took, ...] = ()
    rang: tuple[Goal, ...] = ()


class Outcome(NamedTuple):
    """The ways that a call may take, the likeliest first, and whether they are all.

    `noted` is what the evaluation asked the world for: each `("number", …)` that an extension was
    hunted for, each `("user", …)` and `("group", …)`, and `("time", "")`.
    """

    ways: tuple[Ending, ...]
    complete: bool
    noted: frozenset[tuple[str, str]]

    def comes_to(self, context: str) -> bool | None:
        """Tell whether an extension of a context takes the call; None: nobody can say."""
        wanted = fold(context)
        if any(fold(one.context) == wanted for way in self.ways for one in way.took):
            return True
        known = self.complete and all(way.end.fate is not Fate.UNKNOWN for way in self.ways)
        return False if known else None


class Course(NamedTuple):
    """One way of a call while others are looked for: what was asked on it, and answered."""

    asked: tuple[tuple[Question, int], ...]
    end: End
    took: tuple[Took, ...]
    rang: tuple[Goal, ...]

    def order(self) -> tuple[int, tuple[tuple[int, int], ...]]:
        """Return what `evaluate` takes ways in the order of: how unlikely they are."""
        unlikely = tuple((at, chosen) for at, (_, chosen) in enumerate(self.asked) if chosen)
        return len(unlikely), unlikely


class _Rest(NamedTuple):
    """What becomes of a call from a transfer on; no ways: that is not the same for two numbers."""

    ways: tuple[Course, ...] = ()
    noted: frozenset[tuple[str, str]] = frozenset()


class _TooManyError(Exception):
    """The call may take more ways than are followed."""


class ForkedState(State):
    """A state that takes both ways of a bridge: where somebody answers, the call is at its end."""

    answered: list[Course]

    def end_way(self, asked: tuple[tuple[Question, int], ...], end: End) -> Course:
        """Return the way that ends here."""
        return Course(asked, end, self.list_took(), tuple(self.rang))

    def offer(
        self, end: End, subject: str, answers: Sequence[str], shorts: Sequence[str] = ()
    ) -> None:
        """End the call where somebody answers, on a way of its own, and go on where nobody does."""
        first = self.answers.decline(Question(subject, tuple(answers)))
        if first is None:
            super().offer(end, subject, answers, shorts)
            return
        self.answered.append(self.end_way(first, end))
        self.rang += end.goals


class Outcomes:
    """The outcomes of calls over one world, at one time, with these phones registered.

    With `ends`, nothing is asked but where calls end: no way takes a time for granted that does not
    decide that.
    """

    def __init__(
        self, world: World, clock: Clock, phones: Phones | None = None, *, ends: bool = False
    ) -> None:
        self._ends = ends
        self._world = world
        self._clock = clock
        self._phones = phones or Phones()
        self._rests: dict[Hashable, _Rest] = {}
        self._digits = ""
        self.work = 0
        """Ways and applications of all calls so far: what following them has cost."""

    def find(self, call: Call) -> Outcome:
        """Return the outcome of a call."""
        world = self._world
        digits = to_raw(call.number).removeprefix("+")
        self._digits = digits if len(digits) >= SHORTEST else ""
        noted = world.noted = set()
        try:
            ways = self._explore({}, lambda: make_leg(world, call))
            ways = drop_time(ways) if self._ends else ways
            return Outcome(arrange(ways), True, frozenset(noted))
        except _TooManyError:
            found, complete = follow_ways(world, call, self._clock, self._phones, keeps=False)
            ways = [
                Course(tuple(one.answers.asked), end, one.list_took(), tuple(one.rang))
                for end, one in found
            ]
            return Outcome(arrange(ways), complete, frozenset(noted))
        finally:
            world.noted = None

    def _explore(
        self, known: dict[Question, int], begin: Callable[[], Leg], before: State | None = None
    ) -> list[Course]:
        """Return every way from a point on. Raises _TooManyError."""
        pending: list[tuple[int, ...]] = [()]
        ways: list[Course] = []
        while pending:
            answers = Answers(pending.pop(), known=dict(known))
            state = ForkedState(
                self._world, self._clock, self._phones, answers, begin(), keeps=False
            )
            state.functions = call_function
            state.answered = ways
            begun = before.executed if before is not None else 0
            if before is not None:
                state.memory, state.heard = dict(before.memory), before.heard
                state.counted, state.executed = before.counted, before.executed
                state.elapsed = before.elapsed
            try:
                route(state)
            except CallEndedError as ended:
                ways.append(state.end_way(tuple(answers.asked), ended.end))
            except CallMovedError:
                asked, took, rang = tuple(answers.asked), state.list_took(), tuple(state.rang)
                ways += [
                    Course(asked + way.asked, way.end, took + way.took, rang + way.rang)
                    for way in self._find_rest(state)
                ]
            self.work += 1 + state.executed - begun
            if len(ways) > MAX_WAYS:
                raise _TooManyError
            pending += list_others(answers)
        return ways

    def _find_rest(self, state: State) -> Sequence[Course]:
        """Return the ways of a call that was just transferred."""
        key, hidden, fields = self._identify(state)
        rest = self._rests.get(key)
        if rest is not None and rest.ways:
            assert self._world.noted is not None
            self._world.noted.update(rest.noted)
            return rest.ways
        leg, outer = state.leg, self._world.noted
        if rest is not None or outer is None:
            return self._explore(state.answers.known, leg.copy, state)
        leg.hidden, leg.hidden_fields = hidden, fields
        before, leg.needed = leg.needed, []
        self._world.noted = set()
        try:
            ways = self._explore(state.answers.known, leg.copy, state)
        finally:
            noted = frozenset(self._world.noted)
            self._world.noted = outer
            outer.update(noted)
            before += leg.needed
        self._rests[key] = _Rest() if leg.needed else _Rest(tuple(ways), noted)
        return ways

    def _identify(self, state: State) -> tuple[Hashable, set[str], frozenset[str]]:
        """Return what a call is known by, and the variables and fields that are left out of it."""
        leg, digits = state.leg, self._digits
        hidden: set[str] = set()
        fields: set[str] = set()
        if digits:
            hidden = {name for name, value in leg.variables.items() if digits in value.text}
            fields = {
                name
                for name, value in leg.profile.fields.items()
                if value is not None and digits in value.text and name not in _ROUTED
            }
        shared = leg.globals_ == self._world.globals
        key = (
            frozenset(item for item in leg.variables.items() if item[0] not in hidden),
            frozenset(item for item in leg.profile.fields.items() if item[0] not in fields),
            frozenset(hidden),
            frozenset(fields),
            tuple((name, tuple(items)) for name, items in leg.lists.items() if name not in hidden),
            None if shared else frozenset(leg.globals_.items()),
            frozenset(state.memory.items()),
            frozenset(state.answers.known.items()),
            state.heard,
            state.elapsed,
            leg.progress,
        )
        return key, hidden, frozenset(fields)


def drop_time(ways: Sequence[Course]) -> list[Course]:
    """Return the ways at one time, without it, if they end alike at all; else all ways."""
    found: dict[tuple[Any, ...], dict[tuple[Any, ...], Course]] = {}
    for way in sorted(ways, key=Course.order):
        time = tuple(item for item in way.asked if item[0].subject.startswith(TIME))
        rest = tuple(item for item in way.asked if item not in time)
        # A bridge is known by what was executed before it: that may be another number of things.
        told = tuple((question.answers, chosen) for question, chosen in rest)
        found.setdefault(time, {})[told] = way._replace(asked=rest)
    first, *others = ({rest: way.end for rest, way in same.items()} for same in found.values())
    return list(next(iter(found.values())).values()) if all(o == first for o in others) else [*ways]


def arrange(ways: Sequence[Course]) -> tuple[Ending, ...]:
    """Return each end once; each key of a menu has its own."""
    found: dict[tuple[Any, ...], Ending] = {}
    for way in sorted(ways, key=Course.order):
        assumed = tuple(question.answers[chosen] for question, chosen in way.asked)
        found.setdefault(identify(way.end, way.asked), Ending(way.end, assumed, way.took, way.rang))
    return tuple(found.values())
