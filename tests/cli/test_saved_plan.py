"""A plan that is saved is applied as it was approved, or refused."""

from __future__ import annotations

import pytest
from project import Project


def test_a_saved_plan_is_applied_as_it_was_approved(project: Project) -> None:
    plan = str(project.root / "plan.json")
    project.run("plan", "--out", plan)
    ran = project.run("apply", plan)
    assert (ran.code, "Applied: 5 created" in ran.out) == (0, True)


def test_a_saved_plan_is_refused_when_live_has_changed(project: Project) -> None:
    project.run("apply", "--yes")
    path = project.root / "desired" / "agents.yaml"
    path.write_text(path.read_text().replace("Alice", "Anna"))
    plan = str(project.root / "plan.json")
    project.run("plan", "--out", plan)
    file = project.conf / "directory/default/1021.xml"
    file.write_bytes(file.read_bytes().replace(b"Bob", b"Rob"))
    before = project.tree()
    ran = project.run("apply", plan)
    assert (ran.code, project.tree()) == (4, before)
    assert "stale" in ran.err


def test_a_saved_plan_is_refused_when_the_yaml_has_changed(project: Project) -> None:
    plan = str(project.root / "plan.json")
    project.run("plan", "--out", plan)
    path = project.root / "desired" / "agents.yaml"
    path.write_text(path.read_text().replace("Alice", "Anna"))
    ran = project.run("apply", plan)
    assert ran.code == 4
    assert "gives other changes" in ran.err


def test_a_saved_plan_holds_no_secret(project: Project) -> None:
    plan = project.root / "plan.json"
    project.run("plan", "--out", str(plan))
    project.run("apply", "--yes")
    data = project.run("credentials", "1020", "--reveal", "--json").json()
    compiled = (project.conf / "directory/default/1020.xml").read_text()
    hashes = [part.split('"')[0] for part in compiled.split('a1-hash" value="')[1:]]
    assert len(hashes) == 2
    for secret in (data["password"], data["voicemail_pin"], *hashes):
        assert secret not in plan.read_text()


@pytest.mark.parametrize("words", [("apply",), ("plan", "--against")], ids=str)
def test_a_file_that_is_no_json_is_told_in_plain_words(
    project: Project, words: tuple[str, ...]
) -> None:
    for content in ("project: x\n", "[" * 100_000):
        place = project.write("plan.json", content)
        ran = project.run(*words, str(place))
        assert (ran.code, "plan.json: this file is not JSON; make one with" in ran.err) == (
            64,
            True,
        )
