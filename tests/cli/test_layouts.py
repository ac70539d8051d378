"""Layouts of a site, from the command line: what differs is where the files are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from project import Project

AGENTS = """\
agents:
  - {extension: 1020, name: Alice}
  - {extension: 1021, name: Bob}
  - {extension: 999998, name: Zoe}
"""
ROUTES = """\
did_routes:
  - {did_number: +19495431333, destination_extension: 1020}
  - {did_number: +19495431334, destination_extension: 1021}
  - {did_number: +442071838750, destination_extension: 999998}
"""
OTHER = {"files": "sharded", "sharded": "files"}


def choose(project: Project, layout: str) -> None:
    settings = project.root / "fsgitops.yaml"
    lines = settings.read_text().splitlines()
    kept = [line for line in lines if not line.startswith("layout:")]
    settings.write_text("\n".join((*kept, f"layout: {layout}")) + "\n")


@pytest.fixture(params=["files", "sharded"])
def site(project: Project, request: pytest.FixtureRequest) -> Project:
    """Applied in the one layout, and in the other."""
    project.write("desired/agents.yaml", AGENTS)
    project.write("desired/routes.yaml", ROUTES)
    choose(project, request.param)
    ran = project.run("apply", "--yes")
    assert ran.code == 0, ran.err
    return project


def layout_of(site: Project) -> str:
    return (site.root / "fsgitops.yaml").read_text().rpartition("layout: ")[2].strip()


def test_to_the_other_layout_everything_moves_and_nothing_else_happens(site: Project) -> None:
    """Files of one resource and of several, in both directions; nobody's registration ends."""
    choose(site, OTHER[layout_of(site)])
    plan = site.run("plan", "--json").json()
    others = [
        item["resource"]
        for item in plan["changes"]
        if item["resource"] not in (item["renamed_from"], item["renamed_to"])
    ]
    assert others == ["dialplan:dids"]
    assert [step["command"] for step in plan["reloads"]] == ["reloadxml", "xml_flush_cache"]
    ran = site.run("apply", "--yes")
    assert ran.code == 0, ran.err
    assert "No changes" in site.run("plan").out
    assert site.run("drift").code == 0
