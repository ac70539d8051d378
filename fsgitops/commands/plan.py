"""`fsgitops plan`: what an apply would do, without doing any of it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from fsgitops.commands.history import check_clock
from fsgitops.durable import write_output
from fsgitops.live.connect import prepare_conf_dir
from fsgitops.live.recover import recover_unfinished
from fsgitops.model.compiled import Settled
from fsgitops.model.plan_json import plan_from_json, plan_to_json
from fsgitops.planning.shape import Demands, choose_changes, count_cost, weigh_plan
from fsgitops.planning.survey import ConfLook, survey_changes
from fsgitops.settings import SETTINGS_FILE
from fsgitops.visible import count_noun, to_json
from fsgitops.workspace.compile import Compilation, compile_declared
from fsgitops.workspace.declare import declare_desired
from fsgitops.workspace.git import read_commit
from fsgitops.workspace.key_in_git import (
    REPLACE,
    find_in_history,
    refuse_key_in_git,
    tell_history,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from pathlib import Path

    from fsgitops.model.compiled import CompiledConfig
    from fsgitops.model.live import LiveConfig, Manifest
    from fsgitops.model.plan import Change, Plan
    from fsgitops.secret import ProjectKey
    from fsgitops.steps.plan import PlanContext, Survey
    from fsgitops.switch.client import Switch
    from fsgitops.workspace.open import Workspace


SHOWN_UNAVAILABLE = 10

NO_JSON = (json.JSONDecodeError, UnicodeDecodeError, RecursionError)
"""What reading a file as JSON raises where it is something else."""
UNREADABLE = "this file is not JSON"


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan, and what it was made from."""

    plan: Plan
    compilation: Compilation
    live: LiveConfig
    notes: tuple[str, ...] = ()
    """What was done first: an interrupted apply that was finished or undone."""
    demands: Demands = field(default_factory=Demands)


def run_plan(
    workspace: Workspace, demands: Demands | None = None, *, live: bool = False
) -> Planned:
    """Compile the desired state, read the live one and compare them.

    With `live`, the switch is asked what the agents concerned are doing; that it cannot be asked
    is part of the plan. Raises DesiredInvalidError with every finding, UsageError for a selector
    that names nothing, FsgitopsError when live cannot be read.
    """
    from fsgitops.steps.read_live import read_manifest

    target = workspace.target
    refuse_key_in_git(workspace)
    prepare_conf_dir(target)
    notes = recover_unfinished(workspace)
    manifest = read_manifest(target.state_dir)
    settled = {
        path: Settled({entry.resource: entry.inputs}, entry.sha256)
        for path, entry in manifest.entries.items()
    }
    declared = declare_desired(workspace)
    compilation = compile_declared(workspace, declared, settled)
    found = _read_live(workspace, compilation, manifest)
    edited = _find_edited(compilation.compiled, found)
    if edited:
        kept = {path: known for path, known in settled.items() if path not in edited}
        compilation = compile_declared(workspace, declared, kept)
    notes = [*notes, *check_clock(target.state_dir), *name_unavailable(compilation)]
    notes += [f"{tell_history(*past)}; {REPLACE}" for past in find_in_history(workspace).items()]
    planned = _plan(workspace, compilation, found, demands)
    if live:
        planned = observe(workspace, planned)
    return replace(planned, notes=tuple(notes))


def observe(workspace: Workspace, planned: Planned, switch: Switch | None = None) -> Planned:
    """Ask the switch what the agents concerned are doing, and say what the plan needs for that.

    Raises SwitchError only where `switch` is given.
    """
    from fsgitops.live.activity import ask_activity, observe_plan

    plan = (
        ask_activity(planned.plan, switch, workspace.target)
        if switch
        else observe_plan(planned.plan, workspace.target, workspace.root)
    )
    weighed = weigh_plan(plan, planned.compilation, planned.live, workspace.target, planned.demands)
    return replace(planned, plan=weighed)


def compare_live(
    workspace: Workspace, compilation: Compilation, demands: Demands | None = None
) -> Planned:
    """Read what is live now and plan against it: again under the lock, before an apply."""
    return _plan(workspace, compilation, _read_live(workspace, compilation), demands)


def _read_live(
    workspace: Workspace, compilation: Compilation, manifest: Manifest | None = None
) -> LiveConfig:
    from fsgitops.steps.read_live import read_live

    expected = {
        path: "" if file.unknown else file.sha256
        for path, file in compilation.compiled.files.items()
    }
    target = workspace.target
    return read_live(target.conf_dir, target.state_dir, expected, manifest)


def _find_edited(compiled: CompiledConfig, live: LiveConfig) -> set[str]:
    """Return the settled paths where something else stands now: their content is needed."""
    return {
        path
        for path, file in compiled.files.items()
        if file.settled and live.files[path].sha256 != file.sha256
    }


