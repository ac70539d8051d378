"""Where calls end, of many numbers that fare alike: what is found of one is told of the others.

A call is evaluated once with its number dyed (witness.py). What the evaluation asked of the number,
and was answered, is a path in a tree. A call that is answered the same takes the same path, and
ends as the first one did, with its own number in place of that. So nothing is taken for granted,
and ten thousand DIDs cost as many questions as one does, and no evaluation more.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeAlias

from fsgitops.model.trace import End, Goal
from fsgitops.routing.call.evaluate import list_others, make_leg
from fsgitops.routing.call.match import TooManyStepsError, perform
from fsgitops.routing.call.outcome import (
    MAX_WAYS,
    Course,
    Ending,
    Outcome,
    Outcomes,
    arrange,
    drop_time,
)
from fsgitops.routing.call.state import Answers, Took
from fsgitops.routing.call.words import DyedError, is_dyed
from fsgitops.routing.numbers.dyed import DyedState, DyedWorld, LazyTables, Own
from fsgitops.routing.numbers.witness import DIALLED, Captured, Listed, Matched, Table, Witness

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence

    from fsgitops.routing.call.clock import Clock
    from fsgitops.routing.call.evaluate import Call
    from fsgitops.routing.call.state import Question
    from fsgitops.routing.call.world import World
    from fsgitops.routing.numbers.witness import Fact, Parts, Source
    from fsgitops.routing.tree import Element

_NUMBER: Final = re.compile(r"\+?[0-9]{1,64}")


class SharedOutcomes(Outcomes):
    """The outcomes of calls over one world, at one time (`Outcomes`), shared where they can be."""

    def __init__(self, world: World, clock: Clock, *, ends: bool = False) -> None:
        super().__init__(world, clock, ends=ends)
        self._tables = LazyTables(world)
        self._roots: Branches = {}

    def find(self, call: Call) -> Outcome:
        """Return the outcome of a call."""
        if call.variables or call.fields or _NUMBER.fullmatch(call.number) is None:
            return super().find(call)
        key = (call.context, call.caller, call.user, call.domain)
        number = _Number(call.number)
        try:
            node = self._roots[key] if key in self._roots else self._learn(call, key)
            while isinstance(node, _Node):
                answer = node.ask(number)
                node = node.ways[answer] if answer in node.ways else self._learn(call, key)
            found = node.fill(number) if node is not None else None
        except TooManyStepsError:
            found = None
        if found is None:
            return super().find(call)
        self.work += 1
        return found

    def _learn(self, call: Call, key: Hashable) -> _Leaf | None:
        """Evaluate a call, and keep what was found; None: it holds of this call alone."""
        witness = Witness(call.number)
        leaf = self._evaluate(call, witness)
        # What is asked first is the same for all, what comes next follows from the answer.
        ways, answer = self._roots, key
        for fact in witness.facts:
            node = ways.setdefault(answer, _Node(fact, witness.sources))
            if not isinstance(node, _Node) or not node.is_asked(fact):
                return None  # it did not follow from that alone: what is known is left as it is
            ways, answer = node.ways, _answer_of(fact)
        return ways.setdefault(answer, leaf)  # type: ignore[return-value]

    def _evaluate(self, call: Call, witness: Witness) -> _Leaf | None:
        owns: list[Own] = []
        world = DyedWorld(self._world, self._tables, witness)
        noted = world.noted = set()
        dyed = replace(call, number=witness.number)
        pending: list[tuple[int, ...]] = [()]
        ways: list[Course] = []
        try:
            while pending:
                answers, leg = Answers(pending.pop()), make_leg(world, dyed)
                state = DyedState(
                    witness, self._tables, owns, world, self._clock, self._phones, answers, leg
                )
                state.answered = ways
                end = state.follow()
                ways.append(state.end_way(tuple(answers.asked), end))
                self.work += 1 + state.executed
                if len(ways) > MAX_WAYS:
                    return None
                pending += list_others(answers)
            found = arrange(drop_time(ways) if self._ends else ways)
            asked = {question for way in ways for question, _ in way.asked}
            return _Leaf(Outcome(found, True, frozenset(noted)), asked, witness, owns)
        except DyedError:
            return None


class _Number:
    """A number, and what the sources of another one's evaluation are for it."""

    __slots__ = ("texts",)

    def __init__(self, number: str) -> None:
        self.texts: dict[int, str] = {DIALLED: number}

    def make(self, parts: tuple[str | int, ...], sources: Sequence[Source]) -> str:
        """Return a text that is made of parts. Raises TooManyStepsError."""
        texts = self.texts
        return "".join([
            part if isinstance(part, str)
            else texts[part] if part in texts
            else self._read(part, sources)
            for part in parts
        ])  # fmt: skip

    def _read(self, part: int, sources: Sequence[Source]) -> str:
        source = sources[part]
        text = self.make(_as_texts(source.parts), sources)
        if source.kin is not None:
            found = source.kin.list_runs(text, source.member)[source.group]
        else:
            match = perform(text, source.expression)
            found = (match.groups[source.group] or "") if match else ""
        self.texts[part] = found
        return found


