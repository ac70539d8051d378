"""Where an organisation's own rules come from: policy files, and installed Python packages."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fsgitops.errors import FsgitopsError
from fsgitops.findings import Finding, error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fsgitops.model.desired import Desired
    from fsgitops.model.document import Document
    from fsgitops.model.kind import Kinds
    from fsgitops.model.rule import Breach, Rule
    from fsgitops.workspace.open import Workspace

ENTRY_POINT_GROUP = "fsgitops.rules"


def collect_policy(workspace: Workspace) -> tuple[tuple[Rule, ...], list[Finding]]:
    """Return the project's own rules, and what is wrong with how they are declared.

    Installed rules run code, so only entry points that the settings list are ever loaded. Raises
    FsgitopsError for one that cannot be.
    """
    root, policy, kinds = workspace.root, workspace.settings.policy, workspace.kinds
    rules: tuple[Rule, ...] = ()
    findings: list[Finding] = []
    if (root / policy.folder).exists():
        from fsgitops.steps.load import load_documents
        from fsgitops.steps.policy import read_policy

        documents, findings = load_documents(root, policy.folder)
        rules, problems = read_policy(documents, kinds)
        findings += problems
    if policy.entry_points:
        from fsgitops.rules.table import all_rules

        taken = {rule.name for rule in (*all_rules(kinds), *rules)}
        installed, problems = _load_entry_points(policy.entry_points, taken, workspace.document)
        rules += installed
        findings += problems
    return rules, findings


def _load_entry_points(
    names: tuple[str, ...], taken: set[str], settings: Document
) -> tuple[tuple[Rule, ...], list[Finding]]:
    from importlib.metadata import entry_points

    installed = {item.name: item for item in entry_points(group=ENTRY_POINT_GROUP)}
    loaded: list[Rule] = []
    findings: list[Finding] = []
    for index, name in enumerate(names):
        place = settings.position(("policy", "entry_points", index))
        if name not in installed:
            known = ", ".join(sorted(installed)) or "none"
            message = f"no installed package has the entry point `{name}` ({ENTRY_POINT_GROUP})"
            findings.append(error("policy", place, message, f"Install it; installed: {known}."))
            continue
        for rule in _load(name, installed[name]):
            if rule.name in taken:
                message = f"the entry point `{name}` brings a rule `{rule.name}`, which exists"
                findings.append(error("policy", place, message, "Rename it in its package."))
                continue
            taken.add(rule.name)
            loaded.append(rule)
    return tuple(loaded), findings


def _load(name: str, entry_point: Any) -> list[Rule]:
    from fsgitops.model.rule import Rule

    try:
        found = entry_point.load()
    except Exception as problem:
        raise FsgitopsError(_failed(name, problem)) from None
    rules = [found] if isinstance(found, Rule) else found
    if not isinstance(rules, list | tuple) or not all(isinstance(item, Rule) for item in rules):
        raise FsgitopsError(f"policy entry point `{name}`: expected a Rule or a list of Rules")
    # A rule from elsewhere can always be turned down: `fixed` is for what protects the switch.
    return [replace(rule, check=_guard(name, rule), fixed=False) for rule in rules]


def _guard(name: str, rule: Rule) -> Callable[[Desired, Kinds], Iterator[Breach]]:
    def check(desired: Desired, kinds: Kinds) -> Iterator[Breach]:
        try:
            yield from rule.check(desired, kinds)
        except Exception as problem:
            raise FsgitopsError(_failed(f"{name}, rule {rule.name}", problem)) from None

    return check


def _failed(what: str, problem: Exception) -> str:
    return (
        f"policy entry point `{what}` failed: {type(problem).__name__}: {problem}; correct the "
        "package, or take it out of `policy.entry_points`"
    )
