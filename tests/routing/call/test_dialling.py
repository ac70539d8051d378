"""Whom a bridge offers a call to, when, and what comes after; calls at any time."""

from __future__ import annotations

import pytest
from call_world import NOW, make_world, ways_of

from fsgitops.model.trace import Fate, What
from fsgitops.routing.call.clock import Clock
from fsgitops.routing.call.evaluate import Call, evaluate

A, B = "user/1000@127.0.0.1", "user/1001@127.0.0.1"


def does(application: str, data: str) -> str:
    return f'<action application="{application}" data="{data}"/>'


def context(inside: str) -> str:
    return (
        '<context name="default"><extension name="x"><condition>'
        f"{inside}</condition></extension></context>"
    )


def offers(inside: str) -> list[tuple[str, int | None, float | None]]:
    way = ways_of(context(inside))[-1]
    return [(item.name, item.turn, item.after) for step in way.steps for item in step.goals]


def test_phones_ring_at_once_after_their_delays_or_in_turn_after_the_timeouts_before() -> None:
    at_once = offers(does("bridge", f"{A},[leg_delay_start=5]{B}"))
    assert at_once == [("1000", 0, 0), ("1001", 0, 5)]
    in_turn = offers(does("bridge", f"[leg_timeout=10]{A}|[leg_timeout=20]{B}"))
    assert in_turn == [("1000", 0, 0), ("1001", 1, 10)]
    of_all = offers(does("bridge", f"{{leg_timeout=7}}{A}|{B}"))
    assert of_all == [("1000", 0, 0), ("1001", 1, 7)]


def test_a_turn_that_the_calls_own_timeout_ends_is_the_last() -> None:
    inside = does("set", "call_timeout=5") + does("bridge", f"{A}|{B}")
    assert offers(inside) == [("1000", 0, 0), ("1001", None, None)]


def test_a_second_bridge_begins_when_the_first_one_is_over() -> None:
    for before, begins in (
        (does("set", "call_timeout=30"), 30),
        (does("sleep", "1500"), 61.5),
        (does("playback", "hello.wav"), None),
    ):
        inside = before + does("bridge", A) + does("bridge", B)
        assert offers(inside)[-1] == ("1001", 0, begins)


@pytest.mark.parametrize(
    ("dialled", "cause"), [(f"[leg_timeout=5]{A}", "ALLOTTED_TIMEOUT"), (A, "NO_ANSWER")]
)
def test_the_cause_says_whose_time_was_over(dialled: str, cause: str) -> None:
    goes_on = does("set", "continue_on_fail=NO_ANSWER") + does("bridge", dialled)
    way = ways_of(context(goes_on + does("hangup", "${originate_disposition}")))[-1]
    assert way.end.cause == cause


def test_at_a_time_that_nobody_says_a_condition_on_it_is_followed_both_ways_alike() -> None:
    at_nine = '<condition hour="9" break="never">{}</condition>'
    inside = at_nine.format(does("bridge", A)) + at_nine.format(does("bridge", B))
    plan = f'<context name="default"><extension name="x">{inside}</extension></context>'
    clock = Clock(NOW, {}, known=False)
    ways, complete = evaluate(make_world(plan), Call("1", "default"), clock)
    assert complete
    first = [way.assumed[0] for way in ways]
    told = 'the time {} hour="9" (nobody says when the call is placed)'
    assert set(first) == {told.format("does not match"), told.format("matches")}


def test_what_is_decided_is_followed_in_no_other_way() -> None:
    inside = does("bridge", A) + does("voicemail", "default 127.0.0.1 1000")
    call = Call("1", "default")
    ways, _ = evaluate(make_world(context(inside)), call, Clock(NOW, {}), decide=lambda *_: 1)
    (way,) = ways
    assert [goal.name for goal in way.end.goals] == ["1000"]
    assert [step.text for step in way.steps if step.what is What.ASSUMES] == [
        "rings 1000, and nobody answers"
    ]


TYPED = does("read", "1 4 x.wav n 5000 #")


@pytest.mark.parametrize(
    ("dialled", "ends"),
    [
        (f"{A},sofia/external/${{n}}@sip.example.com", ["Unknown"]),
        (f"sofia/external/${{n}}@sip.example.com|{A}", ["Unknown"]),
        (f"{A}|sofia/external/${{n}}@sip.example.com", ["rings 1000", "Unknown"]),
    ],
    ids=["beside-it", "before-it", "after-it"],
)
def test_a_phone_is_not_all_that_rings_where_another_leg_is_not_known(
    dialled: str, ends: list[str]
) -> None:
    ways = ways_of(context(TYPED + does("bridge", dialled)))
    unknown = Fate.UNKNOWN
    assert ["Unknown" if w.end.fate is unknown else w.end.told for w in ways] == ends
    assert "the caller types ${n}" in ways[-1].end.told
