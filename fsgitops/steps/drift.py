"""Compare three ways: what was applied, what stands on disk, and what the switch holds."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from fsgitops.homes import HOMES, home_of
from fsgitops.homes.compare import DIRECTIVE, compare_said, said_of
from fsgitops.homes.pieces import split_entry, split_live
from fsgitops.model.compiled import UNKNOWN
from fsgitops.model.drift import AttributeDrift, Direction, DriftItem, DriftKind
from fsgitops.model.live import FileKind
from fsgitops.model.plan import is_secret, mask
from fsgitops.model.resource import Resource
from fsgitops.routing.fragment import FragmentError, flatten_fragment, is_frame

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from fsgitops.homes.compare import Held, Memory
    from fsgitops.homes.home import Address, Flat, Home
    from fsgitops.model.kind import Kinds
    from fsgitops.model.live import LiveConfig, LiveFile, ManifestEntry
    from fsgitops.routing.veil import Veil


@dataclass(slots=True)
class _Sides:
    """One managed file on its three sides; None is absent, or not known.

    The names of several users of a file begin with the user's, on every side.
    """

    resource: Resource
    path: str
    names: tuple[str, ...] = ()
    """Its elements, where it shares the file with others."""
    applied: Flat | None = None
    disk: Flat | None = None
    loaded: Flat | None = None
    kinds: list[DriftKind] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)

    def say(self, kind: DriftKind, message: str) -> None:
        if kind not in self.kinds:
            self.kinds.append(kind)
        self.messages.append(message)


class Applied(NamedTuple):
    """What was applied to the edited files, where that can be told.

    `own` has it of each resource, as a file of its own; UNKNOWN stands for secrets that cannot be
    told. `around` has what a file of several says besides.
    """

    own: Mapping[tuple[str, Resource], bytes] = {}
    around: Mapping[str, Flat] = {}


def find_edited(live: LiveConfig) -> list[str]:
    """Return the managed files whose bytes are not those that were applied."""
    return [
        path
        for path, entry in live.manifest.entries.items()
        if live.files[path].kind is FileKind.REGULAR and live.files[path].sha256 != entry.sha256
    ]


def find_drift(
    live: LiveConfig,
    applied: Applied,
    memory: Memory | None,
    exists: Callable[[str], bool],
    kinds: Kinds,
    address: Address,
    declares: Callable[[Home, str, str], bool] = lambda *_: False,
) -> list[DriftItem]:
    """Return every managed resource that is not, on disk or in memory, what was applied.

    Args:
        live: The manifest and its files, with their content.
        applied: What was applied to the edited files.
        memory: What the switch holds; None leaves it out.
        exists: Tells whether a path below the conf directory has anything.
        kinds: They know what in memory is left over of theirs.
        address: The target.
        declares: Tells whether the files on disk declare an element, by its name and place.
    """
    items: list[DriftItem] = []
    for path, entry in live.manifest.entries.items():
        for own, found, rest in _each_resource(
            path, entry, live.files[path], applied.around.get(path)
        ):
            resource = own.records[0].resource
            sides = _read_sides(path, own, found, applied.own.get((path, resource)))
            if memory is not None:
                _compare_memory(sides, memory)
            if rest:
                sides.say(DriftKind.EDITED, "what is of no resource was changed in its file")
            if sides.kinds:
                item = _describe(sides, memory)
                told = (*item.attributes, *rest)
                items.append(replace(item, attributes=told))
    if memory is not None:
        paths = (*live.manifest.entries, *live.manifest.unloaded)
        places = _list_places(paths, address)
        items += _find_left_over(live, memory, places, exists, kinds, declares)
    return sorted(items, key=lambda item: (item.resource, item.path))


def veil_drift(items: Iterable[DriftItem], veil: Veil) -> list[DriftItem]:
    """Return the drift with the secrets masked that `$${name}` brought into the switch's memory."""
    return [
        replace(
            item,
            message=veil.hide(item.message),
            attributes=tuple(_veil_attribute(attribute, veil) for attribute in item.attributes),
        )
        for item in items
    ]


def _veil_attribute(attribute: AttributeDrift, veil: Veil) -> AttributeDrift:
    declared, disk = attribute.declared, attribute.disk
    held = veil.hide_held(attribute.loaded, declared, disk)
    shown = [None if value is None else veil.hide(value) for value in (declared, disk)]
    secret = attribute.secret or [*shown, held] != [declared, disk, attribute.loaded]
    return replace(
        attribute,
        name=veil.hide(attribute.name),
        declared=shown[0],
        disk=shown[1],
        loaded=held,
        secret=secret,
    )


