"""Plans and findings as lines."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fsgitops.model.plan import Action, AttributeChange, Change, Hazard, Plan
from fsgitops.model.resource import Kind, Resource
from fsgitops.steps.render_text import SHOWN_CREATED, escape, quote, render_plan

TEXTS = st.text()


def plan(*changes: Change, **fields: object) -> Plan:
    return Plan("p", "prod", "/conf", "d", changes=changes, **fields)  # type: ignore[arg-type]


def update(*attributes: AttributeChange) -> Change:
    return Change(
        Action.UPDATE, Resource(Kind.AGENT, "1020"), "directory/default/1020.xml", attributes
    )


def lines(made: Plan) -> list[str]:
    return [line.text for line in render_plan(made)]


def test_an_attribute_reads_as_agent_name_before_after():
    change = update(AttributeChange("variable effective_caller_id_name", "A", "B"))
    assert '      agent 1020: effective_caller_id_name "A" -> "B"' in lines(plan(change))


def test_an_attribute_that_was_not_there_reads_as_none():
    change = update(AttributeChange("variable x", None, "B"))
    assert '      agent 1020: x (none) -> "B"' in lines(plan(change))


def test_the_summary_is_the_last_line():
    change = Change(Action.CREATE, Resource(Kind.AGENT, "1"), "x")
    assert lines(plan(change))[-1] == "Plan: 1 to create, 0 to change, 0 to delete"


def test_many_creations_are_counted_and_not_listed():
    changes = [
        Change(Action.CREATE, Resource(Kind.AGENT, str(number)), f"{number}.xml")
        for number in range(SHOWN_CREATED + 7)
    ]
    assert "  + and 7 more to create" in lines(plan(*changes))


def test_a_hazard_is_shown_with_its_remedy():
    shown = lines(plan(hazards=(Hazard("foreign-file", "a.xml", "in the way", "move it"),)))
    assert any("a.xml: in the way [foreign-file]" in line for line in shown)
    assert any("move it" in line for line in shown)


@given(TEXTS)
def test_no_value_reaches_the_terminal_with_a_control_character(text: str):
    assert all(char.isprintable() for char in quote(text))


@given(TEXTS, TEXTS, TEXTS)
def test_no_live_value_writes_a_line_of_its_own(name: str, before: str, after: str):
    shown = lines(plan(update(AttributeChange(name, before, after))))
    assert all("\n" not in line and "\x1b" not in line for line in shown)


@given(TEXTS)
def test_escaping_keeps_printable_text(text: str):
    if text.isprintable():
        assert escape(text) == text
