"""When the legs of a dial string are called, and when the switch gives up.

Source: `switch_ivr_originate` of `src/switch_ivr_originate.c` (FreeSWITCH 1.11). It counts whole
seconds, so a phone may ring up to one longer or shorter.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

from fsgitops.routing.call.words import to_int

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fsgitops.model.trace import Goal
    from fsgitops.routing.call.expand import Value

LONGEST: Final = 60
"""Seconds: `SWITCH_DEFAULT_TIMEOUT`."""


class Timed(NamedTuple):
    """A leg: after how many `|` it stands, and its variables; None: not known."""

    goal: Goal
    turn: int
    times: Mapping[str, str] | None


class Rung(NamedTuple):
    """Who is called when; where nobody answers, for how long (`inf`: not known), and the cause."""

    goals: tuple[Goal, ...]
    seconds: float
    cause: str


def time_legs(legs: Sequence[Timed], begun: float, timeout: Value | None) -> Rung:
    """Return when the legs are called of a bridge that begins `begun` seconds after the call.

    `timeout` is `call_timeout`: it counts for all turns, and the one that it ends is the last. Of
    those behind it, `turn` is None.
    """
    limit = _limit(legs[0].times, timeout)
    goals: list[Goal] = []
    spent, cause = 0.0, "ALLOTTED_TIMEOUT"
    for turn in sorted({leg.turn for leg in legs}):
        inside = [leg for leg in legs if leg.turn == turn]
        if cause == "NO_ANSWER":
            goals += [replace(leg.goal, turn=None) for leg in inside]
            continue
        delays = [_seconds(leg, "leg_delay_start") for leg in inside]
        goals += [
            replace(leg.goal, turn=turn, after=known_seconds(begun + spent + delay))
            for leg, delay in zip(inside, delays, strict=True)
        ]
        own = [_seconds(leg, "leg_timeout") for leg in inside]
        longest = max(a + b if b else limit for a, b in zip(delays, own, strict=True))
        spent += min(longest, limit)
        cause = "NO_ANSWER" if longest >= limit else cause
    return Rung(tuple(dict.fromkeys(goals)), spent, cause)


def _seconds(leg: Timed, name: str) -> float:
    given = None if leg.times is None else leg.times.get(name, "0")
    return math.inf if given is None or "$" in given else max(0, to_int(given))


def _limit(given: Mapping[str, str] | None, timeout: Value | None) -> float:
    if given is None or (timeout is not None and timeout.why):
        return math.inf
    text = given.get("originate_timeout") or (timeout.text if timeout else "")
    return math.inf if "$" in text else to_int(text) if to_int(text) > 0 else LONGEST


def known_seconds(seconds: float) -> float | None:
    """Return seconds as they are told: None where nobody knows."""
    return None if seconds == math.inf else seconds
