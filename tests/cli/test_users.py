"""Agents whose phones register by a name: all else goes by the extension that is dialled."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from switchboard import DOMAIN, serve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from project import Project

    from fsgitops.sandbox.switch import EmbeddedSwitch

NAMED = """\
agents:
  - {extension: 2000, name: Reception, user: reception, voicemail: true}
  - {extension: 2001, name: Bob}
"""
ROUTES = "did_routes:\n  - {did_number: +19495431333, destination_extension: 2000}\n"


@pytest.fixture(params=["files", "sharded"])
def named(project: Project, request: pytest.FixtureRequest) -> Project:
    project.write("fsgitops.yaml", f"default_region: US\nlayout: {request.param}\n")
    project.write("desired/agents.yaml", NAMED)
    project.write("desired/routes.yaml", ROUTES)
    project.prepare("apply", "--yes")
    return project


@pytest.fixture
def switch(named: Project) -> Iterator[EmbeddedSwitch]:
    with serve(named) as running:
        running.add_registration("reception", DOMAIN)
        yield running


def files(project: Project) -> str:
    return "".join(path.read_text() for path in project.conf.glob("directory/*/*.xml"))


def test_what_was_applied_is_as_declared_and_no_drift(named: Project) -> None:
    assert '<user id="reception" number-alias="2000">' in files(named)
    assert '<user id="2001">' in files(named)
    assert "No changes" in named.run("plan").out
    assert named.run("drift").code == 0
    status = named.run("status", "--json").json()["agents"]
    assert [(one["user"], one["memory"]) for one in status] == [
        ("reception", "match"),
        ("2001", "match"),
    ]


def test_drift_tells_the_extension_of_a_user_who_was_edited(named: Project) -> None:
    (path,) = (
        path for path in named.conf.glob("directory/*/*.xml") if "reception" in path.read_text()
    )
    path.write_text(path.read_text().replace('value="Reception"', 'value="Nobody"', 1))
    ran = named.run("drift")
    assert (ran.code, "agent 2000" in ran.out) == (2, True), ran.out


def test_a_call_to_the_number_rings_the_phone_of_the_name(
    named: Project, switch: EmbeddedSwitch
) -> None:
    ran = named.run("sandbox", "--call", "+19495431333")
    assert ran.code == 0, ran.err
    (call,) = named.run("calls", "--json").json()["calls"]
    assert call["agents"] == ["2000"]
    (leg,) = (leg for leg in switch.memory.legs if leg.direction == "outbound")
    assert leg.presence == f"reception@{DOMAIN}"


def test_a_trace_names_the_number_and_knows_who_is_registered(named: Project) -> None:
    assert "It rings 2000" in named.run("trace", "2000", "--as", "2001").out
    assert "It rings 2000" in named.run("trace", "2000", "--as", "2001", "--registered", "2000").out
    out = named.run("trace", "2000", "--as", "2001", "--registered", "2001").out
    assert "no phone of 2000 is registered" in out
    assert "It leaves a message for 2000" in out


def test_a_kick_ends_what_is_registered_as_the_name(named: Project, switch: EmbeddedSwitch) -> None:
    switch.add_registration("2001", DOMAIN)
    ended = named.run("kick", "2000", "--json").json()["ended"]
    assert [one["user"] for one in ended] == ["reception"]
    left = named.run("registrations", "--json").json()["registrations"]
    assert [one["user"] for one in left] == ["2001"]


def test_an_agent_with_a_name_can_be_dialled_and_dials(
    named: Project, switch: EmbeddedSwitch
) -> None:
    ran = named.run("dial", "2000", "2001")
    assert "agent 2001 is not registered" in ran.err
    switch.add_registration("2001", DOMAIN)
    ran = named.run("dial", "2000", "2001", "--json")
    assert (ran.code, ran.json()["caller_id_number"]) == (0, "2000"), ran.err
    (call,) = named.run("calls", "--json").json()["calls"]
    assert sorted(call["agents"]) == ["2000", "2001"]


def test_who_is_deleted_is_asked_about_and_ended_under_the_name(
    named: Project, switch: EmbeddedSwitch
) -> None:
    assert switch.memory.registrations
    named.write("desired/agents.yaml", "agents:\n  - {extension: 2001, name: Bob}\n")
    (named.root / "desired/routes.yaml").unlink()
    ran = named.run("apply", "--yes")
    assert (ran.code, f"flush_inbound_reg reception@{DOMAIN}" in ran.out) == (0, True), ran.err
    assert "agent 2000 now: 1 registration" in ran.out
    assert not switch.memory.registrations


def test_another_user_is_told_to_people_and_ends_the_former_registration(
    named: Project, switch: EmbeddedSwitch
) -> None:
    named.write("desired/agents.yaml", NAMED.replace("user: reception, ", ""))
    ran = named.run("apply", "--yes")
    assert "SIP user changes: give 2000 its new credentials" in ran.out
    assert not switch.memory.registrations
    switch.add_registration("2000", DOMAIN)
    named.write("desired/agents.yaml", NAMED)
    ran = named.run("apply", "--yes")
    assert (ran.code, switch.memory.registrations) == (0, []), ran.out


def test_two_agents_cannot_register_as_one_user_in_whatever_case(project: Project) -> None:
    (project.root / "desired/routes.yaml").unlink()
    text = NAMED.replace("name: Bob", "name: Bob, user: Reception")
    project.write("desired/agents.yaml", text)
    ran = project.run("validate")
    assert ran.code == 3
    assert "agents.yaml:3:" in ran.err
    assert 'agent 2000 has the user "Reception" already, in whatever case' in ran.err


@pytest.mark.parametrize("user", ["2000", "10.1", "gw+x", "a@b", "-a", ".a", "Zoë", "a b", ""])
def test_a_user_is_a_plain_name_and_no_number(project: Project, user: str) -> None:
    project.write("desired/agents.yaml", NAMED.replace("reception", f'"{user}"'))
    ran = project.run("validate")
    assert (ran.code, "agents.yaml:2:" in ran.err) == (3, True), ran.err
