"""A key that a caller presses in a real FreeSWITCH's menu does what the trace says of it."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING

import pytest
from made_dialplans import MadeCall
from plain_esl import PlainEsl
from real_switch import switch_template
from test_real_switch_calls import load_world, start, trace_calls

if TYPE_CHECKING:
    from collections.abc import Iterator

    from real_switch import RealSwitch

pytestmark = pytest.mark.freeswitch

TIMES = (
    'greet-long="silence_stream://200" timeout="1500" inter-digit-timeout="400" max-failures="1" '
    'max-timeouts="1"'
)
MENUS = f"""<configuration name="ivr.conf"><menus>
<menu name="made" {TIMES} digit-len="4">
<entry action="menu-exec-app" digits="1" param="transfer 77 XML made"/>
<entry action="menu-sub" digits="2" param="below"/>
<entry action="menu-exit" digits="9"/>
</menu>
<menu name="below" {TIMES} digit-len="1">
<entry action="menu-exec-app" digits="2" param="hangup USER_BUSY"/>
</menu>
<menu name="broken" {TIMES}><entry action="menu-dance" digits="1"/></menu>
</menus></configuration>
"""
PLAN = """<include>
<context name="made">
<extension name="there"><condition field="destination_number" expression="^77$">
<action application="eval" data="there"/></condition></extension>
<extension name="menu"><condition field="destination_number" expression="^menu_(.*)$">
<action application="answer"/><action application="ivr" data="$1"/>
<action application="eval" data="after"/></condition></extension>
</context>
</include>
"""


@pytest.fixture(scope="module")
def switch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealSwitch]:
    for switch in start(tmp_path_factory.mktemp("menus"), switch_template()):
        (switch.conf_dir / "dialplan" / "made.xml").write_text(PLAN)
        (switch.conf_dir / "autoload_configs" / "ivr.conf.xml").write_text(MENUS)
        with switch.esl() as esl:
            assert "[Success]" in esl.api("reloadxml")
        yield switch


def press(switch: RealSwitch, menu: str, keys: str) -> tuple[tuple[str, str], ...]:
    """Return what a call executes whose caller presses keys, one each time a menu reads."""
    name = str(uuid.uuid4())
    left, executed = list(keys), []
    place = (switch.esl_host, switch.esl_port, switch.esl_password)
    with switch.esl() as esl, PlainEsl.open(*place, 20) as events:
        events.command("event json CHANNEL_EXECUTE CHANNEL_HANGUP_COMPLETE PLAYBACK_STOP")
        esl.command(f"bgapi originate {{origination_uuid={name}}}loopback/menu_{menu}/made &park()")
        while True:
            event = json.loads(events.read().body or "{}")
            if event.get("variable_other_loopback_leg_uuid") != name:
                continue
            if event["Event-Name"] == "CHANNEL_HANGUP_COMPLETE":
                return tuple(executed)
            if event["Event-Name"] == "PLAYBACK_STOP" and left:
                esl.api(f"uuid_send_dtmf {name} {left.pop(0)}")
            elif event["Event-Name"] == "CHANNEL_EXECUTE":
                executed.append((event["Application"], event.get("Application-Data", "")))


@pytest.mark.parametrize(
    ("menu", "keys", "assumed"),
    [
        ("made", "1", ["1 in the menu made"]),
        ("made", "22", ["2 in the menu made", "2 in the menu below"]),
        ("made", "9", ["9 in the menu made"]),
        ("broken", "", []),
        ("MADE", "", []),
        ("none", "", []),
    ],
)
def test_a_key_of_a_menu_leads_where_the_trace_says(
    switch: RealSwitch, menu: str, keys: str, assumed: list[str]
) -> None:
    (ways,) = trace_calls(load_world(switch, {}), [MadeCall("made", f"menu_{menu}", "12025550123")])
    wanted = tuple(f"the caller presses {item}" for item in assumed)
    (way,) = [way for way in ways if way.assumed == wanted]
    assert press(switch, menu, keys) == way.executed
