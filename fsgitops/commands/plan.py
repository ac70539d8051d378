"""`fsgitops plan`: what an apply would do, without doing any of it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from fsgitops.durable import write_output
from fsgitops.errors import PlanRefusedError, UsageError
from fsgitops.live.clock import check_clock
from fsgitops.live.connect import prepare_conf_dir
from fsgitops.live.recover import recover_unfinished
from fsgitops.model.plan_json import plan_from_json, plan_to_json
from fsgitops.planning.planned import (
    Planned,
    find_edited,
    look_at_live,
    make_plan,
    name_unavailable,
    observe,
)
from fsgitops.steps.plan import fingerprint_plan
from fsgitops.steps.read_live import read_manifest
from fsgitops.visible import to_json
from fsgitops.workspace.declare import compile_declared, declare_desired
from fsgitops.workspace.git import REPLACE, find_in_history, refuse_key_in_git

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fsgitops.model.plan import Plan
    from fsgitops.planning.shape import Demands
    from fsgitops.workspace.open import Workspace

_NO_JSON = (json.JSONDecodeError, UnicodeDecodeError, RecursionError)
"""What reading a file as JSON raises where it is something else."""
_T = TypeVar("_T")


def run_plan(
    workspace: Workspace, demands: Demands | None = None, *, live: bool = False
) -> Planned:
    """Compile the desired state, read the live one and compare them.

    With `live`, the switch is asked what the agents concerned are doing; that it cannot be asked
    is part of the plan. Raises DesiredInvalidError with every finding, UsageError for a selector
    that names nothing, FsgitopsError when live cannot be read.
    """
    target = workspace.target
    refuse_key_in_git(workspace)
    prepare_conf_dir(target)
    notes = recover_unfinished(workspace)
    manifest = read_manifest(target.state_dir)
    settled = manifest.entries
    declared = declare_desired(workspace)
    compilation = compile_declared(workspace, declared, settled)
    found = look_at_live(workspace, compilation, manifest)
    edited = find_edited(compilation.compiled, found)
    if edited:
        kept = {path: known for path, known in settled.items() if path not in edited}
        compilation = compile_declared(workspace, declared, kept)
    notes = [*notes, *check_clock(target.state_dir), *name_unavailable(compilation)]
    notes += [f"warning: {told}; {REPLACE}" for told in find_in_history(workspace)]
    planned = make_plan(workspace, compilation, found, demands)
    if live:
        planned = observe(workspace, planned)
    return replace(planned, notes=tuple(notes))


def save_plan(plan: Plan, path: Path) -> None:
    """Write the plan to a file for a later apply. It holds no secret, only keyed digests."""
    text = to_json(plan_to_json(plan), indent=2)
    write_output(path, (text + "\n").encode("utf-8"))


def load_plan(path: Path) -> Plan:
    """Return a saved plan.

    Raises UsageError when the file is not one, PlanRefusedError when it was edited since.
    """
    plan = read_saved(path, lambda content: plan_from_json(json.loads(content)), "plan --out FILE")
    if fingerprint_plan(plan) != plan.fingerprint:
        raise PlanRefusedError(f"{path}: the plan was edited after it was made; plan again")
    return plan


def read_saved(path: Path, read: Callable[[bytes], _T], made: str) -> _T:
    """Return what `read` makes of a file's bytes. Raises UsageError when they are something else.

    `made` is the command that writes such files.
    """
    try:
        return read(path.read_bytes())
    except (ValueError, EOFError, RecursionError) as problem:
        text = "this file is not JSON" if isinstance(problem, _NO_JSON) else str(problem)
        raise UsageError(f"{path}: {text}; make one with `fsgitops {made}`") from None
    except OSError as problem:
        raise UsageError(f"{path}: {problem.strerror or problem}") from None
