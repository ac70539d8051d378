"""Calls that the embedded switch pretends: answered in the words of a real one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from plain_esl import PlainEsl

from fsgitops.sandbox.skeleton import write_skeleton
from fsgitops.sandbox.switch import EmbeddedSwitch
from fsgitops.switch.calls import ToNumber, transfer_command

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DOMAIN = "sandbox.example"
USER = '<include>\n<user id="{0}">\n</user>\n</include>\n'


@pytest.fixture
def switch(tmp_path: Path) -> Iterator[EmbeddedSwitch]:
    conf = tmp_path / "conf"
    write_skeleton(conf, DOMAIN)
    for extension in ("1020", "1021"):
        (conf / f"directory/default/{extension}.xml").write_text(USER.format(extension))
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


def test_a_transfer_to_nobody_ends_the_call(switch: EmbeddedSwitch, esl: PlainEsl) -> None:
    first, _ = switch.add_call("+19495431333", "1020", DOMAIN, "+12025550123")
    assert esl.api(f"uuid_transfer {first} 1021 XML default") == "+OK\n"
    assert rows(esl, "channels") == []


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
