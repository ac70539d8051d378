"""`fsgitops plan`: what an apply would do, without doing any of it."""

from __future__ import annotations

import json
from dataclasses import replace
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from fsgitops.durable import write_output
from fsgitops.errors import PlanRefusedError, UsageError
from fsgitops.live.clock import check_clock
from fsgitops.live.connect import prepare_conf_dir
from fsgitops.live.recover import recover_unfinished
from fsgitops.model.plan import Activity
from fsgitops.model.plan_json import fingerprint_plan, plan_from_json, plan_to_json
from fsgitops.planning.planned import (
    Planned,
    Unchanged,
    compile_for,
    make_plan,
    name_unavailable,
    observe,
)
from fsgitops.steps.read_live import read_manifest
from fsgitops.visible import to_json
from fsgitops.workspace.git import REPLACE, find_in_history, refuse_key_in_git

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from fsgitops.model.plan import Plan
    from fsgitops.planning.remembered import Memory
    from fsgitops.planning.shape import Demands
    from fsgitops.workspace.open import Workspace
    from fsgitops.workspace.trees import Trees

_NO_JSON = (json.JSONDecodeError, UnicodeDecodeError, RecursionError)
"""What reading a file as JSON raises where it is something else."""
_T = TypeVar("_T")


class Caching(Enum):
    """Whether a plan uses what is known of earlier ones: also to be made anew, or not at all."""

    USED = "used"
    RENEW = "renew"
    OFF = "off"


class _Shown(NamedTuple):
    """A plan is for a reader: what is known of earlier ones, where that is used."""

    memory: Memory | None = None
    trees: Trees | None = None


def run_plan(
    workspace: Workspace, demands: Demands | None = None, *, live: bool = False
) -> Planned:
    """Compile the desired state, read the live one and compare them.

    With `live`, the switch is asked what the agents concerned are doing; that it cannot be asked
    is part of the plan. Raises DesiredInvalidError with every finding, UsageError for a selector
    that names nothing, FsgitopsError when live cannot be read.
    """
    notes = _make_ready(workspace)
    return _compare(workspace, demands, notes, live=live)


def show_plan(
    workspace: Workspace, demands: Demands, caching: Caching, *, live: bool = False
) -> Planned | Unchanged:
    """Do the same for a reader: what is known to be unchanged is not compared again."""
    notes = _make_ready(workspace)
    memory = trees = None
    if caching is not Caching.OFF and workspace.environment.cache != "off":
        from fsgitops.planning.remembered import open_memory

        memory, trees = open_memory(workspace, demands)
    known = memory.recall(renew=caching is Caching.RENEW) if memory else None
    if known is None:
        return _compare(workspace, demands, notes, live=live, shown=_Shown(memory, trees))
    plan = replace(known.plan, activity=Activity()) if live else known.plan
    return replace(known, plan=plan, notes=(*notes, *_tell_more(workspace)))


def _make_ready(workspace: Workspace) -> list[str]:
    refuse_key_in_git(workspace)
    prepare_conf_dir(workspace.target)
    return recover_unfinished(workspace)


def _compare(
    workspace: Workspace,
    demands: Demands | None,
    notes: list[str],
    *,
    live: bool,
    shown: _Shown | None = None,
) -> Planned:
    # What declares and compiles is loaded where a plan is made.
    from fsgitops.workspace.declare import declare_desired

    manifest = read_manifest(workspace.target.state_dir)
    memory, trees = shown or _Shown()
    declared = declare_desired(workspace, trees)
    watch = memory.watch if memory else lambda: None
    compilation, found = compile_for(
        workspace, declared, manifest, applies=shown is None, watch=watch
    )
    planned = make_plan(workspace, compilation, found, demands)
    if memory:
        memory.keep(planned)
    notes = [*notes, *_tell_more(workspace, name_unavailable(compilation))]
    if live:
        planned = observe(workspace, planned)
    return replace(planned, notes=tuple(notes))


def _tell_more(workspace: Workspace, unavailable: Sequence[str] = ()) -> list[str]:
    """Return what is to be told of the clock, of secrets, and of keys in the history of git."""
    in_history = [f"warning: {told}; {REPLACE}" for told in find_in_history(workspace)]
    return [*check_clock(workspace.target.state_dir), *unavailable, *in_history]


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
