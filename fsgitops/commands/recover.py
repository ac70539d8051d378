"""Finish or undo what an apply that was killed has left behind, before anything else is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsgitops.errors import FsgitopsError, SwitchError
from fsgitops.transaction import LockedError, lock_state, read_journal, recover_transaction

if TYPE_CHECKING:
    from fsgitops.commands.workspace import Workspace


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
        return []


def recover_locked(workspace: Workspace) -> list[str]:
    """Do the same for a caller that holds the lock."""
    target = workspace.target
    journal = read_journal(target.conf_dir, target.state_dir)
    if journal is None:
        return []
    kept = recover_transaction(journal)
    done = "finished" if journal.committed else "undone"
    notes = [f"an apply that was interrupted has been {done}"]
    notes += [f"what somebody else wrote meanwhile is kept in {name}" for name in kept]
    if not journal.committed:
        notes.append(_reload_restored(workspace))
    return notes


def _reload_restored(workspace: Workspace) -> str:
    """The switch may hold what was undone; tell it to load what stands on disk."""
    from fsgitops.commands.connect import connect_target

    try:
        with connect_target(workspace.target, workspace.root) as switch:
            reply = switch.reload_xml(timeout=workspace.target.esl.reload_timeout)
    except (SwitchError, FsgitopsError) as problem:
        return f"the switch could not be told to load the restored files: {problem}"
    if not reply.ok:
        return f"the switch did not load the restored files: it said {reply.text!r}"
    return "the switch has loaded the restored files"
