"""`fsgitops lint --dialplan`: what is wrong with the whole dialplan of a target."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsgitops.errors import NotPossibleError
from fsgitops.planning.analysis import analyse_conf
from fsgitops.planning.survey import ConfLook
from fsgitops.routing.preprocess import ROOT_FILE
from fsgitops.steps.read_live import read_manifest
from fsgitops.workspace.declare import compile_declared, declare_desired

if TYPE_CHECKING:
    from fsgitops.findings import Finding
    from fsgitops.workspace.open import Workspace


def run_analysis(workspace: Workspace) -> list[Finding]:
    """Return what the rules find in the dialplan as an apply would leave it.

    Nothing that is secret is fetched. Raises DesiredInvalidError with every finding about what is
    declared, FsgitopsError or OSError where the conf directory cannot be read.
    """
    target = workspace.target
    if not (target.conf_dir / ROOT_FILE).is_file():
        raise NotPossibleError(f"{target.conf_dir} has no {ROOT_FILE}: run `fsgitops plan` first")
    compilation = compile_declared(workspace, declare_desired(workspace), fetch=False)
    paths = {*compilation.compiled.files, *read_manifest(target.state_dir).entries}
    return [item.finding for item in analyse_conf(workspace, compilation, ConfLook(target, paths))]
