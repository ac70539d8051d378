"""Make a graph of the ways of many calls: what they have in common is one node."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple

from fsgitops.model.graph import Edge, Node
from fsgitops.model.trace import Goal, What
from fsgitops.routing.call.extension import GOES_ON
from fsgitops.visible import count_noun

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from fsgitops.model.trace import Step, Way

MAX_NAMED: Final = 3
"""Phones that a condition names; of more it says how many."""
_LATER: Final = "those who ring first do not answer"
_LAST: Final = "those who ring first cannot be reached"


class Point(NamedTuple):
    """What tells one node from another."""

    kind: str
    name: str
    context: str = ""


Edges = dict[tuple[Point, Point], dict[tuple[str, ...], None]]
"""Two points, and the conditions of each way from one to the other."""


class _Walk:
    """One way through the chart: where each leg of the call is, and what led it on from there."""

    def __init__(self, start: Point) -> None:
        self.at: dict[int, Point] = {0: start}
        self.when: dict[int, dict[str, list[str]]] = defaultdict(dict)
        self.leg = 0

    def enter(self, leg: int) -> None:
        """Go on with a leg; one that loopback/ has just made begins where the outer one is."""
        if leg > self.leg or leg not in self.at:
            self.at[leg] = self.at[max(item for item in self.at if item < leg)]
            self.when[leg] = dict(self.when[leg - 1])
        self.leg = leg

    def conditions(self) -> Iterator[str]:
        """Yield what has to be true from where the leg is; a condition may name whom it is of."""
        here = self.at[self.leg].name
        for short, names in self.when[self.leg].items():
            listed = ", ".join(names[:MAX_NAMED])
            if len(names) > MAX_NAMED:
                listed = f"{listed} and {count_noun(len(names) - MAX_NAMED, 'other')}"
            yield short if not names or names == [here] else f"{short}: {listed}"


class Chart:
    """Collects the ways of calls.

    `told` names what is declared under a number of a context, `place` gives file and line of a line
    of the merged text, and `hide` takes secrets out of a text.
    """

    def __init__(
        self,
        told: Mapping[Point, str],
        place: Callable[[int], str],
        hide: Callable[[str], str],
    ) -> None:
        self._told, self._place, self._hide = told, place, hide
        self._edges: Edges = {}
        self._points: dict[Point, str] = {}

    def join(self, source: Point, target: Point, when: Iterable[str] = ()) -> None:
        """Add an edge, with the conditions that hold together."""
        self._points.setdefault(source, "")
        self._points.setdefault(target, "")
        if source != target:
            self._edges.setdefault((source, target), {})[tuple(dict.fromkeys(when))] = None

    def add(self, start: Point, way: Way) -> None:
        """Add a way of a call that begins at a point, such as a context."""
        walk = _Walk(start)
        drawn: tuple[Goal, ...] = ()
        for step in way.steps:
            if step.leg != walk.leg:
                walk.enter(step.leg)
            if step.what is What.ENTERS and not step.text:
                self._move(walk, Point("number", step.number, step.context))
            elif step.what is What.TAKES and step.text != GOES_ON:
                at = walk.at[walk.leg]
                self._points[at] = self._points.get(at) or self._place(step.line)
            elif step.short:
                self._decide(walk, step)
                drawn = step.goals
        if way.end.goals and way.end.goals == drawn:
            return
        targets = [Point(goal.kind, goal.name) for goal in way.end.goals]
        for target in targets or [Point("end", way.end.told)]:
            self.join(walk.at[walk.leg], target, walk.conditions())

    def _move(self, walk: _Walk, point: Point) -> None:
        self.join(walk.at[walk.leg], point, walk.conditions())
        walk.at[walk.leg] = point
        walk.when[walk.leg] = {}

    def _decide(self, walk: _Walk, step: Step) -> None:
        """Note a condition; one that follows whom the call has got to names them."""
        points = [Point(goal.kind, goal.name) for goal in step.goals]
        if points and points[0].kind == "menu":
            self._move(walk, points[0])
        for goal in step.goals:
            when = [*walk.conditions()]
            if goal.turn != 0:
                when.append(_LATER if goal.turn else _LAST)
            self.join(walk.at[walk.leg], Point(goal.kind, goal.name), when)
        names = walk.when[walk.leg].setdefault(step.short, [])
        names += [point.name for point in points if point.name not in names]

    def draw(self, wanted: Collection[Point] = ()) -> tuple[tuple[Node, ...], tuple[Edge, ...]]:
        """Return nodes and edges, in the order in which calls came by.

        Of those that are `wanted`, what leads to them and where they lead to; without any, all.
        """
        same = self._find_phones()
        edges = self._join_phones(same)
        shown = _find_around(edges, wanted) if wanted else set(self._points)
        edges = {ends: when for ends, when in edges.items() if shown.issuperset(ends)}
        alike = self._find_alike(edges)
        first = {point: points[0] for points in alike for point in points}
        members = {points[0]: tuple(point.name for point in points) for points in alike}
        kept = [
            point
            for point in self._points
            if point in shown and point not in same and first.get(point, point) == point
        ]
        ids = {point: at for at, point in enumerate(kept)}
        rung = set(same.values())
        nodes = (
            self._make_node(at, point, "phone" if point in rung else point.kind, members)
            for point, at in ids.items()
        )
        drawn = (
            Edge(ids[source], ids[target], tuple(map(self._hide, _tell(when))))
            for (source, target), when in edges.items()
            if source in ids and target in ids
        )
        return tuple(nodes), tuple(drawn)

    def _make_node(
        self, at: int, point: Point, kind: str, members: Mapping[Point, tuple[str, ...]]
    ) -> Node:
        numbers = members.get(point, ())
        place = "" if numbers else self._points[point]
        told, name = self._told.get(point, ""), self._hide(point.name)
        return Node(at, kind, name, told, point.context, place, numbers)

    def _join_phones(self, same: Mapping[Point, Point]) -> Edges:
        """Return the edges where a phone that one number alone rings is that number."""
        edges: Edges = {}
        for (source, target), when in self._edges.items():
            ends = same.get(source, source), same.get(target, target)
            if ends[0] != ends[1]:
                edges.setdefault(ends, {}).update(when)
        return edges

    def _find_phones(self) -> dict[Point, Point]:
        """Return phones that only the number of the same name rings: both are one node."""
        callers: dict[Point, set[Point]] = defaultdict(set)
        for source, target in self._edges:
            callers[target].add(source)
        found = {}
        for point, sources in callers.items():
            if point.kind == "phone" and len(sources) == 1:
                (source,) = sources
                if source.kind == "number" and source.name == point.name:
                    found[point] = source
        return found

    def _find_alike(self, edges: Edges) -> list[list[Point]]:
        """Return numbers that come from the same points and lead to the same, as one node each."""
        around: dict[Point, list[object]] = defaultdict(list)
        for (source, target), when in edges.items():
            around[source].append((1, target, tuple(when)))
            around[target].append((0, source, tuple(when)))
        alike: dict[object, list[Point]] = defaultdict(list)
        for point, said in around.items():
            if point.kind == "number" and point not in self._told:
                alike[point.context, frozenset(said)].append(point)
        return [points for points in alike.values() if len(points) > 1]


def _find_around(edges: Edges, wanted: Collection[Point]) -> set[Point]:
    """Return some points, all that leads to them, and all that they lead to."""
    shown = set(wanted)
    for one, other in ((0, 1), (1, 0)):
        after: dict[Point, list[Point]] = defaultdict(list)
        for ends in edges:
            after[ends[one]].append(ends[other])
        pending, seen = list(wanted), set(wanted)
        while pending:
            new = [point for point in after[pending.pop()] if point not in seen]
            seen.update(new)
            pending += new
        shown |= seen
    return shown


def _tell(alternatives: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    """Return the conditions of an edge, any of which does; none where one way needs none."""
    found = list(alternatives)
    return () if () in found else tuple(", ".join(item) for item in found)