def _as_texts(parts: Parts) -> tuple[str | int, ...]:
    return tuple([part if isinstance(part, int) else part.decode("latin-1") for part in parts])


class _Node:
    """What an evaluation asks next of a number, and what comes of each answer."""

    __slots__ = ("_asked", "_kind", "_parts", "_sources", "_subject", "ways")

    def __init__(self, fact: Fact, sources: Sequence[Source]) -> None:
        self._asked = _question_of(fact)
        self._kind, self._subject = type(fact), self._asked[1]
        self._parts = _as_texts(fact.parts)
        self._sources = sources
        self.ways: Branches = {}

    def is_asked(self, fact: Fact) -> bool:
        """Tell whether a fact is an answer to this."""
        return _question_of(fact) == self._asked

    def ask(self, number: _Number) -> Hashable:
        """Return what the answer is for a number. Raises TooManyStepsError."""
        text = number.make(self._parts, self._sources)
        subject = self._subject
        if isinstance(subject, Table):
            return subject.find(text)
        match = perform(text, subject)
        if self._kind is Matched:
            return match is not None
        return not (match and match.groups[self._asked[2]])


def _question_of(fact: Fact) -> tuple[Parts, str | Table, int]:
    if isinstance(fact, Listed):
        return fact.parts, fact.table, 0
    return fact.parts, fact.expression, fact.group if isinstance(fact, Captured) else 0


def _answer_of(fact: Fact) -> Hashable:
    if isinstance(fact, Listed):
        return fact.key
    return fact.empty if isinstance(fact, Captured) else fact.held


class _Leaf:
    """The outcome of a call, in which dyed texts stand for those of other numbers."""

    def __init__(
        self, outcome: Outcome, asked: Iterable[Question], witness: Witness, owns: Sequence[Own]
    ) -> None:
        self._outcome = outcome
        self._sources = witness.sources
        self._owns = [(own, _as_texts(own.parts)) for own in owns]
        texts = {
            *_list_texts(outcome),
            *(text for it in asked for text in (it.subject, *it.answers)),
        }
        self._dyed = {text: witness.split(text) for text in texts if is_dyed(text)}
        self._plain = texts - self._dyed.keys()

    def fill(self, number: _Number) -> Outcome | None:
        """Return the outcome for a number; None: texts are the same that were not, for the first.

        Raises TooManyStepsError.
        """
        sources = self._sources
        texts = {text: number.make(parts, sources) for text, parts in self._dyed.items()}
        made = set(texts.values())
        if len(made) < len(texts) or not made.isdisjoint(self._plain):
            return None
        owned = [own.read(number.make(parts, sources)) for own, parts in self._owns]
        outcome = self._outcome
        ways = tuple([_fill_way(way, texts, owned) for way in outcome.ways])
        noted = frozenset([(kind, texts.get(name, name)) for kind, name in outcome.noted])
        return Outcome(ways, outcome.complete, noted)


Branches: TypeAlias = "dict[Hashable, _Node | _Leaf | None]"
"""What comes of each answer; None: a call that is answered so is evaluated alone."""


def _list_texts(outcome: Outcome) -> Iterator[str]:
    yield from (name for _, name in outcome.noted)
    for way in outcome.ways:
        yield from (way.end.told, way.end.cause, *way.assumed)
        for goal in (*way.end.goals, *way.rang):
            yield from (goal.name, goal.number)
        for one in way.took:
            yield from (one.context, one.number)


def _fill_way(way: Ending, texts: Mapping[str, str], owned: Sequence[Element]) -> Ending:
    end = way.end
    told, cause = texts.get(end.told, end.told), texts.get(end.cause, end.cause)
    return Ending(
        End(end.fate, told, cause, _fill_goals(end.goals, texts), end.after),
        tuple([texts.get(text, text) for text in way.assumed]),
        tuple([_fill_took(one, texts, owned) for one in way.took]),
        _fill_goals(way.rang, texts),
    )


def _fill_goals(goals: tuple[Goal, ...], texts: Mapping[str, str]) -> tuple[Goal, ...]:
    return tuple([
        replace(it, name=texts.get(it.name, it.name), number=texts.get(it.number, it.number))
        for it in goals
    ])  # fmt: skip


def _fill_took(took: Took, texts: Mapping[str, str], owned: Sequence[Element]) -> Took:
    context, number, extension, line, *rest = took
    if line < 0:
        own = owned[-line - 1]
        extension, line = own.attributes.get("name", "(no name)"), own.line
    return Took(texts.get(context, context), texts.get(number, number), extension, line, *rest)
