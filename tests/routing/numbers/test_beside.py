"""What a call sets off besides where the dialplan leads it is followed, or said not to be known."""

from __future__ import annotations

import pytest
from call_world import MODULES, NOW, make_world
from set_off import SET_OFF, make_dialler, make_extensions

from fsgitops.routing.call.clock import Clock
from fsgitops.routing.call.evaluate import Call
from fsgitops.routing.numbers.explore import Explorer
from fsgitops.routing.numbers.reach import Reached, find_reached

GATEWAY = """
<configuration name="sofia.conf"><profiles><profile name="external"><gateways>
<gateway name="trunk"><param name="proxy" value="sip.example.com"/></gateway>
</gateways></profile></profiles></configuration>
"""
LOADED = "".join(
    f'<load module="mod_{name}"/>' for name in ("callcenter", "fifo", "lua", "commands")
)
TRUNK = "sofia/gateway/trunk/{}"


def reach(actions: str, number: str, *, configuration: str = "", others: str = "") -> Reached:
    """Return whether a number reaches the gateway, and what stands in the way of saying so."""
    world = make_world(
        f'<context name="default">{actions}</context>{make_dialler(TRUNK)}{others}',
        configuration=MODULES.replace("<modules>", f"<modules>{LOADED}") + GATEWAY + configuration,
    )
    explorer = Explorer(world, Clock(NOW, {}))
    shares = explorer.explore(Call("", "default"), explorer.store.texts([number.encode()]))
    return find_reached(shares)


def reach_by(*actions: str, configuration: str = "", others: str = "") -> Reached:
    inside = "".join(
        f'<action application="{name}" data="{data}"/>'
        for name, _, data in (action.partition(" ") for action in actions)
    )
    extension = f'<extension name="one"><condition>{inside}</condition></extension>'
    return reach(extension, "1", configuration=configuration, others=others)


@pytest.mark.parametrize(("name", "number"), zip(SET_OFF, range(7700, 7800), strict=False))
def test_what_is_set_off_reaches_the_gateway_that_it_dials(name: str, number: int) -> None:
    found = reach(make_extensions(TRUNK), str(number))
    assert found.number == str(number), name
    assert [goal.number for goal in found.end.goals] == [str(number)]


HOOKS = (
    ("api_on_answer=lua call.lua", "answer"),
    ("execute_on_answer=lua call.lua", "answer"),
    ("api_hangup_hook=luarun call.lua", "hangup"),
)


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook[0].partition("=")[0])
def test_a_script_that_is_set_off_is_said_not_to_be_known(hook: tuple[str, str]) -> None:
    found = reach_by(f"set {hook[0]}", hook[1])
    assert not found.number
    assert found.unknown


@pytest.mark.parametrize(
    "action",
    [
        "system call.sh",
        "bgsystem call.sh",
        "set x=${luarun(call.lua)}",
        "set x=${originate(user/1000 &lua(call.lua))}",
        "bind_meta_app 1 a s lua::call.lua",
        "bind_digit_action all,9,api:luarun,call.lua",
        "sched_broadcast +1 lua::call.lua",
    ],
)
def test_what_only_a_script_knows_is_not_proved(action: str) -> None:
    found = reach_by("answer", action)
    assert not found.proved
    assert not found.number


@pytest.mark.parametrize(
    "action",
    [
        "set x=${md5(a)}",
        "set x=${sofia_contact(1000@127.0.0.1)}",
        "set x=${originate(user/1000 &park)}",
        "set api_hangup_hook=uuid_dump ${uuid}",
        "set execute_on_answer=log INFO answered",
        "set x=${originate(user/nobody &lua(call.lua))}",
        "sched_hangup +60",
        "bind_meta_app 1 b s bridge::sofia/gateway/trunk/1",
        "bind_digit_action all,9,event,x",
        "sched_broadcast +1 /tmp/beep.wav",
        "conference room@default",
        "limit hash a b 2 !USER_BUSY",
    ],
)
def test_what_leads_nobody_out_is_proved_to(action: str) -> None:
    assert reach_by("answer", action).proved


