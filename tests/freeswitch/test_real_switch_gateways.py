"""Gateways on a real FreeSWITCH, and a provider that holds registrations and takes calls."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from fresh_switch import run_freeswitch
from phones_and_carrier import until
from project import KEY
from real_switch import RealSwitch
from sip_registrar import Registrar

from fsgitops.cli import run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.freeswitch

ALLOWED = ("--allow", "gateway-restart", "--allow", "empty", "--allow", "deletes")
AGENTS = """\
agents: [{extension: 1021, name: Alice}]
did_routes: [{did_number: +19495431321, destination_extension: 1021}]
"""
TRUNK = """\
gateways:
  - name: carrier
    proxy: 127.0.0.1:PORT
    username: acme
    password: {env: CARRIER}
    realm: provider.example
    expire_seconds: EXPIRES
"""


class Site:
    """A project on the switch, and the provider that its gateway registers at."""

    def __init__(self, switch: RealSwitch, root: Path, registrar: Registrar, capsys: Any) -> None:
        self.switch, self.root, self.registrar, self._capsys = switch, root, registrar, capsys
        (root / "desired").mkdir(parents=True)
        (root / "fsgitops.yaml").write_text(switch.settings())
        (root / "desired" / "agents.yaml").write_text(AGENTS)

    def declare(self, *more: str, expires: int = 20) -> None:
        lines = "".join(f"    {line}\n" for line in more)
        text = TRUNK.replace("PORT", str(self.registrar.port)) + lines
        text = text.replace("EXPIRES", str(expires))
        (self.root / "desired" / "gateways.yaml").write_text(text)

    def run(self, *words: str) -> str:
        self._capsys.readouterr()
        code = run(["-C", str(self.root), "--target", "real", *words])
        said = self._capsys.readouterr()
        assert code == 0, said.err
        out: str = said.out
        return out

    def is_registered(self) -> bool:
        (gateway,) = json.loads(self.run("status", "--json"))["gateways"]
        assert gateway["memory"] == "match"
        return bool(gateway["up"] and gateway["registered"])


@pytest.fixture(scope="module")
def switch(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealSwitch]:
    template = shared / "freeswitch-conf" / "vanilla"
    yield from run_freeswitch(tmp_path_factory.mktemp("gateways"), template)


@pytest.fixture
def site(
    switch: RealSwitch,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Site]:
    monkeypatch.setenv("TEST_ESL_PASSWORD", switch.esl_password)
    monkeypatch.setenv("FSGITOPS_KEY", KEY)
    monkeypatch.setenv("CARRIER", "first & <word>")
    with Registrar(passwords={"acme": "first & <word>"}) as registrar:
        made = Site(switch, tmp_path / "project", registrar, capsys)
        yield made
        for file in (made.root / "desired").iterdir():
            file.unlink()
        made.run("apply", "--yes", "--allow", "calls", *ALLOWED)


def register(site: Site, expires: int = 20) -> None:
    site.declare(expires=expires)
    site.run("apply", "--yes")
    site.registrar.wait(lambda: site.registrar.holds("acme"))
    until(site.is_registered)


def test_it_registers_once_it_is_applied(site: Site) -> None:
    register(site)
    assert [item.expires for item in site.registrar.registered] == [20]


def test_another_password_is_used_and_its_registration_outlives_that_of_the_former_one(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The provider holds what comes after, and still does after it expired twice."""
    register(site, expires=8)
    provider = site.registrar
    provider.passwords["acme"] = "second;word"
    monkeypatch.setenv("CARRIER", "second;word")
    before = len(provider.registered)
    site.run("apply", "--yes", *ALLOWED)
    provider.wait(lambda: len(provider.registered) >= before + 1 and provider.holds("acme"))
    refreshed = len(provider.registered) + 2
    provider.wait(lambda: len(provider.registered) >= refreshed)
    assert provider.holds("acme")
    assert 0 not in [item.expires for item in provider.registered[-3:]]
    until(site.is_registered)


def test_a_former_gateway_unregisters_before_the_new_one_registers(site: Site) -> None:
    register(site)
    site.declare("ping: 20")
    site.run("apply", "--yes", *ALLOWED)
    seen = site.registrar.registered
    site.registrar.wait(lambda: 0 in [item.expires for item in seen] and seen[-1].expires)
    assert [item.expires for item in seen].count(0) == 1
    assert site.registrar.holds("acme")


def test_a_call_over_a_gateway_that_changes_is_counted_and_goes_on(site: Site) -> None:
    register(site)
    with site.switch.esl() as esl:
        said = esl.api("originate sofia/gateway/carrier/+12025550123 &park()")
        assert said.startswith("+OK "), said
        uuid = said.removeprefix("+OK ").strip()
        site.declare("ping: 20")
        plan = json.loads(site.run("plan", "--live", "--json"))
        assert plan["activity"]["agents"] == [
            {"resource": "gateway:carrier", "registrations": 1, "calls": 1}
        ]
        site.run("apply", "--yes", *ALLOWED)
        assert esl.api(f"uuid_exists {uuid}") == "true"
        assert site.registrar.count("BYE") == 0
        assert esl.api(f"uuid_kill {uuid}").startswith("+OK")
    site.registrar.wait(lambda: site.registrar.count("BYE") == 1)


def test_what_is_deleted_unregisters_and_a_roll_back_registers_it_again(site: Site) -> None:
    register(site)
    (site.root / "desired" / "gateways.yaml").unlink()
    site.run("apply", "--yes", *ALLOWED)
    site.registrar.wait(lambda: not site.registrar.holds("acme"))
    with site.switch.esl() as esl:
        assert "carrier" not in esl.api("sofia status gateway")
    site.run("rollback", "--yes", *ALLOWED)
    site.registrar.wait(lambda: site.registrar.holds("acme"))


def test_a_failed_apply_registers_again_as_it_was_before(site: Site) -> None:
    """The profile has no TLS, so it leaves such a gateway out: only its log says so."""
    register(site)
    site.declare("transport: tls")
    with pytest.raises(AssertionError, match="does not run it"):
        site.run("apply", "--yes", *ALLOWED)
    site.registrar.wait(lambda: site.registrar.holds("acme"))
    site.declare()
    until(site.is_registered)


def test_a_call_to_its_account_comes_to_the_number_that_is_in_to(site: Site) -> None:
    register(site)
    with site.switch.esl() as esl:
        esl.command("event json CHANNEL_HANGUP_COMPLETE")
        site.registrar.call("acme", "19495431321")
        ended = json.loads(esl.read().body)
    assert ended["variable_sip_gateway"] == "carrier"
    assert ended["Caller-Destination-Number"] == "1021"
