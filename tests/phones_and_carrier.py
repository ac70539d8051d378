"""A project on a real FreeSWITCH, and the phones of its agents and a carrier, which sipp plays."""

from __future__ import annotations

import contextlib
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from project import Project
from real_switch import RealSwitch, free_ports
from sip_phone import SipPhone, require_sipp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SETTINGS = """\
project: test
default_region: US
default_caller_id: +19495431334
targets:
  real:
    conf_dir: {conf_dir}
    domain: {domain}
    esl: {{host: {host}, port: {port}, password: {{env: TEST_ESL_PASSWORD}}}}
    dial: {{gateway: test_carrier, timeout: 15}}
"""
AGENTS = """\
agents:
  - {extension: 1020, name: "Zoë O'Brien, {x}", caller_id_number: +19495431333}
  - {extension: 1021, name: Bob}
"""
ROUTES = """\
did_routes:
  - {did_number: +19495431333, destination_extension: 1020}
  - {did_number: +19495431334, destination_extension: 1021}
"""
GATEWAY = """\
<include>
  <gateway name="test_carrier">
    <param name="proxy" value="127.0.0.1:{port}"/>
    <param name="username" value="none"/>
    <param name="password" value="none"/>
    <param name="register" value="false"/>
    <param name="caller-id-in-from" value="true"/>
  </gateway>
</include>
"""
ATTEMPTS = 400


def play_carrier(freeswitch: RealSwitch, folder: Path) -> Iterator[SipPhone]:
    """Yield a carrier that the switch has a gateway to, `test_carrier`."""
    require_sipp()
    port = free_ports(1)[0]
    file = freeswitch.conf_dir / "sip_profiles/external/test_carrier.xml"
    file.write_text(GATEWAY.format(port=port))
    with freeswitch.esl() as esl:
        esl.api("sofia profile external rescan")
    with SipPhone(freeswitch, folder, "carrier", "", port) as far:
        yield far
    file.unlink()
    with freeswitch.esl() as esl:
        esl.api("sofia profile external killgw test_carrier")


def apply_to_switch(
    project: Project, freeswitch: RealSwitch, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Project]:
    """Yield a project with two agents that is applied; afterwards nothing of it is left."""
    monkeypatch.setenv("TEST_ESL_PASSWORD", freeswitch.esl_password)
    monkeypatch.setenv("FSGITOPS_TARGET", "real")
    text = SETTINGS.format(
        conf_dir=freeswitch.conf_dir,
        domain=freeswitch.domain,
        host=freeswitch.esl_host,
        port=freeswitch.esl_port,
    )
    project.write("fsgitops.yaml", text)
    project.write("desired/agents.yaml", AGENTS)
    project.write("desired/routes.yaml", ROUTES)
    ran = project.run("apply", "--yes")
    assert ran.code == 0, ran.err
    yield project
    with freeswitch.esl() as esl:
        esl.api("hupall")
    for extension in ("1020", "1021"):
        project.run("kick", extension)
    for path in (project.root / "desired").iterdir():
        path.unlink()
    gone = project.run("apply", "--yes", "--allow", "empty", "--allow", "calls")
    assert gone.code == 0, gone.err
    shutil.rmtree(freeswitch.conf_dir / ".fsgitops")


def make_phones(
    real: Project, freeswitch: RealSwitch, folder: Path
) -> Iterator[Callable[[str], SipPhone]]:
    """Yield what makes a registered phone of an agent, which answers one call."""
    with contextlib.ExitStack() as stack:

        def make(extension: str) -> SipPhone:
            require_sipp()
            secret = real.run("credentials", extension, "--reveal", "--json").json()["password"]
            place = folder / f"phone-{extension}"
            phone = stack.enter_context(SipPhone(freeswitch, place, extension, secret))
            phone.register()
            until(lambda: agent(real, extension)["registered"])
            return phone.answer()

        yield make


def until(met: Callable[[], Any]) -> Any:
    """Ask again and again, a bounded number of times: each asking takes its time."""
    for _ in range(ATTEMPTS):
        found = met()
        if found:
            return found
    raise AssertionError("it never came to that")


def agent(real: Project, extension: str) -> dict[str, Any]:
    found: dict[str, Any] = real.run("status", extension, "--json").json()["agents"][0]
    return found


def calls(real: Project) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = real.run("calls", "--json").json()["calls"]
    return found


def up(real: Project, legs: int = 2) -> dict[str, Any] | None:
    found = calls(real)
    if len(found) == 1 and len(found[0]["legs"]) == legs and found[0]["state"] == "ACTIVE":
        return found[0]
    return None


def change_gateway(real: Project, name: str) -> None:
    text = (real.root / "fsgitops.yaml").read_text()
    real.write("fsgitops.yaml", text.replace("gateway: test_carrier", f"gateway: {name}"))
