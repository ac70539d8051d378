"""Promises of steps/silence: a silence needs a rule, a reason and something to silence."""

from __future__ import annotations

import pytest

from fsgitops.findings import Finding, Position, Severity, warning
from fsgitops.kinds import BUILT_IN
from fsgitops.rules.table import all_rules
from fsgitops.steps.load.events import parse_document
from fsgitops.steps.load.stream import find_literals
from fsgitops.steps.silence import silence_findings

BECAUSE = "because the old office keeps its number"
RULE = "caller-id-not-owned"
KNOWN = {rule.name: rule for rule in all_rules(BUILT_IN)}


def judge(text: str, line: int = 2, *, complete: bool = True) -> list[Finding]:
    document, findings = parse_document("a.yaml", text.encode())
    assert findings == []
    assert document is not None
    found = warning("caller-id-not-owned", Position("a.yaml", line, 5), "not owned")
    return silence_findings([found], [document], KNOWN, find_literals, complete=complete)


def rules_of(findings: list[Finding]) -> list[str]:
    return sorted(item.rule for item in findings)


def test_a_comment_behind_a_value_silences_its_line() -> None:
    assert judge(f"x-a: 1\nx-b: 2  # fsgitops: ignore[caller-id-not-owned] {BECAUSE}\n") == []


def test_a_comment_on_its_own_line_silences_the_next_line_that_says_something() -> None:
    text = f"# fsgitops: ignore[caller-id-not-owned] {BECAUSE}\n\n# more\nx-b: 2\n"
    assert judge(text, line=4) == []


def test_one_comment_can_silence_two_rules() -> None:
    text = f"x: 1\nb: 2  # fsgitops: ignore[many-agents, caller-id-not-owned] {BECAUSE}\n"
    assert judge(text) == []


@pytest.mark.parametrize(
    ("comment", "rule"),
    [
        ("ignore[caller-id-not-owned]", "silence-reason"),
        ("ignore[caller-id-not-owned] because", "silence-reason"),
        ("ignore[caller-id-not-owned] I like it", "silence-reason"),
        (f"ignore[caller-id] {BECAUSE}", "silence-unknown"),
        (f"ignore[unsafe-value] {BECAUSE}", "silence-fixed"),
        (f"ignore caller-id-not-owned {BECAUSE}", "silence-form"),
        (f"ignore[many-agents] {BECAUSE}", "silence-unused"),
    ],
)
def test_a_silence_that_is_no_good_is_a_finding_and_silences_nothing(
    comment: str, rule: str
) -> None:
    findings = judge(f"x-a: 1\nx-b: 2  # fsgitops: {comment}\n")
    assert rules_of(findings) == sorted(["caller-id-not-owned", rule])
    assert {item.position.line for item in findings} == {2}


@pytest.mark.parametrize(
    "value",
    [
        '"# fsgitops: ignore[caller-id-not-owned]"',
        "'a # fsgitops: ignore[caller-id-not-owned]'",
        "|\n  # fsgitops: ignore[caller-id-not-owned]\n",
    ],
)
def test_text_that_looks_like_a_comment_is_none(value: str) -> None:
    assert rules_of(judge(f"x-a: 1\nx-b: {value}\n")) == ["caller-id-not-owned"]


def test_nothing_is_called_useless_when_some_files_could_not_be_read() -> None:
    text = f"x-a: 1\nx-b: 2  # fsgitops: ignore[many-agents] {BECAUSE}\n"
    assert rules_of(judge(text, complete=False)) == ["caller-id-not-owned"]


def test_a_silenced_agent_does_not_silence_its_neighbour_with_the_same_number() -> None:
    text = f"x: 1\na: 2  # fsgitops: ignore[caller-id-not-owned] {BECAUSE}\nb: 3\nc: 4\n"
    document, _ = parse_document("a.yaml", text.encode())
    assert document is not None
    found = [
        Finding(RULE, Severity.WARNING, Position("a.yaml", line, 5), f"line {line}", group="+1949")
        for line in (2, 3, 4)
    ]
    [told] = silence_findings(found, [document], KNOWN, find_literals)
    assert (told.position.line, told.message) == (3, "line 3; 1 more agent does too")


def test_a_comment_on_a_later_agent_of_the_group_is_of_use() -> None:
    text = f"x: 1\na: 2\nb: 3  # fsgitops: ignore[caller-id-not-owned] {BECAUSE}\n"
    document, _ = parse_document("a.yaml", text.encode())
    assert document is not None
    found = [
        Finding(
            "caller-id-not-owned", Severity.WARNING, Position("a.yaml", line, 5), "x", group="n"
        )
        for line in (2, 3)
    ]
    assert [item.rule for item in silence_findings(found, [document], KNOWN, find_literals)] == [
        "caller-id-not-owned"
    ]


def test_a_reason_that_is_too_short_is_called_so_and_hides_no_unknown_rule() -> None:
    findings = judge("x-a: 1\nx-b: 2  # fsgitops: ignore[many-agnts] because x\n")
    told = {item.rule: item.message for item in findings}
    assert told["silence-reason"] == "this reason is too short"
    assert "many-agnts" in told["silence-unknown"]
