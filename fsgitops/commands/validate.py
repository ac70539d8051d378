"""`fsgitops validate`: every finding about what is declared, without a switch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fsgitops.errors import DesiredInvalidError
from fsgitops.findings import Finding, findings_to_json, has_errors
from fsgitops.kinds import BUILT_IN
from fsgitops.visible import count_noun
from fsgitops.workspace.compile import compile_declared
from fsgitops.workspace.declare import declare_desired

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from fsgitops.model.kind import Kinds
    from fsgitops.workspace.open import Workspace


@dataclass(frozen=True, slots=True)
class Report:
    """Every finding, and how much was declared."""

    findings: tuple[Finding, ...]
    kinds: Kinds = BUILT_IN
    counts: Mapping[str, int] = field(default_factory=dict)
    """How many resources are declared, by the word of their kind."""

    @property
    def valid(self) -> bool:
        """Tell whether there are no errors."""
        return not has_errors(self.findings)

    def tell_counts(self) -> str:
        """Return how many resources are declared, in words; kinds without any are left out."""
        shown = [kind for word, kind in self.kinds.items() if self.counts.get(word)]
        return ", ".join(
            count_noun(self.counts.get(kind.word, 0), kind.told)
            for kind in shown or self.kinds.values()
        )

    def to_json(self) -> dict[str, Any]:
        """Return the report as JSON values (docs/json.md)."""
        return {
            "format": "fsgitops-findings",
            "version": 1,
            "valid": self.valid,
            **{kind.section: self.counts.get(word, 0) for word, kind in self.kinds.items()},
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
    counts = {word: len(nouns) for word, nouns in declared.desired.nouns.items()}
    return Report(findings, workspace.kinds, counts)


def _count(findings: Iterable[Finding], severity: str) -> int:
    return sum(item.severity == severity for item in findings)
