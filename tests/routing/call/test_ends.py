"""Whom or what a call gets to, as values."""

from __future__ import annotations

import pytest
from call_world import make_world, ways_of

from fsgitops.model.trace import Goal, What

GATEWAY = (
    '<configuration name="sofia.conf"><profiles><profile name="external"><gateways>'
    '<gateway name="carrier"/></gateways></profile></profiles></configuration>'
)


def plan(*actions: tuple[str, str]) -> str:
    inside = "".join(f'<action application="{name}" data="{data}"/>' for name, data in actions)
    return (
        f'<context name="default"><extension><condition>{inside}</condition></extension></context>'
    )


@pytest.mark.parametrize(
    ("application", "data", "goal"),
    [
        ("bridge", "user/1000@127.0.0.1", Goal("phone", "1000")),
        (
            "bridge",
            "sofia/gateway/carrier/+18005550199",
            Goal("gateway", "carrier", "+18005550199"),
        ),
        ("bridge", "sofia/external/5@example.com", Goal("address", "sofia/external/5@example.com")),
        ("deflect", "sip:5@example.com", Goal("address", "sip:5@example.com")),
        ("voicemail", "default 127.0.0.1 1000", Goal("mailbox", "1000")),
        ("ivr", "main", Goal("menu", "main")),
        ("callcenter", "sales@default", Goal("queue", "sales@default")),
        ("conference", "board@wide+1234+flags{mute}", Goal("conference", "board")),
        ("valet_park", "lot 71", Goal("parking", "lot 71")),
        ("echo", "", Goal("application", "echo")),
    ],
)
def test_an_end_names_whom_the_call_gets_to(application: str, data: str, goal: Goal) -> None:
    world = make_world(plan((application, data)), configuration=GATEWAY)
    if application == "ivr":
        world = make_world(plan((application, data)))
    assert ways_of(world)[0].end.goals == (goal,)


def test_an_assumption_names_whom_the_call_had_got_to() -> None:
    phone = Goal("phone", "1000")
    calls = plan(("set", "continue_on_fail=true"), ("bridge", "user/1000@127.0.0.1"))
    assumed = [
        (step.goals, step.short)
        for way in ways_of(calls)
        for step in way.steps
        if step.what is What.ASSUMES
    ]
    assert assumed == [((phone,), "the call is answered"), ((phone,), "nobody answers")]
