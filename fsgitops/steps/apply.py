"""Carry a plan out: all of it, proved by the switch, or none of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from fsgitops.errors import (
    FsgitopsError,
    PlanRefusedError,
    ReloadRefusedError,
    RollbackFailedError,
    RolledBackError,
)
from fsgitops.homes.pieces import list_records
from fsgitops.model.applied import Applied, Ended, Outcome, ReadBack, SwitchReply
from fsgitops.model.live import Manifest, ManifestEntry, Owner
from fsgitops.model.plan import Action, Change, Danger, Plan
from fsgitops.model.revision import CHANGES_FILE, Ending, Revision, encode_changes
from fsgitops.transaction.journal import MANIFEST, REVISION_FILE, Journal
from fsgitops.transaction.stage import Operation
from fsgitops.transaction.state import TransactionError, write_state
from fsgitops.transaction.transact import (
    amend_record,
    begin_transaction,
    commit_transaction,
    finish_transaction,
    forget_transaction,
    is_committed,
    replace_files,
    restore_files,
)
from fsgitops.visible import count_noun

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from fsgitops.model.compiled import CompiledConfig, CompiledFile
    from fsgitops.model.live import LiveConfig, LiveFile


class Prover(Protocol):
    """What an apply needs of a switch: reload it, read back what it holds, and go back."""

    def reload(self) -> SwitchReply:
        """Reload the configuration. Raises SwitchError unless all of it was taken."""

    def prove(self) -> ReadBack:
        """Return how much was proved. Raises SwitchError on a mismatch."""

    def finish(self) -> Ended:
        """End what outlives the reload. Raises SwitchError saying what may go on."""

    def undo(self) -> str:
        """Reload what stands there again; return what could not be ended, or "". Raises so too."""


def apply_plan(
    plan: Plan,
    compiled: CompiledConfig,
    live: LiveConfig,
    conf_dir: Path,
    state_dir: Path,
    prover: Prover | None,
    revision: Revision,
) -> Applied:
    """Write the planned files, reload, read back, and only then own them.

    `prover` is None for image builds: files are written, nothing is reloaded, and the manifest
    says so until an apply with a prover. `revision` says who and when, for the history. On any
    failure the files are restored and the switch reloads them. Where no file changes, the manifest
    is told at most what the same bytes follow from now. Raises PlanRefusedError (nothing
    touched), TransactionError (the text says what state things are in), RolledBackError or
    RollbackFailedError; SwitchError where all is applied, and something that outlives the reload
    goes on.
    """
    refuse_unsafe(plan)
    if not plan.changes and not (prover and plan.unloaded):
        return _note_inputs(plan, compiled, live, state_dir)
    journal = _begin(plan, compiled, live, conf_dir, state_dir, revision, reload=prover is not None)
    told = prover is not None or not plan.reloads
    try:
        replace_files(journal)
        replies = (prover.reload(),) if prover else ()
        proof = prover.prove() if prover else ReadBack()
        ending = Ending.APPLIED if told else Ending.WRITTEN
        commit_transaction(journal, replace(revision, ending=ending, replies=replies).encode())
    except BaseException as problem:
        if not is_committed(journal):
            _roll_back(journal, prover, problem, revision)
        raise
    ended = _finish(journal, prover)
    outcome = Outcome.APPLIED if told else Outcome.WRITTEN
    created, updated, deleted = map(plan.count, Action)
    return Applied(
        outcome, created, updated, deleted, plan.renames, replies, proof, ended, moved=plan.moves
    )


def _begin(
    plan: Plan,
    compiled: CompiledConfig,
    live: LiveConfig,
    conf_dir: Path,
    state_dir: Path,
    revision: Revision,
    *,
    reload: bool,
) -> Journal:
    files = compiled.files
    operations = [
        Operation(path, files[path].content if path in files else None, live.files[path].sha256)
        for path in _group(plan, written=True)
    ]
    manifest = manifest_after(plan, compiled, live, loaded=reload).encode()
    left = {path: file.sha256 for path, file in files.items() if file.foreign}
    record = {REVISION_FILE: revision.encode(), CHANGES_FILE: encode_changes(plan, live, left)}
    return begin_transaction(
        conf_dir, state_dir, operations, manifest, record=record, reload=reload
    )


def _note_inputs(
    plan: Plan, compiled: CompiledConfig, live: LiveConfig, state_dir: Path
) -> Applied:
    """Write down what unchanged files follow from now, or the next plan renders them all again."""
    noted = _find_noted(plan, compiled, live.manifest)
    if not noted:
        return Applied(Outcome.UNCHANGED)
    manifest = replace(live.manifest, entries={**live.manifest.entries, **noted})
    write_state(state_dir, MANIFEST, manifest.encode())
    files = count_noun(len(noted), "file")
    note = f"noted in the manifest: other inputs than before gave {files} the same bytes"
    return Applied(Outcome.UNCHANGED, notes=(note,))


def _find_noted(
    plan: Plan, compiled: CompiledConfig, manifest: Manifest
) -> dict[str, ManifestEntry]:
    """Return what is known of files that other inputs than those on record gave the same bytes.

    A roll-back knows inputs of then, and what another project applied is for that one to note.
    """
    if plan.goes_back or manifest.owner not in (None, Owner(plan.project, plan.target)):
        return {}
    noted: dict[str, ManifestEntry] = {}
    for path, file in compiled.files.items():
        entry = manifest.entries.get(path)
        if entry is None or file.settled or file.unknown or file.sha256 != entry.sha256:
            continue
        inputs = {part.resource: part.inputs for part in file.parts}
        if entry.inputs != inputs and entry.inputs.keys() == inputs.keys():
            records = (item._replace(inputs=inputs[item.resource]) for item in entry.records)
            noted[path] = replace(entry, records=tuple(records))
    return noted


def refuse_hazards(plan: Plan) -> None:
    """Raise PlanRefusedError when something stands in the way of the plan."""
    if plan.hazards:
        lines = [f"{item.path}: {item.message}; {item.hint} [{item.rule}]" for item in plan.hazards]
        raise PlanRefusedError(
            "files are in the way of the plan; nothing was touched\n" + "\n".join(lines)
        )


def refuse_unsafe(plan: Plan) -> None:
    """Raise PlanRefusedError when something stands in the way, or a secret is not known."""
    refuse_hazards(plan)
    missing = [item for item in plan.needs if not item.allowed]
    if missing:
        lines = [f"--allow {item.permission}: {item.because}" for item in missing]
        raise PlanRefusedError(
            "the plan needs permissions; nothing was touched. Add these if you mean it:\n"
            + "\n".join(lines)
        )
    if plan.unknown_secrets and plan.changes:
        # A digest of what is live is made with the key: without one there is none.
        raise PlanRefusedError(
            "a secret is missing, as told above; nothing was touched"
            if plan.live_digest
            else "no project key; nothing was touched. Run `fsgitops key new`, or set FSGITOPS_KEY"
        )


def refuse_stale(approved: Plan, current: Plan) -> None:
    """Raise PlanRefusedError unless the current plan is, change by change, the approved one.

    It is bound to the commit as well: what was approved is what people read there.
    """
    for reason in _find_stale(approved, current):
        raise PlanRefusedError(f"the saved plan {reason}")


def _find_stale(approved: Plan, current: Plan) -> Iterator[str]:
    for name in ("target", "conf_dir", "domain"):
        was, now = getattr(approved, name), getattr(current, name)
        if was != now:
            yield f"is for {name} {was}, not {now}"
    if approved.unknown_secrets:
        yield "was made without the project key: set the key and plan again"
    if (approved.only, approved.exclude) != (current.only, current.exclude):
        yield "was made with other --only and --exclude: use the same, or plan again"
    if approved.kick_rotated != current.kick_rotated:
        yield "was made with another --kick-rotated: use the same, or plan again"
    if approved.live_digest != current.live_digest:
        yield (
            "is stale: the live files have changed since, or the project key is another one; plan "
            "again"
        )
    commit = current.commit or "no commit"
    if approved.changes != current.changes:
        yield (
            f"was made from commit {approved.commit or '(none)'}; what is declared here ({commit}) "
            "gives other changes; check out that commit, or plan again"
        )
    if approved.impact and current.impact and approved.impact.calls != current.impact.calls:
        yield (
            "is stale: it changes something else for callers than it says, because the rest of the "
            "configuration has changed since; plan again"
        )
    if approved.commit != current.commit:
        yield (
            f"is bound to commit {approved.commit or '(none)'}, and this is {commit}; check out "
            "that commit, or plan again"
        )


def manifest_after(
    plan: Plan, compiled: CompiledConfig, live: LiveConfig, *, loaded: bool = True
) -> Manifest:
    """Return what we own once the plan is carried out, and `loaded` by the switch or not."""
    entries = {**live.manifest.entries, **_find_noted(plan, compiled, live.manifest)}
    written = _group(plan, written=True)
    for path, changes in _group(plan, written=False).items():
        file, old = compiled.files.get(path), entries.get(path)
        if old and path not in written:
            entries[path] = _mark(old, changes)
        elif file is None or not file.parts:
            entries.pop(path, None)
        else:
            entries[path] = _entry(file, old, live.files[path], plan.commit)
    keys = compiled.keys | live.manifest.keys if plan.partial else compiled.keys
    owner = Owner(plan.project, plan.target)
    if loaded:
        return Manifest(entries, keys=keys, owner=owner)
    left = {path: dict.fromkeys(items) for path, items in live.manifest.unloaded.items()}
    for path, changes in written.items():
        left.setdefault(path, {}).update((change.resource, None) for change in changes)
    unloaded = {path: tuple(items) for path, items in left.items()}
    return Manifest(entries, unloaded, keys, owner)


def _group(plan: Plan, *, written: bool) -> dict[str, list[Change]]:
    """Return the changes of each file, or of each that is written, in the plan's order."""
    files: dict[str, list[Change]] = {}
    for change in plan.changes:
        if not written or change.dangers != (Danger.NOTHING,):
            files.setdefault(change.path, []).append(change)
    return files


