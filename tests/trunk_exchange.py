"""A real FreeSWITCH with a trunk of the test's own, and agents whose phones the test plays.

The trunk takes what the gateway dials; hand-written routes lead there for the toll words local
(7 digits), domestic (11) and international (011...), as the stock ones do.
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
from sip_peer import Dialogue, SipPeer

from fsgitops.cli import run
from fsgitops.secret.key import ProjectKey, derive_sip_password

if TYPE_CHECKING:
    from collections.abc import Iterator

ABROAD = "0118765551234"
LOCAL = "5551234"
ATTEMPTS = 20_000
"""Looks at the switch, each of which ends by itself: its own tables are a moment behind."""

DIDS = {"1005": "19495431305", "1021": "19495431321", "1022": "19495431322", "1023": "19495431323"}

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


def run_exchange(folder: Path, template: Path) -> Iterator[Exchange]:
    """Yield a started switch that the agents and routes above were applied to, or skip."""
    binary = os.environ.get("FSGITOPS_TEST_FREESWITCH")
    if not binary:
        pytest.skip("FSGITOPS_TEST_FREESWITCH does not name a FreeSWITCH binary")
    one = SwitchWithTrunk(Path(binary), folder / "fs", template)
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
    top = f"default_caller_id: +{DIDS['1021']}\n"
    settings = switch.settings("    dial: {gateway: trunk}\n", top=top)
    (root / "fsgitops.yaml").write_text(settings)
    routes = [
        f"  - {{did_number: +{number}, destination_extension: {extension}}}\n"
        for extension, number in DIDS.items()
    ]
    (root / "desired" / "all.yaml").write_text(AGENTS + "".join(routes))


def lend(exchange: Exchange) -> Iterator[Exchange]:
    """Yield the exchange, and afterwards end every call and forget every phone."""
    yield exchange
    with exchange.switch.esl() as esl:
        esl.api("hupall")
        for _ in range(ATTEMPTS):
            if esl.api("show channels count").strip() == "0 total.":
                break
    for peer in exchange.peers:
        peer.__exit__()
    exchange.peers.clear()
    exchange.trunk.seen.clear()


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
