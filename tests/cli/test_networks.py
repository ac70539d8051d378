"""Agents who call from their networks without a password, from the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from project import Project

ACL = "autoload_configs/acl.conf.xml"


def declare(project: Project, cidr: str) -> None:
    given = f", cidr: {cidr}" if cidr else ""
    project.write("desired/agents.yaml", f"agents:\n  - {{extension: 1020, name: Lift{given}}}\n")


@pytest.fixture
def lift(project: Project) -> Project:
    (project.root / "desired/routes.yaml").unlink()
    declare(project, "[192.0.2.7, '2001:db8::/64']")
    return project


def test_networks_are_loaded_proved_changed_and_taken_away(lift: Project) -> None:
    ran = lift.run("apply", "--yes")
    assert (ran.code, "reloadacl  because ACLs take in" in ran.out) == (0, True), ran.err
    user = (lift.conf / "directory/default/1020.xml").read_text()
    assert 'cidr="192.0.2.7/32,2001:db8::/64"' in user
    assert lift.run("plan", "--detailed-exitcode").code == 0
    for cidr in ("192.0.2.0/24", ""):
        declare(lift, cidr)
        ran = lift.run("apply", "--yes")
        assert (ran.code, "reloadacl" in ran.out) == (0, True), ran.err
    assert "cidr" not in (lift.conf / "directory/default/1020.xml").read_text()


def test_a_deleted_agents_networks_are_taken_away_and_a_roll_back_loads_them_again(
    lift: Project,
) -> None:
    assert lift.run("apply", "--yes").code == 0
    lift.write("desired/agents.yaml", "agents:\n  - {extension: 1021, name: Other}\n")
    for words in (["apply"], ["rollback"]):
        ran = lift.run(*words, "--yes")
        assert (ran.code, "reloadacl" in ran.out) == (0, True), ran.err


def test_who_has_no_network_reloads_no_acl(project: Project) -> None:
    assert "reloadacl" not in project.run("apply", "--yes").out


@pytest.mark.parametrize("line", ['domain="$${domain}"', 'type="allow"'])
def test_networks_that_no_acl_lets_in_are_rolled_back(lift: Project, line: str) -> None:
    lift.run("plan")
    declare(lift, "")
    assert lift.run("apply", "--yes").code == 0
    place = lift.conf / ACL
    place.write_text(place.read_text().replace(line, 'type="deny"' if "type" in line else ""))
    declare(lift, "192.0.2.7")
    ran = lift.run("apply", "--yes")
    assert (ran.code, "no ACL takes in the users of sandbox.example" in ran.err) == (5, True)
    assert "cidr" not in (lift.conf / "directory/default/1020.xml").read_text()


def test_an_acl_that_refuses_the_network_is_named(lift: Project) -> None:
    declare(lift, "")
    assert lift.run("apply", "--yes").code == 0
    place = lift.conf / ACL
    deny = '<node type="deny" cidr="192.0.2.7/32"/><node type="allow" domain'
    place.write_text(place.read_text().replace('<node type="allow" domain', deny))
    declare(lift, "192.0.2.0/24")
    assert lift.run("apply", "--yes").code == 0
    declare(lift, "192.0.2.7")
    ran = lift.run("apply", "--yes")
    assert (ran.code, "the ACL domains does not let in 192.0.2.7/32" in ran.err) == (5, True)


@pytest.mark.parametrize(
    ("cidr", "code", "told"),
    [
        ("10.0.0.0/8", 0, "wide-cidr"),
        ("192.0.2.0/24", 0, ""),
        ("0.0.0.0/0", 3, "a network"),
        ("'::/0'", 3, "a network"),
        ("pbx.example.com", 3, "a network"),
        ("'192.0.2.7\" x=\"'", 3, "a network"),
        ("192.0.2.300", 3, "a network"),
    ],
)
def test_a_network_is_one_and_not_the_internet(
    lift: Project, cidr: str, code: int, told: str
) -> None:
    declare(lift, cidr)
    ran = lift.run("validate")
    assert (ran.code, told in ran.out + ran.err) == (code, True), ran.out + ran.err
