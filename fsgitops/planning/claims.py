"""What rules of a plan have against resources: at which level, silenced or not, and told how."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from fsgitops.findings import Severity
from fsgitops.model.plan import Action, Hazard

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from fsgitops.model.live import LiveConfig
    from fsgitops.model.plan import Plan
    from fsgitops.model.resource import Resource
    from fsgitops.workspace.declare import Compilation, Declared
    from fsgitops.workspace.open import Workspace

SHOWN_NAMES = 3
LOST = "lost-call"


class Claim(NamedTuple):
    """What a rule has against some resources: `told` begins with their names."""

    rule: str
    resources: Sequence[Resource]
    told: str
    hint: str
    sure: bool = True
    """Unless it is, the rule's level is a warning at most."""
    standing: bool = True
    """Whether it is told of what was applied earlier, too."""


def tell_claims(
    plan: Plan,
    claims: Iterable[Claim],
    workspace: Workspace,
    compilation: Compilation,
    live: LiveConfig,
) -> Plan:
    """Return the plan with these claims as hazards and warnings.

    An error of what the plan writes is a hazard, which an apply refuses; of what stands there
    already it is a warning, so that it blocks nothing else.
    """
    written = {change.resource for change in plan.changes if change.action is not Action.DELETE}
    standing: set[Resource] = set()
    hazards, warnings = list(plan.hazards), list(plan.warnings)
    paths = compilation.compiled.paths
    for claim in _drop_silenced(claims, workspace, compilation):
        standing = standing or {record.resource for record in live.manifest.records()}
        level = _level(workspace, claim)
        new = [item for item in claim.resources if item in written]
        old = [item for item in claim.resources if item in standing and item not in written]
        if new and level is Severity.ERROR:
            path = paths.get(new[0], str(new[0]))
            hazards.append(Hazard(claim.rule, path, f"{_name(new)} {claim.told}", claim.hint))
            new = []
        told = [*new, *(old if claim.standing or new else [])]
        if told:
            warnings.append(f"{_name(told)} {claim.told}; {claim.hint} [{claim.rule}]")
    return replace(plan, hazards=tuple(hazards), warnings=tuple(warnings))


def _level(workspace: Workspace, claim: Claim) -> Severity:
    from fsgitops.rules.table import PLAN_RULES

    default = next(rule.severity for rule in PLAN_RULES if rule.name == claim.rule)
    level = Severity(workspace.settings.rules.get(claim.rule, default.value))
    return level if claim.sure else Severity.WARNING


def _drop_silenced(
    claims: Iterable[Claim], workspace: Workspace, compilation: Compilation
) -> Iterator[Claim]:
    """Leave out rules that are off, and resources whose line silences the rule."""
    rules, declared = workspace.settings.rules, compilation.declared
    for claim in claims:
        if rules.get(claim.rule) == "off":
            continue
        kept = [item for item in claim.resources if not is_silenced(item, claim.rule, declared)]
        if kept:
            yield claim._replace(resources=kept)


def is_silenced(resource: Resource, rule: str, declared: Declared) -> bool:
    """Tell whether the line of a resource silences a rule of the plan."""
    source = declared.desired.sources.get(resource)
    return source is not None and (source.file, source.line, rule) in declared.silenced


def _name(resources: Sequence[Resource]) -> str:
    first = resources[0].kind
    names = [
        item.name if number and item.kind == first else f"{item.kind} {item.name}"
        for number, item in enumerate(resources[:SHOWN_NAMES])
    ]
    more = f" and {len(resources) - SHOWN_NAMES:,} more" if len(resources) > SHOWN_NAMES else ""
    return f"{', '.join(names)}{more}"
