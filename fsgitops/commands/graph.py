"""`fsgitops graph`: where calls go, as a graph of doors, contexts, numbers, phones and the rest."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING, Final

from fsgitops.commands.trace import open_source, read_time
from fsgitops.errors import NotPossibleError
from fsgitops.live.roster import load_roster, read_number
from fsgitops.model.graph import Graph
from fsgitops.model.reading import resource_of
from fsgitops.model.trace import Way
from fsgitops.routing.call.chart import Chart, Point
from fsgitops.routing.call.clock import Clock
from fsgitops.routing.call.contents import list_numbers
from fsgitops.routing.call.evaluate import Call, follow_ways
from fsgitops.routing.call.world import Phones

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from fsgitops.live.roster import Roster
    from fsgitops.model.resource import Resource
    from fsgitops.routing.call.scene import Scene
    from fsgitops.workspace.open import Workspace

INSIDE: Final = "agents"
"""The door of those who have logged in."""
DRAWING_SECONDS: Final = 120.0
"""How long Graphviz may draw."""


def run_graph(
    workspace: Workspace, asked: Sequence[str], source: str = "plan", *, at: str | None = None
) -> Graph:
    """Return where calls go: those to the numbers that are asked for, or all.

    Who is asked for by extension, or as KIND/NAME, is drawn with all that leads there. `at` None:
    at any time. Raises DesiredInvalidError, NotThereError for an extension that nobody has, and as
    `run_trace`.
    """
    roster = load_roster(workspace)
    moment = read_time(at)
    wanted = [_read_asked(roster, workspace, text) for text in asked]
    with open_source(workspace, source) as opened:
        drawing = _Drawing(opened, Clock(moment, opened.world.zones, at is not None), roster)
        doors = _find_doors(opened, workspace.target.inbound_context)
        contexts = dict.fromkeys(doors.values())
        for door, context in doors.items():
            drawing.chart.join(Point("door", door), Point("context", context))
        points = [
            point
            for item in wanted
            for point in ([item] if isinstance(item, Point) else _dial(contexts, [item]))
        ]
        outside = [point for point in points if point not in drawing.told]
        if len(outside) < len(points) or not points:
            outside += _dial(contexts, _list_outside(roster, opened, contexts))
            for point in drawing.told:
                drawing.chart.join(Point("door", INSIDE), Point("context", point.context))
                drawing.draw(point, workspace.target.domain, inside=True)
        for point in dict.fromkeys(outside):
            drawing.draw(point, workspace.target.domain)
        nodes, edges = drawing.chart.draw(points)
    return Graph(
        source, moment.isoformat() if at else "", drawing.complete,
        tuple(map(opened.veil.hide, opened.doubts)), nodes, edges,
    )  # fmt: skip


class _Drawing:
    """Calls that are drawn into one chart. `told` has what people dial inside, by its point."""

    def __init__(self, source: Scene, clock: Clock, roster: Roster) -> None:
        self._world, self._clock = source.world, clock
        self.told = dict(_list_inside(roster))
        self.chart = Chart(self.told, source.place, source.veil.hide)
        self.complete = True

    def draw(self, point: Point, domain: str, *, inside: bool = False) -> None:
        """Draw a call to a number in a context, once with all phones registered, once with none."""
        variables = {"domain_name": domain, "user_context": point.context} if inside else {}
        call = Call(point.name, point.context, domain=domain, variables=variables)
        for phones in (Phones(), Phones(frozenset())):
            ways, complete = follow_ways(
                self._world, call, self._clock, phones, passes=False, every=True
            )
            self.complete &= complete
            for end, state in ways:
                self.chart.add(Point("context", point.context), Way(end, tuple(state.steps)))


def _find_doors(source: Scene, inbound: str) -> dict[str, str]:
    """Return the context of each profile and gateway that takes calls without a log-in."""
    found = {}
    for door in source.doors:
        if door.open and door.context:
            named = f"{door.name} ({door.context})" if door.name in found else door.name
            found[named] = door.context
    return found or {"outside": inbound}


def _dial(contexts: Iterable[str], numbers: Iterable[str]) -> list[Point]:
    return [Point("number", number, context) for number in numbers for context in contexts]


def _read_asked(roster: Roster, workspace: Workspace, text: str) -> Point | str:
    """Return the point of what people dial inside, or a number that outsiders dial."""
    found = roster.find(text)
    if found is None:
        return read_number(text, workspace.settings.default_region)
    kind, noun = roster.kinds[found.kind], roster.desired.get(found)
    if kind.reach is None and noun is not None and (dialled := kind.dialled(noun)):
        return dialled[0]
    return _point_of(roster, found)


def _point_of(roster: Roster, resource: Resource) -> Point:
    number, context = roster.reach(resource)
    return Point("number", number, context)


def _list_inside(roster: Roster) -> Iterator[tuple[Point, str]]:
    """Yield all that is declared and dialled inside."""
    for kind in roster.kinds.values():
        for noun in roster.desired.of(kind.noun) if kind.reach else ():
            if noun.enabled:
                resource = resource_of(noun)
                yield _point_of(roster, resource), f"{kind.told} {resource.name}"


def _list_outside(roster: Roster, source: Scene, contexts: Iterable[str]) -> list[str]:
    """Return each declared number that is dialled from outside, and those of other extensions."""
    found: dict[str, None] = {}
    known: set[str] = set()
    for kind in roster.kinds.values():
        for noun in roster.desired.of(kind.noun) if kind.reach is None else ():
            if noun.enabled and (dialled := kind.dialled(noun)):
                found[dialled[0]] = None
                known.update(dialled)
    for context in contexts:
        element = source.world.context(context)
        for numbers in list_numbers(element) if element else ():
            if known.isdisjoint(numbers):
                found[max(numbers, key=lambda number: (len(number), number))] = None
    return list(found)


def draw_svg(dot: str) -> bytes:
    """Return a drawing as SVG, which Graphviz makes of a text in DOT.

    Raises NotPossibleError where Graphviz is not installed, or does not come to an end.
    """
    program = shutil.which("dot")
    if program is None:
        raise NotPossibleError(
            "SVG is drawn by Graphviz, and its program `dot` is not there: install the package "
            "`graphviz`, or take `--format mermaid` or `--format dot`"
        )
    try:
        done = subprocess.run(  # noqa: S603 - no shell; the text comes on stdin
            [program, "-Tsvg"], input=dot.encode(), capture_output=True, timeout=DRAWING_SECONDS,
            check=True,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise NotPossibleError(
            f"Graphviz has not drawn this in {DRAWING_SECONDS:.0f} seconds: name a number, or take "
            "`--format dot`"
        ) from None
    except (subprocess.CalledProcessError, OSError) as error:
        told = getattr(error, "stderr", b"") or str(error).encode()
        raise NotPossibleError(f"{program} failed: {told.decode(errors='replace')[:200]}") from None
    return done.stdout
