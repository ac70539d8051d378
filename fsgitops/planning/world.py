"""The conf directory as a plan leaves it: what calls are evaluated over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsgitops.live.connect import prepare_conf_dir
from fsgitops.planning.planned import compile_for, make_plan
from fsgitops.planning.survey import load_planned
from fsgitops.steps.read_live import read_manifest

if TYPE_CHECKING:
    from fsgitops.planning.planned import Planned
    from fsgitops.routing.call.load import Loaded
    from fsgitops.workspace.open import Workspace


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
