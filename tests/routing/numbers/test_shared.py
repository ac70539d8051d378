"""Where calls of many numbers end is found once for all that fare alike: as for each alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from call_world import DOMAIN, NOW, make_world
from hypothesis import given, settings
from hypothesis import strategies as st
from made_dialplans import make_dialplan

from fsgitops.routing.call.clock import Clock
from fsgitops.routing.call.evaluate import Call
from fsgitops.routing.call.outcome import Outcomes
from fsgitops.routing.numbers.shared import SharedOutcomes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fsgitops.routing.call.world import World

MANY = 40
DIDS = [f"+1949543{at:04}" for at in range(1000, 1000 + MANY)]
ENDS = ("1000", "1001", "1002", "555", "981000")
ROUTE = (
    r'<extension name="r{0}"><condition field="destination_number" '
    r'expression="^(\+?{0}|{1})$">{2}<action application="transfer" data="{3} XML inside"/>'
    "</condition></extension>"
)
AGENTS = (
    '<context name="inside">{0}<extension name="agent"><condition field="destination_number" '
    'expression="^(10..)$">{1}<action application="bridge" data="user/$1@127.0.0.1"/></condition>'
    '</extension></context><context name="closed"><extension><condition '
    'field="destination_number" expression="^x$">{2}</condition></extension></context>'
)


def make_routes(before: str, actions: str, inside: str, behind: str, executed: str) -> World:
    """Return a world in which many DIDs lead to some numbers."""
    routes = "".join(
        ROUTE.format(did[1:], did[2:], actions, ENDS[at % len(ENDS)]) for at, did in enumerate(DIDS)
    )
    text = f'<context name="public">{before}{routes}</context>'
    return make_world(text + AGENTS.format(inside, behind, executed), memory={}, taken_out=True)


def compare(world: World, calls: Iterable[Call], *, known: bool = True, ends: bool = False) -> int:
    """Assert that each call ends as it does alone; return how much work was saved, in per cent."""
    clock = Clock(NOW, {}, known=known)
    shared = SharedOutcomes(world, clock, ends=ends)
    work = 0
    for call in calls:
        alone = Outcomes(world, clock, ends=ends)
        assert shared.find(call) == alone.find(call), call
        work += alone.work
    return 100 - 100 * shared.work // work


def list_forms() -> list[Call]:
    return [Call(did[cut:], "public") for did in DIDS for cut in (0, 1, 2)]


def test_dids_that_lead_to_agents_are_evaluated_once() -> None:
    world = make_routes("", "", "", "", "")
    assert compare(world, list_forms()) > 50


def test_extensions_that_differ_elsewhere_than_in_digits_are_told_apart() -> None:
    odd = ROUTE.format(DIDS[7][1:], DIDS[7][2:], '<action application="hangup"/>', "1000")
    compare(make_routes(odd, "", "", "", ""), list_forms())


def test_a_conference_named_after_a_number_with_a_plus_has_the_name_before_that() -> None:
    named = '<action application="conference" data="{0}@default"/>'
    for data in ("$1", "r${destination_number}", "${destination_number}+12"):
        compare(make_routes("", named.format(data), "", "", ""), list_forms())


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 100_000), st.booleans())
def test_any_number_ends_as_it_does_alone(seed: int, taken_out: bool) -> None:
    dialplan, made = make_dialplan(seed, 3, 8)
    world = make_world(dialplan.replace("$${domain}", DOMAIN), memory={}, taken_out=taken_out)
    callers = (None, *(call.caller for call in made))
    calls = [Call(call.number, call.context, callers[at % 2]) for at, call in enumerate(made)]
    some = [Call(number, made[0].context) for number in ("1000", "1001", "12", "+1949543", "911")]
    compare(world, [*calls, *some])


SET = '<action application="set" data="{0}"/>'
PIECES = st.sampled_from([
    "", SET.format("b=c"), SET.format("a=${destination_number}"), SET.format("a=$1"),
    SET.format("a=${DP_MATCH}"), SET.format("a=${rdnis}"), SET.format("b=${a:1:3}"),
    SET.format("${a}=1"), SET.format("a=${x${a}}"), SET.format("call_timeout=${a}"),
    SET.format("continue_on_fail=true"), SET.format("auto_hunt=true"),
    '<action application="execute_extension" data="x XML closed"/>',
    '<action application="execute_extension" data="x XML in${a}side"/>',
    '<action application="hangup" data="CALL_REJECTED"/>',
    '<action application="hangup" data="${a}"/>',
    '<action application="push" data="list=${destination_number}"/>',
    '<action application="set_global" data="a=${destination_number}"/>',
    '<action application="hash" data="insert/made/${a}/${destination_number}"/>',
    '<action application="respond" data="486 ${hash(select/made/1000)}"/>',
    '<action application="respond" data="486 ${user_data(${rdnis}@127.0.0.1 var user_context)}"/>',
    '<action application="set" data="a=${cond(${destination_number} == 1000 ? yes : no)}"/>',
    '<action application="bridge" data="loopback/1001/inside"/>',
    '<action application="bridge" data="loopback/${destination_number}/inside"/>',
    '<action application="bridge" data="user/1001@127.0.0.1,user/${destination_number}"/>',
    '<action application="transfer" data="${a} XML inside"/>',
    '<action application="transfer" data="100${a:-1} XML inside"/>',
])  # fmt: skip


def first(expression: str, inner: str, field: str) -> str:
    condition = f'<condition field="{field}" expression="{expression}">{inner}</condition>'
    return f'<extension name="first" continue="true">{condition}</extension>'


FIRSTS = st.builds(
    first,
    st.sampled_from(["^1", r"^\+", "^9", "^(.*)$", "", "^x", r"^\+?1(9.*)$", "^19495431007$"]),
    PIECES,
    st.sampled_from(["destination_number", "${a}", "${rdnis}", "${destination_number}", "rdnis"]),
)


@settings(max_examples=40, deadline=None)
@given(
    before=FIRSTS | st.just(""),
    actions=st.lists(PIECES, max_size=3).map("".join),
    inside=FIRSTS | st.just(""),
    behind=st.lists(PIECES, max_size=2).map("".join),
    executed=PIECES,
    known=st.booleans(),
)
def test_dids_end_as_each_does_alone_whatever_stands_around_them(
    before: str, actions: str, inside: str, behind: str, executed: str, known: bool
) -> None:
    world = make_routes(before, actions, inside, behind, executed)
    calls = [*list_forms()[:36], *(Call(number, "inside") for number in ENDS)]
    compare(world, calls, known=known, ends=not known)


@pytest.mark.sweep
@pytest.mark.parametrize("seed", range(100_000, 100_300))
def test_made_dialplans_end_alike(seed: int) -> None:
    test_any_number_ends_as_it_does_alone.hypothesis.inner_test(seed, seed % 2 == 0)  # type: ignore[attr-defined]
