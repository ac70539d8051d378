"""Compare what is compiled with what is live: the plan, explained by attribute."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from fsgitops.homes import home_of
from fsgitops.model.live import FileKind
from fsgitops.model.plan import (
    Action,
    AttributeChange,
    Change,
    Hazard,
    Plan,
    is_secret,
)
from fsgitops.model.plan_json import plan_to_json
from fsgitops.model.review import source_file
from fsgitops.routing.fragment import FragmentError, flatten_fragment
from fsgitops.routing.ordered import find_moves
from fsgitops.routing.outline import Outlines
from fsgitops.routing.recorded import flatten_recorded, holds_recorded

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from fsgitops.findings import Position
    from fsgitops.model.compiled import CompiledConfig, CompiledFile
    from fsgitops.model.live import LiveConfig, LiveFile, ManifestEntry
    from fsgitops.model.resource import Resource


@dataclass(frozen=True, slots=True)
class PlanContext:
    """What a plan is made for: names for the reader, and the commit that it is bound to."""

    project: str
    target: str
    conf_dir: str
    domain: str
    commit: str = ""
    dirty: bool = False
    simulated: bool = False
    unknown_secrets: bool = False
    warnings: tuple[str, ...] = ()
    survey: Callable[[Sequence[Change], Collection[str]], Survey] = lambda *_: Survey()
    """Looks at what is not ours on the disk, beside the changes and the paths that we manage."""
    declared: Mapping[Resource, Position] = field(default_factory=dict)
    """Where each resource is declared now, those that are disabled among them."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What stands in the way of the changes elsewhere in the configuration, and what to know."""

    hazards: tuple[Hazard, ...] = ()
    warnings: tuple[str, ...] = ()


def compare_config(
    compiled: CompiledConfig,
    live: LiveConfig,
    context: PlanContext,
    digest: Callable[[bytes], str],
) -> Plan:
    """Return every change that makes live equal to compiled, and what stands in the way.

    It says neither what the changes cost nor how they are loaded, and has no fingerprint yet.
    `digest` is a keyed digest: no hash of a file that holds secrets leaves this function bare.
    """
    changes, hazards = _compare(compiled, live, digest)
    _append_deletions(compiled, live, changes, hazards, digest, context.declared)
    changes.sort(key=lambda change: (change.resource, change.path))
    survey = context.survey(changes, live.manifest.entries.keys())
    hazards += survey.hazards
    touched = {change.path for change in changes} | {hazard.path for hazard in hazards}
    return Plan(
        project=context.project,
        target=context.target,
        conf_dir=context.conf_dir,
        domain=context.domain,
        changes=tuple(changes),
        hazards=tuple(hazards),
        unchanged=len(set(compiled.files).difference(touched)),
        warnings=(*context.warnings, *survey.warnings, *_find_exposed(compiled, live)),
        unmanaged=live.unmanaged,
        commit=context.commit,
        dirty=context.dirty,
        live_digest=digest_live(live, digest),
        unknown_secrets=context.unknown_secrets,
        simulated=context.simulated,
    )


def _compare(
    compiled: CompiledConfig, live: LiveConfig, digest: Callable[[bytes], str]
) -> tuple[list[Change], list[Hazard]]:
    """Return what is to be created or updated, and what stands in the way."""
    changes: list[Change] = []
    hazards: list[Hazard] = []
    outlines = Outlines()
    for path, file in compiled.files.items():
        found = live.files[path]
        entry = live.manifest.entries.get(path)
        hazard = find_hazard(path, found, owned=entry is not None, wanted=True)
        if hazard:
            hazards.append(hazard)
        elif found.kind is FileKind.MISSING:
            attributes = tuple(
                _attribute(name, None, value) for name, value in outlines.flatten(file.content)
            )
            changes.append(_describe_creation(file, attributes, entry, digest))
        elif not _holds_compiled(file, found, digest):
            change = _describe_update(file, found, entry, digest)
            changes.append(_explain_update(change, file, found, digest))
    return changes, hazards


def digest_live(live: LiveConfig, digest: Callable[[bytes], str]) -> str:
    """Return the digest of all that a plan was compared with: contents, kinds and ownership."""
    state = hashlib.sha256()
    for path, file in live.files.items():
        entry = live.manifest.entries.get(path)
        owned = entry.sha256 if entry else ""
        state.update(f"{path}\0{file.kind}\0{file.sha256}\0{owned}\n".encode())
    for path in sorted(live.manifest.unloaded):
        state.update(f"{path}\0not loaded\n".encode())
    return digest(state.digest())