def ignore_expected(
    items: Sequence[DriftItem], expected: Sequence[tuple[str, str]]
) -> tuple[list[DriftItem], int]:
    """Return the drift that is not expected, and how many resources had nothing else.

    `expected` holds globs of a resource and of an attribute of it; a resource that is gone or
    left over as a whole is expected only where the attribute is `*`.
    """
    kept: list[DriftItem] = []
    for item in items:
        globs = [glob for name, glob in expected if fnmatchcase(str(item.resource), name)]
        left = tuple(
            attribute
            for attribute in item.attributes
            if not any(fnmatchcase(attribute.name, glob) for glob in globs)
        )
        if left or (not item.attributes and "*" not in globs):
            kept.append(replace(item, attributes=left))
    return kept, len(items) - len(kept)


def _each_resource(
    path: str, entry: ManifestEntry, found: LiveFile, around: Flat | None
) -> Iterator[tuple[ManifestEntry, LiveFile, Sequence[AttributeDrift]]]:
    """Yield each resource of a file as if it had one of its own: as it was applied, and as it is.

    With the first comes what differs in the file and is of none of them. Where nobody knows what
    was `around` them, an element around them is taken for that.
    """
    if entry.alone or found.kind is not FileKind.REGULAR:
        yield from ((own, found, ()) for own in split_entry(entry).values())
        return
    there, held = split_live(found, path, entry)
    if found.sha256 == entry.sha256:
        around = held
    elif around is None:
        around = {name: value for name, value in held.items() if is_frame(name, value)}
    rest: Sequence[AttributeDrift] = ()
    if around != held and not entry.foreign:
        rest = tuple(_list_beside(around, held))
    gone = replace(found, kind=FileKind.MISSING, content=None, sha256="")
    for resource, own in split_entry(entry).items():
        yield own, there.get(resource, gone), rest
        rest = ()


def _list_beside(around: Flat, held: Flat) -> Iterator[AttributeDrift]:
    for name in sorted({*around, *held}):
        wanted, value = around.get(name), held.get(name)
        if wanted == value:
            continue
        secret = is_secret(name, wanted, value)
        shown = (mask(wanted), mask(value)) if secret else (wanted, value)
        direction = Direction.BOTH_DIFFER
        if wanted is None:
            direction = Direction.ONLY_LIVE
        elif value is None:
            direction = Direction.ONLY_DECLARED
        label = f"{name} (beside all)"
        yield AttributeDrift(label, direction, shown[0], shown[1], None, secret, asked=False)


def _read_sides(path: str, entry: ManifestEntry, found: LiveFile, applied: bytes | None) -> _Sides:
    record = entry.records[0]
    sides = _Sides(record.resource, path, record.elements)
    if found.kind is FileKind.MISSING:
        gone = "it is gone from the file" if record.elements else "the file is gone"
        sides.say(DriftKind.DELETED, gone)
        return sides
    if found.kind is not FileKind.REGULAR:
        sides.say(DriftKind.REPLACED, f"a {found.kind} stands in the place of the file")
        return sides
    edited = found.sha256 != entry.sha256
    try:
        sides.disk = flatten_fragment(found.content or b"")
    except FragmentError as problem:
        sides.say(DriftKind.EDITED, f"FreeSWITCH cannot read the file: {problem}")
        return sides
    if not edited:
        sides.applied = sides.disk
        return sides
    sides.applied = flatten_fragment(applied) if applied is not None else None
    # White space and comments mean nothing to FreeSWITCH, so they are no drift.
    if sides.applied != sides.disk:
        sides.say(DriftKind.EDITED, "the file was edited")
        if sides.applied is None:
            sides.messages.append("its applied content is unknown: what is declared now differs")
    return sides


def _compare_memory(sides: _Sides, memory: Memory) -> None:
    home = home_of(sides.path)
    held = memory.of_file(sides.path)
    known = sides.names or (sides.path.rpartition("/")[2].removesuffix(".xml"),)
    if sides.disk is None:
        sides.loaded = next(filter(None, map(held.get, known)), None)
        holds = "still holds" if sides.loaded else "does not hold"
        sides.messages.append(f"the switch {holds} the resource")
        return
    said = said_of(home, sides.disk)
    applied = said_of(home, sides.applied).elements if sides.applied is not None else {}
    names = dict.fromkeys((*said.elements, *applied)) or known
    there = {name: flat for name in names if (flat := held.get(name)) is not None}
    beside = {name: value for name, value in held.rest.items() if name in said.rest}
    several = len(names) > 1
    if there or beside:
        sides.loaded = {**beside, **_join(home, there, alone=not several)}
    differs = any(wrong is None or wrong for _, wrong in compare_said(said, held, memory.expand))
    if sides.loaded is None:
        sides.say(DriftKind.NOT_LOADED, "the switch does not hold it: run `reloadxml`")
    elif differs or not there.keys() <= said.elements.keys():
        sides.say(
            DriftKind.NOT_LOADED,
            "the switch holds other values: it has not loaded the file yet, or another file "
            "declares the same name",
        )
    if several:
        sides.disk, sides.applied = _qualify(home, sides.disk), _qualify(home, sides.applied)


