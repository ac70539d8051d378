"""`fsgitops apply`: carry a plan out, and prove that the switch holds it."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from fsgitops.errors import FsgitopsError, PlanRefusedError
from fsgitops.findings import Severity
from fsgitops.live.prover import open_prover
from fsgitops.live.recover import recover_locked
from fsgitops.live.revisions import prune_revisions, start_revision
from fsgitops.planning.claims import LOST, is_silenced
from fsgitops.planning.planned import Planned, compare_live, name_unavailable, observe
from fsgitops.planning.proved import keep_proved
from fsgitops.steps.apply import (
    apply_plan,
    manifest_after,
    refuse_hazards,
    refuse_stale,
    refuse_unsafe,
)
from fsgitops.transaction.lock import lock_state

if TYPE_CHECKING:
    from collections.abc import Callable

    from fsgitops.model.applied import Applied, Held
    from fsgitops.model.compiled import CompiledConfig
    from fsgitops.model.heard import Hearings
    from fsgitops.model.live import LiveConfig
    from fsgitops.model.plan import Plan
    from fsgitops.switch.client import Switch
    from fsgitops.workspace.open import Workspace

NOT_TOLD = (
    "files written earlier with --no-reload are not loaded yet either: apply without --no-reload "
    "to load them"
)


def run_apply(
    workspace: Workspace,
    shown: Planned,
    *,
    approved: Plan | None = None,
    reload: bool = True,
    wait_seconds: float = 60.0,
    tell: Callable[[str], None] | None = None,
) -> Applied:
    """Carry out the plan that was shown, or the saved one that was approved, and nothing else.

    `tell` is told what is waited for. The switch is reached before any file is touched. Raises
    PlanRefusedError when live is not what it was, RolledBackError and RollbackFailedError as they
    say, SwitchError when the switch cannot be asked.
    """
    _refuse_early(shown, approved)
    with lock_state(workspace.target.state_dir, wait_seconds=wait_seconds, tell=tell):
        notes = recover_locked(workspace)
        current = _compare_again(workspace, shown)
        heard = _find_heard(workspace, current)
        follow = _make_follower(workspace, current, notes)
        current = current.without_desired()
        plan = current.plan
        refuse_hazards(plan)
        notes += find_new_warnings(shown.plan, plan)
        del shown
        notes += [NOT_TOLD] if plan.unloaded and not reload else []
        applied = carry_out(
            workspace,
            plan,
            current.written,
            current.live,
            lambda switch: observe(workspace, current, switch).plan,
            reload=reload,
            follow=follow,
        )
        if current.followed is not None:
            keep_proved(workspace.target.state_dir, current.followed.proved)
        notes += _note_calls(workspace, current, heard)
    return replace(applied, notes=(*notes, *applied.notes), impact=plan.impact)


def _find_heard(workspace: Workspace, current: Planned) -> Hearings | None:
    """Return where calls end once the plan is applied; None: that is not known."""
    impact, look = current.plan.impact, current.look
    if current.heard is not None or impact is None or impact.notes or look is None:
        return current.heard
    from fsgitops.planning.ahead import Ahead
    from fsgitops.planning.followed import hear_all
    from fsgitops.planning.impact import digest_by_hand

    with suppress(FsgitopsError, OSError):
        by_hand = digest_by_hand(look, current.compilation.key)
        ahead = Ahead(workspace, current.compilation, current.live, current.plan, current.written)
        return hear_all(ahead, by_hand)
    return None


def _note_calls(workspace: Workspace, done: Planned, heard: Hearings | None) -> list[str]:
    """Note where calls end now, for the next plan; return what is to be told of that.

    What was applied stays so, whatever becomes of the note: the next plan does without.
    """
    if heard is None:
        return []
    from fsgitops.planning.impact import keep_hearings

    state_dir = workspace.target.state_dir
    try:
        keep_hearings(state_dir, heard, manifest_after(done.plan, done.written, done.live))
    except (FsgitopsError, OSError) as problem:
        return [f"where calls end could not be noted for the next plan: {problem}"]
    return []


def carry_out(
    workspace: Workspace,
    plan: Plan,
    compiled: CompiledConfig,
    live: LiveConfig,
    ask: Callable[[Switch], Plan],
    *,
    reload: bool,
    rolled_back_to: int | None = None,
    follow: Callable[[Switch], Held] | None = None,
) -> Applied:
    """Write, prove and record what a plan or a roll-back holds, under the caller's lock.

    The switch is reached before any file is touched. `ask` returns the plan with who is on a call:
    that is known only now, and has to be, as a plan may be days old. `follow` follows calls over
    what the switch holds. Raises as `run_apply`.
    """
    target = workspace.target
    with ExitStack() as stack:
        prover = None
        if reload and plan.reloads:
            prover = open_prover(stack, workspace, plan, compiled, live, follow)
            plan = ask(prover.switch)
            refuse_unsafe(plan)
        revision = start_revision(workspace, plan, rolled_back_to=rolled_back_to)
        applied = apply_plan(
            plan, compiled, live, target.conf_dir, target.state_dir, prover, revision
        )
        prune_revisions(target.state_dir, workspace.settings.history)
    return applied


def _make_follower(
    workspace: Workspace, planned: Planned, notes: list[str]
) -> Callable[[Switch], Held] | None:
    """Return what follows calls over a switch's memory; what is no error is added to the notes."""
    level = workspace.settings.rules.get(LOST, Severity.ERROR)
    declared, files = planned.compilation.declared, planned.written.files
    arriving = planned.followed.arriving if planned.followed else ()
    subjects = [item for item in arriving if not is_silenced(item.resource, LOST, declared)]
    if level == "off" or not subjects:
        return None
    from fsgitops.planning.held import follow_held

    def read(path: str) -> bytes:
        file = files.get(path)
        if file is not None and not file.settled:
            return file.content
        return (workspace.target.conf_dir / path).read_bytes()

    def follow(switch: Switch) -> Held:
        held = follow_held(switch, workspace.target, subjects, read)
        if level == Severity.ERROR:
            return held
        notes.extend(f"warning: {item} [{LOST}]" for item in held.lost)
        return held._replace(lost=())

    return follow


def _compare_again(workspace: Workspace, shown: Planned) -> Planned:
    """Read live under the lock. Raises PlanRefusedError unless it is what was shown."""
    current = compare_live(workspace, shown)
    if current.plan.live_digest != shown.plan.live_digest:
        raise PlanRefusedError(
            "somebody changed the live files since the plan was shown; nothing was touched; plan "
            "again"
        )
    return current


def find_new_warnings(shown: Plan, current: Plan) -> list[str]:
    """Return what a plan warns of under the lock that nobody was shown."""
    told = set(shown.warnings)
    return [f"since the plan was shown: {text}" for text in current.warnings if text not in told]


def _refuse_early(shown: Planned, approved: Plan | None) -> None:
    """Raise PlanRefusedError where it is known before the lock that a plan cannot be carried out.

    It is not the approved one, or dangerous, or misses a secret that the project key does not give.
    """
    if approved is not None:
        refuse_stale(approved, shown.plan)
    if shown.plan.changes and shown.compilation.key and shown.compilation.unavailable:
        reasons = "\n".join(f"  {reason}" for reason in name_unavailable(shown.compilation))
        raise PlanRefusedError(f"these secrets cannot be read here; nothing was touched\n{reasons}")
    refuse_unsafe(shown.plan)