def finish_plan(plan: Plan) -> Plan:
    """Return the plan in its order, with its fingerprint: nothing but its needs may change now."""
    plan = replace(plan, hazards=tuple(sorted(plan.hazards, key=lambda hazard: hazard.path)))
    return replace(plan, fingerprint=fingerprint_plan(plan))


def fingerprint_plan(plan: Plan) -> str:
    """Return a short hash of the whole plan.

    The fingerprint itself is left out, and so is what is true only now (what the switch said of
    the agents, and which permissions are given) and what is told of the rest in sentences.
    """
    data = plan_to_json(replace(plan, fingerprint="", needs=(), activity=None))
    del data["tasks"]
    text = json.dumps(data, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


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


def _find_exposed(compiled: CompiledConfig, live: LiveConfig) -> Iterator[str]:
    """Yield a warning for each file whose secrets every user of the machine may read.

    A mode is never changed: whether FreeSWITCH reads a file as its owner, by its group or as
    anybody is not known here.
    """
    for path in compiled.files:
        if live.files[path].exposed and home_of(path)[0].hides:
            yield (
                f"{path}: every user of that machine may read this file and its secrets "
                "[secret-exposed]; run chmod o-rwx, once FreeSWITCH may read it as its owner or by "
                "its group"
            )


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


def _describe_creation(
    file: CompiledFile,
    attributes: tuple[AttributeChange, ...],
    entry: ManifestEntry | None,
    digest: Callable[[bytes], str],
) -> Change:
    return Change(
        Action.CREATE, file.part.resource, file.path, attributes, entry is not None,
        str(file.part.source),
        "", _digest_compiled(file, digest),
    )  # fmt: skip


def _describe_update(
    file: CompiledFile,
    found: LiveFile,
    entry: ManifestEntry | None,
    digest: Callable[[bytes], str],
) -> Change:
    drifted = entry is not None and entry.sha256 != found.sha256
    return Change(
        Action.UPDATE, file.part.resource, file.path, (), drifted, str(file.part.source),
        digest(found.sha256.encode()), _digest_compiled(file, digest),
    )  # fmt: skip


def _digest_compiled(file: CompiledFile, digest: Callable[[bytes], str]) -> str:
    return digest(file.sha256.encode())


def _append_deletions(
    compiled: CompiledConfig,
    live: LiveConfig,
    changes: list[Change],
    hazards: list[Hazard],
    digest: Callable[[bytes], str],
    declared: Mapping[Resource, Position],
) -> None:
    for path, entry in live.manifest.entries.items():
        if path in compiled.files:
            continue
        found = live.files[path]
        hazard = find_hazard(path, found, owned=True, wanted=False)
        if hazard:
            hazards.append(hazard)
            continue
        drifted = found.sha256 != entry.sha256
        before = digest(found.sha256.encode())
        # Something else may stand on the line that the manifest names, once this left it.
        source = str(declared.get(entry.resource, "")) or source_file(entry.source)
        changes.append(Change(Action.DELETE, entry.resource, path, (), drifted, source, before))


def _explain_update(
    change: Change, file: CompiledFile, found: LiveFile, digest: Callable[[bytes], str]
) -> Change:
    """Say which attributes differ, and what of an ordered list moved, came or went."""
    after = flatten_fragment(file.content)
    recorded = found.attributes is not None
    before = flatten_recorded(file, found, digest) if recorded else _flatten_live(found)
    names = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
    attributes = [_attribute(name, before.get(name), after.get(name)) for name in names]
    return replace(change, attributes=tuple(attributes), moves=find_moves(before, after, names))


def _flatten_live(found: LiveFile) -> Mapping[str, str]:
    try:
        return flatten_fragment(found.content or b"")
    except FragmentError as problem:
        return {"(the whole file)": f"not readable as FreeSWITCH would: {problem}"}


def _attribute(name: str, before: str | None, after: str | None) -> AttributeChange:
    if is_secret(name, before, after):
        return AttributeChange(name, _mask(before), _mask(after), secret=True)
    return AttributeChange(name, before, after)


def _mask(value: str | None) -> str | None:
    return None if value is None else "(secret)"
