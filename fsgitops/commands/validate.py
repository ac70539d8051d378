"""`fsgitops validate`: every finding about what is declared, without a switch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fsgitops.errors import DesiredInvalidError
from fsgitops.findings import Finding, findings_to_json, has_errors
from fsgitops.workspace.compile import compile_declared
from fsgitops.workspace.declare import declare_desired

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fsgitops.workspace.open import Workspace


@dataclass(frozen=True, slots=True)
class Report:
    """Every finding, and how much was declared."""

    findings: tuple[Finding, ...]
    agents: int = 0
    did_routes: int = 0

    @property
    def valid(self) -> bool:
        """Tell whether there are no errors."""
        return not has_errors(self.findings)

    def to_json(self) -> dict[str, Any]:
        """Return the report as JSON values (docs/json.md)."""
        return {
            "format": "fsgitops-findings",
            "version": 1,
            "valid": self.valid,
            "agents": self.agents,
            "did_routes": self.did_routes,
            "errors": _count(self.findings, "error"),
            "warnings": _count(self.findings, "warning"),
            "findings": findings_to_json(self.findings),
        }


def run_validate(workspace: Workspace) -> Report:
    """Check what is declared, and compile it when it has no errors."""
    declared = declare_desired(workspace)
    findings = declared.findings
    if not has_errors(findings):
        try:
            findings = compile_declared(workspace, declared, fetch=False).declared.findings
        except DesiredInvalidError as problem:
            findings = tuple(problem.findings)
    return Report(findings, len(declared.desired.agents), len(declared.desired.did_routes))


def _count(findings: Iterable[Finding], severity: str) -> int:
    return sum(item.severity == severity for item in findings)
