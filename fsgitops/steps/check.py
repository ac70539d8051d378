"""Run every rule over Desired, and say where each breach is written."""

from __future__ import annotations

from collections import defaultdict
from difflib import get_close_matches
from typing import TYPE_CHECKING

from fsgitops.findings import Finding, Position, Severity, error, quote_value, sort_findings
from fsgitops.model.document import NO_SETTINGS, Sources
from fsgitops.rules.table import all_rules

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from fsgitops.model.desired import Desired
    from fsgitops.model.document import Document
    from fsgitops.model.kind import Kinds
    from fsgitops.model.rule import Breach, Rule

__all__ = ["check_desired"]

_OFF = "off"
_LEVELS = (Severity.ERROR.value, Severity.WARNING.value, _OFF)


def check_desired(
    desired: Desired,
    documents: Iterable[Document],
    overrides: Mapping[str, str],
    kinds: Kinds,
    *,
    complete: bool = True,
    settings: Document = NO_SETTINGS,
    policy: tuple[Rule, ...] = (),
) -> list[Finding]:
    """Return all breaches of the rules, sorted by place; `policy` are the project's own.

    `overrides` sets rules (by name) to `error`, `warning` or `off`; one that cannot be set so is
    a finding, at its place in `settings` (the document it came from). Pass
    `complete=False` when a file could not be read: then the rules that would blame others for
    what is missing stay silent.
    """
    rules = (*all_rules(kinds), *policy)
    findings = _check_overrides(overrides, settings, rules)
    found: dict[str, list[tuple[Rule, Severity, Breach, Position]]] = defaultdict(list)
    for rule in rules:
        severity = _read_level(rule, overrides)
        if severity is None or (rule.whole and not complete):
            continue
        for breach in rule.check(desired, kinds):
            source = breach.place or desired.sources.get(breach.resource)
            source = source or Position(str(breach.resource))
            found[source.file].append((rule, severity, breach, source))
    sources = Sources(documents)
    # File by file: of 100,000 resources, all places of all files would take hundreds of megabytes.
    for file, breaches in found.items():
        for rule, severity, breach, source in breaches:
            place = _place(source, sources, kinds, breach)
            findings.append(
                Finding(rule.name, severity, place, breach.message, breach.hint, breach.group)
            )
        sources.leave(file)
    return sort_findings(findings)


def _read_level(rule: Rule, overrides: Mapping[str, str]) -> Severity | None:
    """Return how bad a breach is; None: the rule is off."""
    level = overrides.get(rule.name, rule.severity.value)
    if rule.fixed or level not in _LEVELS:
        return rule.severity
    return None if level == _OFF else Severity(level)


def _place(source: Position, sources: Sources, kinds: Kinds, breach: Breach) -> Position:
    kind = kinds.get(breach.resource.kind)
    if kind is None:
        return source
    return sources.locate(source, kind.section, breach.path, key=breach.key)


def _check_overrides(
    overrides: Mapping[str, str], settings: Document, rules: tuple[Rule, ...]
) -> list[Finding]:
    known = {rule.name: rule for rule in rules}
    findings = []
    for name, level in overrides.items():
        path = ("rules", name)
        place = settings.position(path, key=name not in known)
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f"Did you mean `{near[0]}`?" if near else "Known: " + ", ".join(known) + "."
            message = f"there is no rule {quote_value(name)}"
            findings.append(error("unknown-rule", place, message, hint))
        elif level not in _LEVELS:
            message = f"`{name}` is set to {quote_value(level)}; expected error, warning or off"
            findings.append(error("rule-level", place, message))
        elif known[name].fixed and level != known[name].severity.value:
            message = f"the rule `{name}` is always an error: it protects the switch"
            hint = "Remove the line, and correct what the rule finds."
            findings.append(error("rule-level", place, message, hint))
    return findings