def _mark(entry: ManifestEntry, changes: Iterable[Change]) -> ManifestEntry:
    """Return what is known of a file of which only marks change: they are kept here."""
    turned = {change.resource for change in changes}
    return replace(entry, records=tuple(
        item._replace(protect=not item.protect) if item.resource in turned else item
        for item in entry.records
    ))  # fmt: skip


def _entry(
    file: CompiledFile, old: ManifestEntry | None, found: LiveFile, commit: str
) -> ManifestEntry:
    """Return what is known of a file once it is written.

    What was kept of it in its place is known from then. Where somebody changed that since, the file
    keeps its former hash, so that this is found again.
    """
    before = {item.resource: item for item in old.records} if old else {}
    sha256, records = file.sha256, list(list_records(file, commit))
    for number, (part, new) in enumerate(zip(file.parts, records, strict=True)):
        known = before.get(part.resource)
        if part.kept and old and known:
            was = known.sha256 or (new.sha256 if found.sha256 == old.sha256 else old.sha256)
            records[number] = known._replace(sha256=was, elements=new.elements)
            sha256 = sha256 if was == new.sha256 else old.sha256
    return ManifestEntry(sha256, tuple(records), file.foreign)


def _finish(journal: Journal, prover: Prover | None) -> Ended:
    """End what outlives the reload, and own what was written, whatever comes of that."""
    try:
        # Before the journal goes: who is killed here has the next command end the rest.
        return prover.finish() if prover else Ended()
    finally:
        try:
            finish_transaction(journal)
        except TransactionError as problem:
            held = " and the switch holds it" if prover else ""
            raise TransactionError(
                f"everything is applied{held}. Only its record could not be finished; the next "
                f"command finishes it: {problem}"
            ) from problem


