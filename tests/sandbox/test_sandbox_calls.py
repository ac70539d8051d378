"""Calls that the embedded switch pretends: answered in the words of a real one."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from plain_esl import PlainEsl

from fsgitops.cdr.columns import build_table
from fsgitops.cdr.record import RecordBuilder
from fsgitops.sandbox.skeleton import write_skeleton
from fsgitops.sandbox.switch import EmbeddedSwitch
from fsgitops.switch.calls import ToNumber, transfer_command

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DOMAIN = "sandbox.example"
USER = '<include>\n<user id="{0}">\n</user>\n</include>\n'
PUBLIC = """<include>
<extension name="main">
<condition field="destination_number" expression="^(18005550199)$">
<action application="export" data="nolocal:mark=m1"/>
<action application="transfer" data="1021 XML default"/>
</condition></extension>
</include>
"""
DEFAULT = """<include>
<extension name="phones">
<condition field="destination_number" expression="^(102.)$">
<action application="set" data="continue_on_fail=true"/>
<action application="bridge" data="user/$1@sandbox.example"/>
<action application="playback" data="sorry.wav"/>
<action application="voicemail" data="default sandbox.example $1"/>
</condition></extension>
<extension name="out"><condition field="destination_number" expression="^0(.*)$">
<action application="set" data="effective_caller_id_number=+19495431333"/>
<action application="bridge" data="{origination_caller_id_name=Desk}sofia/gateway/sandbox/+$1"/>
</condition></extension>
</include>
"""


@pytest.fixture
def switch(tmp_path: Path) -> Iterator[EmbeddedSwitch]:
    conf = tmp_path / "conf"
    write_skeleton(conf, DOMAIN)
    for extension in ("1020", "1021"):
        (conf / f"directory/default/{extension}.xml").write_text(USER.format(extension))
    (conf / "dialplan/public/main.xml").write_text(PUBLIC)
    (conf / "dialplan/default/phones.xml").write_text(DEFAULT)
    with EmbeddedSwitch(conf, "x") as one:
        yield one


@pytest.fixture
def esl(switch: EmbeddedSwitch) -> Iterator[PlainEsl]:
    with PlainEsl.open(*switch.address, "x") as one:
        yield one


def rows(esl: PlainEsl, what: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads(esl.api(f"show {what} as json")).get("rows", [])
    return found


def test_a_registered_phone_is_picked_up_and_an_absent_one_is_not(
    switch: EmbeddedSwitch, esl: PlainEsl
) -> None:
    command = f"originate {{origination_uuid=u1}}user/1020@{DOMAIN} &park"
    assert esl.api(command) == "-ERR USER_NOT_REGISTERED\n"
    switch.add_registration("1020", DOMAIN)
    assert esl.api(command) == "+OK u1\n"
    (row,) = rows(esl, "channels")
    assert (row["uuid"], row["presence_id"]) == ("u1", f"1020@{DOMAIN}")
    assert rows(esl, "calls") == []


def test_shown_calls_have_the_columns_of_a_real_switch(
    switch: EmbeddedSwitch, esl: PlainEsl, shared: Path
) -> None:
    switch.add_call("+19495431333", "1020", DOMAIN, "+12025550123")
    text = (shared / "esl-captures" / "api-replies-during-call.json").read_text()
    real = {item.get("command"): item.get("body") for item in json.loads(text)}
    for what in ("calls", "channels"):
        wanted = json.loads(real[f"api show {what} as json"])["rows"][0]
        told = {name for name in wanted if "sent_callee" not in name}
        assert set(rows(esl, what)[0]) >= told


def test_a_killed_leg_takes_its_call_along(switch: EmbeddedSwitch, esl: PlainEsl) -> None:
    first, second = switch.add_call("+19495431333", "1020", DOMAIN, "+12025550123")
    assert esl.api(f"uuid_kill {second}") == "+OK\n"
    assert esl.api(f"uuid_kill {first}") == "-ERR No such channel!\n"
    assert rows(esl, "channels") == []


def test_a_transfer_to_a_number_that_nobody_has_ends_the_call(
    switch: EmbeddedSwitch, esl: PlainEsl
) -> None:
    first, _ = switch.add_call("+19495431333", "1020", DOMAIN, "+12025550123")
    assert esl.api(f"uuid_transfer {first} 1999 XML default") == "+OK\n"
    assert rows(esl, "channels") == []


def test_a_call_from_outside_goes_through_the_dialplan_to_a_registered_phone(
    switch: EmbeddedSwitch, esl: PlainEsl
) -> None:
    switch.add_registration("1021", DOMAIN)
    assert switch.call_in("18005550199", "+12025550123") == "rings 1021"
    (row,) = rows(esl, "calls")
    assert (row["dest"], row["cid_num"], row["b_dest"]) == ("1021", "+12025550123", "1021")
    shown = rows(esl, "channels")[0]
    assert (shown["initial_dest"], shown["initial_context"]) == ("18005550199", "public")
    assert (shown["application"], shown["application_data"]) == ("bridge", f"user/1021@{DOMAIN}")


def test_a_call_to_a_phone_that_is_not_registered_stays_in_the_mailbox(
    switch: EmbeddedSwitch, esl: PlainEsl
) -> None:
    said = esl.api("sandbox_call 18005550199 +12025550123")
    (row,) = rows(esl, "channels")
    assert said == f"+OK {row['uuid']} leaves a message for 1021\n"
    assert row["application"] == "voicemail"


def test_a_call_that_no_extension_takes_is_over_at_once(esl: PlainEsl) -> None:
    said = esl.api("sandbox_call 1234 +12025550123")
    assert said.startswith("-ERR NORMAL_CLEARING it is hung up")
    assert rows(esl, "channels") == []


def test_a_phone_dials_out_and_shows_what_the_dialplan_says(
    switch: EmbeddedSwitch, esl: PlainEsl
) -> None:
    switch.add_registration("1020", DOMAIN)
    assert esl.api(f"originate user/1020@{DOMAIN} 018005551234 XML default").startswith("+OK")
    (row,) = rows(esl, "calls")
    assert (row["b_dest"], row["b_cid_num"], row["b_cid_name"]) == (
        "+18005551234", "+19495431333", "Desk",
    )  # fmt: skip


def test_the_events_of_a_call_have_the_headers_of_a_real_one_and_make_its_records(
    switch: EmbeddedSwitch, esl: PlainEsl, shared: Path
) -> None:
    switch.add_registration("1021", DOMAIN)
    heard: list[tuple[str, dict[str, str]]] = []
    switch.memory.announce = lambda name, facts, _body: heard.append((name, dict(facts)))
    switch.call_in("18005550199", "+12025550123")
    esl.api(f"uuid_kill {switch.memory.legs[0].uuid}")
    assert [name for name, _ in heard] == [
        "CHANNEL_CREATE", *["CHANNEL_EXECUTE"] * 5, *["CHANNEL_ANSWER"] * 2, "CHANNEL_BRIDGE",
        *["CHANNEL_HANGUP_COMPLETE"] * 2,
    ]  # fmt: skip
    capture = (shared / "esl-captures/inbound-calls.json.esl").read_text()
    known = {name.lower() for name in re.findall(r'"([\w-]+)":', capture)}
    made = {name.lower() for _, facts in heard[-2:] for name in facts}
    of_this_dialplan = {"mark", "nolocal:mark", "continue_on_fail"}
    assert made <= known | {f"variable_{name}" for name in of_this_dialplan}
    switch_name = {"FreeSWITCH-Switchname": "sandbox"}
    near, far = build_table(
        RecordBuilder().build({**facts, **switch_name}, "esl", 1).payload for _, facts in heard[-2:]
    ).to_pylist()
    assert (near["did_number"], near["leg"], near["billsec"]) == ("18005550199", "a", 0)
    assert (far["agent_extension"], far["leg"]) == ("1021", "b")
    assert far["call_uuid"] == near["uuid"]
    assert near["hangup_cause"] == far["hangup_cause"] == "NORMAL_CLEARING"


def test_a_call_hears_what_was_exported_to_its_far_leg(switch: EmbeddedSwitch) -> None:
    switch.add_registration("1021", DOMAIN)
    switch.call_in("18005550199", "+12025550123")
    near, far = switch.memory.legs
    assert far.variables["mark"] == "m1"
    assert "mark" not in near.variables


def test_what_is_loaded_now_counts(switch: EmbeddedSwitch, esl: PlainEsl) -> None:
    switch.call_in("18005550199", "+12025550123")
    (switch.memory.conf_dir / "dialplan/public/main.xml").unlink()
    assert switch.call_in("18005550199", "+12025550123") == "leaves a message for 1021"
    esl.api("reloadxml")
    assert switch.call_in("18005550199", "+12025550123").startswith("it is hung up")


def test_a_transfer_goes_to_a_registered_phone_or_out_by_a_gateway(
    switch: EmbeddedSwitch, esl: PlainEsl
) -> None:
    switch.add_registration("1021", DOMAIN)
    first, _ = switch.add_call("+19495431333", "1020", DOMAIN, "+12025550123")
    assert esl.api(f"uuid_transfer {first} 1021 XML default") == "+OK\n"
    assert [row["b_dest"] for row in rows(esl, "calls")] == ["1021"]
    command = transfer_command(first, ToNumber("+18005551234", "sandbox", "+19495431333"))
    assert esl.api(command) == "+OK\n"
    (row,) = rows(esl, "calls")
    assert (row["uuid"], row["b_dest"], row["b_cid_num"]) == (
        first, "+18005551234", "+19495431333",
    )  # fmt: skip


def test_the_next_call_to_a_phone_that_refuses_fails_with_its_cause(
    switch: EmbeddedSwitch, esl: PlainEsl
) -> None:
    switch.add_registration("1020", DOMAIN)
    switch.refuse("1020", "NO_ANSWER")
    said = [esl.api(f"originate user/1020@{DOMAIN} &park()").strip() for _ in range(2)]
    assert said[0] == "-ERR NO_ANSWER"
    assert said[1].startswith("+OK ")


def test_the_next_call_to_a_number_that_is_busy_is_not_joined(
    switch: EmbeddedSwitch, esl: PlainEsl
) -> None:
    switch.add_registration("1020", DOMAIN)
    switch.refuse("+18005551234", "USER_BUSY")
    dial = f"originate user/1020@{DOMAIN} &bridge(sofia/gateway/sandbox/+18005551234)"
    esl.api(dial)
    assert rows(esl, "channels") == []
    esl.api(dial)
    assert [row["dest"] for row in rows(esl, "channels")] == ["1020", "+18005551234"]
