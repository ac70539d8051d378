"""Plans and findings as lines."""

from __future__ import annotations

import builders
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsgitops.model.applied import Applied, Outcome, ReadBack, SwitchReply
from fsgitops.model.plan import AttributeChange, Baseline, Change, Hazard, Plan
from fsgitops.model.wording import show_value
from fsgitops.steps.render_text import SHOWN_CREATED, render_applied, render_plan
from fsgitops.visible import is_visible, make_visible

TEXTS = st.text()


def plan(*changes: Change, **fields: object) -> Plan:
    return builders.plan(*changes, **{"target": "prod", "conf_dir": "/conf", **fields})


def update(*attributes: AttributeChange) -> Change:
    return builders.change("update", "agent:1020", *attributes, path="directory/default/1020.xml")


def lines(made: Plan) -> list[str]:
    return [line.text for line in render_plan(made)]


def test_an_attribute_reads_as_name_before_after():
    change = update(AttributeChange("variable effective_caller_id_name", "A", "B"))
    assert '      effective_caller_id_name: "A" -> "B"' in lines(plan(change))


def test_an_attribute_that_was_not_there_reads_as_none():
    change = update(AttributeChange("variable x", None, "B"))
    assert '      x: (none) -> "B"' in lines(plan(change))


def test_the_summary_is_the_last_line():
    change = builders.change("create", "agent:1")
    assert lines(plan(change))[-1] == "Plan: 1 to create, 0 to change, 0 to delete"


def test_many_creations_are_counted_and_not_listed():
    changes = [builders.change("create", f"agent:{number}") for number in range(SHOWN_CREATED + 7)]
    assert "  + and 7 more to create" in lines(plan(*changes))


def create(number: int, kind: str = "agent") -> Change:
    value = builders.attribute("variable x", None, f"value {number}")
    hidden = AttributeChange("param a1-hash", None, "(secret)", secret=True)
    return builders.change("create", f"{kind}:{number}", value, hidden)


def test_a_creation_shows_its_values_and_masks_its_secrets():
    shown = lines(plan(create(1020)))
    assert '      x: "value 1020"' in shown
    assert "      a1-hash: (secret)" in shown


def test_the_values_of_many_creations_are_folded():
    shown = lines(plan(*map(create, range(1020, 1025))))
    assert sum("x: " in line for line in shown) == 2
    assert "  (--full shows the values of 3 more creations)" in shown


def test_one_folded_creation_is_counted_as_one():
    shown = lines(plan(*map(create, range(1020, 1023))))
    assert "  (--full shows the values of 1 more creation)" in shown


def test_in_full_no_creation_is_folded_or_counted():
    made = plan(*map(create, range(1000, 1000 + SHOWN_CREATED + 7)))
    shown = [line.text for line in render_plan(made, full=True)]
    assert sum("x: " in line for line in shown) == SHOWN_CREATED + 7
    assert not any("--full" in line or "more to create" in line for line in shown)


def test_the_generic_dialplan_is_not_spelled_out():
    assert not any("x: " in line for line in lines(plan(create(1, "dialplan"))))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"unchanged": 3}, "every managed file is as declared"),
        ({}, "nothing is declared, and no file is managed"),
        ({"unchanged": 3, "left_out": 1, "partial": True}, "1 other change left out"),
        ({"unchanged": 3, "unknown_secrets": True}, "secrets that are missing here were not"),
        ({"baseline": Baseline.EARLIER}, "as it was then"),
        ({"baseline": Baseline.RECORDING, "unchanged": 3}, "the recorded state is as declared"),
        ({"baseline": Baseline.REVISION, "unchanged": 3}, "both revisions compile to the same"),
    ],
)
def test_no_changes_claims_no_more_than_was_compared(fields: dict[str, object], said: str):
    assert said in lines(plan(**fields))[-1]


def applied(**fields: int) -> list[str]:
    made = Applied(Outcome.APPLIED, replies=(SwitchReply("reloadxml", "+OK"),), **fields)
    return [line.text for line in render_applied(made)]


def test_what_was_read_back_to_be_gone_is_told_as_gone():
    told = applied(
        read_back=ReadBack({"agent": 3, "dialplan file": 1}, {"agent": 3, "dialplan file": 1})
    )
    assert "Read back from the switch: 3 agents and 1 dialplan file gone." in told


def test_what_is_held_and_what_is_gone_are_told_apart():
    told = applied(read_back=ReadBack({"agent": 3, "dialplan file": 2}, {"agent": 1}))
    line = "Read back from the switch: 2 agents and 2 dialplan files as written; 1 agent gone."
    assert line in told


def test_a_hazard_is_shown_with_its_remedy():
    shown = lines(plan(hazards=(Hazard("foreign-file", "a.xml", "in the way", "move it"),)))
    assert any("a.xml: in the way [foreign-file]" in line for line in shown)
    assert any("move it" in line for line in shown)


@given(TEXTS)
def test_no_value_reaches_the_terminal_with_a_control_character(text: str):
    assert all(char.isprintable() for char in show_value(text))


@given(TEXTS, TEXTS, TEXTS)
def test_no_live_value_writes_a_line_of_its_own(name: str, before: str, after: str):
    shown = lines(plan(update(AttributeChange(name, before, after))))
    assert all("\n" not in line and "\x1b" not in line for line in shown)


@given(TEXTS)
def test_escaping_keeps_what_can_be_seen(text: str):
    if is_visible(text):
        assert make_visible(text) == text
