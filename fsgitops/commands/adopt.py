"""`fsgitops adopt` and `fsgitops release`: take a hand-written file over, and give one back."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from fsgitops.commands.plan import run_plan
from fsgitops.errors import PlanRefusedError, UsageError
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
from fsgitops.planning.planned import keyed, make_context
from fsgitops.steps.plan import compare_config
from fsgitops.steps.read_live import read_manifest
from fsgitops.steps.rewind import narrow_live
from fsgitops.steps.select import matches_path, names_resource
from fsgitops.transaction.folder import hash_file
from fsgitops.transaction.journal import MANIFEST
from fsgitops.transaction.lock import lock_state
from fsgitops.transaction.state import write_state
from fsgitops.visible import count_noun

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from fsgitops.model.compiled import Part
    from fsgitops.model.plan import Plan
    from fsgitops.planning.planned import Planned
    from fsgitops.workspace.open import Workspace


_GLOB = re.compile(r"[*?]")


@dataclass(frozen=True, slots=True)
class Adoption:
    """The files to take over, and the plan of what the next apply would do to them."""

    plan: Plan
    entries: dict[str, ManifestEntry]
    notes: tuple[str, ...] = ()


def plan_adoption(workspace: Workspace, words: Iterable[str]) -> Adoption:
    """Compare hand-written files with what is compiled for their paths; touch nothing.

    `words` are paths below the conf directory, or absolute ones that lead there; folders and globs
    stand for the declared files in them that are there, `.` for all. Raises UsageError for a path
    outside, or where nothing stands; PlanRefusedError for one that nothing declared compiles to,
    or that is not a plain file.
    """
    planned = run_plan(workspace)
    chosen = [path for word in words for path in _find_paths(workspace, planned, word)]
    paths = list(dict.fromkeys(chosen))
    owned = [path for path in paths if path in planned.live.manifest.entries]
    entries = {path: _entry(planned, path) for path in paths if path not in owned}
    live = planned.live
    manifest = replace(live.manifest, entries={**live.manifest.entries, **entries})
    compiled = planned.compilation.compiled
    files = {path: compiled.files[path] for path in entries}
    plan = compare_config(
        replace(compiled, files=files),
        narrow_live(LiveConfig(manifest, live.files, live.unmanaged), entries),
        make_context(workspace, unknown_secrets=planned.plan.unknown_secrets),
        keyed(planned.compilation.key),
    )
    notes = [*planned.notes, *(f"{path} is managed already" for path in owned)]
    return Adoption(plan, entries, tuple(notes))


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


def _find_paths(workspace: Workspace, planned: Planned, word: str) -> list[str]:
    """Return the paths that a word names: one, or the declared files of a folder or a glob."""
    conf_dir = workspace.target.conf_dir
    declared = planned.compilation.compiled.files
    glob = _read_glob(conf_dir, word, declared)
    if glob is None:
        return [relative_path(conf_dir, word)]
    there = [
        path
        for path in sorted(declared)
        if planned.live.files[path].kind is not FileKind.MISSING and matches_path(glob, path)
    ]
    if not there:
        raise UsageError(
            f"{word}: no file here belongs to anything declared; an apply creates such files"
        )
    return there


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
            f"{path}: nothing that is declared has this file; declare it first, then adopt the file"
        )
    found = planned.live.files[path]
    if found.kind is FileKind.MISSING:
        raise UsageError(f"{path}: no such file; an apply creates it")
    if found.kind is not FileKind.REGULAR:
        raise PlanRefusedError(f"{path}: a {found.kind} cannot be adopted, only a plain file")
    commit = planned.plan.commit
    parts = {part.resource: part for part in file.parts}
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