def _qualify(home: Home, flat: Flat | None) -> Flat | None:
    """Return what a file says, by names that tell the elements of it apart."""
    if flat is None:
        return None
    elements, rest, _ = said_of(home, flat)
    lines = {name: value for name, value in flat.items() if name.startswith(DIRECTIVE)}
    return {**lines, **rest, **_join(home, elements, alone=False)}


def _join(home: Home, elements: Mapping[str, Flat], *, alone: bool) -> dict[str, str]:
    return {
        name if alone or home.qualified else f"{element}/{name}": value
        for element, flat in elements.items()
        for name, value in flat.items()
    }


def _describe(sides: _Sides, memory: Memory | None) -> DriftItem:
    attributes: tuple[AttributeDrift, ...] = ()
    direction = Direction.BOTH_DIFFER
    if sides.disk is None:
        direction = Direction.BOTH_DIFFER if sides.loaded else Direction.ONLY_DECLARED
    elif sides.kinds == [DriftKind.NOT_LOADED] and sides.loaded is None:
        direction = Direction.ONLY_DECLARED
    else:
        attributes = tuple(_compare_attributes(sides, memory))
        secret_only = sides.applied is not None and UNKNOWN in sides.applied.values()
        if not attributes and secret_only:
            sides.messages.append("its secrets cannot be compared without the project key")
    return DriftItem(
        sides.resource, sides.path, tuple(sides.kinds), direction, "; ".join(sides.messages),
        attributes,
    )  # fmt: skip


def _compare_attributes(sides: _Sides, memory: Memory | None) -> Iterable[AttributeDrift]:
    disk, loaded = sides.disk or {}, sides.loaded or {}
    applied = sides.applied
    expand = memory.expand if memory else str
    asked = memory is not None and sides.loaded is not None
    for name in sorted({*disk, *loaded, *(applied or {})}):
        on_disk, held = disk.get(name), loaded.get(name)
        stale = asked and (None if on_disk is None else expand(on_disk)) != held
        stale = stale and not name.startswith(DIRECTIVE)
        base = on_disk if applied is None else applied.get(name)
        if base == UNKNOWN:
            base = held if stale else on_disk
        elif applied is None and asked:
            base = held
        if not stale and base == on_disk:
            continue
        wanted = None if base is None else expand(base)
        live = held if asked and held != wanted else on_disk
        secret = is_secret(name, base, on_disk, held)
        before, there, now = (mask(value) if secret else value for value in (base, on_disk, held))
        yield AttributeDrift(name, _direct(base, live), before, there, now, secret, asked)


def _direct(declared: str | None, live: str | None) -> Direction:
    if declared is None:
        return Direction.ONLY_LIVE
    return Direction.ONLY_DECLARED if live is None else Direction.BOTH_DIFFER


def _list_places(paths: Iterable[str], address: Address) -> list[tuple[Home, str]]:
    """Return the places that we write to, those of these paths first: there something is left."""
    folders = (folder for home in HOMES for folder in home.folders(address))
    usual = (f"{folder}/-.xml" for folder in folders if folder != address.places.contexts)
    named = ((home_of(path), path) for path in (*paths, *usual))
    return list(dict.fromkeys((home, home.place(path, address)) for home, path in named))


def _find_left_over(
    live: LiveConfig,
    memory: Memory,
    places: Iterable[tuple[Home, str]],
    exists: Callable[[str], bool],
    kinds: Kinds,
    declares: Callable[[Home, str, str], bool],
) -> Iterator[DriftItem]:
    """Yield what is ours in memory and has no file any more, ours or anybody's."""
    managed = {record.resource for record in live.manifest.records()}
    seen: list[Held] = []
    for home, place in places:
        held = memory.of_place(home, place)
        if any(held is other for other in seen):
            continue  # users of two folders are of one domain
        seen.append(held)
        for name in held.names():
            for kind in kinds.values():
                left = kind.ours(place, name, partial(held.get, name))
                if left is None:
                    continue
                resource = Resource(kind.word, left.name)
                alone = left.alone and (left.path in live.files or exists(left.path))
                if not (
                    resource in managed or alone or (not left.sure and declares(home, name, place))
                ):
                    yield DriftItem(
                        resource, left.path, (DriftKind.LEFT_OVER,), Direction.ONLY_LIVE,
                        "the switch still holds it, but no file declares it any more",
                    )  # fmt: skip
