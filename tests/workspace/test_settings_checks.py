"""Settings that only the whole project can check."""

from __future__ import annotations

import json
import subprocess

import pytest
from project import SETTINGS, Project


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("default_caller_id: abc", "is not a telephone number"),
        ("default_caller_id: 1;2", "is not a telephone number"),
        ("templates: nowhere", "there is no folder"),
    ],
)
def test_a_setting_that_cannot_work_is_found_with_its_place(
    project: Project, line: str, said: str
) -> None:
    project.write("fsgitops.yaml", f"{SETTINGS}{line}\n")
    ran = project.run("validate")
    assert ran.code == 3
    assert said in ran.err
    assert f"fsgitops.yaml:{SETTINGS.count(chr(10)) + 1}:" in ran.err


def test_a_region_that_does_not_exist_is_found(project: Project) -> None:
    project.write("fsgitops.yaml", "default_region: ZZ\n")
    ran = project.run("validate")
    assert (ran.code, "expected a country's two capital letters" in ran.err) == (3, True)


def test_a_national_default_caller_id_is_written_as_e164(project: Project) -> None:
    project.write("fsgitops.yaml", f"{SETTINGS}default_caller_id: (949) 543-1333\n")
    project.run("apply", "--yes")
    text = (project.conf / "directory/default/1021.xml").read_text()
    assert 'name="outbound_caller_id_number" value="+19495431333"' in text


def test_a_saved_plan_is_bound_to_its_commit(project: Project) -> None:
    def git(*words: str) -> None:
        identity = ("-c", "user.name=t", "-c", "user.email=t@example.com")
        subprocess.run(["git", "-C", str(project.root), *identity, *words], check=True)

    git("init", "-q")
    git("commit", "-q", "--allow-empty", "-m", "one")
    path = str(project.root / "plan.json")
    project.run("plan", "--out", path)
    git("commit", "-q", "--allow-empty", "-m", "two")
    ran = project.run("apply", path)
    assert (ran.code, "bound to commit" in ran.err) == (4, True)


def test_a_saved_plan_that_was_edited_is_refused(project: Project) -> None:
    path = project.root / "plan.json"
    project.run("plan", "--out", str(path))
    data = json.loads(path.read_text())
    data["commit"] = "0" * 40
    path.write_text(json.dumps(data))
    ran = project.run("apply", str(path))
    assert (ran.code, "edited" in ran.err) == (4, True)
