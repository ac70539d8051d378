"""`fsgitops trace --live` reads a real FreeSWITCH's memory, and says what it does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from project import Project
    from real_switch import RealSwitch

pytestmark = pytest.mark.freeswitch

DID = "+19495431333"
CATCH_ALL = """<include>
  <extension name="main_ivr">
    <condition field="destination_number" expression="^(.*)$">
      <action application="hangup" data="CALL_REJECTED"/>
    </condition>
  </extension>
</include>
"""


def test_memory_and_files_say_the_same_until_a_file_is_not_loaded(
    on_real_switch: Project, freeswitch: RealSwitch
) -> None:
    def ends(*words: str) -> list[str]:
        found = on_real_switch.run("trace", DID, "--registered", "1020", "--json", *words)
        return [way["end"]["told"] for way in found.json()["ways"]]

    assert on_real_switch.run("apply", "--yes").code == 0
    assert ends("--live") == ends("--disk")
    assert ends("--live")[0] == "rings 1020"
    path = freeswitch.conf_dir / "dialplan" / "public" / "00_ivr.xml"
    path.write_text(CATCH_ALL)
    try:
        assert ends("--live")[0] == "rings 1020"
        assert ends("--disk") == ["hangup with CALL_REJECTED"]
        with freeswitch.esl() as esl:
            esl.api("reloadxml")
        assert ends("--live") == ["hangup with CALL_REJECTED"]
    finally:
        path.unlink()


def test_a_live_trace_knows_who_is_registered(on_real_switch: Project) -> None:
    assert on_real_switch.run("apply", "--yes").code == 0
    ran = on_real_switch.run("trace", DID, "--live")
    assert "no phone of 1020 is registered" in ran.out
