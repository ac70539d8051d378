"""Who may send whose call where: REFER, 302 and transfers with consultation on a real FreeSWITCH.

A trunk of the test's own takes what the gateway dials; hand-written routes lead there for the toll
words local (7 digits), domestic (11) and international (011...), as the stock ones do.
"""

from __future__ import annotations

import base64
import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from project import KEY
from real_switch import RealSwitch
from sip_peer import Dialogue, Message, SipPeer
from sip_phone import CallFailedError

from fsgitops.cli import run
from fsgitops.secret import ProjectKey
from fsgitops.secret.derive import derive_sip_password

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.freeswitch

ABROAD = "0118765551234"
LOCAL = "5551234"
CODES = ["5000", "*98", "fsgitops_closed", "fsgitops_mover", "1021 XML default"]
ATTEMPTS = 20_000
"""Looks at the switch, each of which ends by itself: its own tables are a moment behind."""

DIDS = {"1005": "19495431305", "1021": "19495431321", "1022": "19495431322", "1023": "19495431323"}

SETTINGS = """\
project: test
default_region: US
default_caller_id: +19495431321
targets:
  real:
    conf_dir: {conf_dir}
    domain: {domain}
    esl: {{host: {host}, port: {port}, password: {{env: TEST_ESL_PASSWORD}}}}
    dial: {{gateway: trunk}}
"""
AGENTS = """\
agents:
  - {extension: 1005, name: Stock, toll_allow: [local, domestic, international]}
  - {extension: 1021, name: Alice, toll_allow: [local, domestic, international]}
  - {extension: 1022, name: Bob, toll_allow: [local]}
  - {extension: 1023, name: Cy, toll_allow: [local], phone_forwarding: true}
did_routes:
"""
GATEWAY = """\
<include>
  <gateway name="trunk">
    <param name="username" value="account"/>
    <param name="password" value="none"/>
    <param name="proxy" value="127.0.0.1:{port}"/>
    <param name="register" value="false"/>
  </gateway>
</include>
"""
ROUTE = """\
  <extension name="out_{word}">
    <condition field="${{toll_allow}}" expression="(?:^|,){word}(?:,|$)"/>
    <condition field="destination_number" expression="^({digits})$">
      <action application="set" data="hangup_after_bridge=true"/>
      <action application="bridge" data="sofia/gateway/trunk/$1"/>
    </condition>
  </extension>
"""
ROUTES = {"local": r"\d{7}", "domestic": r"\d{11}", "international": r"011\d+"}


class SwitchWithTrunk(RealSwitch):
    """Stock, with a gateway of the test's own and routes to it; 1005 is nobody's yet."""

    trunk_port = 0

    def prepare(self) -> None:
        super().prepare()
        (self.conf_dir / "directory" / "default" / "1005.xml").unlink()
        gateway = self.conf_dir / "sip_profiles" / "external" / "trunk.xml"
        gateway.write_text(GATEWAY.format(port=self.trunk_port))
        routes = "".join(ROUTE.format(word=word, digits=digits) for word, digits in ROUTES.items())
        out = self.conf_dir / "dialplan" / "default" / "00_out.xml"
        out.write_text(f"<include>\n{routes}</include>\n")


@dataclass
class Exchange:
    """The switch, its trunk, and the agents' phones, each registered when it is asked for."""

    switch: RealSwitch
    trunk: SipPeer
    peers: list[SipPeer]
    root: Path

    def run(self, *words: str) -> None:
        """Run a command as an operator does, on this switch."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("TEST_ESL_PASSWORD", self.switch.esl_password)
            patch.setenv("FSGITOPS_KEY", KEY)
            assert run(["-C", str(self.root), "--target", "real", *words]) == 0

    def phone(self, extension: str) -> SipPeer:
        key = ProjectKey(base64.b64decode(KEY))
        password = derive_sip_password(key, extension, self.switch.domain, 1).reveal()
        return self._register(extension, password)

    def hand_written(self, extension: str) -> SipPeer:
        """Register as a user of the stock directory, which fsgitops does not manage."""
        with self.switch.esl() as esl:
            password = esl.api("global_getvar default_password").strip()
        return self._register(extension, password)

    def _register(self, extension: str, password: str) -> SipPeer:
        peer = SipPeer(self.switch, extension, password)
        self.peers.append(peer)
        peer.register()
        return peer

    def outside(self) -> SipPeer:
        peer = SipPeer(self.switch, "15550199999")
        self.peers.append(peer)
        return peer

    def dialled(self) -> int:
        """How many calls the switch has tried to make by the gateway."""
        with self.switch.esl() as esl:
            answer = esl.api("sofia xmlstatus gateway trunk")
        counts = (answer.partition(f"<{name}>")[2] for name in ("calls-out", "failed-calls-out"))
        return sum(int(text.partition("<")[0]) for text in counts)


@pytest.fixture(scope="module")
def switch(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exchange]:
    """A switch that the agents and routes above were applied to."""
    binary = os.environ.get("FSGITOPS_TEST_FREESWITCH")
    if not binary:
        pytest.skip("FSGITOPS_TEST_FREESWITCH does not name a FreeSWITCH binary")
    folder = tmp_path_factory.mktemp("transfers")
    one = SwitchWithTrunk(Path(binary), folder / "fs", shared / "freeswitch-conf" / "vanilla")
    with SipPeer(one, "trunk") as trunk:
        one.trunk_port = trunk.port
        try:
            one.start()
            declare(one, folder / "project")
            made = Exchange(one, trunk, [], folder / "project")
            made.run("apply", "--yes")
            yield made
        finally:
            one.stop()


def declare(switch: RealSwitch, root: Path) -> None:
    (root / "desired").mkdir(parents=True)
    place = {"conf_dir": switch.conf_dir, "domain": switch.domain}
    settings = SETTINGS.format(host=switch.esl_host, port=switch.esl_port, **place)
    (root / "fsgitops.yaml").write_text(settings)
    routes = [
        f"  - {{did_number: +{number}, destination_extension: {extension}}}\n"
        for extension, number in DIDS.items()
    ]
    (root / "desired" / "all.yaml").write_text(AGENTS + "".join(routes))


@pytest.fixture
def exchange(switch: Exchange) -> Iterator[Exchange]:
    yield switch
    with switch.switch.esl() as esl:
        esl.api("hupall")
        for _ in range(ATTEMPTS):
            if esl.api("show channels count").strip() == "0 total.":
                break
    for peer in switch.peers:
        peer.__exit__()
    switch.peers.clear()
    switch.trunk.seen.clear()


def place(caller: SipPeer, called: SipPeer, number: str) -> tuple[Dialogue, Dialogue]:
    """Call a number that rings `called`, who answers; return both ends' dialogues."""
    with ThreadPoolExecutor(1) as pool:
        taken = pool.submit(called.answer)
        ends = caller.call(number), taken.result()
    await_joined(caller.switch, *ends)
    return ends


def await_joined(switch: RealSwitch, one: Dialogue, other: Dialogue) -> None:
    """Ask until the switch has joined two legs: it does so after the phone was answered."""
    with switch.esl() as esl:
        for _ in range(ATTEMPTS):
            rows = json.loads(esl.api("show channels as json")).get("rows", [])
            legs = {esl.api(f"uuid_getvar {row['uuid']} sip_call_id"): row["uuid"] for row in rows}
            if one.call_id in legs and other.call_id in legs:
                joined = esl.api(f"uuid_getvar {legs[one.call_id]} last_bridge_to")
                if joined == legs[other.call_id]:
                    return
    raise AssertionError("never joined")


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
