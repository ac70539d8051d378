"""The reload list of a plan is what a switch is sent: by an apply, and the other way round."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from misbehaving_esl import PASSWORD, MisbehavingSwitch, swallow
from switchboard import DOMAIN

from fsgitops.errors import SwitchError
from fsgitops.live import prover
from fsgitops.sandbox.skeleton import write_skeleton

if TYPE_CHECKING:
    from project import Project

    from fsgitops.sandbox.switch import EmbeddedSwitch

SETTINGS = """\
default_region: US
targets:
  pbx: {conf_dir: conf, domain: pbx.example.com}
"""
ALICE = "agents:\n  - {extension: 1020, name: Alice}\n"
ROUTE = "did_routes:\n  - {did_number: +19495431333, destination_extension: 1020}\n"
KILLED = """
import os, signal, sys
from fsgitops import cli
from fsgitops.live.prover import SwitchProver
setattr(SwitchProver, sys.argv[1], lambda _: os.kill(os.getpid(), signal.SIGKILL))
cli.run(sys.argv[2:])
"""
STEPS = ("reloadxml", "xml_flush_cache", "sofia profile internal flush", "verto noperm")


@pytest.fixture
def pbx(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    project.write("fsgitops.yaml", SETTINGS)
    project.write("desired/agents.yaml", ALICE)
    project.write("desired/routes.yaml", "did_routes: []\n")
    monkeypatch.setenv("FSGITOPS_ESL_PASSWORD", PASSWORD)
    write_skeleton(project.root / "conf", "pbx.example.com")
    return project


def sent(project: Project, monkeypatch: pytest.MonkeyPatch, mischief=lambda *_: None) -> list[str]:
    """Return the steps that an apply sends, in their order."""
    with MisbehavingSwitch(project.root / "conf", mischief) as switch:
        monkeypatch.setenv("FSGITOPS_ESL_HOST", switch.server.host)
        monkeypatch.setenv("FSGITOPS_ESL_PORT", str(switch.server.port))
        project.run("apply", "--yes", "--target", "pbx")
    return [command for command in switch.commands if command.startswith(STEPS)]


def printed(project: Project) -> list[str]:
    reloads = project.run("plan", "--json", "--target", "pbx").json()["reloads"]
    return [step["command"] for step in reloads]


def test_what_is_printed_is_sent(pbx: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = printed(pbx)
    assert sent(pbx, monkeypatch) == listed == ["reloadxml", "xml_flush_cache"]


def test_what_is_printed_of_a_route_alone_is_sent(
    pbx: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent(pbx, monkeypatch)
    pbx.write("desired/routes.yaml", ROUTE)
    listed = printed(pbx)
    assert sent(pbx, monkeypatch) == listed == ["reloadxml"]


def test_a_roll_back_of_an_agent_flushes_the_cache_again(
    pbx: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sent(pbx, monkeypatch, swallow) == ["reloadxml", "xml_flush_cache"] * 2


def test_a_roll_back_of_a_route_alone_reloads_alone(
    pbx: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent(pbx, monkeypatch)
    pbx.write("desired/routes.yaml", ROUTE)
    assert sent(pbx, monkeypatch, swallow) == ["reloadxml", "reloadxml"]


def declare_carol(project: Project) -> None:
    text = (project.root / "desired/agents.yaml").read_text()
    project.write("desired/agents.yaml", f"{text}  - {{extension: 1022, name: Carol}}\n")


def users(switch: EmbeddedSwitch) -> list[str]:
    return [one.user for one in switch.registrations]


def test_a_phone_of_an_agent_that_is_rolled_back_is_registered_no_longer(
    project: Project, switch: EmbeddedSwitch, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: object) -> None:
        switch.add_registration("1020", DOMAIN)
        switch.add_registration("1022", DOMAIN)
        raise SwitchError("it holds something else")

    declare_carol(project)
    monkeypatch.setattr(prover.SwitchProver, "prove", refuse)
    ran = project.run("apply", "--yes")
    assert (ran.code, "the switch has loaded them again" in ran.err) == (5, True), ran.err
    assert users(switch) == ["1020"]


def apply_killed_at(name: str, project: Project, *words: str) -> None:
    """Apply in a process that is killed where it asks the prover for this."""
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, name, "-C", str(project.root), "apply", "--yes", *words],
        capture_output=True,
        text=True,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr


def test_a_phone_of_an_agent_whose_apply_was_killed_is_registered_no_longer(
    project: Project, switch: EmbeddedSwitch
) -> None:
    declare_carol(project)
    apply_killed_at("prove", project)
    switch.add_registration("1020", DOMAIN)
    switch.add_registration("1022", DOMAIN)
    ran = project.run("plan")
    assert "the switch has loaded the restored files" in ran.err, ran.err
    assert users(switch) == ["1020"]


def leave_bob_out(project: Project) -> None:
    text = (project.root / "desired/agents.yaml").read_text()
    kept = [line for line in text.splitlines() if "1021" not in line]
    project.write("desired/agents.yaml", "\n".join([*kept, ""]))


@pytest.mark.parametrize("earlier", [False, True], ids=["now", "written before"])
def test_a_phone_of_a_deleted_agent_is_registered_no_longer_when_the_apply_is_killed_at_the_end(
    project: Project, switch: EmbeddedSwitch, earlier: bool
) -> None:
    switch.add_registration("1020", DOMAIN)
    switch.add_registration("1021", DOMAIN)
    leave_bob_out(project)
    if earlier:
        assert project.run("apply", "--yes", "--no-reload").code == 0
    apply_killed_at("finish", project)
    assert users(switch) == ["1020", "1021"]
    assert "an interrupted apply has been finished" in project.run("plan").err
    assert users(switch) == ["1020"]


@pytest.mark.parametrize("kick", [True, False], ids=["kick", "no kick"])
def test_an_apply_that_is_killed_at_the_end_kicks_later_whom_it_was_told_to(
    project: Project, switch: EmbeddedSwitch, kick: bool
) -> None:
    switch.add_registration("1020", DOMAIN)
    switch.add_registration("1021", DOMAIN)
    text = (project.root / "desired/agents.yaml").read_text()
    project.write("desired/agents.yaml", text.replace("1021,", "1021, password_version: 2,"))
    apply_killed_at("finish", project, *(["--kick-rotated"] if kick else []))
    assert users(switch) == ["1020", "1021"]
    assert "an interrupted apply has been finished" in project.run("plan").err
    assert users(switch) == (["1020"] if kick else ["1020", "1021"])


def test_where_the_switch_is_away_a_killed_apply_says_whose_phone_goes_on_and_what_to_run(
    pbx: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent(pbx, monkeypatch)
    pbx.write("desired/agents.yaml", ALICE.replace("Alice", "Alice, password_version: 2"))
    with MisbehavingSwitch(pbx.root / "conf", lambda *_: None) as switch:
        monkeypatch.setenv("FSGITOPS_ESL_PORT", str(switch.server.port))
        apply_killed_at("finish", pbx, "--kick-rotated", "--target", "pbx")
    told = pbx.run("plan", "--target", "pbx").err
    assert "phones that are registered as 1020 may go on" in told
    assert "flush_inbound_reg EXT@DOMAIN" in told
