"""Under the lock, a plan is made again where anything that it follows from has changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from existing_site import existing_site

from fsgitops.commands.apply import run_apply
from fsgitops.commands.plan import run_plan
from fsgitops.commands.rollback import plan_rollback, run_rollback
from fsgitops.errors import PlanRefusedError
from fsgitops.planning.planned import compare_live
from fsgitops.workspace.open import open_workspace

if TYPE_CHECKING:
    from project import Project

    from fsgitops.planning.planned import Planned
    from fsgitops.workspace.open import Workspace

RIVAL = '<include>\n<user id="1020"><params/></user>\n</include>\n'


@pytest.fixture
def site(project: Project) -> Project:
    return existing_site(project)


@pytest.fixture
def workspace(site: Project) -> Workspace:
    return open_workspace(site.root, None)


@pytest.fixture
def shown(workspace: Workspace) -> Planned:
    return run_plan(workspace)


def test_a_plan_is_not_made_twice_of_the_same(workspace: Workspace, shown: Planned) -> None:
    assert compare_live(workspace, shown) is shown


def test_a_user_that_somebody_declares_meanwhile_stops_the_apply(
    site: Project, workspace: Workspace, shown: Planned
) -> None:
    (site.conf / "directory/default/0rival.xml").write_text(RIVAL)
    with pytest.raises(PlanRefusedError, match=r"0rival\.xml:2"):
        run_apply(workspace, shown, wait_seconds=0)
    assert not (site.conf / "directory/default/1020.xml").exists()


def test_a_file_that_comes_to_declare_one_is_seen(site: Project, workspace: Workspace) -> None:
    (site.conf / "directory/default/zz.xml").write_text(RIVAL.replace("1020", "9999"))
    shown = run_plan(workspace)
    (site.conf / "directory/default/zz.xml").write_text(RIVAL)
    assert [item.rule for item in compare_live(workspace, shown).plan.hazards] == [
        "user-declared-twice"
    ]


def test_a_configuration_that_became_broken_is_told(
    site: Project, workspace: Workspace, shown: Planned
) -> None:
    (site.conf / "directory/default/broken.xml").write_text("<include>\n<user>\n</include>\n")
    again = compare_live(workspace, shown)
    assert any("not well formed" in text for text in again.plan.warnings)


def test_what_a_plan_warns_of_only_under_the_lock_is_a_note_of_what_was_done(
    site: Project, workspace: Workspace, shown: Planned
) -> None:
    (site.conf / "directory/default/broken.xml").write_text("<include>\n<user>\n</include>\n")
    applied = run_apply(workspace, shown, reload=False)
    assert ["not well formed" in note for note in applied.notes] == [True]
    assert applied.notes[0].startswith("since the plan was shown: ")


def test_so_is_what_a_roll_back_warns_of(site: Project, workspace: Workspace) -> None:
    run_apply(workspace, run_plan(workspace), reload=False)
    shown = plan_rollback(workspace)
    pointer = '<include>\n<user id="1020" type="pointer"/>\n</include>\n'
    (site.conf / "directory/default/zz.xml").write_text(pointer)
    (note,) = run_rollback(workspace, shown, reload=False).notes
    assert note.startswith("since the plan was shown: agent 1020 is deleted, and ")


def test_what_was_shown_already_is_not_told_again(site: Project, workspace: Workspace) -> None:
    (site.conf / "directory/default/broken.xml").write_text("<include>\n<user>\n</include>\n")
    assert run_apply(workspace, run_plan(workspace), reload=False).notes == ()


def test_what_stands_in_the_way_meanwhile_is_seen(
    site: Project, workspace: Workspace, shown: Planned
) -> None:
    path = site.conf / "directory/default/1020.xml"
    path.write_text(RIVAL)
    assert compare_live(workspace, shown).plan.hazards[0].rule == "foreign-file"
