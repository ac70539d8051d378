"""Two domains of one real FreeSWITCH: the same extension in both registers, and rings, apart."""

from __future__ import annotations

import contextlib
import copy
import re
import shutil
from typing import TYPE_CHECKING

import pytest
from fresh_switch import run_freeswitch
from project import Project
from real_switch import switch_template
from sip_phone import SipPhone, require_sipp

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from real_switch import RealSwitch

pytestmark = pytest.mark.freeswitch

ACME = """\
<include>
  <domain name="acme.example">
    <params>
      <param name="dial-string" value="${sofia_contact(*/${dialed_user}@${dialed_domain})}"/>
    </params>
    <groups>
      <group name="acme">
        <users>
          <X-PRE-PROCESS cmd="include" data="acme/*.xml"/>
        </users>
      </group>
    </groups>
  </domain>
</include>
"""
CONTEXT = """\
<include>
  <context name="{0}">
    <X-PRE-PROCESS cmd="include" data="{0}/*.xml"/>
  </context>
</include>
"""
MORE = """\
    state_dir: {conf}/.fsgitops-acme
    tenant: acme
    inbound_context: to-acme
    places: {{directory: directory/acme, dialplan: dialplan/acme, context: acme}}
"""


@pytest.fixture(scope="module")
def shared_switch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealSwitch]:
    """A switch whose profile takes phones for those of the domain that they name."""
    template = tmp_path_factory.mktemp("template") / "conf"
    shutil.copytree(switch_template(), template)
    profile = template / "sip_profiles/internal.xml"
    forced = r'<param name="force-(?:register-domain|register-db-domain|subscription-domain)"[^>]*>'
    profile.write_text(re.sub(forced, "", profile.read_text()))
    (template / "directory/acme.xml").write_text(ACME)
    for name in ("acme", "to-acme"):
        (template / f"dialplan/{name}.xml").write_text(CONTEXT.format(name))
    yield from run_freeswitch(tmp_path_factory.mktemp("tenants"), template)


def begin(project: Project, switch: RealSwitch, more: str = "") -> Project:
    project.write("fsgitops.yaml", switch.settings(more))
    for file in (project.root / "desired").glob("*.yaml"):
        file.unlink()
    project.write("desired/agents.yaml", "agents: [{extension: 1020, name: A}]\n")
    ran = project.run("apply", "--yes", "--allow", "failing-tests")
    assert ran.code == 0, ran.out + ran.err
    return project


def test_the_same_extension_rings_the_phone_of_its_own_domain(
    shared_switch: RealSwitch, project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    require_sipp()
    monkeypatch.setenv("TEST_ESL_PASSWORD", shared_switch.esl_password)
    monkeypatch.setenv("FSGITOPS_TARGET", "real")
    acme = copy.copy(shared_switch)
    acme.domain = "acme.example"
    sides = {
        "default": (begin(project, shared_switch), shared_switch),
        "acme": (
            begin(
                Project(tmp_path / "acme", project.capsys), acme,
                MORE.format(conf=shared_switch.conf_dir),
            ),
            acme,
        ),
    }  # fmt: skip
    for called in sides:
        with contextlib.ExitStack() as stack:
            phones = {}
            for context, (side, switch) in sides.items():
                said = side.run("credentials", "1020", "--reveal", "--json").json()
                place = tmp_path / f"phone-{called}-{context}"
                phone = SipPhone(switch, place, "1020", said["password"])
                phones[context] = stack.enter_context(phone)
                phone.register()
            phones[called].answer()
            with shared_switch.esl() as esl:
                esl.api(f"bgapi originate loopback/1020/{called} &park()")
            assert phones[called].wait_answered()
            with shared_switch.esl() as esl:
                esl.api("hupall")
    for side, _ in sides.values():
        assert side.run("drift").code == 0
