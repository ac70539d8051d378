"""A deleted agent's mod_verto session can do nothing any more, on a real FreeSWITCH."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from project import Project
from real_switch import RealSwitch, free_ports
from verto_client import VertoClient

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.freeswitch

VERTO = """\
<configuration name="verto.conf">
  <profiles>
    <profile name="office">
      <param name="bind-local" value="127.0.0.1:{port}"/>
      <param name="force-register-domain" value="$${{domain}}"/>
      <param name="userauth" value="true"/>
      <param name="rtp-ip" value="127.0.0.1"/>
      <param name="apply-candidate-acl" value="any_v4.auto"/>
      <param name="outbound-codec-string" value="PCMU"/>
      <param name="inbound-codec-string" value="PCMU"/>
    </profile>
  </profiles>
</configuration>
"""
STAYS = "agents:\n  - {extension: 1026, name: Stays}\n"
BOTH = STAYS + "  - {extension: 1025, name: Goes}\n"


class SwitchWithVerto(RealSwitch):
    """Stock, with mod_verto on a port of its own."""

    verto_port = 0

    def prepare(self) -> None:
        super().prepare()
        (self.verto_port,) = free_ports(1)
        path = self.conf_dir / "autoload_configs" / "verto.conf.xml"
        path.write_text(VERTO.format(port=self.verto_port))


@pytest.fixture
def switch(shared: Path, tmp_path: Path) -> Iterator[SwitchWithVerto]:
    binary = os.environ.get("FSGITOPS_TEST_FREESWITCH")
    if not binary:
        pytest.skip("FSGITOPS_TEST_FREESWITCH does not name a FreeSWITCH binary")
    one = SwitchWithVerto(Path(binary), tmp_path / "fs", shared / "freeswitch-conf" / "vanilla")
    try:
        one.start()
        with one.esl() as esl:
            if esl.api("module_exists mod_verto") != "true":
                pytest.skip("this FreeSWITCH has no mod_verto")
        yield one
    finally:
        one.stop()


def log_in(project: Project, switch: SwitchWithVerto, extension: str) -> VertoClient:
    revealed = project.run("credentials", extension, "--reveal", "--json").json()
    client = VertoClient(switch.verto_port)
    answer = client.log_in(f"{extension}@{switch.domain}", revealed["password"])
    assert answer["result"]["message"] == "logged in", answer
    return client


def test_a_deleted_agents_session_can_do_nothing_any_more(
    switch: SwitchWithVerto, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_ESL_PASSWORD", switch.esl_password)
    monkeypatch.setenv("FSGITOPS_TARGET", "real")
    project.write("fsgitops.yaml", switch.settings())
    project.write("desired/routes.yaml", "")
    project.write("desired/agents.yaml", BOTH)
    assert project.run("apply", "--yes").code == 0
    with log_in(project, switch, "1025") as goes, log_in(project, switch, "1026") as stays:
        assert "mod_verto" in project.run("status", "1025").out
        project.write("desired/agents.yaml", STAYS)
        assert "verto noperm SESSION methods verto" in project.run("plan").out
        ran = project.run("apply", "--yes")
        assert "mod_verto sessions that can do nothing any more: 1" in ran.out, ran.err
        refused = goes.call(f"1025@{switch.domain}", "9664")
        assert "Permission Denied" in refused["error"]["message"]
        assert "error" in goes.ask("verto.ping", {})
        assert "error" in goes.log_in(f"1025@{switch.domain}", "anything")
        assert "error" in goes.call(f"1025@{switch.domain}", "9664")
        called = stays.call(f"1026@{switch.domain}", "9664")
        assert called["result"]["message"] == "CALL CREATED"
        said = project.run("status").out
        assert f"mod_verto has a session of 1025@{switch.domain} from 127.0.0.1:" in said
        assert project.run("kick", "1026").code == 0
        assert "error" in stays.call(f"1026@{switch.domain}", "9664")
    gone = project.run("transfer", "no-such-call", "1026").err
    assert "agent 1026 is not registered and has no mailbox" in gone
    with log_in(project, switch, "1026") as again:
        # With a session only, what is missing is the call.
        assert "no call no-such-call" in project.run("transfer", "no-such-call", "1026").err
        assert again.call(f"1026@{switch.domain}", "9664")["result"]["message"] == "CALL CREATED"
