"""Promises of steps/check: where findings point, and what a project may set."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from builders import document

from fsgitops.findings import Finding, Position, Severity, sort_findings
from fsgitops.kinds import BUILT_IN
from fsgitops.model.document import Marks
from fsgitops.steps.check import check_desired
from fsgitops.steps.load import load_documents
from fsgitops.steps.load.stream import scan_marks
from fsgitops.steps.resolve import resolve_desired

GOLDEN = Path(__file__).parent.parent / "golden" / "findings"
TYPO = "did_routes:\n- did_number: +19495431333\n  destination_extension: 1020\n"
UNOWNED = "agents: [{extension: 1020, name: A, caller_id_number: '+19495431333'}]\n"


def check(text: str, overrides: dict[str, str] | None = None, **options: object) -> list[Finding]:
    documents = [document(text)]
    desired, findings = resolve_desired(documents, BUILT_IN)
    assert findings == []
    return check_desired(desired, documents, overrides or {}, BUILT_IN, **options)  # type: ignore[arg-type]


def test_the_places_of_a_file_are_dropped_once_its_findings_have_theirs() -> None:
    scanned: list[bytes] = []

    def scan(text: bytes) -> Marks:
        scanned.append(text)
        return scan_marks(text)

    found = replace(document(UNOWNED), scan=scan)
    desired, _ = resolve_desired([found], BUILT_IN)
    first = check_desired(desired, [found], {}, BUILT_IN)
    assert ([item.rule for item in first], len(scanned)) == (["caller-id-not-owned"], 1)
    found.position(("agents",))
    assert len(scanned) == 2


def test_a_finding_points_at_the_value() -> None:
    [finding] = check(TYPO)
    assert finding.position == Position("a.yaml", 3, 26)


def test_a_finding_about_a_name_points_at_the_key() -> None:
    text = "agents:\n- extension: 1020\n  name: A\n  variables: {callgroup: x}\n"
    [finding] = check(text)
    assert finding.position == Position("a.yaml", 4, 15)


def test_a_finding_about_a_default_points_at_the_default() -> None:
    text = "defaults:\n  agents: {name: '${x}'}\nagents:\n- extension: 1020\n"
    [finding] = check(text)
    assert finding.position == Position("a.yaml", 2, 18)


def test_both_places_of_a_duplicate_are_named() -> None:
    text = "agents:\n- {extension: 1020, name: A}\n- {extension: 1020, name: B}\n"
    [finding] = check(text)
    assert finding.position == Position("a.yaml", 3, 15)
    assert "a.yaml:2:3" in finding.message


@pytest.mark.parametrize("level", ["error", "warning"])
def test_a_rule_can_be_given_another_weight(level: str) -> None:
    [finding] = check(UNOWNED, {"caller-id-not-owned": level})
    assert finding.severity is Severity(level)


def test_a_rule_can_be_turned_off() -> None:
    assert check(UNOWNED, {"caller-id-not-owned": "off"}) == []


@pytest.mark.parametrize("level", ["off", "warning"])
def test_a_rule_that_protects_the_switch_keeps_its_weight(level: str) -> None:
    text = "agents: [{extension: 1020, name: '${x}'}]\n"
    findings = check(text, {"unsafe-value": level})
    assert [(item.rule, item.severity) for item in findings] == [
        ("unsafe-value", Severity.ERROR),
        ("rule-level", Severity.ERROR),
    ]


def test_an_unknown_rule_is_found_where_it_is_set() -> None:
    settings = document("rules:\n  many-agent: off\n", "fsgitops.yaml")
    [finding] = check("agents: []\n", {"many-agent": "off"}, settings=settings)
    assert finding.position == Position("fsgitops.yaml", 2, 3)
    assert finding.hint == "Did you mean `many-agents`?"


def test_an_unknown_weight_is_found() -> None:
    [finding] = check("agents: []\n", {"many-agents": "fatal"})
    assert finding.rule == "rule-level"


def test_nobody_is_blamed_for_what_a_broken_file_would_have_declared() -> None:
    assert check(TYPO, complete=False) == []


@pytest.mark.parametrize("case", sorted(GOLDEN.iterdir()), ids=lambda case: case.name)
def test_a_golden_tree_has_just_the_findings_beside_it(case: Path) -> None:
    documents, findings = load_documents(case / "input", "desired")
    complete = not findings
    desired, found = resolve_desired(documents, BUILT_IN, default_region="US")
    breaches = check_desired(desired, documents, {}, BUILT_IN, complete=complete)
    bare = [item.without_tree() for item in documents]
    assert check_desired(desired, bare, {}, BUILT_IN, complete=complete) == breaches
    findings += found + breaches
    text = "".join(f"{finding}\n" for finding in sort_findings(findings))
    assert text == (case / "expected.txt").read_text()
