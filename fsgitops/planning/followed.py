"""Which calls a plan may lead elsewhere, and which of them it does."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

from fsgitops import __version__
from fsgitops.homes import home_of
from fsgitops.homes.directory import DIRECTORY
from fsgitops.model.heard import Hearings
from fsgitops.model.impact import MOMENT, NOBODY, CallChange, Impact
from fsgitops.model.plan import Action
from fsgitops.planning.hearing import Dialled, Listener, guess_dialled, list_dialled
from fsgitops.planning.others import find_others
from fsgitops.planning.portion import follow_portion
from fsgitops.routing.call.contents import taken_alone
from fsgitops.routing.call.load import load_disk
from fsgitops.routing.directory import serialise
from fsgitops.routing.tree import XmlSyntaxError, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from fsgitops.model.compiled import CompiledConfig
    from fsgitops.model.heard import Heard, Ways
    from fsgitops.model.kind import Kinds
    from fsgitops.model.live import LiveConfig
    from fsgitops.model.plan import Change, Plan
    from fsgitops.model.resource import Resource
    from fsgitops.planning.ahead import Ahead
    from fsgitops.routing.call.load import Loaded
    from fsgitops.routing.tree import Element

MOST_FILES: Final = 2_000
"""Changed files of the dialplan that are compared; more of them are taken to concern all calls."""
EVERYTHING: Final = "*"
Extensions: TypeAlias = "set[tuple[bytes, frozenset[str]]]"
"""Extensions as they are printed, each with the numbers that it alone takes; else none."""
EDITED: Final = "hand-written files have changed since the last apply"
Lister: TypeAlias = "Callable[[Ahead, Hearings | None], Iterable[Dialled]]"
MOST_CHANGES: Final = 200
"""Of a plan with more, that changes who takes any number, those of nobody are not looked at."""
OTHERS: Final = "numbers that nobody declares were not looked at: the plan is too large"
_AT_ANY_TIME: Final = "at another time"


def follow_calls(
    ahead: Ahead, kept: Hearings | None, by_hand: str, list_all: Lister | None = None
) -> tuple[Impact, Hearings]:
    """Return the plan's impact, and where calls end once it is applied.

    `list_all` yields the numbers where what is declared does not tell them. `kept` is what the last
    apply noted, `by_hand` the digest of the hand-written configuration. Raises MergeError where the
    configuration cannot be read.
    """
    kinds, target, live = ahead.workspace.kinds, ahead.workspace.target, ahead.live
    plan, compilation, written, beside = ahead.portion
    found = list_all(ahead, kept) if list_all else list_dialled(compilation, written, kinds)
    dialled = [*found]
    sides = _Sides(ahead)
    edited = kept is not None and kept.by_hand != by_hand
    planned = find_touched(plan, live, written)
    search = Search(plan, live, sides, {EVERYTHING} if edited else planned, kinds, kept, by_hand)
    impact, heard = search.find(ahead.portion.limit(dialled))
    if beside:
        left = beside + len(dialled) - impact.looked_at
        return replace(impact, left_out=left, notes=(*impact.notes, OTHERS)), heard
    if not planned:
        return impact, heard
    if EVERYTHING in planned and len(plan.changes) > MOST_CHANGES:
        return replace(impact, notes=(*impact.notes, OTHERS)), heard
    others = find_others(
        sides.files_before, ahead.loaded, target, sides.ours, _compare_ways,
        every=EVERYTHING in planned,
    )  # fmt: skip
    return replace(impact, numbers=tuple(others)), heard


def hear_all(ahead: Ahead, by_hand: str) -> Hearings:
    """Return where calls end once a plan is applied, where nothing is known of it yet.

    Raises MergeError where the configuration cannot be read.
    """
    _, compilation, written, _ = ahead.portion
    dialled = [*list_dialled(compilation, written, ahead.workspace.kinds)]
    listener, some = _Sides(ahead).after, ahead.portion.limit(dialled)
    found = follow_portion(some, listener.hear, lambda: listener.work, listener.sort)
    heard = {item.resource: heard for item, heard in found}
    return Hearings(by_hand, "", __version__, heard)


class _Sides:
    """The configuration as it stands, and as the plan leaves it: each is loaded when needed."""

    def __init__(self, ahead: Ahead) -> None:
        self._target = ahead.workspace.target
        self._ahead = ahead
        self.ours = ahead.live.manifest.ours | ahead.portion.written.ours
        """The paths of fsgitops."""

    @cached_property
    def files_before(self) -> Loaded:
        """The files as they stand."""
        target = self._target
        return load_disk(target.conf_dir, target.domain, ours=self.ours)

    @cached_property
    def before(self) -> Listener:
        return Listener.of_files(self.files_before, self._target)

    @cached_property
    def after(self) -> Listener:
        return Listener.of_files(self._ahead.loaded, self._target)


class Sides(Protocol):
    """Who hears where calls end before the plan, and after it."""

    @property
    def before(self) -> Listener:
        """Hears over the files as they are."""

    @property
    def after(self) -> Listener:
        """Hears over the files as they will be."""


@dataclass(slots=True)
class Search:
    """Which calls may end otherwise, and which of them do.

    `touched` is what the plan changes (`find_touched`), `kept` what the last apply noted.
    """

    plan: Plan
    live: LiveConfig
    sides: Sides
    touched: set[str]
    kinds: Kinds
    kept: Hearings | None = None
    by_hand: str = ""
    notes: tuple[str, ...] = ()

    def find(self, dialled: Sequence[Dialled]) -> tuple[Impact, Hearings]:
        """Return the impact on these numbers, and on those of what the plan deletes."""
        own = {change.resource: change for change in self.plan.changes}
        edited = self.kept is not None and self.kept.by_hand != self.by_hand
        touched = self.touched
        everyone = [*self._list_gone({item.resource for item in dialled}), *dialled]
        everyone.sort(key=lambda item: item.resource not in own)
        left = 0
        known = self._recall(everyone)
        if self.kept is None:
            # What a call follows from is not known: that takes following it.
            ends, left = self._follow(everyone)
            everyone = [item for item, _ in ends]
            known = {item.resource: self.sides.before.hear(item) for item in everyone}
        concerned = [
            item
            for item in everyone
            if (found := known.get(item.resource)) is None
            or item.resource in own
            or EVERYTHING in touched
            or not touched.isdisjoint(found.needs)
        ]
        if self.kept is not None:
            ends, left = self._follow(concerned)
            gone = {item.resource for item in concerned} - {item.resource for item, _ in ends}
            known = {name: heard for name, heard in known.items() if name not in gone}
        drifted = not edited and any(change.drifted for change in self.plan.changes)
        calls: list[CallChange] = []
        for item, after in ends:
            before = known.get(item.resource)
            if before is None or (drifted and self.kept is not None):
                before = self.sides.before.hear(item)
            known[item.resource] = after
            if difference := compare_heard(before, after):
                calls.append(self._tell(item, before, *difference))
        heard = {item.resource: known[item.resource] for item in dialled if item.resource in known}
        notes = ((EDITED,) if edited else self.notes) if calls else ()
        impact = Impact(MOMENT, len(ends), left, tuple(sorted(calls, key=_order)), notes)
        return impact, Hearings(self.by_hand, "", __version__, heard)

    def _follow(self, items: Sequence[Dialled]) -> tuple[list[tuple[Dialled, Heard]], int]:
        """Return where calls end afterwards, those to what changes first, and how many are left."""
        if not items:
            return [], 0
        own, after = {change.resource for change in self.plan.changes}, self.sides.after
        found: list[tuple[Dialled, Heard]] = []
        for some in (
            [item for item in items if item.resource in own],
            [item for item in items if item.resource not in own],
        ):
            found += follow_portion(some, after.hear, lambda: after.work, after.sort)
        return found, len(items) - len(found)

    def _recall(self, everyone: Iterable[Dialled]) -> dict[Resource, Heard]:
        """Return what the last apply noted of these calls."""
        calls = self.kept.calls if self.kept else {}
        found = ((item, calls.get(item.resource)) for item in everyone)
        return {
            item.resource: heard
            for item, heard in found
            if heard is not None and (heard.number, heard.context) == (item.number, item.context)
        }

    def _list_gone(self, there: Collection[Resource]) -> Iterator[Dialled]:
        """Yield the numbers of what is managed, and has no file once the plan is applied."""
        calls = self.kept.calls if self.kept else {}
        for change in self.plan.changes:
            resource = change.resource
            if change.action is not Action.DELETE or resource in there:
                continue
            heard = calls.get(resource)
            if heard is not None:
                yield Dialled(resource, heard.number, heard.context)
                continue
            taken = {number for _, numbers in self._read(change.path) for number in numbers}
            if found := guess_dialled(resource, taken, self.kinds.places.context):
                yield found

    def _read(self, path: str) -> Extensions:
        file = self.live.files.get(path)
        return read_extensions((file.content if file else None) or b"")

    def _tell(self, item: Dialled, before: Heard, case: str, was: str, ends: str) -> CallChange:
        if ends.startswith(f"{NOBODY} ("):
            reason = self._find_reason(item.resource, before)
            ends = f"{NOBODY} ({reason})" if reason else ends
        context = self.sides.after.tell_context(item)
        return CallChange(item.resource, item.number, context, was, ends, case)

    def _find_reason(self, resource: Resource, before: Heard) -> str:
        """Return what the plan deletes that a call got to, if it does."""
        deleted = {
            change.resource: change
            for change in self.plan.changes
            if change.action is Action.DELETE and not change.moved
        }
        users = (item for item in deleted if f"user:{item.name}" in before.needs)
        found = resource if resource in deleted else next(users, None)
        if found is None:
            return ""
        kind, to = self.kinds.get(found.kind), deleted[found].renamed_to
        told = kind.told if kind else found.kind
        name = "" if found == resource else f" {found.name}"
        return f"{told}{name} {f'renamed to {to.name}' if to else 'deleted'}"


def _order(call: CallChange) -> tuple[bool, str, str]:
    """Public numbers come first: most callers dial these."""
    return not call.number.startswith("+"), call.resource.kind, call.number


def compare_heard(before: Heard, after: Heard) -> tuple[str, str, str] | None:
    """Return what differs: what it takes for granted, where it ended, and where it ends."""
    found = _compare_ways(before.ways, after.ways)
    if found is not None or before.whenever == after.whenever:
        return found
    found = _compare_ways(before.whenever or before.ways, after.whenever or after.ways)
    if found is None:
        return None
    case, was, ends = found
    return f"{_AT_ANY_TIME}, {case}" if case else _AT_ANY_TIME, was, ends


def _compare_ways(before: Ways, after: Ways) -> tuple[str, str, str] | None:
    if before == after:
        return None
    if before[0][1] != after[0][1]:
        return "", before[0][1], after[0][1]
    was, ends = dict(before), dict(after)
    for case, end in ends.items():
        if was.get(case, end) != end:
            return case, was[case], end
    for case, end in after:
        if end not in was.values():
            return case, before[0][1], end
    for case, end in before:
        if end not in ends.values():
            return case, end, after[0][1]
    # The same ends: there is a way more or less, or something else decides between them.
    pairs = zip(before, after, strict=False)
    found = next((pair for pair in pairs if pair[0] != pair[1]), None)
    if found is None:
        case, end = max(before, after, key=len)[min(len(before), len(after))]
        return (case, before[0][1], end) if len(after) > len(before) else (case, end, after[0][1])
    (old, was_end), (new, end) = found
    return "", f"{was_end}, where {old}", f"{end}, where {new}"


def find_touched(plan: Plan, live: LiveConfig, written: CompiledConfig) -> set[str]:
    """Return what of the configuration the plan changes, as `Heard.needs` names it.

    EVERYTHING is in it where an extension changes that may take any number.
    """
    touched = find_users(plan)
    paths = {item.path for item in plan.changes if home_of(item.path) is not DIRECTORY}
    if len(paths) > MOST_FILES:
        return {EVERYTHING}
    for path in paths:
        file, there = written.files.get(path), live.files.get(path)
        before = read_extensions((there.content if there else None) or b"")
        touched |= compare_extensions(before, read_extensions(file.content if file else b""))
    return touched


def find_users(plan: Plan) -> set[str]:
    """Return what of the directory the plan changes, as `Heard.needs` names it."""
    touched: set[str] = set()
    for change in plan.changes:
        if home_of(change.path) is not DIRECTORY:
            continue
        if not (change.action is Action.UPDATE and _is_secret(change)):
            touched |= {f"user:{change.resource.name}", f"group:{EVERYTHING}"}
    return touched


def compare_extensions(before: Extensions, after: Extensions) -> set[str]:
    """Return the numbers that extensions take which come, go or change, as `Heard.needs` does."""
    touched: set[str] = set()
    for _, numbers in before ^ after:
        touched |= {f"number:{number}" for number in numbers} or {EVERYTHING}
    return touched


def _is_secret(change: Change) -> bool:
    """Tell whether all that an update changes is secret: no call depends on a password."""
    return bool(change.attributes) and all(item.secret for item in change.attributes)


def read_extensions(content: bytes) -> Extensions:
    """Return the extensions of a file, each with the numbers that it alone takes; else none."""
    if not content:
        return set()
    try:
        root = parse(content)
    except XmlSyntaxError:
        return {(content, frozenset())}
    return set(walk_extensions(root))


def walk_extensions(parent: Element) -> Iterator[tuple[bytes, frozenset[str]]]:
    """Yield each extension as it is printed, and the numbers that it alone takes."""
    for child in parent.children:
        if child.name == "extension":
            yield serialise(child), taken_alone(child)
        elif child.name == "context":
            yield from walk_extensions(child)
        else:
            yield serialise(child), frozenset()
