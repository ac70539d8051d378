"""The doctor's look at the dialplan: legs that anybody may have moved, and all else in numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fsgitops.diagnosis import Check, bad, good, skip, warn
from fsgitops.errors import FsgitopsError
from fsgitops.findings import Severity, count_findings, has_errors
from fsgitops.planning.analysis import analyse_conf
from fsgitops.planning.survey import ConfLook
from fsgitops.steps.read_live import read_manifest
from fsgitops.workspace.declare import compile_declared

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsgitops.findings import Finding
    from fsgitops.workspace.declare import Declared
    from fsgitops.workspace.open import Workspace

SHOWN: Final = 5
_OPEN: Final = ("toll-fraud", "open-gateway", "open-profile", "open-leg")


def check_dialplan(workspace: Workspace, declared: Declared | None) -> Iterator[Check]:
    """Yield what lets somebody move a call, and how much else the rules of the dialplan find."""
    target = workspace.target
    if declared is None or has_errors(declared.findings):
        yield skip("dialplan", "not checked: the desired state has errors")
        return
    try:
        settled = read_manifest(target.state_dir).entries
        compilation = compile_declared(workspace, declared, settled, fetch=False)
        look = ConfLook(target, {*compilation.compiled.files, *settled})
        findings = [item.finding for item in analyse_conf(workspace, compilation, look)]
    except (FsgitopsError, OSError) as problem:
        yield skip("dialplan", f"not checked: {problem}")
        return
    opened = [item for item in findings if item.rule in _OPEN]
    for rule in _OPEN:
        yield from _tell_open([item for item in opened if item.rule == rule])
    if not opened:
        yield good("open-legs", "no call leg was found that the other side could transfer")
    others = [item for item in findings if item.rule not in _OPEN]
    if others:
        tell = bad if has_errors(others) else warn
        told = f"the rules of the dialplan find {count_findings(others)}"
        yield tell("dialplan", told, "see them with `fsgitops lint --dialplan`")
    else:
        yield good("dialplan", "the rules of the dialplan find nothing else")


def _tell_open(findings: list[Finding]) -> Iterator[Check]:
    for item in findings[:SHOWN]:
        tell = bad if item.severity is Severity.ERROR else warn
        yield tell("open-legs", f"{item.position}: {item.message}", item.hint)
    if len(findings) > SHOWN:
        told = f"and {len(findings) - SHOWN:,} more like the last one"
        yield warn("open-legs", told, "see them with `fsgitops lint --dialplan`")
