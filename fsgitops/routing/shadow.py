"""Which hand-written extensions take a number before the extensions of fsgitops see it.

Nothing is guessed from names: each extension that stands before ours in the same context is
evaluated for each number, as mod_dialplan_xml would (hunt.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from fsgitops.routing.fate import Aim, Fate, is_constant, judge_ways
from fsgitops.routing.hunt import Extension, TooManyWaysError, list_ways, read_extension
from fsgitops.routing.numbers import Numbers
from fsgitops.routing.ours import MARK

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from fsgitops.routing.hunt import Way
    from fsgitops.routing.tree import Element


class Wanted(NamedTuple):
    """A declared number: the forms that it is dialled in, and the user that it rings.

    `run` is the run of files of ours that its route stands in (ours.py).
    """

    name: str
    forms: tuple[str, ...]
    user: str
    run: int


class Taker(NamedTuple):
    """An extension that takes a number before ours; `form` is set where not every form is taken."""

    name: str
    extension: Extension
    certain: bool
    form: str = ""


class Guard(NamedTuple):
    """An extension that takes any number whatever, but only in some calls."""

    extension: Extension


def find_takers(
    context: Element, wanted: Sequence[Wanted], users_context: str
) -> tuple[list[Taker], list[Guard]]:
    """Return what takes each number before its own extension is asked.

    One that rings the user all the same takes nothing: Local_Extension of the stock dialplan
    serves 1000 to 1019 well. `users_context` is where a transfer to the user's number rings it.
    """
    search = _Search(context.attributes.get("name", ""), wanted, users_context)
    run = -1
    for child in context.children:
        if child.name == MARK:
            run = int(child.attributes["run"])
        elif child.name == "extension":
            search.ask(read_extension(child), run)
    return list(search.takers()), search.guards


class _Search:
    def __init__(self, context: str, wanted: Sequence[Wanted], users_context: str) -> None:
        self.context = context
        self.wanted = wanted
        self.users_context = users_context
        self.flat = [(index, form) for index, item in enumerate(wanted) for form in item.forms]
        self.numbers = Numbers([form for _, form in self.flat])
        self.settled: dict[int, Extension | None] = {}
        """Numbers that an extension takes for certain; None: it rings the user."""
        self.uncertain: dict[int, Extension] = {}
        self.guards: list[Guard] = []

    def ask(self, extension: Extension, run: int) -> None:
        """Let one extension take its numbers: those whose files are read behind run `run`."""
        tests = extension.tests
        matched = [self.numbers.matching(test) for test in tests]
        unknown = [self.numbers.unknown(test) for test in tests]
        known: dict[tuple[bool | None, ...], frozenset[Way] | None] = {}

        def ways_for(truth: tuple[bool | None, ...]) -> frozenset[Way] | None:
            if truth not in known:
                known[truth] = self._list_ways(extension, truth)
            return known[truth]

        nothing = ways_for((False,) * len(tests))
        concerned = self._list_concerned(nothing, [*matched, *unknown])
        guarded = nothing is None or concerned is None
        for index in concerned or set().union(*matched, *unknown):
            if not self._is_open(index, run):
                continue
            truth = tuple(
                None if index in given_up else index in found
                for found, given_up in zip(matched, unknown, strict=True)
            )
            ways = ways_for(truth)
            if self._settle(index, ways, extension) is Fate.UNCERTAIN:
                if ways is nothing:
                    guarded = True
                else:
                    self.uncertain.setdefault(index, extension)
        if guarded and any(self._is_open(index, run) for index in range(len(self.flat))):
            self.guards.append(Guard(extension))

    def _list_concerned(
        self, nothing: frozenset[Way] | None, found: list[frozenset[int]]
    ) -> Iterable[int] | None:
        """Return which numbers to look at; None: none but those found, and any call may be taken.

        `nothing` is what happens where none of the expressions matches.
        """
        if nothing is None:
            return None
        if is_constant(nothing):
            fate = judge_ways(nothing, Aim("", "", ""))
            if fate is Fate.UNCERTAIN:
                return None
            return range(len(self.flat)) if fate is Fate.TAKEN else set().union(*found)
        return range(len(self.flat))

    def _is_open(self, index: int, run: int) -> bool:
        return index not in self.settled and self.wanted[self.flat[index][0]].run > run

    def _settle(self, index: int, ways: frozenset[Way] | None, extension: Extension) -> Fate:
        at, form = self.flat[index]
        if ways is None:
            return Fate.UNCERTAIN
        fate = judge_ways(ways, Aim(form, self.wanted[at].user, self.users_context))
        if fate in (Fate.TAKEN, Fate.RINGS):
            self.settled[index] = extension if fate is Fate.TAKEN else None
        return fate

    def _list_ways(
        self, extension: Extension, truth: tuple[bool | None, ...]
    ) -> frozenset[Way] | None:
        try:
            tests = dict(zip(extension.tests, truth, strict=True))
            return list_ways(extension, tests, self.context)
        except TooManyWaysError:
            return None

    def takers(self) -> Iterator[Taker]:
        """Yield what takes each number, one for each number at most."""
        forms: list[list[int]] = [[] for _ in self.wanted]
        for index, (at, _) in enumerate(self.flat):
            forms[at].append(index)
        for item, indexes in zip(self.wanted, forms, strict=True):
            taken = [index for index in indexes if self.settled.get(index)]
            doubted = [index for index in indexes if index in self.uncertain]
            if not taken and not doubted:
                continue
            first = (taken or doubted)[0]
            extension = self.settled.get(first) or self.uncertain[first]
            whole = len(indexes) == len(taken or doubted)
            form = "" if whole else self.flat[first][1]
            yield Taker(item.name, extension, bool(taken) and whole, form)
