"""Read back from the switch what it holds now, and compare it with what was declared."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fsgitops.homes import HOMES, home_of
from fsgitops.homes.compare import Memory, Said, compare_said, read_said
from fsgitops.homes.home import Wanted
from fsgitops.model.applied import Mismatch, ReadBack
from fsgitops.model.plan import Action, Change, is_secret
from fsgitops.routing.fragment import FragmentError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from fsgitops.homes.compare import Difference, Held
    from fsgitops.homes.home import Address, Home, Located
    from fsgitops.model.resource import Resource
    from fsgitops.switch.client import Switch


@dataclass(frozen=True, slots=True)
class Proof:
    """What was read back: every mismatch, and how much had none."""

    mismatches: tuple[Mismatch, ...]
    held: ReadBack


@dataclass(frozen=True, slots=True)
class Expected:
    """What the switch has to hold of each changed file, by path.

    `written` are the bytes that stand on the disk now: the declared values and whatever an own
    template adds to them. `before` are those that stood there, as far as they are known. `owners`
    says, where it is asked, whose the elements of a file of several resources are, by name.
    """

    written: Mapping[str, bytes]
    before: Mapping[str, bytes] = field(default_factory=dict)
    owners: Callable[[str], Mapping[str, Resource]] = lambda _: {}


def verify_switch(
    switch: Switch, expected: Expected, changes: Sequence[Change], address: Address
) -> Proof:
    """Return what the switch holds of these changes, as against what the files say.

    Each changed file is compared in both directions, so a variable that was removed and is still
    held is a mismatch, and so is an element that left its file. Each place comes in one
    `xml_locate`; then the home compares what runs. Raises SwitchError when it cannot be asked.
    """
    memory = Memory(switch, address)
    mismatches: list[Mismatch] = []
    proved: Counter[str] = Counter()
    gone: Counter[str] = Counter()
    for home, members in _group(changes, address):
        lacking = home.lacking(address)
        if lacking and not memory.of_file(members[0].path).there:
            mismatches.append(Mismatch(*lacking))
            continue
        found = list(_verify_place(home, switch, memory, expected, members, address))
        memory.forget()
        failed = {item.subject for item in found}
        mismatches += found
        held = [
            item for item in members
            if not (failed and str(item.resource) in failed)
            and not (item.moved and item.action is Action.DELETE)
        ]  # fmt: skip
        _count(home, held, proved, gone)
    return Proof(tuple(mismatches), ReadBack(dict(proved), dict(gone)))


def _count(home: Home, changes: Sequence[Change], proved: Counter[str], gone: Counter[str]) -> None:
    """Count what was proved: each resource, or each file where files are what is counted."""
    left: dict[tuple[str, str], bool] = {}
    for change in changes:
        kind, name = change.resource
        key = (home.counted, change.path) if home.counted else (kind, name)
        left[key] = left.get(key, True) and change.action is Action.DELETE
    for (told, _), is_gone in left.items():
        proved[told] += 1
        gone[told] += is_gone


def _group(changes: Sequence[Change], address: Address) -> Iterator[tuple[Home, list[Change]]]:
    """Yield the changes of each place, home by home."""
    for home in HOMES:
        places: dict[Located, list[Change]] = {}
        for change in changes:
            if home_of(change.path) is home:
                place = home.place(change.path, address)
                places.setdefault(home.locate(place, address), []).append(change)
        yield from ((home, members) for members in places.values())


def _verify_place(
    home: Home,
    switch: Switch,
    memory: Memory,
    expected: Expected,
    changes: Sequence[Change],
    address: Address,
) -> Iterator[Mismatch]:
    files: dict[str, list[Change]] = {}
    for change in changes:
        files.setdefault(change.path, []).append(change)
    known = [_File(home, path, members, expected, address) for path, members in files.items()]
    held = memory.of_file(changes[0].path)
    wanted: dict[str, tuple[_File, Wanted]] = {}
    failed: set[str] = set()
    for file in known:
        said = file.read()
        found = list(file.compare(said, held, memory.expand))
        failed |= {item.subject for item in found}
        yield from found
        if said:
            elements = said.elements.items()
            wanted |= {name: (file, Wanted(name, values)) for name, values in elements}
    declared = frozenset(wanted)
    for file in known:
        left = [name for name in file.stood() if name not in declared]
        found = list(file.find_left(left, held))
        failed |= {item.subject for item in found}
        yield from found
        wanted |= {name: (file, Wanted(name, None)) for name in left}
    sound = [
        one for file, one in wanted.values() if not failed or file.subject(one.name) not in failed
    ]
    for name, message in home.runs(switch, sound, address, home.place(changes[0].path, address)):
        yield wanted[name][0].mismatch(name, message)


@dataclass(frozen=True, slots=True)
class _File:
    """One changed file: whose its elements are, and what is wrong with them."""

    home: Home
    path: str
    changes: Sequence[Change]
    expected: Expected
    address: Address

    @property
    def stays(self) -> bool:
        """Tell whether the file is there after the apply."""
        deleted = all(item.action is Action.DELETE for item in self.changes)
        return self.path in self.expected.written or not deleted

    def read(self) -> Said | None:
        """Return what the file says; None where it is gone.

        What is not XML cannot have been compiled: it says so.
        """
        if not self.stays:
            return None
        try:
            return read_said(self.home, self.expected.written[self.path])
        except FragmentError as problem:
            told = {"(the whole file)": f"not readable as FreeSWITCH would: {problem}"}
            return Said({}, told, whole=True)

    def subject(self, name: str) -> str:
        """Return the resource that an element is of."""
        owner = self.expected.owners(self.path).get(name)
        named = (item.resource for item in self.changes if item.resource.name == name)
        return str(owner or next(named, self.changes[0].resource))

    def mismatch(self, name: str, message: str, *, gone: bool = False) -> Mismatch:
        gone = gone or all(change.action is Action.DELETE for change in self.changes)
        return Mismatch(self.subject(name), message, self.path, name, gone)

    def compare(
        self, said: Said | None, held: Held, expand: Callable[[str], str]
    ) -> Iterator[Mismatch]:
        """Compare what the file says, if it is there, with what is held of it."""
        if said is None:
            return
        several = len(said.elements) > 1
        for name, differences in compare_said(said, held, expand):
            element = name or next(iter(said.elements), "")
            before = f"{name}: " if name and several and not self.home.qualified else ""
            if differences is None:
                missing = self.home.missing.format(place=self.home.place(self.path, self.address))
                told = f"{name}: {missing}" if several else missing
                yield self.mismatch(element, told)
            for difference in differences or ():
                yield self.mismatch(element, before + _describe(difference))

    def stood(self) -> list[str]:
        """Return the elements of ours that stood in the file, as far as that is known.

        What somebody else wrote into it is not ours: another file may declare it rightly. A deleted
        file had one of its own name, or none that is held.
        """
        stem = self.path.rpartition("/")[2].removesuffix(".xml")
        gone = all(change.action is Action.DELETE for change in self.changes)
        content = self.expected.before.get(self.path)
        try:
            names = list(read_said(self.home, content).elements) if content is not None else []
        except FragmentError:
            names = []
        if any(change.drifted for change in self.changes):
            ours = {stem, *(change.resource.name for change in self.changes)}
            ours |= self.expected.owners(self.path).keys()
            names = [name for name in names if name in ours]
        return list(dict.fromkeys((*names, stem) if gone and not self.stays else names))

    def find_left(self, names: Iterable[str], held: Held) -> Iterator[Mismatch]:
        """Yield which of these are still held: they left, alone or with their file."""
        for name in names:
            there = held.get(name)
            if there is not None and not self.home.is_empty(there):
                left = f"{name}: not declared, and the switch holds it"
                yield self.mismatch(name, left if self.stays else self.home.still, gone=True)


def _describe(difference: Difference) -> str:
    name, wanted, held = difference
    if is_secret(name, wanted, held):
        if wanted is None:
            return f"{name}: not declared, and the switch holds it"
        return f"{name}: the switch holds another value than was declared"
    if wanted is None:
        return f"{name}: not declared, and the switch holds {held!r}"
    there = "nothing" if held is None else repr(held)
    return f"{name}: declared {wanted!r}, the switch holds {there}"