def _plan(
    workspace: Workspace,
    compilation: Compilation,
    live: LiveConfig,
    demands: Demands | None = None,
    *,
    judged: bool = True,
) -> Planned:
    from fsgitops.steps.plan import compare_config, finish_plan

    wanted = demands or Demands()
    look = ConfLook(workspace.target, {*compilation.compiled.files, *live.manifest.entries})
    context = make_context(
        workspace, unknown_secrets=_is_unknown(compilation), notes=compilation.notes, look=look
    )
    context = replace(context, declared=compilation.declared.desired.sources)
    digest = keyed(compilation.key)
    plan = compare_config(compilation.compiled, live, context, digest)
    plan = choose_changes(plan, compilation, live, wanted, digest)
    plan = count_cost(plan, live, workspace.target, kick_rotated=wanted.kick_rotated)
    if judged:
        from fsgitops.planning.reach import judge_reach

        plan = judge_reach(workspace, compilation, live, plan, look)
    plan = weigh_plan(finish_plan(plan), compilation, live, workspace.target, wanted)
    return Planned(plan, compilation, live, demands=wanted)


def make_context(
    workspace: Workspace,
    *,
    unknown_secrets: bool = False,
    notes: tuple[str, ...] = (),
    look: ConfLook | None = None,
) -> PlanContext:
    """Return what a plan says of its target, and of the commit that it is made from.

    `notes` are warnings that stand whatever changes. `look` is shared with who looks as well.
    """
    from fsgitops.steps.plan import PlanContext

    target, settings = workspace.target, workspace.settings
    paths = [settings.desired, settings.templates, SETTINGS_FILE]
    commit, dirty = read_commit(workspace.root, paths)

    def survey(changes: Sequence[Change], managed: Collection[str]) -> Survey:
        ours = {*managed, *(item.path for item in changes)}
        return survey_changes(look or ConfLook(target, ours), changes)

    return PlanContext(
        project=settings.project,
        target=target.name,
        conf_dir=str(target.conf_dir),
        domain=target.domain,
        commit=commit,
        dirty=dirty,
        simulated=target.simulated,
        unknown_secrets=unknown_secrets,
        warnings=notes,
        survey=survey,
    )


def plan_compiled(
    workspace: Workspace,
    compilation: Compilation,
    live: LiveConfig,
    notes: tuple[str, ...] = (),
    demands: Demands | None = None,
) -> Planned:
    """Plan against a live side that was not read here, and judge no conf directory."""
    planned = _plan(workspace, compilation, live, demands, judged=False)
    return replace(planned, notes=notes)


def name_unavailable(compilation: Compilation) -> list[str]:
    """Return which secrets are not at hand, the first of them by name."""
    found = compilation.unavailable
    lines = [
        f"missing, shown as (known after apply): {reason}" for reason in found[:SHOWN_UNAVAILABLE]
    ]
    if len(found) > SHOWN_UNAVAILABLE:
        lines.append(f"missing: {count_noun(len(found) - SHOWN_UNAVAILABLE, 'more secret')}")
    return lines


def save_plan(plan: Plan, path: Path) -> None:
    """Write the plan to a file for a later apply. It holds no secret, only keyed digests."""
    text = to_json(plan_to_json(plan), indent=2)
    write_output(path, (text + "\n").encode("utf-8"))


def load_plan(path: Path) -> Plan:
    """Return a saved plan.

    Raises UsageError when the file is not one, PlanRefusedError when it was edited since.
    """
    from fsgitops.errors import PlanRefusedError, UsageError
    from fsgitops.steps.plan import fingerprint_plan

    try:
        plan = plan_from_json(json.loads(path.read_bytes()))
    except OSError as problem:
        raise UsageError(f"{path}: {problem.strerror}") from None
    except (ValueError, RecursionError) as problem:
        text = UNREADABLE if isinstance(problem, NO_JSON) else str(problem)
        raise UsageError(f"{path}: {text}; make one with `fsgitops plan --out FILE`") from None
    if fingerprint_plan(plan) != plan.fingerprint:
        raise PlanRefusedError(f"{path}: the plan was edited after it was made; plan again")
    return plan


def _is_unknown(compilation: Compilation) -> bool:
    """Tell whether this can be read only. The key also ties a plan to what it was made from."""
    files = compilation.compiled.files.values()
    return any(file.unknown or (compilation.key is None and file.secret_spans) for file in files)


def keyed(key: ProjectKey | None) -> Callable[[bytes], str]:
    """Return the digest that plans are made with: keyed, so that it gives no secret away."""
    from fsgitops.secret import keyed_digest

    return lambda data: keyed_digest(key, data) or ""
