"""Whether calls arrive: each number that is declared, in each form, from where it may be dialled.

A public number is called from where carriers' calls begin, as profiles and gateways say; any other
from the contexts in which agents dial. What a call does there is evaluated whatever the time is and
whoever calls.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from fsgitops.homes import home_of
from fsgitops.homes.directory import DIRECTORY
from fsgitops.model.reading import leads_to, references, resource_of
from fsgitops.routing.call.alike import tell_sort
from fsgitops.routing.call.arrival import Aim, Arrival, judge_arrival
from fsgitops.routing.call.clock import Clock
from fsgitops.routing.call.evaluate import Call
from fsgitops.routing.numbers.shared import SharedOutcomes
from fsgitops.routing.tree import fold

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence

    from fsgitops.model.kind import Kind, Kinds
    from fsgitops.model.noun import Noun
    from fsgitops.model.resource import Resource
    from fsgitops.routing.call.arrival import FileOf
    from fsgitops.routing.call.outcome import Ending
    from fsgitops.routing.call.world import World
    from fsgitops.routing.places import Door
    from fsgitops.workspace.declare import Compilation

SHOWN_DOORS: Final = 3
_ANY_TIME: Final = datetime(2026, 1, 1, tzinfo=UTC)


class Subject(NamedTuple):
    """A resource that is called: its numbers in all their forms, and what they are to get to.

    `path` is the file that takes them, and `context` where they are dialled; `rings` tells that it
    rings itself, and does not only lead to what does.
    """

    resource: Resource
    numbers: tuple[str, ...]
    path: str
    context: str
    aim: Aim
    rings: bool


class Missed(NamedTuple):
    """A call that does not arrive, or not in every case: how it was dialled, and on which way.

    `whole` tells whether that is so in every form of the number; `closed` that no call from outside
    begins where it is dialled, and then there may be no way.
    """

    subject: Subject
    number: str
    arrival: Arrival
    way: Ending | None
    whole: bool = True
    closed: bool = False


class Subjects:
    """What of a compilation is called, and how."""

    def __init__(self, compilation: Compilation, kinds: Kinds) -> None:
        self._desired = compilation.declared.desired
        self._forms = compilation.compiled.dialled
        self._paths = compilation.compiled.paths
        self._kinds = kinds

    def find(self, wanted: Collection[Resource]) -> Iterator[Subject]:
        """Yield what is called of these resources."""
        for kind, noun in self._each():
            resource = resource_of(noun)
            if resource in wanted and resource in self._paths:
                found = self._read(kind, noun, resource)
                if found is not None:
                    yield found

    def find_concerned(self, changed: Collection[Resource]) -> set[Resource]:
        """Return these resources, and all that lead to them, be it through others.

        With a file that a kind's resources share, all of that kind are concerned.
        """
        found = set(changed)
        owners = (self._kinds.owner(item) for item in changed)
        for word in {kind.word for kind in owners if kind is not None}:
            found.update(map(resource_of, self._desired.of(self._kinds[word].noun)))
        leading = [(resource_of(noun), to) for _, noun in self._each() if (to := leads_to(noun))]
        before = 0
        while before != len(found):
            before = len(found)
            found.update(item for item, to in leading if not found.isdisjoint(to))
        return found

    def list_callers(self) -> dict[str, str]:
        """Return the contexts in which agents dial, each with the first agent who does."""
        found: dict[str, str] = {}
        for kind, noun in self._each():
            if kind.starts is not None and resource_of(noun) in self._paths:
                found.setdefault(kind.starts(noun), resource_of(noun).name)
        return found

    def _each(self) -> Iterator[tuple[Kind[Any], Noun]]:
        for kind in self._kinds.values():
            for noun in self._desired.of(kind.noun):
                yield kind, noun

    def _read(self, kind: Kind[Any], noun: Noun, resource: Resource) -> Subject | None:
        numbers = self._forms.get(resource) or kind.dialled(noun)
        if not numbers and kind.reach:
            numbers = (kind.reach(noun).number,)
        aim = self._find_aim(kind, noun, resource)
        if not numbers or aim is None:
            return None
        path = self._find_path(kind, resource)
        context = self._kinds.places.context_of(path)
        return Subject(resource, numbers, path, context, aim, kind.reach is not None)

    def _find_path(self, kind: Kind[Any], resource: Resource) -> str:
        """Return the file that takes its calls: the shared one, where that takes those of all."""
        shared = (item.resource for item in kind.shared if not item.always)
        found = [self._paths[item] for item in shared if item in self._paths]
        return found[0] if found else self._paths[resource]

    def _find_aim(self, kind: Kind[Any], noun: Noun, resource: Resource) -> Aim | None:
        if kind.reach:
            is_user = home_of(self._paths[resource]) is DIRECTORY
            path = self._find_path(kind, resource)
            return Aim(kind.reach(noun).context, resource.name if is_user else "", path)
        targets = [item.resource for item in references(noun) if item.mark.anything]
        for target in targets:
            found, there = self._kinds.get(target.kind), self._desired.get(target)
            if found and found.reach and there is not None and target in self._paths:
                return self._find_aim(found, there, target)
        path = self._paths[resource]
        return None if targets else Aim(self._kinds.places.context_of(path), "", path)


class Entries(NamedTuple):
    """The contexts in which calls to a number begin; the second ones only lend a hand."""

    first: tuple[str, ...]
    second: tuple[str, ...] = ()

    def has(self, context: str) -> bool:
        """Tell whether calls begin in a context."""
        return self.first_has(context) or fold(context) in map(fold, self.second)

    def first_has(self, context: str) -> bool:
        """Tell whether calls begin in a context where carriers are connected."""
        return fold(context) in map(fold, self.first)


def list_entries(doors: Sequence[Door], inbound: str) -> Entries:
    """Return where calls from outside begin: first of all where carriers are connected.

    Where the configuration names no profile at all, that is `inbound`.
    """
    if not doors:
        return Entries((inbound,))
    entries = [door for door in doors if door.open and door.context]
    every = {fold(door.context): door.context for door in entries}
    carriers = {fold(door.context): door.context for door in entries if door.gateways} or every
    others = tuple(every[name] for name in every if name not in carriers)
    return Entries(tuple(carriers.values()), others)


def tell_closed(
    doors: Sequence[Door], inbound: str, place: Callable[[int], str], *, sure: bool
) -> tuple[str, str]:
    """Say that no call from outside begins in the context of public numbers, and what to do."""
    entries = [door for door in doors if door.open]
    helped = any(fold(door.context) == fold(inbound) for door in entries)
    shown = [door for door in entries if door.gateways] if helped else entries or doors
    names = ", ".join(
        f"{door.name} ({place(door.line) or '?'}) sends calls to "
        + (f"`{door.context}`" if door.context else "a context that only the switch knows")
        for door in shown[:SHOWN_DOORS]
    )
    told = f"no profile or gateway sends calls to `{inbound}`"
    if helped:
        told = f"what has gateways sends no calls to `{inbound}`"
    elif not sure:
        told = f"the files name no profile or gateway that sends calls to `{inbound}`"
    hint = (
        "set the target's `inbound_context` to where these calls come, or `context` of the "
        f'carriers\' profile or gateway to "{inbound}"; or let that context end in '
        f'<action application="transfer" data="$1 XML {inbound}"/>'
    )
    return f"{'will' if sure else 'may'} not be called: {told}; {names}", hint


def tell_refused(doors: Sequence[Door], place: Callable[[int], str]) -> tuple[str, str] | None:
    """Say that no profile with gateways lets a carrier's call in, and what to do; None: one may."""
    refused = {door.refusal: door for door in doors if door.gateways}
    if not refused or None in refused:
        return None
    told = ", ".join(
        f"{door.name} {refusal.told} ({place(refusal.line) or '?'})"
        for refusal, door in [*refused.items()][:SHOWN_DOORS]
        if refusal
    )
    hint = (
        "move the gateways to a profile without `auth-calls`, or let the carriers' addresses in "
        "with `apply-inbound-acl`; where their calls come in by another profile, silence this rule"
    )
    return f"may not be called by way of the gateways: {told}", hint


