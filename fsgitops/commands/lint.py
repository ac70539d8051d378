"""`fsgitops lint`: what the rules say, the project's own among them, and which rules there are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fsgitops.workspace.policy import collect_policy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fsgitops.model.rule import Rule
    from fsgitops.workspace.open import Workspace


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


def list_rules(workspace: Workspace) -> list[RuleState]:
    """Return every rule and its level. Raises DesiredInvalidError for a malformed policy."""
    from fsgitops.errors import DesiredInvalidError
    from fsgitops.rules.table import all_rules

    settings = workspace.settings
    policy, findings = collect_policy(workspace)
    if findings:
        raise DesiredInvalidError(findings)
    return [
        *(_state(rule, settings.rules, own=False) for rule in all_rules(workspace.kinds)),
        *(_state(rule, settings.rules, own=True) for rule in policy),
    ]


def list_built_in() -> list[RuleState]:
    """Return every rule that is not a project's own, at its default level."""
    from fsgitops.kinds import BUILT_IN
    from fsgitops.rules.table import all_rules

    return [_state(rule, {}, own=False) for rule in all_rules(BUILT_IN)]


def _state(rule: Rule, levels: Mapping[str, str], *, own: bool) -> RuleState:
    default = rule.severity.value
    level = default if rule.fixed else levels.get(rule.name, default)
    return RuleState(rule.name, level, rule.fixed, own, rule.description)