def test_a_number_that_callers_say_of_themselves_is_dialled_over_the_gateway() -> None:
    hook = "set api_hangup_hook=originate sofia/gateway/trunk/${caller_id_number} &amp;park"
    found = reach_by(hook, "hangup")
    assert [goal.number for goal in found.end.goals] == ["${caller_id_number}"]
    assert "nobody says what ${caller_id_number} is" in found.end.told


VOICEMAIL = """<configuration name="voicemail.conf"><profiles><profile name="default">
<param name="operator-extension" value="7799 XML dialler"/><param name="operator-key" value="9"/>
</profile></profiles></configuration>"""


def test_the_key_for_the_operator_leads_out_of_a_mailbox() -> None:
    mailbox = "voicemail default 127.0.0.1 1000"
    found = reach_by(mailbox, configuration=VOICEMAIL)
    assert [goal.number for goal in found.end.goals] == ["7799"]
    assert found.assumed[0] == "the caller presses 9"
    assert reach_by("voicemail check default 127.0.0.1", configuration=VOICEMAIL).proved


CONFERENCE = """<configuration name="conference.conf"><caller-controls><group name="default">
<control action="transfer" digits="7" data="7798 XML dialler"/></group>
<group name="other"><control action="execute_application" digits="8" data="lua x"/></group>
</caller-controls><profiles><profile name="default"/></profiles></configuration>"""


def test_the_keys_of_a_conference_are_those_of_its_profile() -> None:
    found = reach_by("conference room@default", configuration=CONFERENCE)
    assert (found.end.goals[0].number, found.unknown) == ("7798", ())


QUEUE = """<configuration name="callcenter.conf"><agents>
<agent name="ana" contact="sofia/gateway/trunk/7797"/><agent name="bob" contact="lua/x"/></agents>
<tiers><tier agent="ana" queue="support@default"/></tiers></configuration>"""


def test_the_agents_of_a_queue_are_called_where_their_contacts_say() -> None:
    found = reach_by("callcenter support@default", configuration=QUEUE)
    assert [goal.number for goal in found.end.goals] == ["7797"]
    assert reach_by("callcenter sales@default", configuration=QUEUE).proved


FIFO = """<configuration name="fifo.conf"><fifos><fifo name="line">
<member>sofia/gateway/trunk/7796</member></fifo></fifos></configuration>"""


def test_the_members_of_a_fifo_are_called() -> None:
    found = reach_by("fifo line in", configuration=FIFO)
    assert [goal.number for goal in found.end.goals] == ["7796"]


def test_a_hook_that_sets_itself_off_again_comes_to_an_end() -> None:
    again = (
        '<context name="again"><extension name="a"><condition>{}</condition></extension></context>'
    )
    inside = "".join(
        f'<action application="{name}" data="{data}"/>'
        for name, data in (
            ("set", "api_hangup_hook=originate loopback/1/again 1 XML again"),
            ("bind_meta_app", "1 a s execute_extension::1 XML again"),
            ("hangup", ""),
        )
    )
    again = f'<extension name="a"><condition>{inside}</condition></extension>'
    others = f'<context name="again">{again}</context>'
    assert reach_by("transfer 1 XML again", others=others).proved


def test_where_a_caller_goes_whom_a_phone_hangs_up_is_followed() -> None:
    actions = (
        "set continue_on_fail=USER_BUSY",
        "bridge user/1000@127.0.0.1",
        "bridge sofia/gateway/trunk/7795",
    )
    found = reach_by(*actions)
    assert [goal.number for goal in found.end.goals] == ["7795"]
    assert found.assumed[0] == "rings 1000, and the dialplan goes on behind that"
    assert reach_by("set hangup_after_bridge=true", *actions).proved
