"""Whatever stands in a dialplan, the rules come to an end, and with the same answer each time."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from made_dialplans import BREAKS, DATA, EXPRESSIONS, FIELDS, Maker

from fsgitops.routing.analysis.all import analyse
from fsgitops.routing.analysis.outline import Outline
from fsgitops.routing.tree import Element, parse
from fsgitops.rules.table import DIALPLAN_RULES

QUICK = settings(max_examples=40, deadline=None)
RULES = {rule.name for rule in DIALPLAN_RULES}
NAMES = st.sampled_from(
    ("condition", "action", "anti-action", "regex", "expression", "extension", "context", "param")
)
APPLICATIONS = st.sampled_from(
    ("transfer", "execute_extension", "bridge", "ivr", "set", "bind_meta_app", "limit", "lua")
)
TEXT = st.text(st.sampled_from("ab10 ${}()[]:;,|/'\\@^.~-+*#=%ä\n"), max_size=40)
WORDS = st.one_of(TEXT, st.sampled_from((*DATA, "1 XML a", "-bleg $1 XML b", "loopback/1/a")))
ATTRIBUTES = st.fixed_dictionaries(
    {},
    optional={
        "field": st.one_of(st.sampled_from(FIELDS), TEXT),
        "expression": st.one_of(st.sampled_from(EXPRESSIONS), TEXT),
        "break": st.sampled_from(BREAKS),
        "regex": st.sampled_from(("all", "any", "xor", "odd")),
        "continue": st.sampled_from(("true", "false")),
        "application": APPLICATIONS,
        "data": WORDS,
        "name": st.sampled_from(("a", "b", "context", "A")),
        "value": WORDS,
    },
)


def make(name: str, attributes: dict[str, str], children: list[Element]) -> Element:
    found = Element(name, attributes, 0, 1)
    found.children = children
    return found


LEAF = st.builds(make, NAMES, ATTRIBUTES, st.just([]))
ELEMENT = st.recursive(
    LEAF,
    lambda inner: st.builds(make, NAMES, ATTRIBUTES, st.lists(inner, max_size=4)),
    max_leaves=12,
)


def judge(root: Element) -> None:
    outline = Outline(root, "pbx.example.com", starts=frozenset(("a",)))
    found = analyse(outline)
    again = analyse(Outline(root, "pbx.example.com", starts=frozenset(("a",))))
    assert [item[:4] for item in found] == [item[:4] for item in again]
    assert {item.rule for item in found} <= RULES
    assert all(item.message and item.hint for item in found)


@QUICK
@given(st.lists(ELEMENT, max_size=4), st.lists(LEAF, max_size=4))
def test_any_elements_are_judged(dialplan: list[Element], configuration: list[Element]) -> None:
    context = make("context", {"name": "a"}, dialplan)
    sections = [
        make("section", {"name": "dialplan"}, [*dialplan, context]),
        make("section", {"name": "configuration"}, configuration),
    ]
    judge(make("document", {}, sections))


@QUICK
@given(st.integers(0, 10_000))
def test_any_dialplan_that_freeswitch_runs_is_judged(seed: int) -> None:
    maker = Maker(seed)
    text = maker.context("a") + maker.context("b")
    judge(parse(f'<document><section name="dialplan">{text}</section></document>'.encode()))


def test_conditions_that_stand_in_each_other_without_end_are_judged() -> None:
    depth = 3000
    text = "<condition>" * depth + "</condition>" * depth
    judge(
        parse(
            '<document><section name="dialplan"><context name="a"><extension>'
            f"{text}</extension></context></section></document>".encode()
        )
    )
