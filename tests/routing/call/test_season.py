"""Conditions on the time that exclude each other: what no call meets is not followed, and what one
may meet is never ruled out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from call_world import NOW, make_world
from hypothesis import given, settings
from hypothesis import strategies as st

from fsgitops.routing.call.clock import Clock
from fsgitops.routing.call.evaluate import Call, evaluate, follow_ways
from fsgitops.routing.call.season import is_possible
from fsgitops.routing.call.world import Phones

VALUES = {
    "mon": st.sampled_from(("1", "12", "3-5", "11-2", "x")),
    "mday": st.sampled_from(("1", "25-31", "31", "1-7", "40")),
    "wday": st.sampled_from(("mon-fri", "sat,sun", "2-6", "fri-mon", "1", "8")),
    "mweek": st.sampled_from(("1", "3", "5", "6")),
    "week": st.sampled_from(("1", "53", "10-20")),
    "yday": st.sampled_from(("1", "366", "32-59")),
    "hour": st.sampled_from(("9-16", "17-8", "0", "23")),
    "minute": st.sampled_from(("0-29", "59", "30-59")),
    "minute-of-day": st.sampled_from(("540-1080", "1440", "1")),
    "time-of-day": st.sampled_from(("09:00-17:00", "17:00-09:00", "09:00:30-09:00:45", "x")),
    "year": st.sampled_from(("2026", "2000-2010")),
}
CONDITION = st.lists(st.sampled_from(list(VALUES)), min_size=1, max_size=3, unique=True).flatmap(
    lambda names: st.fixed_dictionaries({name: VALUES[name] for name in names})
)
MOMENT = st.integers(0, 40 * 366 * 86_400).map(
    lambda seconds: datetime(2000, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)


def tell(attributes: dict[str, str]) -> str:
    return " ".join(f'{name}="{value}"' for name, value in attributes.items())


@settings(deadline=None)  # what an attribute compares is looked up once
@given(st.lists(CONDITION, max_size=5), MOMENT)
def test_what_holds_at_some_moment_is_possible(
    conditions: list[dict[str, str]], moment: datetime
) -> None:
    clock = Clock(moment, {})
    held = tuple((tell(item), clock.check(item, None, None) is True) for item in conditions)
    assert is_possible(held)


@pytest.mark.parametrize(
    ("conditions", "possible"),
    [
        ({'mon="1"': True, 'mon="2"': True}, False),
        ({'wday="mon-fri"': False, 'wday="sat-sun"': False}, False),
        ({'wday="mon-fri" hour="9-16"': False, 'wday="mon-fri" hour="17-8"': False}, True),
        ({'mday="1" mon="1"': True, 'mweek="3" mon="1"': True}, False),
        ({'mon="2" mday="30"': True}, False),
        ({'time-of-day="09:00-17:00"': True, 'hour="17"': True}, True),
        ({'time-of-day="09:00-17:00"': True, 'hour="17"': True, 'minute="1"': True}, False),
        ({'year="2026"': True, 'year="2027"': True}, True),
        ({'mon="1&quot; mday=&quot;1"': True}, True),
    ],
    ids=str,
)  # fmt: skip
def test_conditions_that_no_moment_meets_are_told_from_others(
    conditions: dict[str, bool], possible: bool
) -> None:
    assert is_possible(tuple(conditions.items())) is possible


def follow(*conditions: str) -> list[str]:
    """Return where a call ends at any time that is tried by one extension for each condition."""
    text = "".join(
        f'<extension name="e{at}"><condition {times}/><condition field="destination_number" '
        f'expression="^1$"><action application="playback" data="{at}.wav"/></condition></extension>'
        for at, times in enumerate(conditions)
    )
    world = make_world(f'<context name="public">{text}</context>')
    ways, complete = evaluate(world, Call("1", "public"), Clock(NOW, {}, known=False))
    assert complete
    return [way.end.told for way in ways]


def test_hours_that_cover_the_week_leave_no_call_over() -> None:
    ends = follow('wday="mon-fri" hour="9-16"', 'wday="mon-fri" hour="17-8"', 'wday="sat-sun"')
    assert len(ends) == 3
    assert all("playback" in end for end in ends)


def test_a_gap_between_hours_is_followed() -> None:
    ends = follow('wday="mon-fri" hour="9-15"', 'wday="mon-fri" hour="17-8"', 'wday="sat-sun"')
    assert len(ends) == 4


def test_the_holidays_of_the_stock_dialplan_are_followed_to_the_end() -> None:
    """Its one extension asks for one holiday after the other, so that only the first can hold."""
    days = (
        'mday="1" mon="1"', 'wday="2" mweek="3" mon="1"', 'wday="2" mweek="3" mon="2"',
        'wday="2" mon="5" mday="25-31"', 'mday="4" mon="7"', 'wday="2" mday="1-7" mon="9"',
    )  # fmt: skip
    closed = '<action application="set" data="open=false"/>'
    holidays = "".join(f"<condition {day}>{closed}</condition>" for day in days)
    world = make_world(
        '<context name="public"><extension name="hours" continue="true">'
        '<condition wday="2-6" hour="9-18"><action application="set" data="open=true"/></condition>'
        f'</extension><extension name="holidays" continue="true">{holidays}</extension>'
        '<extension name="last"><condition><action application="park"/></condition></extension>'
        "</context>"
    )
    clock = Clock(NOW, {}, known=False)
    ways, complete = follow_ways(world, Call("1", "public"), clock, Phones(), every=True)
    assert complete
    assert len(ways) == 4
