"""What an evaluation carries along: the world, the leg, what was assumed, and what happened."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from fsgitops.model.trace import End, Fate, Step, What
from fsgitops.routing.call.expand import Expander, TooLongError, Value
from fsgitops.routing.call.match import perform
from fsgitops.routing.call.words import from_raw

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from fsgitops.model.trace import Goal, Tested
    from fsgitops.routing.call.clock import Clock
    from fsgitops.routing.call.extensions import Contents
    from fsgitops.routing.call.leg import Leg
    from fsgitops.routing.call.match import Match
    from fsgitops.routing.call.world import Phones, World
    from fsgitops.routing.tree import Element

MAX_STEPS: Final = 400_000
MAX_EXECUTED: Final = 5_000
"""Steps of one way, and applications; a call that takes more is told as one that goes round."""
BESIDE: Final = "beside "
"""What questions begin with whether something happens besides: 0, it does not, or 1."""
OVER: Final = ", and the dialplan goes on behind that"
CAPTURED: Final = "${?}"
"""What stands for a capture of a text that is not known."""


class CallEndedError(Exception):
    """The call ends here."""

    def __init__(self, end: End) -> None:
        super().__init__(end.told)
        self.end = end


class CallMovedError(Exception):
    """The call was transferred: what was to follow is not executed."""


class Took(NamedTuple):
    """An extension that had something for a call, the context and number that it was asked for.

    `line` is that of the merged text; `goes_on` tells that the search went on behind it, `acts`
    that something of it was executed before the call ended, and `nested` that the call was to come
    back (`execute_extension`).
    """

    context: str
    number: str
    extension: str
    line: int
    goes_on: bool
    acts: bool = False
    nested: bool = False


class Question(NamedTuple):
    """Something that only the call can tell: the answers, the likeliest first."""

    subject: str
    answers: tuple[str, ...]


@dataclass(slots=True)
class Answers:
    """The answers that one way takes: those given, then the first of each further question."""

    given: tuple[int, ...]
    asked: list[tuple[Question, int]] = field(default_factory=list)
    known: dict[Question, int] = field(default_factory=dict)
    decide: Callable[[Question, Collection[Question]], int | None] | None = None
    """What answers a question once and for all, knowing those before, so that no other way is
    followed."""
    passed: dict[tuple[Any, ...], tuple[Any, int, list[Step]]] = field(default_factory=dict)
    """What all ways of the call have in common: extensions that pass it on."""

    def choose(self, question: Question) -> tuple[int, bool]:
        """Return an answer's index, and whether it was asked for the first time."""
        if question in self.known:
            return self.known[question], False
        decided = self.decide(question, self.known) if self.decide else None
        if decided is not None:
            self.known[question] = decided
            return decided, True
        at = len(self.asked)
        chosen = self.given[at] if at < len(self.given) else 0
        self.asked.append((question, chosen))
        self.known[question] = chosen
        return chosen, True

    def decline(self, question: Question) -> tuple[tuple[Question, int], ...] | None:
        """Take the second answer of a fresh question, and return what the way of the first asks.

        None: the question is known, or this way has an answer given; `choose` tells which.
        """
        if question in self.known or len(self.asked) < len(self.given):
            return None
        first = (*self.asked, (question, 0))
        self.known[question] = 1
        self.asked.append((question, 1))
        return first


