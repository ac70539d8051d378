"""Hold what is expected of a call against a way that it takes, where nobody answers.

A way is a row of stations: whom each bridge calls, and in the end what becomes of the caller. What
is expected first is held against the first station, what follows against the next ones.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from fsgitops.model.trace import Fate, What
from fsgitops.routing.call.extension import GOES_ON
from fsgitops.routing.call.known import HEARD
from fsgitops.routing.call.menu import PRESSES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fsgitops.expectation.noun import Expectation, Outcome
    from fsgitops.model.trace import End, Goal, Step, Way

_FATES: Final = {
    Fate.NOWHERE: "it ends nowhere: ", Fate.LOOP: "it goes round in a loop: ",
    Fate.UNKNOWN: "nobody can say: ", Fate.HANGS_UP: "it is hung up: ",
}  # fmt: skip
_HUNG_UP: Final = (Fate.HANGS_UP, Fate.NOWHERE)

Enter: TypeAlias = "Callable[[str], frozenset[tuple[str, str]]]"


@dataclass(slots=True)
class Station:
    """Whom the call gets to next, and what it comes by on the way there.

    `end` is given for the last one. `entered` has the numbers and contexts of the dialplan, and
    `heard` the files that the caller hears.
    """

    goals: tuple[Goal, ...] = ()
    end: End | None = None
    entered: list[tuple[str, str]] = field(default_factory=list)
    menus: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    """What the caller pressed, as MENU/KEY."""
    heard: list[str] = field(default_factory=list)
    taker: Step | None = None
    assumed: tuple[str, ...] = ()

    def tell(self) -> str:
        """Return what becomes of the call there."""
        if self.end is not None:
            before = _FATES.get(self.end.fate, "")
            cause = self.end.cause if self.end.cause not in self.end.told else ""
            return f"{before}{self.end.told}{f' ({cause})' if cause else ''}"
        rung = [goal.name for goal in self.goals if goal.kind == "phone"]
        dialled = [_name(goal) for goal in self.goals if goal.kind != "phone"]
        words = [f"rings {', '.join(rung)}"] if rung else []
        words += [f"dials {', '.join(dialled)}"] if dialled else []
        return " and ".join(words)


class Miss(NamedTuple):
    """What was expected, and what happens there."""

    expected: str
    found: str
    station: Station


def list_stations(way: Way) -> Iterator[Station]:
    """Yield the stations of a way on which nobody answers."""
    station = Station()
    takers: dict[tuple[str, str], Step] = {}
    taker: Step | None = None
    assumed: list[str] = []
    for step in way.steps:
        where = (step.number, step.context)
        if step.what is What.ENTERS:
            station.entered.append(where)
        elif step.what is What.TAKES and step.text != GOES_ON:
            takers[where] = step
        elif step.what is What.EXECUTES:
            taker = takers.get(where, taker)
            station.heard += [step.data] if step.application in HEARD else []
        elif step.what is What.ASSUMES and not step.goals:
            assumed.append(step.text)
        elif step.what is What.ASSUMES and step.goals[0].kind == "menu":
            menu = step.goals[0].name
            station.menus.append(menu)
            station.keys.append(f"{menu}/{step.short.removeprefix(PRESSES)}")
        elif step.what is What.ASSUMES:
            for turn in sorted({goal.turn for goal in step.goals if goal.turn is not None}):
                station.goals = tuple(goal for goal in step.goals if goal.turn == turn)
                station.taker, station.assumed = taker, tuple(assumed)
                yield station
                station = Station()
    station.goals, station.end = way.end.goals, way.end
    station.taker, station.assumed = taker, tuple(assumed)
    yield station


def find_miss(test: Expectation, way: Way, enter: Enter) -> Miss | None:
    """Return the first thing that is expected and does not happen on a way; None: all does.

    `enter` returns the numbers, with their context, by which a call comes to KIND/NAME.
    """
    stations = list_stations(way)
    last = None
    expected: tuple[Expectation | Outcome, ...] = (test, *test.then)
    for outcome in expected:
        station = next(stations, None)
        if station is None:
            assert last is not None
            return Miss(tell_outcome(outcome), f"nothing follows: {last.tell()}", last)
        found = _judge(outcome, station, enter)
        if found is not None:
            return Miss(tell_outcome(outcome), found, station)
        last = station
    return None


def _judge(outcome: Expectation | Outcome, station: Station, enter: Enter) -> str | None:
    """Return what happens in place of what is expected; None: that happens."""
    end = station.end
    meant: list[Goal] = []
    if outcome.plays is not None and not any(_is_file(outcome.plays, it) for it in station.heard):
        heard = f"hears {', '.join(station.heard)}" if station.heard else "hears nothing"
        return f"{station.tell()}; the caller {heard} before"
    if outcome.rings is not None:
        meant += [goal for goal in station.goals if goal.kind == "phone"]
        if end is not None or {goal.name for goal in meant} != set(outcome.rings):
            return station.tell()
    if outcome.reaches is not None:
        met = [goal for goal in station.goals if _is_goal(outcome.reaches, _name(goal))]
        if not met and not _comes_by(outcome.reaches, station, enter):
            return station.tell()
        meant += met
    if outcome.leaves_message is not None:
        wanted = f"mailbox/{outcome.leaves_message}"
        if end is None or wanted not in map(_name, end.goals):
            return station.tell()
    if outcome.hangs_up is not None and not _is_hung_up(end, outcome.hangs_up):
        return station.tell()
    return None if outcome.within is None else _judge_time(outcome.within, station, meant)


def _judge_time(within: int, station: Station, meant: list[Goal]) -> str | None:
    times = [goal.after for goal in meant or station.goals]
    if station.end is not None:
        times = [station.end.after]
    known = [time for time in times if time is not None]
    if len(known) < len(times):
        return f"{station.tell()}, and nobody knows how many seconds after the call came in"
    latest = max(known, default=0)
    return f"{station.tell()} after {latest:g} s" if latest > within else None


def _is_hung_up(end: End | None, cause: bool | str) -> bool:
    return end is not None and end.fate in _HUNG_UP and cause in (True, end.cause)


def _is_file(wanted: str, heard: str) -> bool:
    return heard == wanted or heard.endswith(f"/{wanted}")


def _is_goal(wanted: str, name: str) -> bool:
    """Tell whether a goal is meant: a gateway with any number, a queue of any domain."""
    return name == wanted or (name.startswith(wanted) and name[len(wanted)] in "/@ ")


def _comes_by(wanted: str, station: Station, enter: Enter) -> bool:
    if not enter(wanted).isdisjoint(station.entered):
        return True
    return any(wanted == f"menu/{name}" for name in station.menus)


def _name(goal: Goal) -> str:
    name = goal.name.rpartition("::")[2] if goal.kind == "gateway" else goal.name
    return f"{goal.kind}/{name}/{goal.number}".rstrip("/") if goal.number else f"{goal.kind}/{name}"


def tell_outcome(outcome: Expectation | Outcome) -> str:
    """Return what is expected, in words."""
    words = []
    if outcome.plays is not None:
        words.append(f"plays {outcome.plays}")
    if outcome.rings is not None:
        words.append(f"rings {', '.join(outcome.rings)}")
    if outcome.reaches is not None:
        words.append(f"reaches {outcome.reaches}")
    if outcome.leaves_message is not None:
        words.append(f"leaves a message for {outcome.leaves_message}")
    if outcome.hangs_up is not None:
        cause = "" if outcome.hangs_up is True else f" with {outcome.hangs_up}"
        words.append(f"is hung up{cause}")
    within = "" if outcome.within is None else f" within {outcome.within} s"
    return f"{' and '.join(words)}{within}"
