"""Hold what is expected of calls against the files as a plan leaves them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from fsgitops.errors import FsgitopsError
from fsgitops.expectation.prove import Prover, make_proof
from fsgitops.model.verdict import Tests
from fsgitops.routing.call.scene import scene_of_files
from fsgitops.routing.preprocess import ROOT_FILE
from fsgitops.visible import count_noun

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fsgitops.expectation.noun import Expectation
    from fsgitops.model.plan import Plan
    from fsgitops.planning.ahead import Ahead
    from fsgitops.workspace.declare import Compilation


def judge_expected(
    compilation: Compilation, plan: Plan, tests: Sequence[Expectation], ahead: Ahead
) -> Plan:
    """Return the plan with what became of these expectations.

    Where the configuration cannot be read, nobody knows, and a warning says so.
    """
    target, declared = ahead.workspace.target, compilation.declared
    if not (target.conf_dir / ROOT_FILE).is_file():
        return _warn(plan, tests, f"{target.conf_dir} has no {ROOT_FILE}")
    try:
        loaded = ahead.load_whole()
    except (FsgitopsError, OSError) as problem:
        return _warn(plan, tests, str(problem))
    scene = scene_of_files(loaded, "plan", target.domain)
    prover = Prover(scene, target, declared.desired, ahead.workspace.kinds)
    proved = [prover.prove(test, declared.expected.sources[test.name]) for test in tests]
    failing = make_proof(scene, proved).failing
    return replace(plan, tests=Tests(len(tests) - len(failing), failing))


def _warn(plan: Plan, tests: Sequence[Expectation], why: str) -> Plan:
    told = f"{count_noun(len(tests), 'expectation')} could not be looked at: {why}"
    return replace(plan, warnings=(*plan.warnings, told))
