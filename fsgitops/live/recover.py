"""Finish or undo what an apply that was killed has left behind, before anything else is done.

Every command that opens a project comes through here (`cli/options.py`).
"""

from __future__ import annotations

import json
import os
from dataclasses import replace
from typing import TYPE_CHECKING

from fsgitops.errors import FsgitopsError, ReloadRefusedError
from fsgitops.transaction.journal import Journal, read_journal

if TYPE_CHECKING:
    from fsgitops.model.plan import Change
    from fsgitops.workspace.open import Workspace

AT_WORK = "another apply is running on this target; what is shown may be half done"


def recover_unfinished(workspace: Workspace) -> list[str]:
    """Bring the conf directory to exactly the state before, or after, an interrupted apply.

    Where another process is at work on the target now, nothing is done: its journal is its own.
    Returns notes for the user. Raises FsgitopsError when it cannot be brought back.
    """
    target = workspace.target
    if read_journal(target.conf_dir, target.state_dir) is None:
        return []
    from fsgitops.transaction.lock import LockedError, lock_state

    try:
        with lock_state(target.state_dir, wait_seconds=0.0):
            return recover_locked(workspace)
    except LockedError:
        return [AT_WORK]
    except OSError as problem:
        raise FsgitopsError(
            f"an apply was interrupted, and undoing it failed: {problem.filename}: "
            f"{problem.strerror}; run as a user who may write {target.state_dir}"
        ) from problem


def recover_locked(workspace: Workspace) -> list[str]:
    """Do the same for a caller that holds the lock."""
    from fsgitops.transaction.transact import (
        clear_litter,
        finish_transaction,
        forget_transaction,
        restore_files,
    )

    target = workspace.target
    journal = read_journal(target.conf_dir, target.state_dir)
    if journal is None:
        clear_litter(target.conf_dir, target.state_dir)
        return []
    if journal.committed:
        try:
            # Before the journal goes: who is killed here has the next command end the rest.
            left = _end_rest(workspace, journal) if journal.reload else []
        finally:
            finish_transaction(journal)
        return ["an interrupted apply has been finished", *left]
    notes = []
    if not journal.restored:
        kept = restore_files(journal)
        notes = ["an interrupted apply has been undone"]
        notes += [f"a file that somebody else wrote meanwhile is kept as {name}" for name in kept]
    if journal.reload:
        loaded, told = _reload_restored(workspace, journal)
        notes += told
        if not loaded:
            return notes
    forget_transaction(journal, _undone(journal))
    return notes


def _reload_restored(workspace: Workspace, journal: Journal) -> tuple[bool, list[str]]:
    """The switch may hold what was undone; tell it to load what stands on disk."""
    from fsgitops.homes.reload import plan_reloads, run_reloads, turn_round
    from fsgitops.live.connect import address_of, connect_target
    from fsgitops.live.prover import end_late

    target = workspace.target
    steps = plan_reloads(turn_round(_read_changes(journal)[0]), address_of(target))
    if not steps:
        return True, []
    ending = "; the next command tries again"
    try:
        with connect_target(target, workspace.root) as switch:
            address = address_of(target)
            run_reloads(switch, steps, address, timeout=target.esl.reload_timeout)
            left = end_late(switch, steps, address)
    except ReloadRefusedError as refused:
        return False, [f"the switch did not load the restored files: {refused}{ending}"]
    except FsgitopsError as problem:
        told = f"the switch could not be told to load the restored files: {problem}{ending}"
        return False, [told]
    return True, ["the switch has loaded the restored files", *([left] if left else [])]


def _end_rest(workspace: Workspace, journal: Journal) -> list[str]:
    """End what outlives the reload: the apply may have been killed before it did that."""
    from fsgitops.homes.reload import plan_reloads
    from fsgitops.live.connect import address_of, connect_target
    from fsgitops.live.prover import end_late, tell_unended

    target = workspace.target
    changes, kicks = _read_loaded(journal)
    planned = plan_reloads(changes, address_of(target), kick_rotated=kicks)
    steps = [step for step in planned if step.late]
    if not steps:
        return []
    try:
        with connect_target(target, workspace.root) as switch:
            left = end_late(switch, steps, address_of(target))
    except FsgitopsError as problem:
        left = tell_unended(steps, problem)
    return [left] if left else []


def _read_loaded(journal: Journal) -> tuple[list[Change], bool]:
    """Return what was carried out or loaded of earlier applies, and whether it was to kick."""
    from fsgitops.model.live import FileKind, LiveConfig, LiveFile
    from fsgitops.steps.plan.changes import find_unloaded
    from fsgitops.steps.read_live import read_manifest

    changes, kicks = _read_changes(journal)
    manifest = read_manifest(journal.state_dir)
    files = dict.fromkeys(manifest.unloaded, LiveFile(FileKind.REGULAR))
    live = LiveConfig(manifest, files)
    more = find_unloaded(changes, live, lambda path: os.path.lexists(journal.conf_dir / path))
    return [*changes, *more], kicks


def _read_changes(journal: Journal) -> tuple[list[Change], bool]:
    """Return what was to be done, and whether phones with a former password were to be kicked.

    Without a record, these files were to be written.
    """
    from fsgitops.model.plan import Action, Change
    from fsgitops.model.resource import Resource
    from fsgitops.model.revision import CHANGES_FILE, RevisionChange
    from fsgitops.transaction.transact import read_record

    try:
        recorded = json.loads(read_record(journal, CHANGES_FILE) or b"")
        found = [RevisionChange.from_json(item) for item in recorded["changes"]]
    except (ValueError, KeyError, TypeError):
        paths = [path for path, _, _ in journal.steps]
        return [Change(Action.UPDATE, Resource("file", path), path) for path in paths], False
    changes = [
        Change(
            item.action,
            item.resource,
            item.path,
            attributes=item.attributes,
            login=item.login,
            networks=item.networks,
        )
        for item in found
    ]
    return changes, recorded.get("kick_rotated") is True


def _undone(journal: Journal) -> bytes | None:
    from fsgitops.model.revision import Ending, Revision
    from fsgitops.transaction.transact import read_record

    found = read_record(journal)
    if found is None:
        return None
    try:
        revision = Revision.from_json(json.loads(found))
    except ValueError:
        return None
    return replace(revision, ending=Ending.UNDONE).encode()
