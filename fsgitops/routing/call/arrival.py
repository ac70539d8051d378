"""Whether a call gets to where it is meant to, and which extension takes it instead."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

from fsgitops.model.trace import Fate
from fsgitops.routing.tree import fold

if TYPE_CHECKING:
    from collections.abc import Callable

    from fsgitops.routing.call.outcome import Ending, Outcome
    from fsgitops.routing.call.state import Took

    FileOf = Callable[[Took], str]
    """The file that an extension stands in, below the conf directory; "" where nobody knows."""

_OF_USERS: Final = frozenset(("phone", "mailbox"))
_NO_ROUTE: Final = "NO_ROUTE_DESTINATION"


class Arrival(Enum):
    """Whether a call arrives, whatever only the call can tell."""

    ALWAYS = "arrives"
    SOMETIMES = "may arrive"
    NEVER = "does not arrive"


@dataclass(frozen=True, slots=True)
class Aim:
    """What a call is meant to get to: a user's phone or mailbox, or else an extension of ours.

    `user` is the number of a user, "" where there is none; `path` is the file of the extension, in
    `context`.
    """

    context: str
    user: str
    path: str

    def is_met(self, way: Ending, file_of: FileOf) -> bool:
        """Tell whether a way gets there."""
        if self.user:
            goals = (*way.rang, *(way.end.goals if way.end.fate.arrives else ()))
            wanted = fold(self.user)
            return any(goal.kind in _OF_USERS and fold(goal.name) == wanted for goal in goals)
        lost = way.end.fate is Fate.LOOP or way.end.cause == _NO_ROUTE
        return not lost and self.comes_by(way, file_of)

    def comes_by(self, way: Ending, file_of: FileOf) -> bool:
        """Tell whether the extension took a way, and did something."""
        return any(
            one.acts and fold(one.context) == fold(self.context) and file_of(one) == self.path
            for one in way.took
        )


@dataclass(frozen=True, slots=True)
class Judged:
    """Whether a call arrives, and a way on which it does not."""

    arrival: Arrival
    way: Ending | None = None


ARRIVED: Final = Judged(Arrival.ALWAYS)


def judge_arrival(outcome: Outcome, aim: Aim, file_of: FileOf) -> Judged:
    """Return whether a call gets to its aim on all its ways, on some, or on none.

    A way that came there and ended, as where nobody answers, is not astray. Of what is not known,
    or has more ways than are followed, nothing is certain.
    """
    met = [aim.is_met(way, file_of) for way in outcome.ways]
    others = [way for way, is_met in zip(outcome.ways, met, strict=True) if not is_met]
    astray = [way for way in others if not aim.comes_by(way, file_of)]
    if any(met):
        return Judged(Arrival.SOMETIMES, astray[0]) if astray else ARRIVED
    lost = astray or others
    unknown = [way for way in lost if way.end.fate is Fate.UNKNOWN]
    if unknown or not outcome.complete:
        return Judged(Arrival.SOMETIMES, (unknown or lost)[0])
    return Judged(Arrival.NEVER, lost[0])


def find_taker(way: Ending, is_ours: Callable[[Took], bool]) -> Took | None:
    """Return the hand-written extension that a way ends in, None where nothing took it away.

    The first one that ends the search; or one that goes on, and is the last to do anything.
    """
    ending = [one for one in way.took if not one.goes_on and not is_ours(one)]
    acting = [one for one in way.took if one.acts]
    if ending:
        return ending[0]
    return acting[-1] if acting and not is_ours(acting[-1]) else None
