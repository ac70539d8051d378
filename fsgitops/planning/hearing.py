"""Numbers that are dialled, and where their calls end over one configuration."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

from fsgitops.model.heard import Heard
from fsgitops.model.impact import MOMENT, NOBODY
from fsgitops.model.reading import resource_of
from fsgitops.model.trace import Fate
from fsgitops.phone import is_extension
from fsgitops.routing.call.alike import tell_sort
from fsgitops.routing.call.clock import Clock
from fsgitops.routing.call.evaluate import Call
from fsgitops.routing.numbers.shared import SharedOutcomes
from fsgitops.routing.tree import fold

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence

    from fsgitops.model.compiled import CompiledConfig
    from fsgitops.model.heard import Ways
    from fsgitops.model.kind import Kind, Kinds
    from fsgitops.model.noun import Noun
    from fsgitops.model.resource import Resource
    from fsgitops.model.trace import End
    from fsgitops.places import Places
    from fsgitops.routing.call.load import Loaded
    from fsgitops.routing.call.outcome import Outcome
    from fsgitops.routing.call.world import World
    from fsgitops.routing.places import Door
    from fsgitops.settings.target import Target
    from fsgitops.workspace.declare import Compilation

_THEN: Final = datetime.fromisoformat(MOMENT)


class Dialled(NamedTuple):
    """A number that gets to a resource, and the context in which it is dialled; "": outside."""

    resource: Resource
    number: str
    context: str


def list_dialled(
    compilation: Compilation, written: CompiledConfig, kinds: Kinds
) -> Iterator[Dialled]:
    """Yield a number for each resource that has a file once the plan is applied.

    What people dial in several ways (the forms of a public number) is dialled in the first one.
    """
    forms, paths = compilation.compiled.dialled, written.paths
    for kind in kinds.values():
        for noun in compilation.declared.desired.of(kind.noun):
            resource = resource_of(noun)
            path = paths.get(resource)
            numbers = forms.get(resource) or kind.dialled(noun)
            if path is not None and numbers:
                yield Dialled(resource, numbers[0], _find_context(kind, noun, path, kinds.places))


def _find_context(kind: Kind[Any], noun: Noun, path: str, places: Places) -> str:
    if kind.reach:
        return kind.reach(noun).context
    context = places.context_of(path)
    return "" if places.is_context(path) or context == places.inbound_context else context


def guess_dialled(resource: Resource, numbers: Iterable[str], context: str) -> Dialled | None:
    """Return the number of a resource that is declared no more, which took `numbers`.

    That is its name, or one of them: those with a plus sign come from outside, others are dialled
    in `context`.
    """
    for number in (resource.name, *sorted(numbers)):
        if number.startswith("+"):
            return Dialled(resource, number, "")
        if is_extension(number):
            return Dialled(resource, number, context)
    return None


class Listener:
    """Hears where calls end over one configuration; those from outside begin in `entry`.

    `hide` takes the secrets out of whatever is told.
    """

    def __init__(self, world: World, entry: str, hide: Callable[[str], str] = str) -> None:
        self._world = world
        self._hide = hide
        self._entry = entry
        self._then = SharedOutcomes(world, Clock(_THEN, world.zones))
        self._whenever = SharedOutcomes(world, Clock(_THEN, world.zones, known=False), ends=True)

    @property
    def work(self) -> int:
        """The steps of all calls that were heard."""
        return self._then.work + self._whenever.work

    @classmethod
    def of_files(cls, loaded: Loaded, target: Target) -> Self:
        """Return one for a conf directory."""
        entry = _choose_entry(loaded.doors(target.domain), target.inbound_context)
        return cls(loaded.world, entry, loaded.veil.hide)

    def tell_context(self, dialled: Dialled) -> str:
        """Return the context in which calls to a number begin."""
        return self._hide(dialled.context or self._entry)

    def sort(self, dialled: Dialled) -> Hashable:
        """Return what calls to a number have in common with others (`tell_sort`)."""
        return tell_sort(self._world, Call(dialled.number, dialled.context or self._entry))

    def hear(self, dialled: Dialled) -> Heard:
        """Return where calls to a number end."""
        call = Call(dialled.number, dialled.context or self._entry)
        found = self._then.find(call)
        whenever: Ways = ()
        if ("time", "") in found.noted:
            whenever = self._tell(self._whenever.find(call))
        needs = frozenset(
            "group:*" if kind == "group" else self._hide(f"{kind}:{name}")
            for kind, name in found.noted
            if kind != "time"
        )
        return Heard(dialled.number, dialled.context, self._tell(found), whenever, needs)

    def _tell(self, outcome: Outcome) -> Ways:
        hide = self._hide
        return tuple(
            (hide(", ".join(way.assumed)), hide(tell_end(way.end))) for way in outcome.ways
        )


def _choose_entry(doors: Sequence[Door], inbound: str) -> str:
    """Return where calls from outside begin: where carriers are connected, if some are."""
    entries = [door for door in doors if door.open and door.context]
    contexts = [door.context for door in entries if door.gateways or not _has_carriers(entries)]
    if not contexts or fold(inbound) in map(fold, contexts):
        return inbound
    return contexts[0]


def _has_carriers(doors: Sequence[Door]) -> bool:
    return any(door.gateways for door in doors)


def tell_end(end: End) -> str:
    """Return where a call ends, in few words."""
    if end.fate.arrives:
        return end.told
    return f"{'unknown' if end.fate is Fate.UNKNOWN else NOBODY} ({end.told})"
