"""Carry a plan out: all of it, proved by the switch, or none of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from fsgitops.errors import (
    FsgitopsError,
    PlanRefusedError,
    ReloadRefusedError,
    RollbackFailedError,
    RolledBackError,
    SwitchError,
)
from fsgitops.model.applied import Applied, Outcome, SwitchReply
from fsgitops.model.live import Manifest, ManifestEntry
from fsgitops.model.plan import Action, Change, Plan
from fsgitops.transaction import (
    Journal,
    Operation,
    TransactionError,
    begin_transaction,
    commit_transaction,
    replace_files,
    restore_files,
)

if TYPE_CHECKING:
    from pathlib import Path

    from fsgitops.model.compiled import CompiledConfig
    from fsgitops.model.live import LiveConfig


class Prover(Protocol):
    """What an apply needs of a switch: reload it, and read back what it holds."""

    def reload(self) -> SwitchReply:
        """Reload the configuration. Raises SwitchError unless all of it was taken."""

    def prove(self) -> tuple[int, int]:
        """Return how many users and extensions were proved. Raises SwitchError on a mismatch."""


@dataclass(frozen=True, slots=True)
class ConfPlace:
    """Where an apply writes, and where it keeps its state."""

    conf_dir: Path
    state_dir: Path


def apply_plan(
    plan: Plan,
    compiled: CompiledConfig,
    live: LiveConfig,
    place: ConfPlace,
    prover: Prover | None,
) -> Applied:
    """Write the planned files, reload, read back, and only then own them.

    `prover` is None for image builds: files are written and nothing is reloaded. On any failure
    the files are restored and the switch reloads them. Raises PlanRefusedError (nothing touched),
    TransactionError (nothing touched), RolledBackError or RollbackFailedError.
    """
    refuse_unsafe(plan)
    if not plan.changes:
        return Applied(Outcome.UNCHANGED)
    operations = [_operation(change, compiled, live) for change in plan.changes]
    manifest = manifest_after(plan, compiled, live)
    content = json.dumps(manifest.to_json(), separators=(",", ":"), sort_keys=True).encode()
    journal = begin_transaction(place.conf_dir, place.state_dir, operations, content)
    try:
        replace_files(journal)
        reply = prover.reload() if prover else None
        users, extensions = prover.prove() if prover else (0, 0)
    except BaseException as problem:
        _roll_back(journal, prover, problem)
        raise
    commit_transaction(journal)
    return Applied(
        outcome=Outcome.APPLIED if prover else Outcome.WRITTEN,
        created=plan.count(Action.CREATE),
        updated=plan.count(Action.UPDATE),
        deleted=plan.count(Action.DELETE),
        replies=(reply,) if reply else (),
        users_proved=users,
        routes_proved=extensions,
    )


def refuse_unsafe(plan: Plan) -> None:
    """Raise PlanRefusedError when something stands in the way, or a secret is not known."""
    if plan.hazards:
        lines = [f"{item.path}: {item.message}; {item.hint} [{item.rule}]" for item in plan.hazards]
        raise PlanRefusedError("the plan is not safe; nothing was touched\n" + "\n".join(lines))
    if plan.unknown_secrets and plan.changes:
        raise PlanRefusedError(
            "without the project key the secrets are not known; set FSGITOPS_KEY or `key_file`, "
            "or make a key with `fsgitops key new`"
        )


def refuse_stale(approved: Plan, current: Plan) -> None:
    """Raise PlanRefusedError unless the current plan is, change by change, the approved one."""
    pairs = (
        ("target", approved.target, current.target),
        ("conf_dir", approved.conf_dir, current.conf_dir),
        ("domain", approved.domain, current.domain),
    )
    for name, was, now in pairs:
        if was != now:
            raise PlanRefusedError(f"the saved plan is for {name} {was}, not {now}")
    if approved.unknown_secrets:
        raise PlanRefusedError("the saved plan was made without the project key; make it with it")
    if approved.live_digest != current.live_digest:
        raise PlanRefusedError(
            "the saved plan is stale: the live configuration has changed since, or another "
            "project key is in use; make a new plan"
        )
    if approved.changes != current.changes:
        raise PlanRefusedError(
            f"the saved plan was made from commit {approved.commit or '(none)'}; what is declared "
            f"here ({current.commit or 'no commit'}) compiles to something else; check out that "
            "commit, or make a new plan"
        )


def manifest_after(plan: Plan, compiled: CompiledConfig, live: LiveConfig) -> Manifest:
    """Return what we own once the plan is carried out."""
    entries: dict[str, ManifestEntry] = dict(live.manifest.entries)
    for change in plan.changes:
        if change.action is Action.DELETE:
            entries.pop(change.path, None)
            continue
        entries[change.path] = _entry(change.path, compiled, plan.commit)
    return Manifest(entries)


def _entry(path: str, compiled: CompiledConfig, commit: str) -> ManifestEntry:
    file = compiled.files[path]
    return ManifestEntry(file.sha256, file.resource, str(file.source), commit, file.inputs)


def _operation(change: Change, compiled: CompiledConfig, live: LiveConfig) -> Operation:
    before = live.files[change.path].sha256
    if change.action is Action.DELETE:
        return Operation(change.path, None, before)
    return Operation(change.path, compiled.files[change.path].content, before)


def _roll_back(journal: Journal, prover: Prover | None, problem: BaseException) -> None:
    """Put everything back and say so. Raises in place of the problem, which it names."""
    said = str(problem) or type(problem).__name__
    try:
        kept = restore_files(journal)
    except TransactionError as second:
        raise RollbackFailedError(
            f"{said}\nrestoring the files failed as well: {second}\nthe journal in "
            f"{journal.folder} holds every file as it was; the next command goes on from there"
        ) from problem
    aside = "".join(f"\nwhat somebody else wrote meanwhile is kept in {name}" for name in kept)
    if prover:
        try:
            prover.reload()
        except SwitchError as second:
            if isinstance(problem, ReloadRefusedError) and isinstance(second, ReloadRefusedError):
                raise RolledBackError(
                    f"{said}\nrolled back: the files are as they were before; they do not load "
                    f"either ({second}), and the switch keeps the configuration that it has in "
                    f"memory; mend that file first{aside}"
                ) from problem
            raise RollbackFailedError(
                f"{said}\nthe files are as they were before, but the switch did not load them "
                f"again: {second}\nreload it by hand once it answers: reloadxml{aside}"
            ) from problem
    if isinstance(problem, FsgitopsError | OSError):
        again = " and the switch has loaded them again" if prover else ""
        raise RolledBackError(
            f"{said}\nrolled back: the files are as they were before{again}{aside}"
        ) from problem
