"""A project on a real FreeSWITCH, with phones of its agents and a carrier that sipp plays."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest
from phones_and_carrier import GATEWAY, agent, until
from real_switch import RealSwitch, free_ports
from sip_phone import SipPhone, require_sipp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from project import Project

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


@pytest.fixture
def carrier(freeswitch: RealSwitch, tmp_path: Path) -> Iterator[SipPhone]:
    """A carrier that the switch has a gateway to, `test_carrier`."""
    require_sipp()
    port = free_ports(1)[0]
    file = freeswitch.conf_dir / "sip_profiles/external/test_carrier.xml"
    file.write_text(GATEWAY.format(port=port))
    with freeswitch.esl() as esl:
        esl.api("sofia profile external rescan")
    with SipPhone(freeswitch, tmp_path / "carrier", "carrier", "", port) as far:
        yield far
    file.unlink()
    with freeswitch.esl() as esl:
        esl.api("sofia profile external killgw test_carrier")


@pytest.fixture
def real(on_real_switch: Project, freeswitch: RealSwitch) -> Iterator[Project]:
    """A project with two agents that is applied; afterwards nobody is on the phone."""
    settings = freeswitch.settings(
        "    dial: {gateway: test_carrier, timeout: 15}\n",
        top="default_caller_id: +19495431334\n",
    )
    on_real_switch.write("fsgitops.yaml", settings)
    on_real_switch.write("desired/agents.yaml", AGENTS)
    on_real_switch.write("desired/routes.yaml", ROUTES)
    ran = on_real_switch.run("apply", "--yes")
    assert ran.code == 0, ran.err
    yield on_real_switch
    with freeswitch.esl() as esl:
        esl.api("hupall")
    for extension in ("1020", "1021"):
        on_real_switch.run("kick", extension)


@pytest.fixture
def phones(
    real: Project, freeswitch: RealSwitch, tmp_path: Path
) -> Iterator[Callable[[str], SipPhone]]:
    """What makes a registered phone of an agent, which answers one call."""
    with contextlib.ExitStack() as stack:

        def make(extension: str) -> SipPhone:
            require_sipp()
            secret = real.run("credentials", extension, "--reveal", "--json").json()["password"]
            place = tmp_path / f"phone-{extension}"
            phone = stack.enter_context(SipPhone(freeswitch, place, extension, secret))
            phone.register()
            until(lambda: agent(real, extension)["registered"])
            return phone.answer()

        yield make
