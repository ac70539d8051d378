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


ASKS = "".join(
    f'<condition field="${{{asked}}}" expression="^1$" break="never">'
    f'<action application="set" data="seen=${{seen}}{mark}" inline="true"/></condition>'
    for mark, asked in (("a", "hash(select/list/k)"), ("b", "db(select/list/k)"))
)


def test_what_modules_hold_is_asked_of_the_world_and_what_it_cannot_say_is_unknown() -> None:
    dialplan = f'<context name="default"><extension name="e">{ASKS}</extension></context>'

    def ask(module: str, realm: str, key: str) -> str | None:
        if module == "db":
            raise LookupError(key)
        return {("list", "k"): "1"}.get((realm, key))

    world = make_world(dialplan)
    world.memory = ask
    way = ways_of(world)[0]
    assert way.executed[-1] == ("set", "seen=a")
    assert "only the switch can answer db(select/list/k)" in way.assumed[0]


def test_doors_in_memory_are_those_of_other_modules_and_of_users_gateways_too() -> None:
    skinny = (
        '<configuration name="modules.conf"><modules><load module="mod_skinny"/>'
        '<load module="mod_sofia"/></modules>'
        '</configuration><configuration name="skinny.conf"><profile>'
        '<param name="context" value="desks"/></profile></configuration>'
        '<configuration name="sofia.conf"><profiles><profile name="out"><domains>'
        '<domain name="all" parse="true"/></domains><settings><param name="context" '
        'value="public"/></settings></profile></profiles></configuration>'
    )
    trunk = (
        '<domain name="127.0.0.1"><user id="t"><gateways><gateway name="trunk">'
        '<param name="context" value="trunk"/></gateway></gateways></user></domain>'
    )
    world = make_world("", configuration=skinny, directory=trunk)
    assert {(door.name, door.context) for door in world.list_doors()} >= {
        ("mod_skinny", "desks"), ("gateway trunk", "trunk"), ("profile out", "public"),
    }  # fmt: skip
