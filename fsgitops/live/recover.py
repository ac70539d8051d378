"""Finish or undo what an apply that was killed has left behind, before anything else is done.

Every command that opens a project comes through here (`cli/options.py`).
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from fsgitops.errors import FsgitopsError
from fsgitops.transaction.journal import Journal, read_journal
from fsgitops.transaction.lock import LockedError, lock_state
from fsgitops.transaction.transact import (
    clear_litter,
    finish_transaction,
    forget_transaction,
    read_record,
    restore_files,
)

if TYPE_CHECKING:
    from fsgitops.workspace.open import Workspace

AT_WORK = "another apply is running on this target; what is shown may be half done"


def recover_unfinished(workspace: Workspace, *, wait_seconds: float = 0.0) -> list[str]:
    """Bring the conf directory to exactly the state before, or after, an interrupted apply.

    Where another process is at work on the target now, nothing is done: its journal is its own.
    Returns notes for the user. Raises FsgitopsError when it cannot be brought back.
    """
    target = workspace.target
    if read_journal(target.conf_dir, target.state_dir) is None:
        return []
    try:
        with lock_state(target.state_dir, wait_seconds=wait_seconds):
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
    target = workspace.target
    journal = read_journal(target.conf_dir, target.state_dir)
    if journal is None:
        clear_litter(target.conf_dir, target.state_dir)
        return []
    if journal.committed:
        finish_transaction(journal)
        return ["an interrupted apply has been finished"]
    notes = []
    if not journal.restored:
        kept = restore_files(journal)
        notes = ["an interrupted apply has been undone"]
        notes += [f"a file that somebody else wrote meanwhile is kept as {name}" for name in kept]
    if journal.reload:
        loaded, note = _reload_restored(workspace)
        notes.append(note)
        if not loaded:
            return notes
    forget_transaction(journal, _undone(journal))
    return notes


def _reload_restored(workspace: Workspace) -> tuple[bool, str]:
    """The switch may hold what was undone; tell it to load what stands on disk."""
    from fsgitops.live.connect import connect_target

    ending = "; the next command tries again"
    try:
        with connect_target(workspace.target, workspace.root) as switch:
            reply = switch.reload_xml(timeout=workspace.target.esl.reload_timeout)
            switch.flush_user_cache()
    except FsgitopsError as problem:
        return False, f"the switch could not be told to load the restored files: {problem}{ending}"
    if not reply.ok:
        said = f"the switch did not load the restored files: it said {reply.text!r}"
        return False, said + ending
    return True, "the switch has loaded the restored files"


def _undone(journal: Journal) -> bytes | None:
    from fsgitops.model.revision import Ending, Revision

    found = read_record(journal)
    if found is None:
        return None
    try:
        revision = Revision.from_json(json.loads(found))
    except ValueError:
        return None
    return json.dumps(replace(revision, ending=Ending.UNDONE).to_json()).encode()
