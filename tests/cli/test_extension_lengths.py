"""Extensions as people have them: of two digits, or of eleven, as the settings say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from project import Project

AGENTS = """\
agents:
  - {extension: 10, name: Shortest}
  - {extension: 100, name: Short}
  - {extension: 2010001, name: Long}
"""
ROUTES = "did_routes:\n- {did_number: +19495431333, destination_extension: 100}\n"


@pytest.fixture
def short(project: Project) -> Project:
    """Extensions of two to seven digits, among them one that a DID leads to."""
    settings = project.root / "fsgitops.yaml"
    settings.write_text(settings.read_text() + "extensions: {digits: [2, 7]}\n")
    project.write("desired/agents.yaml", AGENTS)
    project.write("desired/routes.yaml", ROUTES)
    return project


def test_other_lengths_are_refused_with_the_setting_that_allows_them(project: Project) -> None:
    project.write("desired/agents.yaml", AGENTS)
    project.write("desired/routes.yaml", ROUTES)
    ran = project.run("validate")
    assert ran.code == 3
    assert (
        'desired/agents.yaml:3:17: error: `extension` is "100"; expected 4 to 6 digits' in ran.err
    )
    assert '`extension` is "2010001"; expected 4 to 6 digits' in ran.err
    assert '`destination_extension` is "100"; expected 4 to 6 digits' in ran.err
    assert "`extensions: {digits: [3, 7]}`" in ran.err


@pytest.mark.parametrize("layout", ["files", "sharded"])
def test_short_and_long_extensions_are_applied_and_ring(short: Project, layout: str) -> None:
    settings = short.root / "fsgitops.yaml"
    settings.write_text(f"{settings.read_text()}layout: {layout}\n")
    short.prepare("apply", "--yes")
    for number, rung in (("+19495431333", "100"), ("10", "10"), ("2010001", "2010001")):
        inside = () if number.startswith("+") else ("--context", "default")
        assert f"=> It rings {rung}" in short.run("trace", number, *inside).out


@pytest.mark.parametrize(("longest", "inside"), [(7, False), (10, True)])
def test_how_long_extensions_are_tells_whether_a_number_is_one_outside(
    short: Project, longest: int, inside: bool
) -> None:
    settings = short.root / "fsgitops.yaml"
    settings.write_text(settings.read_text().replace("[2, 7]", f"[2, {longest}]"))
    ran = short.run("dial", "100", "9495431334")
    assert ("nothing that is declared has the extension 9495431334" in ran.err) == inside


@pytest.mark.parametrize("number", ["911", "112"])
def test_an_emergency_number_is_nobodys_extension(short: Project, number: str) -> None:
    short.write("desired/more.yaml", f"agents:\n- {{extension: {number}, name: Wrong}}\n")
    ran = short.run("validate")
    assert ran.code == 3
    assert f"{number} is an emergency number" in ran.err


def test_what_is_an_emergency_number_the_region_says(short: Project) -> None:
    short.write("desired/more.yaml", "agents:\n- {extension: 110, name: Right}\n")
    assert short.run("validate").code == 0
    settings = short.root / "fsgitops.yaml"
    settings.write_text(settings.read_text().replace("default_region: US", "default_region: DE"))
    assert "110 is an emergency number" in short.run("validate").err


@pytest.mark.parametrize("digits", ["[7, 3]", "[1, 6]", "[4, 12]", "[4]", "4"])
def test_lengths_that_cannot_be_are_refused_where_they_stand(project: Project, digits: str) -> None:
    settings = project.root / "fsgitops.yaml"
    settings.write_text(settings.read_text() + f"extensions: {{digits: {digits}}}\n")
    ran = project.run("validate")
    assert ran.code != 0
    assert "fsgitops.yaml:5:" in ran.err
    assert "extensions.digits" in ran.err
