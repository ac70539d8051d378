"""Two numbers of which one is followed: where they are said to fare alike, they do."""

from __future__ import annotations

import pytest
from call_world import NOW, make_world
from hypothesis import given, settings
from hypothesis import strategies as st

from fsgitops.routing.call.clock import Clock
from fsgitops.routing.call.evaluate import Call
from fsgitops.routing.call.outcome import Outcomes

FORMS = ("+19495431333", "19495431333", "9495431333")
ROUTE = (
    r'<extension name="ours"><condition field="destination_number" '
    r'expression="^(\+?19495431333|9495431333)$">{0}'
    '<action application="transfer" data="1000 XML inside"/></condition></extension>'
)
INSIDE = (
    '<context name="inside">{0}<extension name="agent"><condition field="destination_number" '
    'expression="^10..$"><action application="bridge" data="user/1000@127.0.0.1"/></condition>'
    '</extension></context><context name="closed"><extension><condition '
    'field="destination_number" expression="^x$">{1}</condition></extension></context>'
)
SET = '<action application="set" data="a={0}"/>'


def first(expression: str, inner: str, field: str = "destination_number") -> str:
    condition = f'<condition field="{field}" expression="{expression}">{inner}</condition>'
    return f'<extension name="first" continue="true">{condition}</extension>'


def compare(before: str, actions: str, inside: str, executed: str) -> list[bool]:
    """Return for each further form whether it is said to fare as the first; it does then."""
    route = ROUTE.format(actions)
    text = f'<context name="public">{before}{route}</context>{INSIDE.format(inside, executed)}'
    world = make_world(text)
    said = []
    for form in FORMS[1:]:
        outcomes = Outcomes(world, Clock(NOW, {}, known=False))
        known = outcomes.find(Call(FORMS[0], "public"))
        alike = not outcomes.drop_alike(Call(FORMS[0], "public"), [form])
        other = Outcomes(world, Clock(NOW, {}, known=False)).find(Call(form, "public"))
        same = [way.end for way in known.ways] == [way.end for way in other.ways]
        assert same or not alike, form
        said.append(alike)
    return said


EXECUTES = '<action application="execute_extension" data="x XML closed"/>'
REJECT = '<action application="hangup" data="CALL_REJECTED"/>'


def test_the_forms_of_a_number_fare_alike_behind_what_asks_for_none() -> None:
    plain = SET.format("b")
    assert compare(first("^x$", plain, "${b}"), plain + EXECUTES, "", plain) == [True, True]


@pytest.mark.parametrize(
    ("before", "actions", "inside", "executed"),
    [
        (first("^1", REJECT), "", "", ""),
        (first("^1", REJECT, "${destination_number}"), "", "", ""),
        (first(r"^(\+?)", SET.format("$1")), "", first("^x$", REJECT, "${a}"), ""),
        ("", SET.format("${destination_number}"), first("^1", REJECT, "${a}"), ""),
        ("", "", first("^1", REJECT, "${rdnis}"), ""),
        ("", EXECUTES, first("^1", REJECT, "${a}"), SET.format("${rdnis}${DP_MATCH}")),
        ("", '<action application="bridge" data="loopback/5/inside"/>', "", ""),
    ],
)
def test_where_the_number_is_asked_for_nobody_says_so(
    before: str, actions: str, inside: str, executed: str
) -> None:
    assert not all(compare(before, actions, inside, executed))


PIECES = st.sampled_from([
    "", SET.format("b"), SET.format("${destination_number}"), SET.format("$1"), EXECUTES, REJECT,
    SET.format("${DP_MATCH}"), SET.format("${rdnis}"), SET.format("${a}"),
])  # fmt: skip
FIRSTS = st.builds(
    first,
    st.sampled_from(["^1", r"^\+", "^9", "^(.*)$", "", "^x", r"^\+?1(9.*)$"]),
    PIECES,
    st.sampled_from(["destination_number", "${a}", "${rdnis}", "${destination_number}", "context"]),
)


@settings(max_examples=60, deadline=None)
@given(before=FIRSTS | st.just(""), actions=PIECES, inside=FIRSTS | st.just(""), executed=PIECES)
def test_what_is_said_to_fare_alike_does(
    before: str, actions: str, inside: str, executed: str
) -> None:
    compare(before, actions, inside, executed)
