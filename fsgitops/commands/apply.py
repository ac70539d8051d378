"""`fsgitops apply`: carry a plan out, and prove that the switch holds it."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from fsgitops.errors import PlanRefusedError, SwitchError
from fsgitops.live.connect import connect_target, open_switch, read_password
from fsgitops.live.prover import SwitchProver
from fsgitops.live.recover import recover_locked
from fsgitops.live.revisions import prune_revisions, start_revision
from fsgitops.model.plan import Action
from fsgitops.planning.planned import Planned, compare_live, name_unavailable, observe
from fsgitops.transaction.lock import lock_state

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fsgitops.model.applied import Applied
    from fsgitops.model.compiled import CompiledConfig
    from fsgitops.model.live import LiveConfig
    from fsgitops.model.plan import Plan
    from fsgitops.steps.verify import Expected
    from fsgitops.switch.client import Switch
    from fsgitops.workspace.open import Workspace

NOT_TOLD = (
    "files written earlier with --no-reload are not loaded yet either: apply without --no-reload "
    "to load them"
)

_BY_HAND = (
    "sofia profile PROFILE flush_inbound_reg EXT@DOMAIN; for mod_verto, each session that "
    "verto_contact EXT@DOMAIN names: verto noperm SESSION methods verto"
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
    from fsgitops.steps.apply import (
        ConfPlace,
        apply_plan,
        refuse_hazards,
        refuse_stale,
        refuse_unsafe,
    )

    target = workspace.target
    if approved is not None:
        refuse_stale(approved, shown.plan)
    _refuse_unavailable(shown)
    refuse_unsafe(shown.plan)
    with ExitStack() as stack:
        stack.enter_context(lock_state(target.state_dir, wait_seconds=wait_seconds, tell=tell))
        notes = recover_locked(workspace)
        current = _compare_again(workspace, shown)
        refuse_hazards(current.plan)
        compiled = current.compilation.compiled
        asked = reload and bool(current.plan.reloads)
        prover = (
            open_prover(stack, workspace, current.plan, compiled, current.live) if asked else None
        )
        if prover:
            current = _observe_again(workspace, current, prover)
        if current.plan.unloaded and not reload:
            notes.append(NOT_TOLD)
        place = ConfPlace(target.conf_dir, target.state_dir)
        revision = start_revision(workspace, current.plan)
        applied = apply_plan(current.plan, compiled, current.live, place, prover, revision)
        applied = end_rest(applied, prover, current.plan) if prover else applied
        prune_revisions(target.state_dir, workspace.settings.history)
    return replace(applied, notes=tuple(notes))


def _observe_again(workspace: Workspace, current: Planned, prover: SwitchProver) -> Planned:
    """Ask who is on a call: that is known only now, and has to be, as a plan may be days old."""
    from fsgitops.steps.apply import refuse_unsafe

    observed = observe(workspace, current, prover.switch)
    refuse_unsafe(observed.plan)
    return observed


def _compare_again(workspace: Workspace, shown: Planned) -> Planned:
    """Read live under the lock. Raises PlanRefusedError unless it is what was shown."""
    current = compare_live(workspace, shown.compilation, shown.demands)
    if current.plan.live_digest != shown.plan.live_digest:
        raise PlanRefusedError(
            "somebody changed the live files since the plan was shown; nothing was touched; plan "
            "again"
        )
    return current


def _refuse_unavailable(shown: Planned) -> None:
    """Raise PlanRefusedError when a secret that the project key does not give is missing."""
    if shown.plan.changes and shown.compilation.key and shown.compilation.unavailable:
        reasons = "\n".join(f"  {reason}" for reason in name_unavailable(shown.compilation))
        raise PlanRefusedError(f"these secrets cannot be read here; nothing was touched\n{reasons}")


def open_prover(
    stack: ExitStack,
    workspace: Workspace,
    plan: Plan,
    compiled: CompiledConfig,
    live: LiveConfig,
) -> SwitchProver:
    """Reach the switch, before any file is touched. Raises SwitchError when it is not there."""
    switch = stack.enter_context(connect_target(workspace.target, workspace.root))

    def reconnect() -> Switch:
        target = workspace.target
        if target.simulated:
            raise SwitchError("the embedded switch is gone")
        password = read_password(target, workspace.root)
        return open_switch(target, target.esl.host, target.esl.port, password)

    expected = _expect(plan, compiled, live, workspace.target.conf_dir)
    prover = SwitchProver(switch, reconnect, workspace.target, plan, expected)
    stack.callback(prover.close)
    return prover


def _expect(plan: Plan, compiled: CompiledConfig, live: LiveConfig, conf_dir: Path) -> Expected:
    """Return what the switch has to hold, what it was never told of as it stands on disk."""
    from fsgitops.homes.compare import find_owners
    from fsgitops.steps.verify import Expected

    touched = dict.fromkeys(change.path for change in plan.changes)
    joint = (compiled.files[path] for path in touched if path in compiled.files)
    stood = ((path, file.content) for path, file in live.files.items())
    unloaded = [item.path for item in plan.unloaded if item.action is not Action.DELETE]
    return Expected(
        written={
            **{path: file.content for path, file in compiled.files.items() if not file.settled},
            **{path: (conf_dir / path).read_bytes() for path in unloaded},
        },
        before={path: content for path, content in stood if content is not None},
        owners=dict(owner for file in joint for owner in find_owners(file)),
    )


def end_rest(applied: Applied, prover: SwitchProver, plan: Plan) -> Applied:
    """End the registrations and mod_verto sessions that outlive the plan; tell how many these were.

    A phone with a former password may come back, and that of a deleted agent must not. Raises
    SwitchError saying whose may go on.
    """
    names = dict.fromkeys(name for step in plan.reloads if step.late for name in step.of)
    if not names:
        return applied
    changes = (*plan.changes, *plan.unloaded)
    gone = {change.resource.name for change in changes if change.action is Action.DELETE}
    deleted = [name for name in names if name in gone]
    try:
        done = prover.finish()
    except SwitchError as problem:
        told = "deleted agents" if deleted else "agents with a former password"
        raise SwitchError(
            f"everything is applied, but the registrations and mod_verto sessions of the {told} "
            f"({', '.join(deleted or names)}) may not have ended: {problem}; end them by hand "
            f"({_BY_HAND})"
        ) from problem
    if left := sorted(done.left.intersection(deleted)):
        raise SwitchError(
            f"everything is applied, but these deleted agents are still registered or logged in: "
            f"{', '.join(left)}; end that by hand ({_BY_HAND})"
        )
    phones, sessions = done.registrations, done.sessions
    kicked = [name for name in names if name not in gone]
    return replace(
        applied,
        registrations_ended=len(phones.intersection(deleted)),
        verto_sessions_ended=sum(sessions.get(name, 0) for name in deleted),
        registrations_kicked=len(phones.intersection(kicked))
        + sum(sessions.get(name, 0) for name in kicked),
    )
