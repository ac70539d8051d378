"""On a real FreeSWITCH: an agent whose phones register by a name and ring by a number."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from phones_and_carrier import agent, try_mailbox, until, up
from sip_phone import CallFailedError, SipPhone, call_from_outside

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from project import Project
    from real_switch import RealSwitch

pytestmark = pytest.mark.freeswitch

NAMED = """\
agents:
  - {extension: 1030, name: Reception, user: reception, voicemail: true}
  - {extension: 1021, name: Bob}
"""
ROUTE = "did_routes:\n  - {did_number: +19495431333, destination_extension: 1030}\n"


@pytest.fixture
def named(real: Project) -> Project:
    real.write("desired/agents.yaml", NAMED)
    real.write("desired/routes.yaml", ROUTE)
    ran = real.run("apply", "--yes", "--allow", "calls")
    assert ran.code == 0, ran.err
    return real


@pytest.fixture
def reception(named: Project, freeswitch: RealSwitch, tmp_path: Path) -> Iterator[SipPhone]:
    """The phone of 1030, registered as reception."""
    found = named.run("credentials", "1030", "--reveal", "--json").json()
    assert found["username"] == "reception"
    with SipPhone(freeswitch, tmp_path / "reception", "reception", found["password"]) as phone:
        phone.register()
        until(lambda: agent(named, "1030")["registered"])
        yield phone


def test_the_phone_registers_by_the_name_and_rings_by_the_number(
    named: Project, reception: SipPhone, freeswitch: RealSwitch, tmp_path: Path
) -> None:
    found = agent(named, "1030")
    (phone,) = found["phones"]
    assert (found["user"], phone["user"], found["memory"]) == ("reception", "reception", "match")
    reception.answer()
    call_from_outside(freeswitch, tmp_path, "+19495431333")
    assert reception.wait_answered()


def test_the_number_and_the_password_alone_do_not_register(
    reception: SipPhone, freeswitch: RealSwitch, tmp_path: Path
) -> None:
    other = SipPhone(freeswitch, tmp_path / "other", "1030", reception.password)
    with pytest.raises(CallFailedError):
        other.register()


def test_a_call_of_it_is_the_agents_and_shows_the_number(
    named: Project, reception: SipPhone, phones: Callable[[str], SipPhone], freeswitch: RealSwitch
) -> None:
    reception.answer()
    phones("1021")
    ran = named.run("dial", "1030", "1021", "--wait", "--json")
    assert (ran.code, ran.json()["caller_id_number"]) == (0, "1030"), ran.err
    call = until(lambda: up(named))
    assert sorted(call["agents"]) == ["1021", "1030"]
    assert agent(named, "1030")["on_call"]
    with freeswitch.esl() as esl:
        assert esl.api(f"uuid_getvar {call['uuid']} fsgitops_extension") == "1030"


def test_a_kick_ends_the_registration_of_the_name(named: Project, reception: SipPhone) -> None:
    assert reception.user == "reception"
    ended = named.run("kick", "1030", "--json").json()["ended"]
    assert [one["user"] for one in ended] == ["reception"]
    assert not agent(named, "1030")["registered"]


def test_another_name_ends_the_registration_of_the_former_and_a_deletion_that_of_the_last(
    named: Project, reception: SipPhone, freeswitch: RealSwitch, tmp_path: Path
) -> None:
    named.write("desired/agents.yaml", NAMED.replace("user: reception", "user: front.desk"))
    ran = named.run("apply", "--yes")
    assert (ran.code, "flush_inbound_reg reception@127.0.0.1" in ran.out) == (0, True), ran.err
    assert "SIP user changes: give 1030 its new credentials" in ran.out
    found = named.run("credentials", "1030", "--reveal", "--json").json()
    desk = SipPhone(freeswitch, tmp_path / "desk", "front.desk", found["password"])
    desk.register()
    until(lambda: agent(named, "1030")["registered"])
    assert {one["user"] for one in agent(named, "1030")["phones"]} == {"front.desk"}
    named.write("desired/agents.yaml", "agents:\n  - {extension: 1021, name: Bob}\n")
    (named.root / "desired/routes.yaml").unlink()
    ran = named.run("apply", "--yes")
    assert (ran.code, "Registrations ended: 1" in ran.out) == (0, True), ran.out
    left = named.run("registrations", "--json").json()["registrations"]
    assert not {"reception", "front.desk", "1030"} & {one["user"] for one in left}


def test_the_number_and_the_pin_open_the_mailbox_that_lies_under_the_name(
    named: Project, freeswitch: RealSwitch
) -> None:
    pin = named.run("credentials", "1030", "--reveal", "--json").json()["voicemail_pin"]
    assert try_mailbox(freeswitch, "1030", pin) == "success"
    assert try_mailbox(freeswitch, "reception", pin) == "success"
    assert try_mailbox(freeswitch, "1030", "999999") == "fail"
