"""Evaluate a call: each way that it may take, by answering what is unknown in turn.

The evaluation is repeated from the start with each further answer, so that no state is ever shared
between ways. It is bounded: ways, steps, transfers, legs and the size of texts.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from fsgitops.model.trace import Way
from fsgitops.routing.call.applications import follow
from fsgitops.routing.call.expand import Value
from fsgitops.routing.call.functions import call_function
from fsgitops.routing.call.leg import Leg, Profile
from fsgitops.routing.call.menu import KEYS_OF
from fsgitops.routing.call.settings import list_variables
from fsgitops.routing.call.state import Answers, State
from fsgitops.routing.call.timing import known_seconds
from fsgitops.routing.call.words import to_raw
from fsgitops.routing.call.world import Phones

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from fsgitops.model.trace import End
    from fsgitops.routing.call.clock import Clock
    from fsgitops.routing.call.state import Question
    from fsgitops.routing.call.world import World
    from fsgitops.routing.directory import LocatedUser

MAX_WAYS: Final = 32
"""Ways of one call that are followed."""
PLAIN: Final = ("sip_looped_call", "rtp_has_crypto")
"""Variables that a plain call does not have: the switch did not send it to itself, and its media
are not encrypted."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call as it comes in: a number, dialled in a context, by whom is known.

    `caller` is the caller's number, None where nobody knows it; `user` the one who calls, and
    `domain` its domain. `variables` are those that the channel has when it comes in.
    """

    number: str
    context: str
    caller: str | None = None
    user: LocatedUser | None = None
    domain: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)


def evaluate(
    world: World,
    call: Call,
    clock: Clock,
    phones: Phones | None = None,
    decide: Callable[[Question, Collection[Question]], int | None] | None = None,
    *,
    brief: bool = False,
) -> tuple[tuple[Way, ...], bool]:
    """Return the ways that a call may take, the likeliest first, and whether they are all.

    Of ways that end alike, the first stands for the others; but each key of a menu has its own.
    `decide` answers a question, knowing those before, by the index of the answer, so that no other
    way is followed; None: it does not. With `brief`, extensions that pass the call on at a glance
    are only counted.
    """
    ways, complete = follow_ways(world, call, clock, phones or Phones(), decide, brief=brief)
    return tuple(Way(end, tuple(state.steps)) for end, state in ways), complete


def follow_ways(
    world: World,
    call: Call,
    clock: Clock,
    phones: Phones,
    decide: Callable[[Question, Collection[Question]], int | None] | None = None,
    *,
    keeps: bool = True,
    passes: bool = True,
    brief: bool = False,
    every: bool = False,
) -> tuple[list[tuple[End, State]], bool]:
    """Return where each way ends, and its state then.

    `keeps` tells whether steps are kept, `passes` those of extensions that pass the call on, and
    `brief` only how many these are.
    With `every`, ways that end alike are ways of their own.
    """
    keep = partial(State, keeps=keeps, passes=passes, brief=brief)
    pending: list[tuple[int, ...]] = [()]
    ways: list[tuple[End, State]] = []
    followed = 0
    ended: set[tuple[object, ...]] = set()
    passed: dict[tuple[Any, ...], Any] = {}
    while pending and followed < MAX_WAYS:
        given = pending.pop(0)
        answers = Answers(given, passed=passed, decide=decide)
        state = keep(world, clock, phones, answers, make_leg(world, call))
        state.functions = call_function
        end = replace(follow(state), after=known_seconds(state.elapsed))
        keys = identify(end, answers.asked)
        if every or keys not in ended:
            ended.add(keys)
            ways.append((end, state))
        followed += 1
        pending += list_others(answers)
    return ways, not pending


def list_others(answers: Answers) -> Iterator[tuple[int, ...]]:
    """Yield what to answer on each way that leaves this one at a question it was first asked."""
    chosen = [answer for _, answer in answers.asked]
    for at in range(len(answers.given), len(chosen)):
        question, _ = answers.asked[at]
        for other in range(1, len(question.answers)):
            if other != chosen[at]:
                yield (*chosen[:at], other)


def identify(end: End, asked: Iterable[tuple[Question, int]]) -> tuple[object, ...]:
    """Return what tells one way of a call from the others."""
    return (end, *(item for item in asked if item[0].subject.startswith(KEYS_OF)))


def make_leg(world: World, call: Call) -> Leg:
    """Return the leg of a call as it comes in."""

    def unknown(name: str) -> Value:
        return Value(f"${{{name}}}", (f"nobody says what ${{{name}}} is",))

    caller = unknown("caller_id_number") if call.caller is None else Value(to_raw(call.caller))
    fields: dict[str, Value | None] = {
        "dialplan": Value("XML"),
        "context": Value(to_raw(call.context)),
        "destination_number": Value(to_raw(call.number)),
        "caller_id_number": caller,
        "caller_id_name": unknown("caller_id_name"),
        "orig_caller_id_name": unknown("caller_id_name"),
        "orig_caller_id_number": caller,
        "ani": caller,
        "network_addr": unknown("network_addr"),
        "uuid": unknown("uuid"),
        "chan_name": unknown("chan_name"),
        "username": unknown("username"),
        "source": Value("mod_sofia"),
        "profile_index": Value("1"),
        **dict.fromkeys(("aniii", "rdnis", "callee_id_name", "callee_id_number", *PLAIN)),
        **{name: Value(to_raw(value)) for name, value in call.fields.items()},
    }
    leg = Leg(Profile(fields), dict(world.globals))
    if call.user is not None:
        number = to_raw(call.user.attribute("id"))
        for name, value in list_variables(call.user).items():
            leg.set(to_raw(name), Value(to_raw(value)))
        leg.set("user_name", Value(number))
        leg.set("domain_name", Value(to_raw(call.domain)))
        fields["username"] = Value(number)
    for name, value in call.variables.items():
        leg.set(to_raw(name), Value(to_raw(value)))
    return leg
