"""`fsgitops validate`, `lint` and `compile`: what is declared, judged and compiled."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fsgitops.errors import DesiredInvalidError, UsageError
from fsgitops.expectation import EXPECTATION, READABLE
from fsgitops.findings import Finding, findings_to_json, has_errors
from fsgitops.rules.table import all_rules
from fsgitops.schema_parts import flag, text, word
from fsgitops.transaction.folder import FILE_MODE
from fsgitops.visible import count_noun
from fsgitops.workspace.declare import Compilation, compile_declared, declare_desired
from fsgitops.workspace.policy import collect_policy

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from fsgitops.model.kind import Kinds
    from fsgitops.model.rule import Rule
    from fsgitops.workspace.open import Workspace


@dataclass(frozen=True, slots=True)
class Report:
    """Every finding, and how much was declared."""

    findings: tuple[Finding, ...]
    kinds: Kinds = READABLE
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
    counts[EXPECTATION.word] = len(declared.expected.tests)
    return Report(findings, workspace.readable, counts)


def _count(findings: Iterable[Finding], severity: str) -> int:
    return sum(item.severity == severity for item in findings)


@dataclass(frozen=True, slots=True)
class RuleState:
    """A rule as it stands in this project: its level is error, warning or off."""

    name: str = field(metadata=text("The rule's name."))
    level: str = field(metadata=word("How much it weighs here.", "error", "warning", "off"))
    fixed: bool = field(metadata=flag("Settings cannot change that."))
    own: bool = field(metadata=flag("It is the project's own."))
    description: str = field(metadata=text("What it finds."))


def list_rules(workspace: Workspace) -> list[RuleState]:
    """Return every rule and its level. Raises DesiredInvalidError for a malformed policy."""
    settings = workspace.settings
    policy, findings = collect_policy(workspace)
    if findings:
        raise DesiredInvalidError(findings)
    return [
        *(_state(rule, settings.rules, own=False) for rule in all_rules(workspace.readable)),
        *(_state(rule, settings.rules, own=True) for rule in policy),
    ]


def list_built_in() -> list[RuleState]:
    """Return every rule that is not a project's own, at its default level."""
    return [_state(rule, {}, own=False) for rule in all_rules(READABLE)]


def _state(rule: Rule, levels: Mapping[str, str], *, own: bool) -> RuleState:
    default = rule.severity.value
    level = default if rule.fixed else levels.get(rule.name, default)
    return RuleState(rule.name, level, rule.fixed, own, rule.description)


def run_compile(workspace: Workspace, out: Path) -> Compilation:
    """Write every compiled file below `out`, which must be empty or not exist yet.

    Raises DesiredInvalidError with every finding, UsageError when `out` holds something.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out}: expected an empty directory; name another one")
    compilation = compile_declared(workspace, declare_desired(workspace))
    for path, file in compilation.compiled.files.items():
        place = out / path
        place.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(file.content)
    return compilation