class Calls:
    """Calls over one configuration; of those that come from `outside`, where they begin.

    `callers` are the contexts in which agents of `domain` dial, each with one of them; `inbound` is
    the context of public numbers.
    """

    def __init__(
        self,
        world: World,
        file_of: FileOf,
        *,
        domain: str,
        inbound: str,
        outside: Entries,
        callers: Mapping[str, str],
    ) -> None:
        self._outcomes = SharedOutcomes(world, Clock(_ANY_TIME, world.zones, known=False))
        self._file_of = file_of
        self._inbound = inbound
        self._outside = outside
        self._domain = domain
        self._world = world
        self._callers = callers

    @property
    def work(self) -> int:
        """The steps of all calls that were followed."""
        return self._outcomes.work

    def sort(self, subject: Subject) -> Hashable:
        """Return what calls to a subject have in common with others (`tell_sort`)."""
        inside = fold(subject.context) != fold(self._inbound)
        contexts = (subject.context,) if inside else self._outside.first
        return tuple(
            tell_sort(self._world, Call(number, context))
            for number in subject.numbers
            for context in contexts
        )

    def find_missed(self, subject: Subject) -> Missed | None:
        """Return a call to a subject that does not arrive; None: all do, in all forms."""
        tried = [self._follow(subject, number) for number in subject.numbers]
        missed = [item for item in tried if item is not None]
        if not missed:
            return None
        never = [item for item in missed if item.arrival is Arrival.NEVER]
        whole = len(missed) == len(subject.numbers)
        if whole and len(never) < len(missed):
            never = [item for item in missed if item.arrival is not Arrival.NEVER]
        return (never or missed)[0]._replace(whole=whole)

    def _follow(self, subject: Subject, number: str) -> Missed | None:
        """Follow the calls that dial a number; one way in which it arrives is enough."""
        if fold(subject.context) != fold(self._inbound):
            return self._follow_inside(subject, number)
        entries = self._outside
        closed = not entries.has(self._inbound)
        missed: list[Missed] = []
        for context in entries.first:
            found = self._judge(subject, Call(number, context))
            if found.arrival is Arrival.ALWAYS:
                return None
            missed.append(found._replace(closed=closed))
        if not missed:
            return Missed(subject, number, Arrival.NEVER, None, closed=True)
        for context in entries.second:
            found = self._judge(subject, Call(number, context))
            if found.arrival is Arrival.ALWAYS:
                return missed[0]._replace(arrival=Arrival.SOMETIMES, closed=True)
        return next((one for one in missed if one.arrival is Arrival.SOMETIMES), missed[0])

    def _follow_inside(self, subject: Subject, number: str) -> Missed | None:
        missed = self._judge(subject, Call(number, subject.context))
        if missed.arrival is Arrival.ALWAYS:
            return None
        for context, name in self._callers.items():
            caller = self._world.user(name, self._domain)
            if caller is not None:
                call = Call(number, context, name, caller, self._domain)
                if self._judge(subject, call).arrival is Arrival.ALWAYS:
                    return None
        return missed

    def _judge(self, subject: Subject, call: Call) -> Missed:
        judged = judge_arrival(self._outcomes.find(call), subject.aim, self._file_of)
        return Missed(subject, call.number, judged.arrival, judged.way)
