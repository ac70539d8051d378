"""What release 0.1 left behind goes on working: its state, its saved plans, a killed apply of it.

`fixtures/release_0_1` was made by that release on the embedded switch: three applies, the last one
without a reload; the next plan, saved; and the transaction of an apply of it that was killed when
one file was replaced and one was gone.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from fsgitops.model.plan_json import fingerprint_plan, plan_from_json, plan_to_json

if TYPE_CHECKING:
    from project import Project

RELEASE = Path(__file__).parents[1] / "fixtures" / "release_0_1"
USERS = "directory/default"


@pytest.fixture
def left(project: Project) -> Project:
    """The project as that release left it; the YAML has changed since the last apply."""
    shutil.rmtree(project.root / "desired")
    shutil.copytree(RELEASE / "desired", project.root / "desired")
    shutil.copytree(RELEASE / "conf", project.conf)
    state = project.conf / ".fsgitops"
    shutil.copytree(RELEASE / "state", state)
    for place in (state, *state.rglob("*")):
        place.chmod(0o700 if place.is_dir() else 0o600)
    for user in (project.conf / USERS).glob("*.xml"):
        user.chmod(0o640)  # a checkout knows no such mode
    return project


@pytest.fixture
def killed(left: Project) -> Project:
    """The same, after a kill in the middle of the next apply."""
    folder = left.conf / ".fsgitops" / "transaction"
    shutil.copytree(RELEASE / "transaction", folder)
    for place in (folder, *folder.rglob("*")):
        place.chmod(0o700 if place.is_dir() else 0o600)
    shutil.copy(RELEASE / "half" / "1020.xml", left.conf / USERS / "1020.xml")
    (left.conf / USERS / "1021.xml").unlink()
    return left


def saved_plan(project: Project) -> str:
    """Write the saved plan for where this test's conf directory is; return its path."""
    text = (RELEASE / "saved.plan.json").read_text(encoding="utf-8")
    plan = plan_from_json(json.loads(text.replace('"CONF_DIR"', json.dumps(str(project.conf)))))
    plan = replace(plan, fingerprint=fingerprint_plan(plan))
    return str(project.write("saved.plan.json", json.dumps(plan_to_json(plan))))


def meaning(plan: dict[str, Any]) -> dict[str, Any]:
    """Return what a plan says that one of then said, too, and is not true of one place only."""
    left_out = ("conf_dir", "fingerprint", "tasks", "live_digest", "impact", "warnings")
    return {name: value for name, value in plan.items() if name not in left_out}


def test_its_saved_plan_is_the_plan_that_is_made_of_its_state_now(left: Project) -> None:
    saved = json.loads((RELEASE / "saved.plan.json").read_text(encoding="utf-8"))
    assert meaning(left.run("plan", "--json").json()) == meaning(saved)


def test_its_saved_plan_is_applied(left: Project) -> None:
    ran = left.run("apply", saved_plan(left))
    assert (ran.code, ran.err) == (0, "")
    assert "Applied: 1 created, 1 changed, 1 deleted" in ran.out
    names = sorted(path.name for path in (left.conf / USERS).iterdir())
    assert names == ["1020.xml", "1022.xml", "1023.xml", "1024.xml"]


def test_a_killed_apply_of_it_is_undone(killed: Project) -> None:
    ran = killed.run("plan")
    assert ran.code == 0
    assert "undone" in ran.err
    shutil.rmtree(killed.conf / ".fsgitops")
    assert killed.tree() == {
        str(path.relative_to(RELEASE / "conf")): path.read_bytes()
        for path in (RELEASE / "conf").rglob("*")
        if path.is_file()
    }


def test_its_history_is_listed_and_goes_on(left: Project) -> None:
    left.run("apply", "--yes")
    revisions = left.run("history", "--json").json()["revisions"]
    endings = {item["revision"]: item["ending"] for item in revisions}
    assert endings == {1: "applied", 2: "applied", 3: "written", 4: "applied"}


def test_a_revision_of_it_is_what_a_roll_back_goes_to(left: Project) -> None:
    ran = left.run("rollback", "1", "--yes")
    assert ran.code == 0, ran.err
    before = RELEASE / "state/revisions/000002/before/0"
    assert (left.conf / USERS / "1021.xml").read_bytes() == before.read_bytes()
    assert not (left.conf / USERS / "1024.xml").exists()


def test_what_it_protects_is_protected_now(left: Project) -> None:
    place = left.root / "desired" / "all.yaml"
    text = place.read_text(encoding="utf-8")
    place.write_text("".join(line for line in text.splitlines(True) if "1022" not in line))
    hazards = left.run("plan", "--json").json()["hazards"]
    assert [(item["rule"], item["path"]) for item in hazards] == [
        ("protected", f"{USERS}/1022.xml")
    ]


def test_what_it_wrote_without_a_reload_is_still_to_be_loaded(left: Project) -> None:
    assert "changed earlier and the switch was not told" in left.run("plan").out