def _roll_back(
    journal: Journal, prover: Prover | None, problem: BaseException, revision: Revision
) -> None:
    """Put everything back and say so. Raises in place of the problem, which it names."""
    said = str(problem) or type(problem).__name__
    failed = replace(revision, ending=Ending.ROLLBACK_FAILED, message=said).encode()
    undone = replace(revision, ending=Ending.ROLLED_BACK, message=said).encode()
    try:
        kept = restore_files(journal)
    except TransactionError as second:
        amend_record(journal, failed)
        raise RollbackFailedError(
            f"{said}\nrestoring the files failed as well: {second}\n"
            f"The journal in {journal.folder} holds every file as it was: mend the cause, then run "
            "any fsgitops command to continue the restore"
        ) from problem
    aside = "".join(
        f"\na file that somebody else wrote meanwhile is kept as {name}" for name in kept
    )
    try:
        left = prover.undo() if prover else ""
    except Exception as second:
        amend_record(journal, failed)
        if isinstance(problem, ReloadRefusedError) and isinstance(second, ReloadRefusedError):
            raise RolledBackError(
                f"{said}\nrolled back: the files are as they were before. They do not load "
                f"either ({second}), so the switch keeps what it has in memory: mend these "
                f"files first{aside}{_forget(journal, undone)}"
            ) from problem
        raise RollbackFailedError(
            f"{said}\nthe files are as they were before, but the switch did not load them "
            f"again: {second}\nOnce the switch answers, run any fsgitops command, or "
            f"reloadxml on the switch{aside}"
        ) from problem
    aside += (f"\n{left}" if left else "") + _forget(journal, undone)
    if isinstance(problem, FsgitopsError | OSError):
        again = " and the switch has loaded them again" if prover else ""
        raise RolledBackError(
            f"{said}\nrolled back: the files are as they were before{again}{aside}"
        ) from problem


def _forget(journal: Journal, record: bytes) -> str:
    try:
        forget_transaction(journal, record)
    except TransactionError as problem:
        return f"\nthe journal could not be removed: {problem}"
    return ""
