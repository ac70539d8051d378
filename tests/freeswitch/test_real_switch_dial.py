"""Calls that `dial` places on a real FreeSWITCH: phones and a carrier are played by sipp."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from phones_and_carrier import (
    GATEWAY,
    agent,
    calls,
    change_gateway,
    until,
    up,
)
from project import Project
from real_switch import RealSwitch, free_ports
from sip_phone import SipPhone

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.freeswitch

UP = {"answered": True, "cause": None}


@pytest.mark.usefixtures("shared")
def test_dial_rings_the_agent_then_the_number_and_hangup_ends_both(
    real: Project, phones: Callable[[str], SipPhone], carrier: SipPhone
) -> None:
    phone = phones("1020")
    carrier.answer()
    ran = real.run("dial", "1020", "(800) 555-1234", "--wait", "--json")
    assert ran.code == 0, ran.err
    placed = ran.json()
    call = until(lambda: up(real))
    assert (call["uuid"], call["agent"], call["caller"], call["callee"], call["direction"]) == (
        placed["uuid"], "1020", "1020", "+18005551234", "outbound",
    )  # fmt: skip
    assert {leg["read_codec"] for leg in call["legs"]} == {"PCMU"}
    assert agent(real, "1020")["on_call"]
    assert real.run("hangup", placed["uuid"]).code == 0
    assert phone.wait_answered()
    assert carrier.wait_answered()
    until(lambda: calls(real) == [])


@pytest.mark.usefixtures("shared")
def test_the_carrier_is_shown_the_declared_number_and_a_harmless_name(
    real: Project, phones: Callable[[str], SipPhone], carrier: SipPhone, freeswitch: RealSwitch
) -> None:
    phones("1020")
    carrier.answer()
    assert real.run("dial", "1020", "+18005551234", "--wait").code == 0
    until(lambda: up(real))
    with freeswitch.esl() as esl:
        rows = json.loads(esl.api("show channels as json"))["rows"]
    far = next(row for row in rows if row["name"].endswith("+18005551234"))
    assert (far["cid_num"], far["cid_name"]) == ("+19495431333", "Zoë O Brien x")


def fate(ran: Any) -> tuple[int, str, dict[str, Any], dict[str, Any]]:
    """The exit code of `dial --wait --json`, how far it came, and each leg without its uuid."""
    told = ran.json()
    agents, others = told["legs"]["agent"], told["legs"]["destination"]
    for leg in (agents, others):
        del leg["uuid"]
    return ran.code, told["state"], agents, others


def test_waiting_tells_that_both_answered(
    real: Project, phones: Callable[[str], SipPhone], carrier: SipPhone
) -> None:
    phones("1020")
    carrier.answer()
    ran = real.run("dial", "1020", "+18005551234", "--wait", "--json")
    assert fate(ran) == (0, "connected", UP, {"called": True, **UP})
    assert until(lambda: up(real))["callee"] == "+18005551234"


def test_waiting_tells_that_the_number_is_busy(
    real: Project, phones: Callable[[str], SipPhone], carrier: SipPhone
) -> None:
    phones("1020")
    carrier.answer("busy")
    code, state, _, far = fate(real.run("dial", "1020", "+18005551234", "--wait", "--json"))
    assert (code, state) == (1, "failed")
    assert far == {"called": True, "answered": False, "cause": "USER_BUSY"}


def test_waiting_tells_in_words_who_did_not_answer(
    real: Project, phones: Callable[[str], SipPhone], carrier: SipPhone
) -> None:
    phones("1020")
    carrier.answer("busy")
    ran = real.run("dial", "1020", "+18005551234", "--wait")
    said = "fsgitops: agent 1020 answered; +18005551234 did not: USER_BUSY\n"
    assert (ran.code, ran.out, ran.err) == (1, "", said)


def test_waiting_tells_that_the_agent_did_not_answer(
    real: Project, phones: Callable[[str], SipPhone], carrier: SipPhone
) -> None:
    phones("1020").answer("ring")
    carrier.answer()
    ran = real.run("dial", "1020", "+18005551234", "--wait", "--timeout", "2", "--json")
    assert fate(ran) == (
        1, "failed", {"answered": False, "cause": "NO_ANSWER"},
        {"called": False, "answered": False, "cause": None},
    )  # fmt: skip


def test_an_agent_is_connected_with_another(
    real: Project, phones: Callable[[str], SipPhone]
) -> None:
    first, second = phones("1020"), phones("1021")
    ran = real.run("dial", "1020", "1021", "--wait", "--json")
    assert fate(ran) == (0, "connected", UP, {"called": True, **UP})
    call = until(lambda: up(real))
    assert (call["agents"], call["direction"]) == (["1020", "1021"], "internal")
    assert real.run("hangup", call["uuid"]).code == 0
    assert first.wait_answered()
    assert second.wait_answered()


def test_waiting_tells_that_the_other_agent_did_not_answer(
    real: Project, phones: Callable[[str], SipPhone]
) -> None:
    phones("1020")
    phones("1021").answer("ring")
    ran = real.run("dial", "1020", "1021", "--wait", "--timeout", "2", "--json")
    code, state, agents, far = fate(ran)
    assert (code, state, agents["answered"]) == (1, "failed", True)
    assert far == {"called": True, "answered": False, "cause": "NO_ANSWER"}


def test_a_gateway_that_is_not_there_rings_nobody(
    real: Project, phones: Callable[[str], SipPhone], freeswitch: RealSwitch
) -> None:
    phones("1020")
    change_gateway(real, "telnyx")
    ran = real.run("dial", "1020", "+18005551234")
    assert (ran.code, "the switch has no gateway `telnyx`" in ran.err) == (1, True)
    assert calls(real) == []
    with freeswitch.esl() as esl:
        assert esl.api("sofia status gateway telnyx") == "Invalid Gateway!\n"


def test_a_gateway_that_is_down_rings_nobody(
    real: Project, phones: Callable[[str], SipPhone], freeswitch: RealSwitch
) -> None:
    phones("1020")
    file = freeswitch.conf_dir / "sip_profiles/external/test_carrier.xml"
    file.write_text(GATEWAY.format(port=free_ports(1)[0]).replace('"false"', '"true"'))
    try:
        with freeswitch.esl() as esl:
            esl.api("sofia profile external rescan")
            until(lambda: "DOWN" in esl.api("sofia status gateway test_carrier"))
        ran = real.run("dial", "1020", "+18005551234")
        assert (ran.code, "gateway `test_carrier` is DOWN" in ran.err) == (1, True)
        assert calls(real) == []
    finally:
        file.unlink()
        with freeswitch.esl() as esl:
            esl.api("sofia profile external killgw test_carrier")


def test_an_agent_without_a_phone_is_not_dialled(real: Project) -> None:
    ran = real.run("dial", "1021", "+18005551234")
    assert (ran.code, "not registered" in ran.err) == (1, True)
