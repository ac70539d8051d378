"""`fsgitops plan`: what an apply would do, without doing any of it."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from fsgitops.commands.commit import read_commit
from fsgitops.commands.connect import prepare_conf_dir
from fsgitops.commands.recover import recover_unfinished
from fsgitops.commands.shadowed import find_shadowed
from fsgitops.commands.workspace import (
    Compilation,
    Workspace,
    compile_declared,
    declare_desired,
)
from fsgitops.model.compiled import Settled
from fsgitops.model.plan_json import plan_from_json, plan_to_json
from fsgitops.settings import SETTINGS_FILE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fsgitops.model.compiled import CompiledConfig
    from fsgitops.model.live import LiveConfig, Manifest
    from fsgitops.model.plan import Plan
    from fsgitops.secret import ProjectKey


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan, and what it was made from."""

    plan: Plan
    compilation: Compilation
    live: LiveConfig
    notes: tuple[str, ...] = ()
    """What was done first: an interrupted apply that was finished or undone."""


def run_plan(workspace: Workspace) -> Planned:
    """Compile the desired state, read the live one and compare them.

    Raises DesiredInvalidError with every finding, FsgitopsError when live cannot be read.
    """
    from fsgitops.steps.read_live import read_manifest

    target = workspace.target
    prepare_conf_dir(target)
    notes = recover_unfinished(workspace)
    manifest = read_manifest(target.state_dir)
    settled = {
        path: Settled(entry.inputs, entry.sha256) for path, entry in manifest.entries.items()
    }
    declared = declare_desired(workspace)
    compilation = compile_declared(workspace, declared, settled)
    live = _read_live(workspace, compilation, manifest)
    edited = _find_edited(compilation.compiled, live)
    if edited:
        kept = {path: known for path, known in settled.items() if path not in edited}
        compilation = compile_declared(workspace, declared, kept)
    return replace(_plan(workspace, compilation, live), notes=tuple(notes))


def compare_live(workspace: Workspace, compilation: Compilation) -> Planned:
    """Read what is live now and plan against it: again under the lock, before an apply."""
    return _plan(workspace, compilation, _read_live(workspace, compilation))


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


def _plan(workspace: Workspace, compilation: Compilation, live: LiveConfig) -> Planned:
    from fsgitops.steps.plan import PlanContext, build_plan

    target, settings = workspace.target, workspace.settings
    paths = [settings.desired, settings.templates, SETTINGS_FILE]
    commit, dirty = read_commit(workspace.root, paths)
    context = PlanContext(
        project=settings.project,
        target=target.name,
        conf_dir=str(target.conf_dir),
        domain=target.domain,
        profile=target.profile,
        commit=commit,
        dirty=dirty,
        simulated=target.simulated,
        unknown_secrets=any(file.unknown for file in compilation.compiled.files.values()),
        warnings=partial(find_shadowed, target.conf_dir),
    )
    plan = build_plan(compilation.compiled, live, context, _keyed(compilation.key))
    return Planned(plan, compilation, live)


def plan_compiled(
    workspace: Workspace, compilation: Compilation, live: LiveConfig, notes: tuple[str, ...] = ()
) -> Planned:
    """Plan against a live side that was not read here."""
    return replace(_plan(workspace, compilation, live), notes=notes)


def save_plan(plan: Plan, path: Path) -> None:
    """Write the plan to a file for a later apply. It holds no secret, only keyed digests."""
    text = json.dumps(plan_to_json(plan), indent=2, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")


def load_plan(path: Path) -> Plan:
    """Return a saved plan. Raises UsageError when the file is not one."""
    from fsgitops.errors import UsageError

    try:
        return plan_from_json(json.loads(path.read_bytes()))
    except OSError as problem:
        raise UsageError(f"{path}: {problem.strerror}") from None
    except ValueError as problem:
        raise UsageError(f"{path}: {problem}; make one with `fsgitops plan --out`") from None


def _keyed(key: ProjectKey | None) -> Callable[[bytes], str]:
    from fsgitops.secret import keyed_digest

    return lambda data: keyed_digest(key, data) or ""
