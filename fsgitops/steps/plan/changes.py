"""Compare the files of a plan, resource by resource: what is to be made, changed and deleted.

A file is where resources lie. Where it holds one, the file is compared; where it holds several,
each is, as if it had a file of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from fsgitops.homes import home_of
from fsgitops.homes.pieces import (
    hash_parts,
    split_compiled,
    split_entry,
    split_live,
    take_apart,
)
from fsgitops.model.created import Created, Read, Span
from fsgitops.model.live import FileKind, LiveFile, ManifestEntry
from fsgitops.model.plan import Action, Change, Danger, Hazard, compare_attribute
from fsgitops.model.review import source_file
from fsgitops.routing.fragment import FragmentError, flatten_fragment
from fsgitops.routing.ordered import find_moves
from fsgitops.routing.outline import Outlines
from fsgitops.routing.recorded import flatten_recorded, holds_recorded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from fsgitops.findings import Position
    from fsgitops.homes.keeping import Keeping
    from fsgitops.model.compiled import CompiledConfig, CompiledFile
    from fsgitops.model.live import LiveConfig
    from fsgitops.model.resource import Resource

_MISSING = LiveFile(FileKind.MISSING)
_RELOAD = (Danger.RELOAD,)
"""What a creation costs, unless its home says other: said at once, it need not be said again."""


def find_changes(
    compiled: CompiledConfig,
    live: LiveConfig,
    declared: Mapping[Resource, Position],
    digest: Callable[[bytes], str],
    keeping: Keeping,
) -> tuple[list[Change], list[Hazard]]:
    """Return what makes live equal to compiled, by resource and path, and what stands in the way.

    `declared` is where each resource is declared now. `digest` is a keyed digest.
    """
    work, entries = _Comparison(declared, digest, keeping), live.manifest.entries
    for path, file in compiled.files.items():
        found, known = live.files[path], entries.get(path)
        if not (known and _is_untouched(file, found, known)):
            work.compare(path, file, found, known)
    for path, entry in entries.items():
        if path not in compiled.files:
            work.compare(path, None, live.files[path], entry)
    return sorted(work.changes, key=lambda change: (change.resource, change.path)), work.hazards


def _is_untouched(file: CompiledFile, found: LiveFile, entry: ManifestEntry) -> bool:
    """Tell at a glance that a file of one resource is what is compiled: most files are."""
    return (
        found.kind is FileKind.REGULAR
        and found.content is None
        and found.attributes is None
        and len(file.parts) == 1
        and entry.alone
    )


@dataclass(slots=True)
class _Comparison:
    declared: Mapping[Resource, Position]
    digest: Callable[[bytes], str]
    keeping: Keeping
    changes: list[Change] = field(default_factory=list)
    hazards: list[Hazard] = field(default_factory=list)
    read: Read = field(default_factory=lambda: Outlines().read)

    def compare(
        self, path: str, file: CompiledFile | None, found: LiveFile, entry: ManifestEntry | None
    ) -> None:
        """Add the changes of one file, or what stands in their way."""
        hazard = find_hazard(path, found, owned=entry is not None, wanted=file is not None)
        if hazard:
            self.hazards.append(hazard)
        elif (file and len(file.parts) > 1) or (entry and not entry.alone):
            self._compare_several(path, file, found, entry)
        elif file:
            self._compare_one(file, found, entry)
        elif entry:
            self._delete(path, found, entry)

    def _compare_one(
        self,
        file: CompiledFile,
        found: LiveFile,
        entry: ManifestEntry | None,
        whole: tuple[bytes, Span] | None = None,
    ) -> None:
        """Compare a file of one resource, which may be cut out of a larger one: the `whole`."""
        part = file.part
        missing = found.kind is FileKind.MISSING
        if not missing and _holds_compiled(file, found, self.digest):
            return
        after = self.digest(file.sha256.encode())
        if missing:
            attributes = Created(self.read, *whole or (file.content,))
            self.changes.append(Change(
                Action.CREATE, part.resource, file.path, str(part.source), entry is not None, "",
                after, _RELOAD, attributes=attributes,
                restored=entry is not None and not file.unknown and entry.sha256 == file.sha256,
                login=_read_login(file.path, file.content),
                networks=home_of(file.path).networks(file.content),
            ))  # fmt: skip
            return
        before = self.digest(found.sha256.encode())
        drifted = entry is None or entry.sha256 != found.sha256
        change = Change(
            Action.UPDATE, part.resource, file.path, str(part.source), drifted, before, after
        )
        self.changes.append(self._explain_update(change, file, found))

    def _explain_update(self, change: Change, file: CompiledFile, found: LiveFile) -> Change:
        """Say which attributes differ, and what of an ordered list moved, came or went."""
        after = flatten_fragment(file.content)
        recorded = found.attributes is not None
        before = flatten_recorded(file, found, self.digest) if recorded else _flatten_live(found)
        names = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
        return replace(
            change,
            attributes=self.keeping.compare(change.path, before, after, names),
            moves=find_moves(before, after, names),
            login=_read_login(change.path, found.content),
            networks=any(map(home_of(change.path).networks, (found.content or b"", file.content))),
        )

    def _delete(self, path: str, found: LiveFile, entry: ManifestEntry) -> None:
        record = entry.records[0]
        # Something else may stand on the line that the manifest names, once this left it.
        source = str(self.declared.get(record.resource, "")) or source_file(record.source)
        self.changes.append(Change(
            Action.DELETE, record.resource, path, source, found.sha256 != entry.sha256,
            self.digest(found.sha256.encode()), login=_read_login(path, found.content),
            networks=home_of(path).networks(found.content or b""),
        ))  # fmt: skip

    def _compare_several(
        self, path: str, file: CompiledFile | None, found: LiveFile, entry: ManifestEntry | None
    ) -> None:
        recorded = found.parts is not None or found.attributes is not None
        whole = found.kind is FileKind.REGULAR and found.content is None and not recorded
        if file and whole:
            known = {record.resource for record in entry.records} if entry else set()
            if known == {part.resource for part in file.parts}:
                return
            found = replace(found, content=file.content)
        if file and entry is None and found.kind is FileKind.MISSING and self._create_all(file):
            return
        before = len(self.changes)
        wanted = split_compiled(file) if file else {}
        spans = {part.resource: part.span for part in file.parts} if file else {}
        applied = split_entry(entry) if entry else {}
        there, beside = split_live(found, path, entry, wanted.values())
        for resource in {**wanted, **applied}:
            own, known_as = there.get(resource, _MISSING), applied.get(resource)
            if entry and entry.alone and known_as:  # its hash is that of a whole file
                same = found.sha256 == entry.sha256
                known_as = replace(known_as, sha256=own.sha256 if same else "")
            if resource in wanted:
                span = spans[resource]
                cut = (file.content, span) if file and span != (0, 0) else None
                self._compare_one(wanted[resource], own, known_as, cut)
            elif known_as:
                self._delete(path, own, known_as)
        if file and there and not (recorded or file.foreign):
            self._compare_beside(file, beside, before)

    def _create_all(self, file: CompiledFile) -> bool:
        """Add the creation of all that lies in a new file, if that is told without reading it."""
        found = hash_parts(file)
        for part, (sha256, _) in zip(file.parts, found or (), strict=False):
            attributes = Created(self.read, file.content, part.span)
            self.changes.append(Change(
                Action.CREATE, part.resource, file.path, str(part.source),
                False, "", self.digest(sha256.encode()), _RELOAD, attributes=attributes,
                login=_read_login(file.path, file.content[slice(*part.span)]),
                networks=home_of(file.path).networks(file.content[slice(*part.span)]),
            ))  # fmt: skip
        return found is not None

    def _compare_beside(
        self, file: CompiledFile, held: Mapping[str, str], first_change: int
    ) -> None:
        """Tell with the first resource what stands in the file and is of no resource at all."""
        wanted = take_apart(file.content, file.path).spans.flatten_rest()
        names = sorted(name for name in {*wanted, *held} if wanted.get(name) != held.get(name))
        if not names:
            return
        first = file.parts[0]
        attributes = tuple(
            replace(
                compare_attribute(name, held.get(name), wanted.get(name)),
                name=f"{name} (beside all)",
            )
            for name in names
        )
        for number, change in enumerate(self.changes[first_change:], first_change):
            if change.resource == first.resource:
                told = replace(change, attributes=(*change.attributes, *attributes), drifted=True)
                self.changes[number] = told
                return
        before = self.digest(repr(sorted(held.items())).encode())
        self.changes.append(Change(
            Action.UPDATE, first.resource, file.path, str(first.source), True, before,
            self.digest(file.sha256.encode()), attributes=attributes,
        ))  # fmt: skip


def find_unloaded(
    changes: Iterable[Change], live: LiveConfig, exists: Callable[[str], bool]
) -> tuple[Change, ...]:
    """Return what is to be loaded, and read back, beside these changes.

    Left out is what they change anyway, what drifted away since, and what was deleted and stands
    there again: somebody else declares it. `exists` tells whether a path has anything.
    """
    touched = {(change.path, change.resource) for change in changes}
    found: list[Change] = []
    there = {record.resource for record in live.manifest.records()}
    for path, resources in sorted(live.manifest.unloaded.items()):
        entry = live.manifest.entries.get(path)
        if live.files[path].kind is not FileKind.REGULAR if entry else exists(path):
            continue
        managed = {record.resource for record in entry.records} if entry else ()
        for resource in resources:
            action = Action.UPDATE if resource in managed else Action.DELETE
            moved = action is Action.DELETE and resource in there
            if (path, resource) not in touched and not moved:
                found.append(Change(action, resource, path))
    return tuple(found)


def find_hazard(path: str, found: LiveFile, *, owned: bool, wanted: bool) -> Hazard | None:
    """Return why this path must not be touched, or None."""
    if found.kind is FileKind.MISSING:
        return None
    if found.kind is not FileKind.REGULAR:
        message = f"found a {found.kind}; fsgitops keeps a plain file of its own here"
        hint = "look where it leads, and remove it or move it away"
        if found.kind is FileKind.MOUNT:
            hint = "a mounted file cannot be replaced: mount its folder instead"
        return Hazard(f"hazard-{found.kind.name.lower().replace('_', '-')}", path, message, hint)
    if wanted and not owned:
        return Hazard(
            "foreign-file", path, "this file exists, and fsgitops does not manage it",
            "move it away, or run `fsgitops adopt` to compare it and manage it from now on",
        )  # fmt: skip
    return None


def _holds_compiled(file: CompiledFile, found: LiveFile, digest: Callable[[bytes], str]) -> bool:
    """Tell whether the live file already says what the compiled one does.

    Its content was dropped when its hash was the compiled one's. White space, comments and the
    order of attributes mean nothing to FreeSWITCH, so they are no difference.
    """
    if found.attributes is not None:
        return holds_recorded(file, found, digest)
    if found.content is None:
        return True
    if file.unknown:
        return _matches_around_secrets(file, found.content)
    try:
        return flatten_fragment(found.content) == flatten_fragment(file.content)
    except FragmentError:
        return False


def _matches_around_secrets(file: CompiledFile, content: bytes) -> bool:
    """Compare all but the secret spans, whose values nobody knows without the key."""
    position = cursor = 0
    for start, end in file.secret_spans:
        part = file.content[cursor:start]
        if not content.startswith(part, position):
            return False
        position = content.find(b'"', position + len(part))
        cursor = end
    return position >= 0 and content[position:] == file.content[cursor:]


def _read_login(path: str, content: bytes | None) -> str:
    """Return what phones of a file are registered as, where that is not its resource's name."""
    try:
        return home_of(path).login(content or b"")
    except FragmentError:
        return ""


def _flatten_live(found: LiveFile) -> Mapping[str, str]:
    try:
        return flatten_fragment(found.content or b"")
    except FragmentError as problem:
        return {"(the whole file)": f"not readable as FreeSWITCH would: {problem}"}
