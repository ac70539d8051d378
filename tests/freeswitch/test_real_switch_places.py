"""A tree with other folders, groups and contexts is taken over on a real FreeSWITCH as it is."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from fresh_switch import run_freeswitch
from phones_and_carrier import agent, until
from project import Project
from real_switch import switch_template
from sip_phone import SipPhone, require_sipp

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from real_switch import RealSwitch

pytestmark = pytest.mark.freeswitch

DIRECTORY = """\
<include>
  <domain name="$${domain}">
    <params>
      <param name="dial-string" value="${sofia_contact(*/${dialed_user}@${dialed_domain})}"/>
    </params>
    <groups>
      <group name="team">
        <users>
          <X-PRE-PROCESS cmd="include" data="team/*.xml"/>
        </users>
      </group>
      <group name="friends">
        <users>
          <X-PRE-PROCESS cmd="include" data="friends/*.xml"/>
        </users>
      </group>
    </groups>
  </domain>
</include>
"""
CONTEXT = """\
<include>
  <context name="team">
    <extension name="team">
      <condition field="destination_number" expression="^(20\\d\\d\\d)$">
        <action application="bridge" data="user/$1@${domain_name}"/>
      </condition>
    </extension>
  </context>
</include>
"""


@pytest.fixture(scope="module")
def teams(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealSwitch]:
    """A switch whose directory has two groups, and whose agents dial in a context of their own."""
    template = tmp_path_factory.mktemp("template") / "conf"
    shutil.copytree(switch_template(), template)
    for name in ("default.xml", "public.xml"):
        (template / "dialplan" / name).unlink()
        shutil.rmtree(template / "dialplan" / name.removesuffix(".xml"))
    shutil.rmtree(template / "directory/default")
    (template / "directory/default.xml").write_text(DIRECTORY)
    (template / "dialplan/team.xml").write_text(CONTEXT)
    yield from run_freeswitch(tmp_path_factory.mktemp("teams"), template)


@pytest.fixture
def found(teams: RealSwitch, project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project that `init --from` began, with an agent."""
    monkeypatch.setenv("FSGITOPS_ESL_PASSWORD", teams.esl_password)
    monkeypatch.setenv("FSGITOPS_TARGET", "prod")
    new = Project(project.root.parent / "new", project.capsys)
    ran = project.run("init", str(new.root), "--ci", "none", "--from", str(teams.conf_dir))
    assert ran.code == 0, ran.err
    new.write("desired/agents.yaml", "agents:\n  - {extension: 20001, name: Ana, groups: [team]}\n")
    return new


def test_what_a_plan_says_to_include_is_all_that_is_missing(
    teams: RealSwitch, found: Project, tmp_path: Path
) -> None:
    """The agent registers, and rings in the context that the tree has."""
    require_sipp()
    out = found.run("plan").out
    line = '<X-PRE-PROCESS cmd="include" data="team/*.xml"/>'
    assert f"put {line} into the context `team` in dialplan/team.xml" in out
    file = teams.conf_dir / "dialplan/team.xml"
    file.write_text(CONTEXT.replace("  </context>", f"    {line}\n  </context>"))
    ran = found.run("apply", "--yes")
    assert ran.code == 0, ran.out + ran.err
    assert (teams.conf_dir / "directory/team/20001.xml").is_file()
    assert found.run("drift").code == 0
    password = found.run("credentials", "20001", "--reveal", "--json").json()["password"]
    with SipPhone(teams, tmp_path / "phone", "20001", password) as phone:
        phone.register()
        until(lambda: agent(found, "20001")["registered"])
        phone.answer()
        with teams.esl() as esl:
            esl.api("bgapi originate loopback/20001/team &park()")
        assert phone.wait_answered()
