"""The conf directory as a plan leaves it: what calls are evaluated over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsgitops.live.connect import prepare_conf_dir
from fsgitops.planning.planned import compile_for, make_plan
from fsgitops.routing.call.load import load_disk
from fsgitops.steps.read_live import read_manifest

if TYPE_CHECKING:
    from fsgitops.model.compiled import CompiledConfig
    from fsgitops.model.live import LiveConfig
    from fsgitops.model.plan import Plan
    from fsgitops.planning.planned import Planned
    from fsgitops.routing.call.load import Loaded
    from fsgitops.settings.target import Target
    from fsgitops.workspace.open import Workspace


def load_planned(target: Target, plan: Plan, written: CompiledConfig, live: LiveConfig) -> Loaded:
    """Return the configuration as the plan leaves it. Raises MergeError.

    What a plan writes without a secret that is not at hand has a made-up word in its place.
    """
    overlay: dict[str, bytes | None] = {}
    for path in {change.path for change in plan.changes}:
        file = written.files.get(path)
        if file is None or not file.settled:
            overlay[path] = file.content if file else None
    ours = {*written.files, *live.manifest.entries}
    return load_disk(target.conf_dir, target.domain, ours=ours, overlay=overlay)


def compile_world(workspace: Workspace) -> Loaded:
    """Return the configuration as a plan of what is declared would leave it.

    Raises as a plan does, and MergeError.
    """
    planned = plan_declared(workspace)
    return load_planned(workspace.target, planned.plan, planned.written, planned.live)


def plan_declared(workspace: Workspace) -> Planned:
    """Compile what is declared, and plan, for who looks at where calls would go.

    No secret is asked for where it stands: none decides that. Raises as a plan does.
    """
    from fsgitops.workspace.declare import declare_desired

    prepare_conf_dir(workspace.target)
    manifest = read_manifest(workspace.target.state_dir)
    declared = declare_desired(workspace)
    compilation, found = compile_for(workspace, declared, manifest, fetch=False)
    return make_plan(workspace, compilation, found, judged=False)
