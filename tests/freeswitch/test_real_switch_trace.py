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


def test_what_mod_hash_and_mod_db_hold_is_asked_of_the_switch(
    on_real_switch: Project, freeswitch: RealSwitch
) -> None:
    asked = "${hash(select/blocked/${caller_id_number})}${db(select/blocked/x)}"
    blocked = CATCH_ALL.replace("destination_number", asked).replace("^(.*)$", "^1")
    path = freeswitch.conf_dir / "dialplan" / "public" / "00_blocked.xml"
    path.write_text(blocked)
    caller = "+12025550123"
    try:
        with freeswitch.esl() as esl:
            esl.api("reloadxml")
            esl.api(f"hash insert/blocked/{caller}/1")
        stopped = on_real_switch.run("trace", DID, "--live", "--from", caller)
        assert "hangup with CALL_REJECTED" in stopped.out
        let_in = on_real_switch.run("trace", DID, "--live", "--from", "+12025550124")
        assert "CALL_REJECTED" not in let_in.out
    finally:
        path.unlink()
        with freeswitch.esl() as esl:
            esl.api(f"hash delete/blocked/{caller}")
            esl.api("reloadxml")


def test_the_doors_of_memory_are_those_of_the_files(on_real_switch: Project) -> None:
    assert on_real_switch.run("apply", "--yes").code == 0
    drawn = [
        on_real_switch.run("graph", DID, source, "--json").json()["edges"]
        for source in ("--live", "--disk")
    ]
    assert drawn[0] == drawn[1]
