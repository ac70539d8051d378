"""Where calls end, found for many: as one by one, whatever they have in common."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from call_world import DOMAIN, NOW, make_world
from hypothesis import given, settings
from hypothesis import strategies as st
from made_dialplans import make_dialplan

from fsgitops.model.trace import Fate, What
from fsgitops.routing.call.clock import Clock
from fsgitops.routing.call.evaluate import Call, evaluate
from fsgitops.routing.call.outcome import Ending, Outcome, Outcomes
from fsgitops.routing.call.state import Took
from fsgitops.routing.pattern import TooManyStepsError

if TYPE_CHECKING:
    from fsgitops.model.trace import Way
    from fsgitops.routing.call.world import World

GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "calls"
DIDS = [f"+1949543{at:04}" for at in range(1000, 1020)]
AGENT = """
<context name="inside"><extension name="agent"><condition field="destination_number"
 expression="^(10..)$">{0}<action application="bridge" data="user/$1@127.0.0.1"/></condition>
</extension></context>
"""


def find(world: World, *numbers: str, context: str = "public") -> dict[str, Outcome]:
    outcomes = Outcomes(world, Clock(NOW, {}))
    return {number: outcomes.find(Call(number, context)) for number in numbers}


def told(outcome: Outcome) -> list[str]:
    return [way.end.told for way in outcome.ways]


def lead_in(*, to: str = "1000", data: str = "") -> str:
    routes = "".join(
        f'<extension name="r{number[1:]}"><condition field="destination_number" '
        rf'expression="^(\+?{number[1:]}|{number[2:]})$">{data}'
        f'<action application="transfer" data="{to} XML inside"/></condition></extension>'
        for number in DIDS
    )
    return f'<context name="public">{routes}</context>'


def as_ending(way: Way) -> Ending:
    """Return what is known of a way without its steps."""
    took = (
        Took(step.context, step.number, step.extension, step.line, bool(step.text))
        for step in way.steps
        if step.what is What.TAKES
    )
    return Ending(way.end, way.assumed, tuple(took))


def compare(world: World, calls: list[Call]) -> None:
    """Assert that each call ends the same, evaluated with others and alone."""
    clock = Clock(NOW, {})
    outcomes = Outcomes(world, clock)
    for call in calls:
        found = outcomes.find(call)
        ways, complete = evaluate(world, call, clock)
        plain = [
            way._replace(
                took=tuple(one._replace(acts=False, nested=False) for one in way.took), rang=()
            )
            for way in found.ways
        ]
        assert plain[0] == as_ending(ways[0]), call
        if complete:
            assert found.complete
            assert plain == list(map(as_ending, ways)), call


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 100_000), st.booleans())
def test_any_call_ends_as_it_does_alone(seed: int, known: bool) -> None:
    dialplan, made = make_dialplan(seed, 3, 8)
    world = make_world(dialplan.replace("$${domain}", DOMAIN), memory={} if known else None)
    callers = (None, *(call.caller for call in made))
    calls = [Call(call.number, call.context, callers[at % 3]) for at, call in enumerate(made)]
    compare(world, calls)


@settings(max_examples=12, deadline=None)
@given(st.data())
def test_numbers_that_lead_to_one_agent_end_as_each_does_alone(data: st.DataObject) -> None:
    action = st.sampled_from((
        '<action application="set" data="did=${destination_number}"/>',
        '<action application="set" data="same=did"/>',
        '<action application="export" data="did=${DP_MATCH[1]}"/>',
        '<action application="push" data="list=${destination_number}"/>',
        '<action application="bridge" data="user/1001@127.0.0.1"/>',
        '<action application="set" data="continue_on_fail=true"/>',
        '<action application="set_global" data="kept=${destination_number}"/>',
        '<action application="hash" data="insert/made/did/${destination_number}"/>',
    ))  # fmt: skip
    inside = st.sampled_from((
        '<action application="set" data="did="/>',
        '<action application="transfer" data="${did} XML inside"/>',
        '<action application="bridge" data="sofia/external/${rdnis}@carrier"/>',
        '<action application="set" data="caller=${list[0]}"/>',
        '<action application="respond" data="486 ${DP_MATCH}"/>',
        '<action application="ivr" data="main"/>',
        '<action application="bridge" data="loopback/1001/inside"/>',
        '<action application="respond" data="486 ${global_getvar(kept)} ${kept}"/>',
        '<action application="respond" data="486 ${hash(select/made/did)}"/>',
    ))  # fmt: skip
    before = "".join(data.draw(st.lists(action, max_size=3)))
    behind = "".join(data.draw(st.lists(inside, max_size=3)))
    to = data.draw(st.sampled_from(("1000", "$1", "1${unset}001")))
    world = make_world(lead_in(data=before, to=to) + AGENT.format(behind))
    compare(world, [Call(number, "public") for number in DIDS[:3]])


def test_golden_calls_end_with_the_causes_of_freeswitch() -> None:
    case = sorted(GOLDEN.iterdir())[0]
    recorded = json.loads((case / "calls.json").read_text("utf-8"))
    dialplan = (case / "dialplan.xml").read_text("utf-8").replace("$${domain}", DOMAIN)
    world = make_world(dialplan, memory={})
    outcomes = Outcomes(world, Clock(datetime.fromisoformat(recorded["at"]), {}))
    for context, number, caller, cause, *_ in recorded["calls"]:
        call = Call(number, context, caller, fields={"source": "mod_loopback"})
        end = outcomes.find(call).ways[0].end
        assert end.fate is Fate.RINGS or end.cause == cause, (context, number)


def test_a_call_that_reads_the_number_dialled_first_has_an_outcome_of_its_own() -> None:
    inside = '<action application="respond" data="486 ${rdnis}"/>'
    found = find(make_world(lead_in() + AGENT.format(inside)), *DIDS)
    assert {number: told(outcome) for number, outcome in found.items()} == {
        number: [f"it is answered with 486 {number}"] for number in DIDS
    }


def test_what_a_call_asked_for_is_noted_for_each_number() -> None:
    found = find(make_world(lead_in() + AGENT.format("")), *DIDS)
    for number, outcome in found.items():
        assert outcome.noted == {("number", number), ("number", "1000"), ("user", "1000")}


def test_a_condition_on_the_time_is_noted() -> None:
    time = (
        '<context name="public"><extension name="t"><condition hour="0-23"/></extension></context>'
    )
    assert ("time", "") in find(make_world(time), "1")["1"].noted


def test_of_a_call_with_more_ways_than_are_followed_the_first_are_told() -> None:
    asks = "".join(
        f'<extension name="e{at}" continue="true"><condition field="${{sip_h_X-{at}}}" '
        'expression="1"><action application="set" data="a=1"/></condition></extension>'
        for at in range(12)
    )
    end = '<extension name="end"><condition><action application="park"/></condition></extension>'
    outcome = find(make_world(f'<context name="public">{asks}{end}</context>'), "1")["1"]
    assert not outcome.complete
    assert told(outcome)[0] == "is parked"


def test_an_expression_that_takes_forever_is_not_held_against_every_number(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tried: list[bytes] = []

    def search(field: bytes, _expression: bytes) -> None:
        tried.append(field)
        raise TooManyStepsError

    monkeypatch.setattr("fsgitops.routing.call.contents.search_bytes", search)
    monkeypatch.setattr("fsgitops.routing.call.match.search_bytes", search)
    slow = (
        '<context name="public"><extension name="slow"><condition field="destination_number" '
        'expression="^([0-9]+[0-9]*)+x$"><action application="park"/></condition></extension>'
        "</context>"
    )
    found = find(make_world(slow), *DIDS)
    assert {len(outcome.ways) for outcome in found.values()} == {2}
    assert len(tried) <= 16
