"""Keep what was not chosen as it stands: in a file of several resources, its bytes stay."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from fsgitops.homes.foreign import is_bare, take_out
from fsgitops.homes.pieces import elements_of, find_owners, part_of, split_compiled, take_apart
from fsgitops.model.compiled import CompiledConfig, CompiledFile
from fsgitops.model.live import FileKind
from fsgitops.model.plan import Action, Hazard
from fsgitops.routing.fragment import FragmentError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from fsgitops.homes.pieces import Pieces
    from fsgitops.model.live import LiveConfig, LiveFile, ManifestEntry
    from fsgitops.model.plan import Change
    from fsgitops.model.resource import Resource

RULE = "inseparable"
HINT = "plan without --only and --exclude, or undo what was written into it by hand"
MOVE = "`fsgitops release` this file, and take the elements out of it by hand"
_GAP = b"\n  "


def keep_unchosen(
    compiled: CompiledConfig, live: LiveConfig, chosen: Iterable[Change]
) -> tuple[CompiledConfig, list[Hazard]]:
    """Return what the chosen changes write, and where the rest of a file cannot be kept."""
    by_path: dict[str, dict[Resource, Change]] = {}
    for change in chosen:
        by_path.setdefault(change.path, {})[change.resource] = change
    files = dict(compiled.files)
    hazards: list[Hazard] = []
    for path, changes in by_path.items():
        file, entry = files.get(path), live.manifest.entries.get(path)
        several = (file and len(file.parts) > 1) or (entry and not entry.alone)
        marks = all(
            {item.name for item in one.attributes} == {"protect"} for one in changes.values()
        )
        if not several or marks or (file and file.settled) or (entry and entry.foreign):
            continue
        try:
            merged = _merge(path, file, live.files[path], entry, changes)
        except FragmentError as problem:
            message = (
                f"what this plan leaves out cannot be kept in this file as it stands: {problem}"
            )
            hazards.append(Hazard(RULE, path, message, HINT))
            continue
        files.pop(path, None)
        if merged:
            files[path] = merged
    return replace(compiled, files=files), hazards


def leave_foreign(
    compiled: CompiledConfig, live: LiveConfig, chosen: Iterable[Change]
) -> tuple[CompiledConfig, list[Hazard]]:
    """Return the same with what is left of somebody else's files, and where that cannot be told.

    Such a file goes where it says nothing more.
    """
    gone: dict[str, set[Resource]] = {}
    for change in chosen:
        if change.action is Action.DELETE:
            gone.setdefault(change.path, set()).add(change.resource)
    files = dict(compiled.files)
    hazards: list[Hazard] = []
    for path, resources in gone.items():
        entry, content = live.manifest.entries.get(path), live.files[path].content
        if entry is None or not entry.foreign or content is None:
            continue
        if path in compiled.files:
            message = "a declared resource gets the path of this file"
            hazards.append(Hazard(RULE, path, message, MOVE))
            continue
        ours = (item for item in entry.records if item.resource in resources)
        names = [name for item in ours for name in item.elements]
        try:
            left = take_out(content, path, names)
            bare = is_bare(left)
        except FragmentError as problem:
            hazards.append(Hazard(RULE, path, str(problem), MOVE))
            continue
        kept = [item for item in entry.records if item.resource not in resources]
        if kept or not bare:
            parts = tuple(part_of(item)._replace(kept=True) for item in kept)
            digest = hashlib.sha256(left).hexdigest()
            files[path] = CompiledFile(path, left, parts, sha256=digest, foreign=True)
    return replace(compiled, files=files), hazards


def _merge(
    path: str,
    file: CompiledFile | None,
    found: LiveFile,
    entry: ManifestEntry | None,
    changes: Mapping[Resource, Change],
) -> CompiledFile | None:
    wanted = split_compiled(file) if file else {}
    missing = found.kind is FileKind.MISSING
    content = found.content if found.content is not None else file.content if file else b""
    pieces = take_apart(content, path)
    if not pieces.spans.exact:
        raise FragmentError(1, "it is not laid out as fsgitops writes it")
    owners = find_owners(pieces, entry, wanted.values())
    work = _Merge(pieces, owners, changes, missing=missing)
    work.run(wanted)
    places = {item.resource: part_of(item) for item in (entry.records if entry else ())}
    places |= {part.resource: part for part in (file.parts if file else ())}
    parts = tuple(
        places[owner]._replace(
            span=(0, 0), elements=tuple(names), kept=owner not in changes, sha256=""
        )
        for owner, names in work.names.items()
    )
    text = b"".join(work.out)
    sha256 = hashlib.sha256(text).hexdigest()
    return CompiledFile(path, text, parts, sha256=sha256) if parts else None


@dataclass(slots=True)
class _Merge:
    """Writes a file anew: each of its elements as it stands, or as it is compiled."""

    live: Pieces
    owners: list[Resource | None]
    changes: Mapping[Resource, Change]
    missing: bool
    out: list[bytes] = field(default_factory=list)
    names: dict[Resource, list[str]] = field(default_factory=dict)
    """The elements of each resource in what is written."""

    def run(self, wanted: Mapping[Resource, CompiledFile]) -> None:
        """Write it, new elements where they stand in what is compiled."""
        order = {resource: number for number, resource in enumerate(wanted)}
        there = set(self.owners)
        new = [item for item in wanted if item in self.changes and item not in there]
        text, cursor = self.live.spans.text, 0
        for number, (start, end) in enumerate(self.live.spans.elements):
            owner, gap, cursor = self.owners[number], text[cursor:start], end
            while new and owner is not None and order[new[0]] < order.get(owner, -1):
                self._put(wanted[new.pop(0)], gap)
                gap = _GAP
            if not self._is_dropped(owner):
                self.out.append(gap)
                self._replace(owner, number, wanted)
            elif gap.strip():
                self.out.append(gap.rstrip())
        for resource in new:
            self._put(wanted[resource], _GAP)
        self.out.append(text[cursor:])

    def _is_dropped(self, owner: Resource | None) -> bool:
        change = self.changes.get(owner) if owner else None
        if self.missing:
            return change is None
        return change is not None and change.action is Action.DELETE

    def _replace(
        self, owner: Resource | None, number: int, wanted: Mapping[Resource, CompiledFile]
    ) -> None:
        if owner is None or owner not in self.changes or self.missing:
            self.out.append(self.live.bytes_of(number))
            if owner is not None:
                self.names.setdefault(owner, []).extend(self.live.names[number])
        elif owner not in self.names:
            self._put(wanted[owner])

    def _put(self, file: CompiledFile, gap: bytes = b"") -> None:
        self.out += gap, elements_of(file)
        self.names[file.part.resource] = list(file.part.elements)
