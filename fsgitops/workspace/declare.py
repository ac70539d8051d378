"""What a project declares, with everything that is to say about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fsgitops.errors import DesiredInvalidError
from fsgitops.findings import Finding, has_errors, sort_findings
from fsgitops.workspace.check_settings import check_settings
from fsgitops.workspace.policy import collect_policy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fsgitops.model.desired import Desired
    from fsgitops.model.document import Document
    from fsgitops.workspace.open import Workspace


@dataclass(frozen=True, slots=True)
class Declared:
    """The desired state with every finding about it, errors and warnings, in file order."""

    desired: Desired
    findings: tuple[Finding, ...] = ()
    silenced: frozenset[tuple[str, int, str]] = frozenset()
    """The (file, line, rule) that comments silence, of the rules that a plan judges."""
    caller_id: str | None = None
    """The settings' default caller ID, in E.164 unless it is an extension."""

    def demand(self) -> Desired:
        """Return the desired state. Raises DesiredInvalidError where a finding is an error."""
        if has_errors(self.findings):
            raise DesiredInvalidError(self.findings)
        return self.desired


def declare_desired(workspace: Workspace) -> Declared:
    """Load, resolve and check everything that is declared. Findings are returned, not raised."""
    from fsgitops.steps.load import load_documents
    from fsgitops.steps.resolve import resolve_desired

    settings = workspace.settings
    documents, findings = load_documents(workspace.root, settings.desired)
    complete = not has_errors(findings)
    desired, problems = resolve_desired(
        documents,
        workspace.kinds,
        defaults=settings.defaults,
        default_region=settings.default_region,
        settings=workspace.document,
        own_variables=settings.variables.allow,
    )
    findings = findings + problems
    caller_id, problems = check_settings(workspace.root, settings, workspace.document)
    findings += problems
    findings += _judge(workspace, desired, documents, complete=complete)
    silenced = _find_silences(documents)
    return Declared(desired, tuple(sort_findings(findings)), silenced, caller_id)


def _judge(
    workspace: Workspace, desired: Desired, documents: Sequence[Document], *, complete: bool
) -> list[Finding]:
    """Return what all rules find, built-in and own, without what comments silence."""
    from fsgitops.rules.table import all_rules
    from fsgitops.steps.check import check_desired
    from fsgitops.steps.load.events import find_literals
    from fsgitops.steps.silence import silence_findings

    settings, kinds = workspace.settings, workspace.kinds
    policy, findings = collect_policy(workspace)
    findings += check_desired(
        desired,
        documents,
        settings.rules,
        kinds,
        complete=complete,
        settings=workspace.document,
        policy=policy,
    )
    rules = {rule.name: rule for rule in (*all_rules(kinds), *policy)}
    return silence_findings(findings, documents, rules, find_literals, complete=complete)


def _find_silences(documents: Sequence[Document]) -> frozenset[tuple[str, int, str]]:
    """Return where comments silence a rule that a plan judges, by the conf directory."""
    from fsgitops.rules.table import PLAN_RULES
    from fsgitops.steps.load.events import find_literals
    from fsgitops.steps.silence import find_silenced

    return find_silenced(documents, {rule.name: rule for rule in PLAN_RULES}, find_literals)
