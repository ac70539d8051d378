"""`fsgitops apply`: carry a plan out, and prove that the switch holds it."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from fsgitops.commands.connect import connect_target, open_switch, read_password
from fsgitops.commands.plan import Planned, compare_live
from fsgitops.commands.prover import SwitchProver
from fsgitops.commands.recover import recover_locked
from fsgitops.errors import PlanRefusedError, SwitchError
from fsgitops.model.plan import Action
from fsgitops.model.resource import Kind
from fsgitops.transaction import lock_state

if TYPE_CHECKING:
    from fsgitops.commands.workspace import Workspace
    from fsgitops.model.applied import Applied
    from fsgitops.model.plan import Plan
    from fsgitops.switch import Switch


def run_apply(
    workspace: Workspace,
    shown: Planned,
    *,
    approved: Plan | None = None,
    reload: bool = True,
    wait_seconds: float = 60.0,
) -> Applied:
    """Carry out the plan that was shown, or the saved one that was approved, and nothing else.

    The switch is reached before any file is touched. Raises PlanRefusedError when live is not
    what it was, RolledBackError and RollbackFailedError as they say, SwitchError when the
    switch cannot be asked.
    """
    from fsgitops.steps.apply import ConfPlace, apply_plan, refuse_stale, refuse_unsafe

    target = workspace.target
    if approved is not None:
        refuse_stale(approved, shown.plan)
    refuse_unsafe(shown.plan)
    with ExitStack() as stack:
        stack.enter_context(lock_state(target.state_dir, wait_seconds=wait_seconds))
        notes = recover_locked(workspace)
        current = compare_live(workspace, shown.compilation)
        if current.plan.live_digest != shown.plan.live_digest:
            raise PlanRefusedError(
                "the live configuration changed while the plan was read; nothing was touched; "
                "make a new plan"
            )
        prover = _prover(stack, workspace, current) if reload and current.plan.changes else None
        place = ConfPlace(target.conf_dir, target.state_dir)
        applied = apply_plan(
            current.plan, current.compilation.compiled, current.live, place, prover
        )
        ended = _end_registrations(prover, current.plan) if prover else 0
    return replace(applied, registrations_ended=ended, notes=tuple(notes))


def _prover(stack: ExitStack, workspace: Workspace, planned: Planned) -> SwitchProver:
    switch = stack.enter_context(connect_target(workspace.target, workspace.root))

    def reconnect() -> Switch:
        target = workspace.target
        if target.simulated:
            raise SwitchError("the embedded switch is gone")
        password = read_password(target, workspace.root)
        return open_switch(target, target.esl.host, target.esl.port, password)

    prover = SwitchProver(
        switch, reconnect, workspace.target, planned.plan, planned.compilation.compiled
    )
    stack.callback(prover.close)
    return prover


def _end_registrations(prover: SwitchProver, plan: Plan) -> int:
    deleted = plan.names(Action.DELETE, Kind.AGENT)
    if not deleted:
        return 0
    ended, left = prover.flush(deleted)
    if left:
        raise SwitchError(
            f"everything is applied, but these deleted agents are still registered: "
            f"{', '.join(left)}; end their registrations by hand "
            "(sofia profile PROFILE flush_inbound_reg EXT@DOMAIN)"
        )
    return ended
