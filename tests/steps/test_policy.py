"""Promises of steps/policy: what a condition may say, and that it can do nothing else."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from builders import desired, noun, unchecked
from hypothesis import given
from hypothesis import strategies as st

from fsgitops.findings import Finding, Severity
from fsgitops.kinds import BUILT_IN
from fsgitops.steps.load.events import parse_document
from fsgitops.steps.policy import read_policy

if TYPE_CHECKING:
    from fsgitops.model.rule import Breach, Rule

ALICE = noun(
    "agent",
    extension="1020",
    name="Alice",
    email="alice@example.com",
    groups=["office", "sales"],
    voicemail={"pin": "4711"},
    variables={"floor": "2"},
)
BOB = noun("agent", extension="1021", name="Bob")
ROUTE = noun("did", did_number="+19495431333", destination_extension="1021")
DESIRED = desired(ALICE, BOB, ROUTE)


def read(text: str) -> tuple[tuple[Rule, ...], list[Finding]]:
    document, findings = parse_document("policy/a.yaml", text.encode())
    assert findings == []
    assert document is not None
    return read_policy([document], BUILT_IN)


def breaches(require: str, when: str = "{}", kind: str = "agent") -> list[Breach]:
    [rule], findings = read(
        f"rules:\n- {{name: own, kind: {kind}, when: {when}, require: {require}, message: no}}\n"
    )
    assert findings == []
    return list(rule.check(DESIRED, BUILT_IN))


def refused(require: str, when: str = "{}", kind: str = "agent") -> list[str]:
    breached = breaches(require, when, kind)
    return [item.resource.name for item in breached]


@pytest.mark.parametrize(
    ("require", "names"),
    [
        ("{name: Alice}", ["1021"]),
        ("{name: [Alice, Bob]}", []),
        ("{email: {exists: true}}", ["1021"]),
        ("{email: {exists: false}}", ["1020"]),
        ("{email: {matches: '@example\\.com$'}}", ["1021"]),
        ("{name: {not_matches: '^A'}}", ["1020"]),
        ("{groups: {contains: office}}", ["1021"]),
        ("{groups: {in: [office, sales, lab]}}", ["1021"]),
        ("{groups: 'office, sales'}", ["1021"]),
        ("{name: {contains: li}}", ["1021"]),
        ("{name: {not_equals: Bob}}", ["1021"]),
        ("{webrtc: false}", []),
        ("{voicemail.enabled: true}", ["1021"]),
        ("{variables.floor: 2}", ["1021"]),
        ("{any: [{name: Bob}, {email: {exists: true}}]}", []),
        ("{all: [{name: Bob}, {email: {exists: true}}]}", ["1020", "1021"]),
        ("{not: {name: Bob}}", ["1021"]),
        ("{name: {matches: A, not_matches: e$}}", ["1020", "1021"]),
    ],
)
def test_a_requirement_refuses_exactly_what_does_not_meet_it(
    require: str, names: list[str]
) -> None:
    assert refused(require) == names


def test_when_limits_the_requirement_to_what_it_holds_for() -> None:
    assert refused("{email: {exists: true}}", when="{groups: {contains: office}}") == []


def test_a_route_can_be_judged_by_the_agent_that_it_leads_to() -> None:
    [breach] = breaches("{destination.email: {exists: true}}", kind="did")
    assert (breach.resource.name, breach.path) == ("+19495431333", ("destination_extension",))


def test_a_breach_points_at_the_field_and_says_what_stands_there() -> None:
    [breach] = breaches("{name: Bob}")
    assert (breach.path, breach.message) == (("name",), 'no (`name` is "Alice")')


def test_a_breach_never_shows_a_pin() -> None:
    breached = breaches("{voicemail.pin: {exists: false}}")
    assert breached
    assert all("4711" not in item.message for item in breached)


def test_no_pattern_can_keep_a_check_busy() -> None:
    name = "a" * 80 + "!"
    slow = desired(*(unchecked("agent", extension=str(1000 + n), name=name) for n in range(50)))
    require = "{name: {matches: '^(a+)+$'}}"
    text = f"rules:\n- {{name: own, kind: agent, require: {require}, message: no}}\n"
    [rule], _ = read(text)
    began = time.process_time()
    assert len(list(rule.check(slow, BUILT_IN))) == 50
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    "rule",
    [
        "require: {name: {not_matches: '^(a+)+$'}}",
        "when: {name: {matches: '^(a+)+$'}}, require: {email: {exists: true}}",
        "require: {any: [{name: {not_matches: '^(a+)+$'}}, {email: {exists: true}}]}",
    ],
)
def test_a_value_that_makes_a_pattern_give_up_does_not_pass_unjudged(rule: str) -> None:
    hostile = desired(ALICE.model_copy(update={"name": "a" * 80 + "!"}))
    [own], findings = read(f"rules:\n- {{name: own, kind: agent, {rule}, message: no}}\n")
    assert not findings
    [breach] = own.check(hostile, BUILT_IN)
    assert breach.path == ("name",)
    assert "too many steps" in breach.message


@pytest.mark.parametrize(
    ("rule", "line", "message"),
    [
        (
            "{name: x, kind: agent, require: {email: {matches: '(*UTF)(*LIMIT_MATCH=9)a'}}, "
            "message: m}",
            2,
            "no limits of its own",
        ),
        ("{name: x, kind: agent, require: {emial: a}, message: m}", 2, 'no field "emial"'),
        ("{name: x, kind: agent, require: {email: {like: a}}, message: m}", 2, 'no test "like"'),
        ("{name: x, kind: agent, require: {email: {matches: '('}}, message: m}", 2, "no regular"),
        ("{name: x, kind: phone, require: {email: a}, message: m}", 2, '`kind` is "phone"'),
        ("{name: X Y, kind: agent, require: {email: a}, message: m}", 2, "no rule name"),
        ("{name: x, kind: agent, require: {email: a}}", 2, "`message`, which is required"),
        ("{name: x, kind: agent, require: a, message: m}", 2, "a mapping of fields"),
        ("{name: x, kind: agent, require: {email: {exists: yes}}, message: m}", 2, "true or false"),
        ("{name: many-agents, kind: agent, require: {email: a}, message: m}", 2, "already"),
        ("{name: x, kind: agent, require: {email: a}, message: m, then: x}", 2, "unknown key"),
        ("{name: x, kind: did, require: {destination.emial: a}, message: m}", 2, "no field"),
        ("text", 2, "a rule is a mapping"),
    ],
)
def test_a_rule_that_cannot_be_read_is_one_finding_with_its_place(
    rule: str, line: int, message: str
) -> None:
    rules, [finding] = read(f"rules:\n- {rule}\n")
    assert rules == ()
    assert finding.position.line == line
    assert message in finding.message


def test_a_file_without_a_list_of_rules_is_a_finding() -> None:
    _, findings = read("rule: []\n")
    assert [item.message for item in findings] == [
        'unknown key "rule"',
        "a policy file holds a list `rules`",
    ]


def test_a_severity_is_taken_over() -> None:
    [rule], _ = read(
        "rules:\n- {name: x, kind: did, severity: warning, require: {enabled: true}, message: m}\n"
    )
    assert rule.severity is Severity.WARNING


TREE = st.recursive(
    st.sampled_from(["a", "true", None, "(", "name", "^a+$"]),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["all", "any", "not", "name", "email", "in", "matches", "exists", "x"]),
            inner,
            max_size=3,
        ),
    ),
    max_leaves=8,
)


@given(TREE, TREE)
def test_whatever_is_written_is_a_rule_or_a_finding(when: object, require: object) -> None:
    from fsgitops.model.document import Document

    item = {"name": "x", "kind": "agent", "message": "m", "when": when, "require": require}
    rules, findings = read_policy([Document("p.yaml", {"rules": [item]}, b"")], BUILT_IN)  # type: ignore[dict-item]
    assert bool(rules) != bool(findings)
    for rule in rules:
        list(rule.check(DESIRED, BUILT_IN))