class State:
    """One call while it is evaluated on one way."""

    depth = 0
    """0 on the call's own leg, more on those that loopback/ makes."""
    stack = 0
    """How many execute_extension are under way."""
    hooked = 0
    """How many executions that variables ask for are under way within each other."""
    counted = 0
    executed = 0
    heard = ""
    """The last announcement that the caller hears."""
    thorough = False
    """Whether somebody asks for all that can happen, not for what is likely: numbers/watched.py."""
    left = 0
    """Actions that are queued behind the one that is executed."""
    elapsed: float = 0
    """Seconds since the call came in; `inf`: nobody knows."""
    functions: Callable[[State, str, Value], Value | None] | None = None

    def __init__(
        self,
        world: World,
        clock: Clock,
        phones: Phones,
        answers: Answers,
        leg: Leg,
        *,
        keeps: bool = True,
        passes: bool = True,
        brief: bool = False,
    ) -> None:
        self.world = world
        self.clock = clock
        self.phones = phones
        self.answers = answers
        self.leg = leg
        self.keeps = keeps
        """Whether somebody asks for the steps; else they are only counted."""
        self.passes = keeps and passes
        """Whether somebody asks for the extensions that pass the call on, and why, as well."""
        self.brief = brief
        """Whether it is enough to say how many pass it on at a glance."""
        self.steps: list[Step] = []
        self.took: list[tuple[Took, Element]] = []
        """What took the call, where no steps are kept."""
        self.acted: set[Element | None] = set()
        """The extensions whose actions were executed."""
        self.rang: list[Goal] = []
        """Whom the call was offered to, and did not get to."""
        self.fired: set[tuple[str, str]] = set()
        """Variables that FreeSWITCH was to execute, and has, with what they held."""
        self.tested: list[Tested] = []
        self.memory: dict[str, str | None] = {}
        """What this call put into mod_hash and mod_db; None: took out."""
        self._expander = Expander(self._variable, self._function)

    def _variable(self, name: str, index: int) -> Value | None:
        if name == CAPTURED[2:-1]:
            return Value(CAPTURED, ("it was captured from a text that is not known",))
        return self.leg.get(name, index)

    def _function(self, name: str, argument: Value) -> Value | None:
        assert self.functions is not None
        return self.functions(self, name, argument)

    def expand(self, text: str) -> Value:
        """Return the expanded text. Raises CallEndedError where it grows without end."""
        if "$" not in text and "\\" not in text:
            return Value(text)
        try:
            return self._expander.expand(text)
        except TooLongError:
            told = "a text grows without end: its variables hold each other"
            raise CallEndedError(End(Fate.UNKNOWN, told)) from None

    def text(self, name: str) -> str:
        """Return what a variable of the leg holds, known or not; "" where it is not set."""
        found = self.leg.get(name)
        return found.text if found else ""

    def choose(
        self,
        subject: str,
        answers: Sequence[str],
        shorts: Sequence[str] = (),
        goals: tuple[Goal, ...] = (),
    ) -> int:
        """Return the index of the answer that this way takes, and tell it the first time.

        `shorts` are the answers in few words, `goals` what the call has got to.
        """
        question = Question(subject, tuple(answers))
        chosen, new = self.answers.choose(question)
        if new and self.keeps:
            short = (shorts or answers)[chosen]
            step = Step(
                What.ASSUMES, text=answers[chosen], goals=goals, leg=self.depth, short=short
            )
            self.add(step)
        return chosen

    def offer(
        self, end: End, subject: str, answers: Sequence[str], shorts: Sequence[str] = ()
    ) -> None:
        """End the call where this way takes the first answer. Raises CallEndedError."""
        if self.choose(subject, answers, shorts, end.goals) == 0:
            raise CallEndedError(end)
        self.rang += end.goals

    def is_over(self, told: str) -> bool:
        """Tell whether this way is that of a call which goes on when what served it is over."""
        return self.thorough and self.happens(f"{told}{OVER}")

    def happens(self, told: str) -> bool:
        """Tell whether this way is the one on which something happens that nobody has to do."""
        return self.choose(f"{BESIDE}{told}", ("", told)) == 1

    def command(self, name: str, argument: Value) -> None:
        """Hear that FreeSWITCH executes a command of which only the switch knows the answer."""
        told = f"{name} {argument.text}".strip()
        self.note(f"FreeSWITCH executes the command {told}: what that leads to is not followed")

    def notice(self, name: str, data: Value) -> None:
        """Hear that an application is executed which may lead elsewhere, now or later."""

    def note_end(self, end: End) -> None:
        """Hear where something ends that the call has set off besides."""

    def notice_legs(self, given: Sequence[str]) -> None:
        """Hear with which variables legs are made, as they stand in brackets."""

    def list_took(self) -> tuple[Took, ...]:
        """Return what took the call, and what of that was executed."""
        return tuple(took._replace(acts=by in self.acted) for took, by in self.took)

    def search(self, field: str, expression: str) -> Match | None:
        """Hold a raw text against an expression. Raises TooManyStepsError."""
        return perform(field, expression)

    def find_next(self, contents: Contents, at: int) -> int:
        """Return the first extension from one on that does not pass the call on for certain."""
        return contents.find_next(at, self.leg)

    def note_taken(self, extension: Element, *, ends: bool) -> None:
        """Hear that an extension did something, and whether it ends the search."""
        current, name = self.leg.current, extension.attributes.get("name", "(no name)")
        context, number = from_raw(current.context), from_raw(current.number)
        took = Took(context, number, name, extension.line, goes_on=not ends, nested=self.stack > 0)
        self.took.append((took, extension))

    def note(self, text: str, short: str = "", *goals: Goal) -> None:
        """Tell something."""
        if not self.keeps:
            return
        told = from_raw(text)
        self.add(Step(What.NOTES, text=told, goals=goals, leg=self.depth, short=short))

    def add(self, step: Step) -> None:
        """Add a step. Raises CallEndedError after too many."""
        self.extend([step])

    def extend(self, steps: list[Step]) -> None:
        """Add steps. Raises CallEndedError after too many."""
        self.steps += steps
        self.count(len(steps))

    def count(self, steps: int, executed: int = 0) -> None:
        """Count steps, and applications among them. Raises CallEndedError after too many."""
        self.counted += steps
        self.executed += executed
        if self.counted > MAX_STEPS or self.executed > MAX_EXECUTED:
            told = f"it is still not at its end after {self.executed:,} applications"
            raise CallEndedError(End(Fate.LOOP, told))


def end_unknown(why: Sequence[str], what: str) -> CallEndedError:
    """Return the end of a call of which nobody can say more."""
    reasons = "; ".join(dict.fromkeys(why))
    return CallEndedError(End(Fate.UNKNOWN, from_raw(f"{what}: {reasons}")))
