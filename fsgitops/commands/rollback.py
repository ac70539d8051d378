"""`fsgitops rollback`: put every managed file back as it stood after an earlier revision."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from fsgitops.commands.apply import carry_out, find_new_warnings
from fsgitops.errors import FsgitopsError, PlanRefusedError, UsageError
from fsgitops.live.clock import check_clock
from fsgitops.live.connect import prepare_conf_dir
from fsgitops.live.recover import recover_locked, recover_unfinished
from fsgitops.live.revisions import (
    find_revision,
    list_revisions,
    read_changes,
)
from fsgitops.model.plan import Action, Baseline
from fsgitops.model.review import source_file
from fsgitops.planning.earlier import find_impact_back
from fsgitops.planning.planned import ask_activity, keyed, make_context
from fsgitops.planning.shape import Demands, count_cost, weigh_changes
from fsgitops.planning.survey import ConfLook, find_unread
from fsgitops.steps.apply import refuse_unsafe
from fsgitops.steps.plan import compare_config, finish_plan
from fsgitops.steps.protect import refuse_protected
from fsgitops.steps.read_live import read_live
from fsgitops.steps.rename import pair_moves
from fsgitops.steps.rewind import Earlier, keep_rest, narrow_live, own_foreign, rewind_config
from fsgitops.transaction.journal import REVISIONS
from fsgitops.transaction.lock import lock_state
from fsgitops.transaction.places import BEFORE
from fsgitops.transaction.state import open_state_folder
from fsgitops.workspace.open import find_key

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fsgitops.live.revisions import Kept
    from fsgitops.model.applied import Applied
    from fsgitops.model.compiled import CompiledConfig
    from fsgitops.model.live import LiveConfig
    from fsgitops.model.plan import Plan
    from fsgitops.model.revision import RevisionChange
    from fsgitops.switch.client import Switch
    from fsgitops.transaction.state import StateFolder
    from fsgitops.workspace.open import Workspace


@dataclass(frozen=True, slots=True)
class RollBack:
    """A plan that undoes revisions, and what it was made from. `to` is 0 for before the first."""

    plan: Plan
    compiled: CompiledConfig
    live: LiveConfig
    to: int
    undone: tuple[int, ...]
    notes: tuple[str, ...] = ()
    demands: Demands = field(default_factory=Demands)


def plan_rollback(
    workspace: Workspace, to: int | None = None, demands: Demands | None = None
) -> RollBack:
    """Plan what puts every managed file back as it stood after revision `to`.

    Without `to`, the last apply is undone. Nothing is touched. Raises UsageError for a revision
    that is not kept, FsgitopsError when live or the history cannot be read.
    """
    prepare_conf_dir(workspace.target)
    notes = [*recover_unfinished(workspace), *check_clock(workspace.target.state_dir)]
    made = _compare_earlier(workspace, to, demands or Demands(), followed=True)
    return replace(made, notes=tuple(notes))


def run_rollback(
    workspace: Workspace,
    shown: RollBack,
    *,
    reload: bool = True,
    wait_seconds: float = 60.0,
    tell: Callable[[str], None] | None = None,
) -> Applied:
    """Carry out the roll-back that was shown, as an apply: locked, all or nothing, read back.

    Raises as `run_apply`.
    """
    target = workspace.target
    refuse_unsafe(shown.plan)

    def ask(switch: Switch) -> Plan:
        plan = ask_activity(now.plan, switch, target)
        return weigh_changes(plan, now.live, target, shown.demands, workspace.kinds, declared=1)

    with lock_state(target.state_dir, wait_seconds=wait_seconds, tell=tell):
        notes = recover_locked(workspace)
        now = _compare_earlier(workspace, shown.to, shown.demands)
        seen, found = shown.plan, now.plan
        if (found.live_digest, found.changes) != (seen.live_digest, seen.changes):
            raise PlanRefusedError(
                "somebody changed the live files since the plan was shown; nothing was touched; "
                "roll back again"
            )
        notes += find_new_warnings(seen, found)
        applied = carry_out(
            workspace, found, now.compiled, now.live, ask, reload=reload, rolled_back_to=now.to
        )
    return replace(applied, notes=tuple(notes), impact=shown.plan.impact)


def _compare_earlier(
    workspace: Workspace, to: int | None, demands: Demands, *, followed: bool = False
) -> RollBack:
    """Compare what stood then; where calls end is `followed` for the plan that is shown only."""
    target = workspace.target
    number, undone = _choose(target.state_dir, to)
    if any(kept.revision.domain != target.domain for kept in undone):
        raise PlanRefusedError(
            f"the target's domain was another one then, and is {target.domain} now. Passwords are "
            "valid in one domain only, so that state cannot come back: declare what you want and "
            "apply it"
        )
    earlier = _read_earlier(undone)
    compiled = rewind_config(earlier)
    expected = {path: file.sha256 for path, file in compiled.files.items()}
    gone = {item.path: "" for item in earlier if item.path not in expected}
    live = read_live(target.conf_dir, target.state_dir, {**gone, **expected})
    look = ConfLook(target, {*live.manifest.ours, *compiled.files})
    context, key = make_context(workspace, look=look), find_key(workspace)
    narrow = narrow_live(own_foreign(live, earlier), [item.path for item in earlier])
    plan = keep_rest(compare_config(compiled, narrow, context, keyed(key)), live)
    plan = replace(plan, changes=pair_moves(plan, compiled, live))
    foreign = [path for path, file in compiled.files.items() if file.foreign]
    unread = find_unread(look, plan.changes, foreign)
    plan = refuse_protected(replace(plan, hazards=(*plan.hazards, *unread)), live)
    # The lines that were recorded are those of former commits.
    changes = [replace(change, source=source_file(change.source)) for change in plan.changes]
    plan = replace(plan, changes=tuple(changes), baseline=Baseline.EARLIER)
    plan = count_cost(plan, live, target)
    if followed:
        impact = find_impact_back(workspace, compiled, live, plan, look, key)
        plan = replace(plan, impact=impact)
    plan = finish_plan(plan)
    plan = weigh_changes(plan, live, target, demands, workspace.kinds, declared=1)
    numbers = tuple(kept.number for kept in undone)
    return RollBack(plan, compiled, live, number, numbers, demands=demands)


def _choose(state_dir: Path, to: int | None) -> tuple[int, list[Kept]]:
    """Return the revision to go back to, and the ones that this undoes, the newest first."""
    kept = list_revisions(state_dir)
    changed = [item for item in kept if item.revision.changed_files]
    if not changed:
        raise UsageError("no apply is recorded here: there is nothing to roll back")
    if to is None:
        # Some changed no file: they set a mark, or had loaded what was written before.
        last = next((item for item in reversed(changed) if read_changes(item)), changed[-1])
        earlier = [item.number for item in changed if item.number < last.number]
        to = earlier[-1] if earlier else last.number - 1
    elif to != kept[0].number - 1:  # the state before the oldest one is known too
        find_revision(state_dir, to)
    return to, [item for item in reversed(changed) if item.number > to]


def _read_earlier(undone: list[Kept]) -> list[Earlier]:
    """Return what stood at every path that these revisions changed, before the oldest of them."""
    places: dict[str, tuple[Kept, int, RevisionChange]] = {}
    for kept in undone:  # the newest first, so that the oldest has the last word
        first: dict[str, RevisionChange] = {}
        for change in read_changes(kept):
            first.setdefault(change.path, change)
        for number, (path, change) in enumerate(first.items()):
            places[path] = (kept, number, change)
    with ExitStack() as stack:
        folders: dict[int, StateFolder] = {}
        return [
            Earlier(
                path, _read(stack, folders, kept, number, change), change.entry_before, change.left
            )
            for path, (kept, number, change) in sorted(places.items())
        ]


def _read(
    stack: ExitStack,
    folders: dict[int, StateFolder],
    kept: Kept,
    number: int,
    change: RevisionChange,
) -> bytes | None:
    """Return what stood at a path before a revision, None for nothing."""
    if change.action is Action.CREATE and not change.existed:
        return None
    try:
        if kept.number not in folders:
            before = open_state_folder(kept.state_dir, REVISIONS, f"{kept.number:06d}", BEFORE)
            folders[kept.number] = stack.enter_context(before)
        return folders[kept.number].read(str(number))
    except OSError as problem:
        raise FsgitopsError(
            f"{problem.filename}: {problem.strerror}; this revision cannot be undone without it"
        ) from None
