"""Two projects on one conf directory: neither deletes what the other one applied."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from project import Project

if TYPE_CHECKING:
    from collections.abc import Callable

SETTINGS = """\
project: {project}
default_region: US
targets:
  {target}: {{conf_dir: {conf}, domain: pbx.example.com}}
"""
ONE = "agents:\n  - {extension: 1020, name: Ana}\n"
OTHER = "agents:\n  - {extension: 3901, name: Team B}\n"


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    folder = tmp_path / "etc" / "freeswitch"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def team(
    project: Project, tmp_path: Path, conf: Path, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Project]:
    """Make a project of that name on the one conf directory."""

    def make(name: str, agents: str, target: str = "prod") -> Project:
        made = Project(tmp_path / f"{name}-{target}", capsys)
        made.write("fsgitops.yaml", SETTINGS.format(project=name, target=target, conf=conf))
        made.write("desired/agents.yaml", agents)
        return made

    return make


def apply(project: Project, *words: str, target: str = "prod") -> int:
    return project.run("apply", "--yes", "--no-reload", "--target", target, *words).code


def owner_of(conf: Path) -> object:
    return json.loads((conf / ".fsgitops/manifest.json").read_bytes()).get("owner")


def test_a_second_project_is_refused_and_nothing_is_touched(team, conf: Path) -> None:
    assert apply(team("team-a", ONE)) == 0
    other = team("team-b", OTHER)
    before = other.tree(conf)
    ran = other.run("apply", "--yes", "--no-reload", "--target", "prod")
    assert (ran.code, other.tree(conf)) == (4, before)
    assert "--allow owner: project team-a (target prod) applied what is live here" in ran.err
    assert "1 deleted" in ran.err


def test_its_plan_says_so(team) -> None:
    assert apply(team("team-a", ONE)) == 0
    ran = team("team-b", OTHER).run("plan", "--json", "--target", "prod")
    (need,) = [need for need in ran.json()["needs"] if need["permission"] == "owner"]
    assert (ran.code, need["allowed"], "team-a" in need["because"]) == (0, False, True)


def test_with_the_permission_it_is_the_owner_from_then_on(team, conf: Path) -> None:
    first, second = team("team-a", ONE), team("team-b", OTHER)
    assert apply(first) == 0
    assert apply(second, "--allow", "deletes") == 4
    assert apply(second, "--allow", "owner") == 0
    assert owner_of(conf) == {"project": "team-b", "target": "prod"}
    assert apply(second) == 0
    assert apply(first) == 4


def test_another_target_of_the_same_project_is_another_owner(team, conf: Path) -> None:
    assert apply(team("team-a", ONE)) == 0
    assert apply(team("team-a", OTHER, "staging"), target="staging") == 4
    assert "directory/default/1020.xml" in team("team-a", ONE).tree(conf)


def test_a_manifest_of_an_earlier_release_is_read_and_gets_its_owner(team, conf: Path) -> None:
    first = team("team-a", ONE)
    assert apply(first) == 0
    manifest = conf / ".fsgitops/manifest.json"
    data = json.loads(manifest.read_bytes())
    del data["owner"]
    manifest.write_text(json.dumps(data))
    first.write("desired/agents.yaml", ONE.replace("Ana", "Anna"))
    assert apply(first) == 0
    assert owner_of(conf) == {"project": "team-a", "target": "prod"}


def test_a_plan_that_changes_nothing_needs_no_permission(team, conf: Path) -> None:
    assert apply(team("team-a", ONE)) == 0
    manifest = conf / ".fsgitops/manifest.json"
    data = json.loads(manifest.read_bytes())
    del data["unloaded"]  # as if a switch had been told
    manifest.write_text(json.dumps(data))
    assert apply(team("team-b", ONE)) == 0


def test_neither_a_roll_back_nor_adopt_nor_release_goes_around_it(team, conf: Path) -> None:
    assert apply(team("team-a", ONE)) == 0
    other = team("team-b", ONE)
    before = other.tree(conf)
    for words in (
        ("rollback", "--yes", "--no-reload"),
        ("release", "directory/default/1020.xml"),
    ):
        ran = other.run(*words, "--target", "prod")
        assert (ran.code, "project team-a (target prod)" in ran.err) == (4, True), words
    assert (other.tree(conf), owner_of(conf)) == (before, {"project": "team-a", "target": "prod"})


def test_a_recorded_state_tells_whose_it_is(team, tmp_path: Path) -> None:
    first = team("team-a", ONE)
    assert apply(first) == 0
    state = tmp_path / "state.json"
    assert first.run("export-state", "--target", "prod", "--out", str(state)).code == 0
    ran = team("team-b", OTHER).run("plan", "--against", str(state), "--target", "prod", "--json")
    assert "owner" in [need["permission"] for need in ran.json()["needs"]]


def test_the_shared_case(shared: Path, team, conf: Path, tmp_path: Path, capsys) -> None:
    case = shared / "cases" / "08-two-repositories-one-switch"
    codes = []
    for name in ("team_a", "team_b"):
        copy = Project(tmp_path / name, capsys)
        shutil.copytree(case / name, copy.root)
        text = (copy.root / "fsgitops.yaml").read_text()
        copy.write("fsgitops.yaml", text.replace("/etc/freeswitch", str(conf)))
        codes.append(apply(copy))
    assert codes == [0, 4]
    assert (conf / "directory/default/1020.xml").exists()
