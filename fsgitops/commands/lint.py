"""`fsgitops lint`: what the rules say, the project's own among them, and which rules there are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fsgitops.commands.policy import collect_policy

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fsgitops.commands.workspace import Workspace
    from fsgitops.findings import Finding
    from fsgitops.model.desired import Desired
    from fsgitops.model.document import Document
    from fsgitops.rules.table import Rule


@dataclass(frozen=True, slots=True)
class RuleState:
    """A rule as it stands in this project: its level is error, warning or off."""

    name: str
    level: str
    fixed: bool
    own: bool
    description: str

    def to_json(self) -> dict[str, Any]:
        """Return the rule as JSON values (docs/json.md)."""
        return {name: getattr(self, name) for name in self.__slots__}


def judge_desired(
    workspace: Workspace, desired: Desired, documents: Sequence[Document], *, complete: bool
) -> list[Finding]:
    """Return what all rules find, built-in and own, without what comments silence."""
    from fsgitops.rules.table import RULES
    from fsgitops.steps.check import check_desired
    from fsgitops.steps.load.events import find_literals
    from fsgitops.steps.silence import silence_findings

    settings = workspace.settings
    policy, findings = collect_policy(workspace.root, settings.policy, workspace.document)
    findings += check_desired(
        desired,
        documents,
        settings.rules,
        complete=complete,
        settings=workspace.document,
        policy=policy,
    )
    rules = {rule.name: rule for rule in (*RULES, *policy)}
    return silence_findings(findings, documents, rules, find_literals, complete=complete)


def find_plan_silences(documents: Sequence[Document]) -> frozenset[tuple[str, int, str]]:
    """Return where comments silence a rule that a plan judges, by the conf directory."""
    from fsgitops.rules.table import PLAN_RULES
    from fsgitops.steps.load.events import find_literals
    from fsgitops.steps.silence import find_silenced

    return find_silenced(documents, {rule.name: rule for rule in PLAN_RULES}, find_literals)


def list_rules(workspace: Workspace) -> list[RuleState]:
    """Return every rule and its level. Raises DesiredInvalidError for a malformed policy."""
    from fsgitops.errors import DesiredInvalidError
    from fsgitops.rules.table import RULES

    settings = workspace.settings
    policy, findings = collect_policy(workspace.root, settings.policy, workspace.document)
    if findings:
        raise DesiredInvalidError(findings)
    return [
        *(_state(rule, settings.rules, own=False) for rule in RULES),
        *(_state(rule, settings.rules, own=True) for rule in policy),
    ]


def list_built_in() -> list[RuleState]:
    """Return every rule that is not a project's own, at its default level."""
    from fsgitops.rules.table import RULES

    return [_state(rule, {}, own=False) for rule in RULES]


def _state(rule: Rule, levels: Mapping[str, str], *, own: bool) -> RuleState:
    default = rule.severity.value
    level = default if rule.fixed else levels.get(rule.name, default)
    return RuleState(rule.name, level, rule.fixed, own, rule.description)
