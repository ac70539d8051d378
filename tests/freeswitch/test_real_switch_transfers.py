"""Who may send whose call where on a real FreeSWITCH: REFER, 302, transfers with consultation."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sip_peer import Dialogue, Message, SipPeer
from sip_phone import CallFailedError
from trunk_exchange import ABROAD, DIDS, LOCAL, Exchange, await_joined, lend, place, run_exchange

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.freeswitch

CODES = ["5000", "*98", "fsgitops_closed", "fsgitops_mover", "1021 XML default"]


@pytest.fixture(scope="module")
def switch(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exchange]:
    """A switch that the agents and their numbers were applied to."""
    template = shared / "freeswitch-conf" / "vanilla"
    yield from run_exchange(tmp_path_factory.mktemp("transfers"), template)


@pytest.fixture
def exchange(switch: Exchange) -> Iterator[Exchange]:
    yield from lend(switch)


def moved(mover: SipPeer, call: Dialogue, to: str, reached: SipPeer) -> Message:
    """Have a call moved to where it reaches somebody, and return what rings there."""
    assert mover.refer(call, to) == 202
    return reached.refuse()


def test_an_outside_caller_cannot_make_the_gateway_dial(exchange: Exchange) -> None:
    agent, outside, before = exchange.phone("1021"), exchange.outside(), exchange.dialled()
    call, _ = place(outside, agent, DIDS["1021"])
    assert outside.refer(call, ABROAD) == 202
    agent.wait_bye()
    assert exchange.dialled() == before


def test_nor_where_the_stock_dialplan_rings_the_agent(exchange: Exchange) -> None:
    agent, outside, before = exchange.phone("1005"), exchange.outside(), exchange.dialled()
    call, _ = place(outside, agent, DIDS["1005"])
    assert outside.refer(call, ABROAD) == 202
    agent.wait_bye()
    assert exchange.dialled() == before


@pytest.mark.parametrize("code", CODES)
def test_an_outside_caller_sends_an_agent_nowhere_else_either(
    exchange: Exchange, code: str
) -> None:
    agent, outside, before = exchange.phone("1022"), exchange.outside(), exchange.dialled()
    call, _ = place(outside, agent, DIDS["1022"])
    assert outside.refer(call, code.replace(" ", "%20")) == 202
    agent.wait_bye()
    assert exchange.dialled() == before


def test_an_outside_caller_may_have_another_agent_rung(exchange: Exchange) -> None:
    agent, other, outside = exchange.phone("1021"), exchange.phone("1022"), exchange.outside()
    call, _ = place(outside, agent, DIDS["1021"])
    assert moved(outside, call, "1022", other).user == "1022"


def test_a_user_that_is_not_declared_is_rung_as_well(exchange: Exchange) -> None:
    """Who has adopted half of his users has receptionists among the others."""
    agent, outside = exchange.phone("1021"), exchange.outside()
    other = exchange.hand_written("1006")
    call, _ = place(outside, agent, DIDS["1021"])
    assert moved(outside, call, "1006", other).user == "1006"


def test_a_local_agent_cannot_move_anothers_leg_abroad(exchange: Exchange) -> None:
    mighty, local, before = exchange.phone("1021"), exchange.phone("1022"), exchange.dialled()
    _, called = place(mighty, local, "1022")
    assert local.refer(called, ABROAD) == 202
    mighty.wait_bye()
    calling, _ = place(local, mighty, "1021")
    assert local.refer(calling, ABROAD) == 202
    mighty.wait_bye()
    assert exchange.dialled() == before


def test_he_moves_it_where_he_may_call_himself(exchange: Exchange) -> None:
    mighty, local = exchange.phone("1021"), exchange.phone("1022")
    _, called = place(mighty, local, "1022")
    assert moved(local, called, LOCAL, exchange.trunk).user == LOCAL


@pytest.mark.parametrize("extension", ["1005", "1021"])
def test_an_agent_transfers_his_caller_to_another_agent(exchange: Exchange, extension: str) -> None:
    agent, other, outside = exchange.phone(extension), exchange.phone("1022"), exchange.outside()
    _, call = place(outside, agent, DIDS[extension])
    assert moved(agent, call, "1022", other).user == "1022"


@pytest.mark.parametrize("extension", ["1005", "1021"])
def test_an_agent_transfers_his_caller_to_a_number_that_he_may_call(
    exchange: Exchange, extension: str
) -> None:
    agent, outside = exchange.phone(extension), exchange.outside()
    _, call = place(outside, agent, DIDS[extension])
    assert moved(agent, call, ABROAD, exchange.trunk).user == ABROAD


def test_an_agent_transfers_whom_he_called(exchange: Exchange) -> None:
    agent, other = exchange.phone("1021"), exchange.phone("1022")
    call, _ = place(agent, other, "1022")
    assert moved(agent, call, ABROAD, exchange.trunk).user == ABROAD


def test_and_not_to_one_that_he_may_not_call(exchange: Exchange) -> None:
    agent, outside, before = exchange.phone("1022"), exchange.outside(), exchange.dialled()
    _, call = place(outside, agent, DIDS["1022"])
    assert agent.refer(call, ABROAD) == 202
    outside.wait_bye()
    assert exchange.dialled() == before


def test_a_caller_that_was_sent_outside_has_not_the_agents_toll(exchange: Exchange) -> None:
    agent, outside, trunk = exchange.phone("1021"), exchange.outside(), exchange.trunk
    call, taken = place(outside, agent, DIDS["1021"])
    with ThreadPoolExecutor(1) as pool:
        reached = pool.submit(trunk.answer)
        assert agent.refer(taken, ABROAD) == 202
        far = reached.result()
    before = exchange.dialled()
    assert outside.refer(call, "0119998887777") == 202
    trunk.wait_bye()
    assert exchange.dialled() == before
    assert far.call_id


def test_a_transfer_with_consultation_joins_caller_and_agent(exchange: Exchange) -> None:
    agent, other, outside = exchange.phone("1021"), exchange.phone("1022"), exchange.outside()
    call, _ = consult(agent, other, outside)
    outside.hang_up(call)
    other.wait_bye()


def consult(agent: SipPeer, other: SipPeer, outside: SipPeer) -> tuple[Dialogue, Dialogue]:
    """Have an agent join his caller with a colleague; return the dialogues of these two."""
    call, taken = place(outside, agent, DIDS[agent.user])
    asked, answered = place(agent, other, other.user)
    assert agent.refer(taken, other.user, f"?Replaces={asked.replaces}") == 202
    agent.wait_bye()
    await_joined(agent.switch, call, answered)
    return call, answered


def test_after_it_the_caller_has_not_the_agents_toll(exchange: Exchange) -> None:
    agent, other, outside = exchange.phone("1021"), exchange.phone("1022"), exchange.outside()
    before = exchange.dialled()
    call, _ = consult(agent, other, outside)
    assert outside.refer(call, ABROAD) == 202
    other.wait_bye()
    assert exchange.dialled() == before


def test_after_it_the_colleague_has_his_own_toll(exchange: Exchange) -> None:
    agent, other, outside = exchange.phone("1021"), exchange.phone("1022"), exchange.outside()
    before = exchange.dialled()
    _, answered = consult(agent, other, outside)
    assert other.refer(answered, ABROAD) == 202
    outside.wait_bye()
    assert exchange.dialled() == before


@pytest.mark.parametrize("extension", ["1005", "1021", "1022"])
def test_a_phone_that_forwards_is_not_followed(exchange: Exchange, extension: str) -> None:
    phone, outside, before = exchange.phone(extension), exchange.outside(), exchange.dialled()
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(phone.redirect, f"sip:{LOCAL}@127.0.0.1")
        try:
            outside.call(DIDS[extension])
        except CallFailedError as failed:
            assert extension != "1005"
            assert " 480 " in str(failed)
        asked.result()
    assert exchange.dialled() == before


def test_unless_it_is_declared(exchange: Exchange) -> None:
    phone, outside = exchange.phone("1023"), exchange.outside()
    with ThreadPoolExecutor(2) as pool:
        calling = pool.submit(outside.call, DIDS["1023"])
        phone.redirect(f"sip:{LOCAL}@127.0.0.1")
        exchange.trunk.answer()
        assert calling.result().call_id


def test_and_then_only_where_the_agent_may_call(exchange: Exchange) -> None:
    phone, outside, before = exchange.phone("1023"), exchange.outside(), exchange.dialled()
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(phone.redirect, f"sip:{ABROAD}@127.0.0.1")
        with pytest.raises(CallFailedError, match="SIP/"):
            outside.call(DIDS["1023"])
        asked.result()
    assert exchange.dialled() == before


def dial(exchange: Exchange, agent: SipPeer) -> tuple[Dialogue, Dialogue]:
    """Click to call: return the dialogues of the agent and of whom the trunk rang."""
    with ThreadPoolExecutor(2) as pool:
        rung = pool.submit(agent.answer)
        reached = pool.submit(exchange.trunk.answer)
        exchange.run("dial", agent.user, "+12025550123")
        ends = rung.result(), reached.result()
    await_joined(exchange.switch, *ends)
    return ends


def test_who_was_dialled_cannot_send_the_agent_outside(exchange: Exchange) -> None:
    agent = exchange.phone("1021")
    _, far = dial(exchange, agent)
    before = exchange.dialled()
    assert exchange.trunk.refer(far, ABROAD) == 202
    agent.wait_bye()
    assert exchange.dialled() == before


def test_the_agent_of_a_dialled_call_transfers_it(exchange: Exchange) -> None:
    agent, other = exchange.phone("1021"), exchange.phone("1022")
    call, _ = dial(exchange, agent)
    assert moved(agent, call, "1022", other).user == "1022"
    call, _ = dial(exchange, agent)
    assert moved(agent, call, ABROAD, exchange.trunk).user == ABROAD


def test_a_phone_rung_by_dial_that_forwards_is_not_followed(exchange: Exchange) -> None:
    phone, before = exchange.phone("1021"), exchange.dialled()
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(phone.redirect, f"sip:{LOCAL}@127.0.0.1:{exchange.trunk.port}")
        with pytest.raises(AssertionError):
            exchange.run("dial", "1021", "+12025550123", "--wait")
        asked.result()
    assert exchange.dialled() == before


def test_whom_transfer_takes_outside_cannot_be_sent_on(exchange: Exchange) -> None:
    agent, outside, trunk = exchange.phone("1021"), exchange.outside(), exchange.trunk
    call, taken = place(outside, agent, DIDS["1021"])
    with ThreadPoolExecutor(1) as pool:
        reached = pool.submit(trunk.answer)
        exchange.run("transfer", leg_of(exchange, call), "+12025550123")
        far = reached.result()
    await_joined(exchange.switch, call, far)
    before = exchange.dialled()
    assert outside.refer(call, ABROAD) == 202
    trunk.wait_bye()
    assert exchange.dialled() == before
    assert taken.call_id


def leg_of(exchange: Exchange, call: Dialogue) -> str:
    with exchange.switch.esl() as esl:
        rows = json.loads(esl.api("show channels as json"))["rows"]
        legs = {esl.api(f"uuid_getvar {row['uuid']} sip_call_id"): row["uuid"] for row in rows}
    return str(legs[call.call_id])


def test_the_switch_finds_nothing_to_complain_about_in_a_closed_leg(exchange: Exchange) -> None:
    agent, outside = exchange.phone("1021"), exchange.outside()
    place(outside, agent, DIDS["1021"])
    log = (exchange.switch.log_dir / "freeswitch.log").read_text(errors="replace")
    assert [line for line in log.splitlines() if "[CRIT]" in line and "fsgitops" in line] == []
