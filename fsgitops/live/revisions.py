"""What every apply left behind, and how long it is kept."""

from __future__ import annotations

import getpass
import json
import os
import socket
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from fsgitops.errors import FsgitopsError, NotThereError
from fsgitops.live.clock import list_numbers, read_moment
from fsgitops.model.plan import Action, Plan
from fsgitops.model.plan_json import seal_plan
from fsgitops.model.revision import CHANGES_FILE, Actor, Revision, RevisionChange
from fsgitops.transaction.journal import REVISION_FILE, REVISIONS
from fsgitops.transaction.state import (
    UnsafeStateError,
    open_state_folder,
    read_state,
    tell_unreadable,
)

if TYPE_CHECKING:
    from pathlib import Path

    from fsgitops.settings.shapes import HistorySettings
    from fsgitops.workspace.open import Workspace

CI_ACTORS = ("FSGITOPS_ACTOR", "GITHUB_ACTOR", "GITLAB_USER_LOGIN", "BUILD_USER_ID")
"""Where CI systems say for whom they work; the first that is set counts."""


KEPT_AT_ANY_AGE = 10
"""Revisions that stay whatever the clock says, unless `keep` is fewer."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A revision with its number, and the state directory that it is kept in."""

    number: int
    revision: Revision
    state_dir: Path

    def to_json(self) -> dict[str, Any]:
        """Return JSON values (docs/json.md)."""
        return {"revision": self.number, **asdict(self.revision)}


def start_revision(workspace: Workspace, plan: Plan, *, rolled_back_to: int | None) -> Revision:
    """Return what is known of a revision before anything is done: who, when, and what."""
    return Revision(
        time=datetime.now(UTC).isoformat(timespec="seconds"),
        actor=find_actor(),
        target=workspace.target.name,
        domain=plan.domain,
        commit=plan.commit,
        dirty=plan.dirty,
        fingerprint=seal_plan(plan).fingerprint,
        created=plan.count(Action.CREATE) + plan.renames,
        updated=plan.count(Action.UPDATE),
        deleted=plan.count(Action.DELETE) + plan.renames,
        rolled_back_to=rolled_back_to,
    )


def find_actor() -> Actor:
    """Return who runs this process, as far as the system and the environment tell."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    ci_actor = next((os.environ[name] for name in CI_ACTORS if os.environ.get(name)), "")
    return Actor(user, os.environ.get("SUDO_USER", ""), ci_actor, socket.gethostname())


def list_revisions(state_dir: Path) -> list[Kept]:
    """Return every revision that is kept, the oldest first.

    Raises FsgitopsError when they cannot be read. One that is half removed is left out.
    """
    return [kept for number in list_numbers(state_dir) if (kept := _read(state_dir, number))]


def find_revision(state_dir: Path, number: int) -> Kept:
    """Return one revision. Raises NotThereError when it is not kept."""
    kept = _read(state_dir, number)
    if kept is None:
        numbers = list_numbers(state_dir)
        known = f"kept are {numbers[0]} to {numbers[-1]}" if numbers else "none is kept"
        raise NotThereError(f"no revision {number}; {known}")
    return kept


def read_changes(kept: Kept) -> list[RevisionChange]:
    """Return what a revision changed, in the order of its files. Raises FsgitopsError."""
    parts = (REVISIONS, f"{kept.number:06d}", CHANGES_FILE)
    path = kept.state_dir.joinpath(*parts)
    try:
        data = json.loads(read_state(kept.state_dir, *parts))
        return [RevisionChange.from_json(item) for item in data["changes"]]
    except OSError as problem:
        raise FsgitopsError(f"{path}: {problem.strerror}") from None
    except (ValueError, KeyError, TypeError, RecursionError) as problem:
        raise FsgitopsError(f"{path}: {problem}") from None


def prune_revisions(state_dir: Path, limits: HistorySettings) -> None:
    """Remove the oldest revisions: those beyond the number, and old ones where many are newer.

    Age alone removes nothing: KEPT_AT_ANY_AGE stay. It is measured against the clock and against
    the revision before the last, whichever is earlier, so that one apply under a clock that is
    wrong does not age all others. What cannot be read or removed now is removed another time: an
    apply that is done stays done.
    """
    try:
        numbers = list_numbers(state_dir)
    except FsgitopsError:
        return
    oldest = _oldest_kept(state_dir, numbers, limits.days)
    for position, number in enumerate(numbers[:-1]):
        if position >= len(numbers) - min(limits.keep, KEPT_AT_ANY_AGE):
            return
        in_number = position >= len(numbers) - limits.keep
        try:
            kept = _read(state_dir, number)
        except FsgitopsError:
            if in_number:
                continue
            kept = None
        if in_number and kept is not None and kept.revision.time >= oldest:
            return  # they are in the order of time
        with (
            suppress(OSError, UnsafeStateError),
            open_state_folder(state_dir, REVISIONS) as revisions,
        ):
            with revisions.open_folder(f"{number:06d}") as folder:
                # Without this file the rest is litter: nobody rolls back to half a revision.
                folder.remove(REVISION_FILE)
            revisions.remove(f"{number:06d}")


def _oldest_kept(state_dir: Path, numbers: list[int], days: float) -> str:
    """Return the time before which revisions are old, "" where nobody knows."""
    try:
        before = _read(state_dir, numbers[-2]) if len(numbers) > 1 else None
        now = datetime.now(UTC)
        known = min(now, read_moment(before.revision.time)) if before else now
    except (FsgitopsError, ValueError):
        return ""
    return (known - timedelta(days=days)).isoformat()


def _read(state_dir: Path, number: int) -> Kept | None:
    parts = (REVISIONS, f"{number:06d}", REVISION_FILE)
    path = state_dir.joinpath(*parts)
    try:
        revision = Revision.from_json(json.loads(read_state(state_dir, *parts)))
        return Kept(number, revision, state_dir)
    except FileNotFoundError:
        return None
    except OSError as problem:
        raise FsgitopsError(tell_unreadable(problem, state_dir)) from None
    except (ValueError, RecursionError) as problem:
        raise FsgitopsError(f"{path}: {problem}") from None
