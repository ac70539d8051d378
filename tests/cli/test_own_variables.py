"""What somebody meets who declares a variable: an attack is refused, an own name is declared."""

from __future__ import annotations

import pytest
from project import Project

ATTACK = """\
agents:
  - extension: 1020
    name: Ana
    voicemail: true
    variables: {vm_operator_extension: "'system:touch /tmp/x' inline"}
"""
OWN = "agents:\n  - {extension: 1020, name: Ana, variables: {department: sales}}\n"


@pytest.fixture
def project(project: Project) -> Project:
    (project.root / "desired/routes.yaml").unlink()
    return project


@pytest.mark.parametrize("command", [("validate",), ("plan",), ("apply", "--yes")])
def test_a_variable_that_runs_a_command_gets_nowhere(
    project: Project, command: tuple[str, ...]
) -> None:
    project.write("desired/agents.yaml", ATTACK)
    ran = project.run(*command)
    assert ran.code != 0
    assert "desired/agents.yaml:5:17: error:" in ran.out + ran.err
    assert "`vm_operator_extension`" in ran.out + ran.err
    assert "touch" not in "".join(text.decode() for text in project.tree(project.conf).values())


def test_an_own_name_is_written_once_it_is_declared(project: Project) -> None:
    project.write("desired/agents.yaml", OWN)
    refused = project.run("validate")
    assert "variables: {allow: [department]}" in refused.out + refused.err
    settings = project.root / "fsgitops.yaml"
    settings.write_text(settings.read_text() + "variables: {allow: [Department]}\n")
    assert project.run("apply", "--yes").code == 0
    assert (
        b'name="department" value="sales"'
        in (project.conf / "directory/default/1020.xml").read_bytes()
    )


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("vm_operator_extension", "FreeSWITCH reads"), ("default_gateway", "FreeSWITCH reads"),
        ("toll_allow", "reserved"), ('"a b"', "not a name"),
    ],
)  # fmt: skip
def test_a_name_of_freeswitch_cannot_be_declared_as_an_own_one(
    project: Project, name: str, said: str
) -> None:
    settings = project.root / "fsgitops.yaml"
    text = settings.read_text()
    settings.write_text(text + f"variables: {{allow: [{name}]}}\n")
    ran = project.run("validate")
    line = text.count("\n") + 1
    assert f"fsgitops.yaml:{line}:21: error:" in ran.out + ran.err
    assert said in ran.out + ran.err
