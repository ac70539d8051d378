"""`fsgitops adopt` and `fsgitops release`: take a hand-written file over, and give one back."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from fsgitops.commands.plan import run_plan
from fsgitops.errors import FsgitopsError, PlanRefusedError, UsageError
from fsgitops.homes.pieces import split_compiled, split_live
from fsgitops.live.audit import audited
from fsgitops.live.recover import recover_locked
from fsgitops.model.live import (
    FileKind,
    LiveConfig,
    ManifestEntry,
    Owner,
    Record,
    is_safe_path,
)
from fsgitops.model.plan import Action
from fsgitops.planning.holders import SHOWN, Holder, Stays, find_beside, find_holders
from fsgitops.planning.planned import keyed, make_context
from fsgitops.steps.plan import compare_config
from fsgitops.steps.read_live import read_live, read_manifest
from fsgitops.steps.rename import pair_moves
from fsgitops.steps.rewind import narrow_live
from fsgitops.steps.select import matches_path, names_resource
from fsgitops.transaction.folder import hash_file
from fsgitops.transaction.journal import MANIFEST
from fsgitops.transaction.lock import lock_state
from fsgitops.transaction.state import write_state
from fsgitops.visible import count_noun

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from fsgitops.model.compiled import Part
    from fsgitops.model.plan import Plan
    from fsgitops.planning.planned import Planned
    from fsgitops.workspace.open import Workspace


_GLOB = re.compile(r"[*?]")


@dataclass(frozen=True, slots=True)
class Adoption:
    """The files to take over, and the plan of what the next apply would do to them.

    `holders` are those of them that somebody wrote for more than one resource, or under another
    name: the next apply takes elements out of them. `stays` are files that are left, and why.
    """

    plan: Plan
    entries: dict[str, ManifestEntry]
    holders: tuple[Holder, ...] = ()
    stays: tuple[Stays, ...] = ()
    notes: tuple[str, ...] = ()


def plan_adoption(
    workspace: Workspace,
    words: Sequence[str],
    *,
    only_same: bool = False,
    split: bool | None = None,
) -> Adoption:
    """Compare hand-written files with what is compiled for their paths; touch nothing.

    `words` are paths below the conf directory, or absolute ones that lead there; folders and globs
    stand for the files in them that hold what is declared, `.` for all. With `only_same`, those
    that differ from it are left. `split` tells what becomes of files that hold others as well:
    elements are taken out of them, or they are left. Raises UsageError for a path outside, or where
    nothing stands, or where `split` must be told; PlanRefusedError for one that holds nothing that
    is declared, or that is not a plain file.
    """
    planned = run_plan(workspace)
    chosen = _choose(workspace, planned, words, split)
    entries, stays = _enter(planned, chosen, only_same=only_same)
    plan = _compare(workspace, planned, entries)
    counts = count_differences(plan) if only_same else Counter()
    differing = [path for path in entries if counts[path]]
    for path in differing:
        told = count_noun(counts[path], "difference")
        stays.append(Stays(path, f"{told} from what is declared"))
        del entries[path]
    return Adoption(
        _compare(workspace, planned, entries) if differing else plan,
        entries,
        tuple(item for item in chosen.holders if item.path in entries),
        tuple(sorted(stays)),
        (*planned.notes, *chosen.notes, *(_tell_looked(planned) if only_same else ())),
    )


def _tell_looked(planned: Planned) -> tuple[str]:
    """Say what was looked at to find what is as declared."""
    paths = count_noun(len(planned.compilation.compiled.files), "path")
    return (
        f"looked at the {paths} of what is declared, where {len(_list_there(planned))} stand, and "
        "at hand-written files for the rest",
    )


class _Chosen(NamedTuple):
    """The paths that were named, the hand-written files among them, and what is left of those."""

    paths: list[str]
    holders: list[Holder]
    stays: list[Stays]
    notes: list[str]


def _choose(
    workspace: Workspace, planned: Planned, words: Sequence[str], split: bool | None
) -> _Chosen:
    """Return what the words name. Raises UsageError."""
    conf_dir = workspace.target.conf_dir
    notes: list[str] = []
    try:
        holders, stays = find_holders(workspace, planned)
    except (FsgitopsError, OSError) as problem:
        holders, stays = [], []
        notes.append(f"looked only at the paths of what is declared: {problem}")
    places = [*_list_there(planned), *(item.path for item in holders)]
    declared = {*places, *planned.compilation.compiled.files}
    globs = {word: _read_glob(conf_dir, word, declared) for word in words}
    paths: dict[str, None] = {}
    for word, glob in globs.items():
        found = [path for path in places if matches_path(glob or "", path)]
        if glob is not None and not found:
            raise UsageError(
                f"{word}: no file here belongs to anything declared; an apply creates such files"
            )
        paths.update(dict.fromkeys(found if glob else [relative_path(conf_dir, word)]))
    stays = [
        item
        for item in stays
        if item.path in paths or any(matches_path(glob or "", item.path) for glob in globs.values())
    ]
    kept, mixed = _judge_mixed([item for item in holders if item.path in paths], split)
    return _Chosen([*paths], kept, [*stays, *mixed], notes)


def _enter(
    planned: Planned, chosen: _Chosen, *, only_same: bool
) -> tuple[dict[str, ManifestEntry], list[Stays]]:
    """Return what is to be known of each file, and which are left."""
    known, stays = planned.live.manifest.entries, list(chosen.stays)
    entries = {item.path: item.entry for item in chosen.holders}
    left = {item.path for item in stays}
    for path in chosen.paths:
        if path in known:
            chosen.notes.append(f"{path} is managed already")
        elif path not in entries and path not in left:
            try:
                entries[path] = _entry(planned, path)
            except PlanRefusedError as problem:
                if not only_same:
                    raise
                stays.append(Stays(path, str(problem).removeprefix(f"{path}: ")))
    return entries, stays


def _list_there(planned: Planned) -> list[str]:
    """Return the paths of what is declared where something stands."""
    files = planned.live.files
    declared = sorted(planned.compilation.compiled.files)
    return [path for path in declared if files[path].kind is not FileKind.MISSING]


def _judge_mixed(holders: list[Holder], split: bool | None) -> tuple[list[Holder], list[Stays]]:
    """Return the files to take elements from, and those with others in them that are kept whole."""
    mixed = [item for item in holders if item.others]
    if not mixed or split:
        return holders, []
    if split is None:
        told = "; ".join(
            f"{item.path} ({', '.join(item.others[:SHOWN])})" for item in mixed[:SHOWN]
        )
        raise UsageError(
            f"{count_noun(len(mixed), 'file')} {'holds' if len(mixed) == 1 else 'hold'} what is "
            f"not declared as well: {told}. With --split, the next apply takes out what is "
            "declared, and the rest keeps its bytes; with --keep, such files are left as they are"
        )
    stays = [Stays(item.path, f"kept: it holds {', '.join(item.others[:SHOWN])}") for item in mixed]
    return [item for item in holders if not item.others], stays


def _compare(workspace: Workspace, planned: Planned, entries: Mapping[str, ManifestEntry]) -> Plan:
    """Return what the next apply would change of these files."""
    live, compiled = planned.live, planned.compilation.compiled
    ours = {record.resource for entry in entries.values() for record in entry.records}
    files = {
        path: file
        for path, file in compiled.files.items()
        if path in entries or any(part.resource in ours for part in file.parts)
    }
    manifest = replace(live.manifest, entries={**live.manifest.entries, **entries})
    target = workspace.target
    foreign = {path: "" for path, entry in entries.items() if entry.foreign}
    found = read_live(target.conf_dir, target.state_dir, foreign, manifest) if foreign else live
    seen = LiveConfig(manifest, {**live.files, **{p: found.files[p] for p in foreign}})
    compiled = replace(compiled, files=files)
    plan = compare_config(
        compiled,
        narrow_live(seen, {*entries, *files}),
        make_context(workspace, unknown_secrets=planned.plan.unknown_secrets),
        keyed(planned.compilation.key),
    )
    return replace(plan, changes=pair_moves(plan, compiled, seen))


def count_differences(plan: Plan) -> Counter[str]:
    """Return how many attributes the next apply would change of what each file holds.

    A secret that stays what it is, in another form, is none.
    """
    left = {item.resource: item.path for item in plan.changes if item.renamed_to}
    counts: Counter[str] = Counter()
    for item in plan.changes:
        if item.moved or item.action is Action.UPDATE:
            path = left.get(item.resource, item.path)
            counts[path] += sum(not attribute.same for attribute in item.attributes)
    return counts


def run_adoption(
    workspace: Workspace, shown: Adoption, *, wait_seconds: float, tell: Callable[[str], None]
) -> None:
    """Take over the files that were shown. No file changes, only whose they are.

    Raises PlanRefusedError when one is not what it was.
    """
    target = workspace.target
    with lock_state(target.state_dir, wait_seconds=wait_seconds, tell=tell):
        recover_locked(workspace)
        for path, entry in shown.entries.items():
            if hash_file(target.conf_dir / path) != entry.sha256:
                raise PlanRefusedError(
                    f"{path} changed while it was read; nothing was adopted; run it again"
                )
        _change_manifest(workspace, "adopt", shown.entries)


def run_release(
    workspace: Workspace, words: Sequence[str], *, wait_seconds: float, tell: Callable[[str], None]
) -> dict[str, ManifestEntry]:
    """Give files back: they stay as they are, and are no longer ours. Returns what was known.

    `words` are paths, folders, globs, `.` for all, or resources such as `agent:1020`. Raises
    UsageError for what is not managed, and for one of several resources of a file.
    """
    target = workspace.target
    with lock_state(target.state_dir, wait_seconds=wait_seconds, tell=tell):
        recover_locked(workspace)
        entries = read_manifest(target.state_dir).entries
        by_name: dict[str, list[str]] = {}
        for path, entry in entries.items():
            for record in entry.records:
                by_name.setdefault(str(record.resource), []).append(path)
        found: dict[str, ManifestEntry] = {}
        for word in words:
            for path in by_name.get(word) or _find_managed(target.conf_dir, entries, word):
                found[path] = entries[path]
                if word in by_name:
                    _refuse_part(word, path, entries[path])
        _change_manifest(workspace, "release", found)
    return found


def _refuse_part(word: str, path: str, entry: ManifestEntry) -> None:
    others = len(entry.records) - 1
    if others:
        raise UsageError(
            f"{word}: {path} holds {count_noun(others, 'other resource')} as well, and a file is "
            "given back as a whole; nothing was released; name the file"
        )


def _find_managed(conf_dir: Path, entries: Collection[str], word: str) -> list[str]:
    """Return the managed paths that a word names: one, or all in a folder or of a glob."""
    if not names_resource(word):
        glob = _read_glob(conf_dir, word, entries)
        path = relative_path(conf_dir, word) if glob is None else ""
        found = [item for item in sorted(entries) if item == path or matches_path(glob or "", item)]
        if found:
            return found
    if not entries:
        raise UsageError("nothing is managed here, so nothing was released")
    raise UsageError(f"{word}: not managed here; nothing was released")


def _read_glob(conf_dir: Path, word: str, known: Collection[str]) -> str | None:
    """Return the glob of a folder or a glob that was named, None for the path of one file.

    Raises UsageError for one that leads out of the conf directory.
    """
    text = _below(conf_dir, word)
    folder = text not in known and (conf_dir / text).is_dir()
    if not (_GLOB.search(text) or folder):
        return None
    if text.startswith("/") or ".." in text.split("/"):
        raise UsageError(f"{word}: not a path below {conf_dir}")
    return text if _GLOB.search(text) else "**" if text == "." else f"{text}/**"


def _below(conf_dir: Path, word: str) -> str:
    """Return a path relative to the conf directory, where it lies below it."""
    path = Path(word)
    if path.is_absolute():
        for root in (conf_dir, conf_dir.resolve()):
            if path.is_relative_to(root):
                path = path.relative_to(root)
                break
    return path.as_posix()


def relative_path(conf_dir: Path, word: str) -> str:
    """Return a path as the manifest names it. Raises UsageError for one outside the directory."""
    text = _below(conf_dir, word)
    if not is_safe_path(text):
        raise UsageError(f"{word}: not a path below {conf_dir}")
    return text


def _entry(planned: Planned, path: str) -> ManifestEntry:
    file = planned.compilation.compiled.files.get(path)
    if file is None:
        raise PlanRefusedError(
            f"{path}: nothing that is declared has this file, or an element in it; declare it "
            "first, then adopt the file"
        )
    found = planned.live.files[path]
    if found.kind is FileKind.MISSING:
        raise UsageError(f"{path}: no such file; an apply creates it")
    if found.kind is not FileKind.REGULAR:
        raise PlanRefusedError(f"{path}: a {found.kind} cannot be adopted, only a plain file")
    commit = planned.plan.commit
    parts = {part.resource: part for part in file.parts}
    desired = planned.compilation.declared.desired
    if lost := find_beside(planned, path, {name for _, name in desired.sources}):
        raise PlanRefusedError(
            f"{path}: the next apply would delete {', '.join(lost[:SHOWN])}, which nothing "
            "declares; declare it, or move it to another file first"
        )
    if len(file.parts) == 1:
        return ManifestEntry(found.sha256, (_record(file.part, commit),))
    own = split_compiled(file)
    if found.content is None:  # it is what is compiled, and was not kept
        found = replace(found, content=file.content)
    there, _ = split_live(found, path, None, own.values())
    if not there:
        raise PlanRefusedError(f"{path}: nothing of what is declared for this file is in it")
    records = (
        _record(parts[item], commit)._replace(sha256=live.sha256, elements=own[item].part.elements)
        for item, live in there.items()
    )
    return ManifestEntry(found.sha256, tuple(records))


def _record(part: Part, commit: str) -> Record:
    return Record(part.resource, str(part.source), commit)


def _change_manifest(workspace: Workspace, action: str, files: dict[str, ManifestEntry]) -> None:
    """Take files in (`adopt`) or out (`release`), and write that down."""
    state_dir = workspace.target.state_dir
    subject = next(iter(files)) if len(files) == 1 else count_noun(len(files), "file")
    with audited(workspace, action, subject, paths=" ".join(sorted(files))):
        manifest = read_manifest(state_dir)
        here = Owner(workspace.settings.project, workspace.target.name)
        if manifest.owner not in (None, here):
            raise PlanRefusedError(
                f"{manifest.owner} applied what is live here, and this is {here}; nothing was "
                "touched; run this there, or make this one the owner with "
                "`fsgitops apply --allow owner`"
            )
        added = files if action == "adopt" else {}
        changed = replace(
            manifest,
            entries={**{p: e for p, e in manifest.entries.items() if p not in files}, **added},
            unloaded={p: e for p, e in manifest.unloaded.items() if p in added or p not in files},
            owner=here,
        )
        write_state(state_dir, MANIFEST, changed.encode())


def list_files(files: Mapping[str, ManifestEntry]) -> list[dict[str, str]]:
    """Return each resource of files, for JSON."""
    return [
        {"path": path, "resource": str(record.resource)}
        for path, entry in sorted(files.items())
        for record in entry.records
    ]
