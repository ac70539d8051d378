"""What is said to be set off besides by a call is set off on a real FreeSWITCH."""

from __future__ import annotations

import os
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from real_switch import RealSwitch, switch_template
from recorded_calls import hasten
from set_off import SET_OFF, make_dialler, make_extensions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plain_esl import PlainEsl

pytestmark = pytest.mark.freeswitch

LANDED = """<context name="landed">
<extension name="landed"><condition field="destination_number" expression="^(.*)$">
<action application="hash" data="insert/landed/$1/yes"/>
<action application="answer"/><action application="park"/></condition></extension>
</context>
"""
DIAL = "loopback/{}/landed"
PATIENCE = 20.0
BEFORE_KEYS = 1.5


@pytest.fixture(scope="module")
def switch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealSwitch]:
    binary = os.environ.get("FSGITOPS_TEST_FREESWITCH")
    if not binary:
        pytest.skip("FSGITOPS_TEST_FREESWITCH does not name a FreeSWITCH binary")
    folder = tmp_path_factory.mktemp("set-off")
    switch = RealSwitch(Path(binary), folder / "switch", hasten(switch_template(), folder))
    try:
        yield switch.start()
    finally:
        switch.stop()


def test_each_call_makes_the_switch_dial_what_is_said(switch: RealSwitch) -> None:
    contexts = f'<context name="set_off">{make_extensions(DIAL)}</context>{make_dialler(DIAL)}'
    path = switch.conf_dir / "dialplan" / "made.xml"
    path.write_text(f"<include>\n{contexts}{LANDED}</include>\n", encoding="utf-8")
    with switch.esl() as esl:
        assert "[Success]" in esl.api("reloadxml")
        calls = {number: str(uuid.uuid4()) for number in range(7700, 7700 + len(SET_OFF))}
        for number, name in calls.items():
            esl.api(
                f"bgapi originate {{origination_uuid={name}}}loopback/{number}/set_off/XML &park()"
            )
        time.sleep(BEFORE_KEYS)
        for name, item in zip(calls.values(), SET_OFF.values(), strict=True):
            if item.presses:
                esl.api(f"uuid_send_dtmf {name} ~{item.presses}")
        missing = _wait_for(esl, list(calls))
        esl.api("hupall")
    told = dict(zip(calls, SET_OFF, strict=True))
    assert not missing, [told[number] for number in missing]


def _wait_for(esl: PlainEsl, numbers: list[int]) -> list[int]:
    """Return the numbers that were not dialled in time."""
    deadline = time.monotonic() + PATIENCE
    while numbers and time.monotonic() < deadline:
        numbers = [
            number for number in numbers if esl.api(f"hash select/landed/{number}").strip() != "yes"
        ]
        time.sleep(0.5)
    return numbers
