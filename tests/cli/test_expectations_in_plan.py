"""What is expected of calls, in a plan and an apply."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from fsgitops.cli.outputs import FORMATS

if TYPE_CHECKING:
    from project import Project

DID = "+19495431333"
HOLDS = f"tests:\n  - {{name: holds, call: {DID}, rings: 1020}}\n"
FAILS = f"{HOLDS}  - {{name: it rings Bob, call: {DID}, rings: 1021}}\n"
TOLD = '"it rings Bob" fails for a call to +19495431333: expected: rings 1021; found: rings 1020'


def test_a_plan_without_expectations_says_nothing_of_them(project: Project) -> None:
    ran = project.run("plan")
    assert "expectation" not in ran.out + ran.err
    assert "tests" not in project.run("plan", "--json").json()


def test_a_plan_says_that_they_hold(project: Project) -> None:
    project.write("desired/t.yaml", HOLDS)
    assert "1 expectation: it holds." in project.run("plan").out
    assert project.run("plan", "--json").json()["tests"] == {"held": 1, "failing": []}
    assert project.run("apply", "--yes").code == 0


def test_an_apply_is_refused_where_one_fails_unless_that_is_allowed(project: Project) -> None:
    project.write("desired/t.yaml", FAILS)
    plan = project.run("plan")
    assert "1 of 2 expectations fails." in plan.out
    assert '--allow failing-tests: an expectation fails: "it rings Bob"' in plan.out
    assert f"desired/t.yaml:3:5: error: {TOLD}" in plan.err
    before = project.tree()
    ran = project.run("apply", "--yes")
    assert (ran.code, project.tree() == before) == (4, True)
    assert "--allow failing-tests" in ran.err
    allowed = project.run("apply", "--yes", "--allow", "failing-tests")
    assert allowed.code == 0
    assert f"warning: {TOLD}" in allowed.err


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_names_what_fails_and_where(project: Project, name: str) -> None:
    project.write("desired/t.yaml", FAILS)
    ran = project.run("plan", "--format", name)
    out = ran.out + (ran.err if name == "text" else "")
    assert "it rings Bob" in out
    assert "rings 1020" in out
    assert "desired/t.yaml" in out


def test_a_plan_that_changes_nothing_is_no_reason_to_refuse(applied: Project) -> None:
    """Somebody wrote a file by hand: no apply of nothing can mend that, but the plan says it."""
    applied.write("desired/t.yaml", HOLDS)
    assert "1 expectation: it holds." in applied.run("plan").out
    (applied.conf / "dialplan/public/00_first.xml").write_text(
        "<include>\n<extension name='first'><condition field='destination_number' "
        "expression='1333$'><action application='hangup'/></condition></extension>\n</include>\n"
    )
    ran = applied.run("plan")
    assert "warning: " in ran.err
    assert "1 of 1 expectation fails." in ran.out
    assert "--allow" not in ran.out
    assert applied.run("apply", "--yes").code == 0


def test_a_plan_that_is_known_to_change_nothing_still_says_that_they_hold(
    applied: Project,
) -> None:
    applied.write("desired/t.yaml", HOLDS)
    for _ in range(3):
        ran = applied.run("plan")
        assert "1 expectation: it holds." in ran.out
    applied.write("desired/t.yaml", FAILS)
    assert "1 of 2 expectations fails." in applied.run("plan").out


def test_a_saved_plan_is_weighed_again_by_what_is_expected_now(project: Project) -> None:
    project.write("desired/t.yaml", FAILS)
    saved = project.root / "plan.json"
    assert project.run("plan", "--out", str(saved)).code == 0
    assert json.loads(saved.read_text())["tests"]["failing"][0]["name"] == "it rings Bob"
    assert project.run("apply", str(saved)).code == 4
    ran = project.run("apply", str(saved), "--allow", "failing-tests")
    assert ran.code == 0, ran.err


def test_a_plan_that_was_saved_before_there_were_any_is_what_it_was(project: Project) -> None:
    saved = project.root / "plan.json"
    assert project.run("plan", "--out", str(saved)).code == 0
    project.write("desired/t.yaml", HOLDS)
    ran = project.run("apply", str(saved))
    assert ran.code == 0, ran.err


def test_where_the_configuration_cannot_be_read_nobody_knows(project: Project) -> None:
    project.write("desired/t.yaml", HOLDS)
    assert project.run("plan").code == 0
    (project.conf / "dialplan/broken.xml").write_text("<include>\n<extension>\n</include>\n")
    ran = project.run("plan")
    assert "1 expectation could not be looked at: " in ran.out
    assert "it holds" not in ran.out
