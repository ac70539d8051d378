"""What `apply --no-reload` leaves behind on a target whose switch is running."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from project import Project
from switchboard import DOMAIN

from fsgitops.live import prover

if TYPE_CHECKING:
    from fsgitops.sandbox.switch import EmbeddedSwitch


def declare(project: Project, name: str = "Anna", *, bob: bool = False) -> None:
    """Rename agent 1020, and leave agent 1021 out unless told otherwise."""
    lines = [f"  - {{extension: 1020, name: {name}, caller_id_number: +19495431333}}"]
    lines += ["  - {extension: 1021, name: Bob, webrtc: true}"] if bob else []
    project.write("desired/agents.yaml", "\n".join(["agents:", *lines, ""]))


@pytest.fixture
def unloaded(project: Project, switch: EmbeddedSwitch) -> Project:
    """1020 is changed and 1021, a registered agent, is deleted; the switch was not told."""
    switch.add_registration("1021", DOMAIN)
    declare(project)
    assert project.run("apply", "--yes", "--no-reload").code == 0
    return project


def registered(project: Project) -> bool:
    return "1021" in project.run("registrations").out


def mark(project: Project) -> object:
    return json.loads((project.conf / ".fsgitops/manifest.json").read_bytes()).get("unloaded")


def test_the_plan_says_that_the_switch_was_not_told(unloaded: Project) -> None:
    ran = unloaded.run("plan", "--detailed-exitcode")
    assert ran.code == 2
    assert "No changes to files, but 2 files changed earlier and the switch was not told" in ran.out
    assert f"flush_inbound_reg 1021@{DOMAIN}" in ran.out


def test_the_next_apply_loads_reads_back_and_ends_registrations(unloaded: Project) -> None:
    assert registered(unloaded)
    ran = unloaded.run("apply", "--yes")
    assert ran.code == 0, ran.err
    assert "reloadxml: the switch said" in ran.out
    assert "Read back from the switch: 1 agent as written; 1 agent gone." in ran.out
    assert "Registrations ended: 1" in ran.out
    assert (registered(unloaded), unloaded.run("drift").code) == (False, 0)


def test_once_loaded_nothing_is_left_to_do(unloaded: Project) -> None:
    assert unloaded.run("apply", "--yes").code == 0
    assert mark(unloaded) is None
    assert unloaded.run("plan", "--detailed-exitcode").code == 0
    assert "Nothing was done" in unloaded.run("apply", "--yes").out


def test_without_a_reload_it_stays_to_be_done(unloaded: Project) -> None:
    ran = unloaded.run("apply", "--yes", "--no-reload")
    assert (ran.code, "are not loaded yet either" in ran.out) == (0, True)
    declare(unloaded, "Berta")
    assert unloaded.run("apply", "--yes", "--no-reload").code == 0
    assert mark(unloaded) == {
        "directory/default/1020.xml": "agent:1020", "directory/default/1021.xml": "agent:1021",
    }  # fmt: skip


def test_a_change_of_something_else_takes_it_along(unloaded: Project) -> None:
    unloaded.write("desired/more.yaml", "agents: [{extension: 1030, name: Dora}]\n")
    ran = unloaded.run("apply", "--yes", "--only", "agent:1030")
    assert ran.code == 0, ran.err
    assert "Read back from the switch: 2 agents as written; 1 agent gone." in ran.out
    assert (registered(unloaded), mark(unloaded)) == (False, None)


def test_a_roll_back_takes_it_along(unloaded: Project) -> None:
    declare(unloaded, "Berta")
    assert unloaded.run("apply", "--yes", "--no-reload").code == 0
    ran = unloaded.run("rollback", "--yes")
    assert (ran.code, registered(unloaded), mark(unloaded)) == (0, False, None), ran.err


def test_having_it_loaded_is_no_apply_to_roll_back(unloaded: Project) -> None:
    assert unloaded.run("apply", "--yes").code == 0
    assert unloaded.run("rollback", "--yes").code == 0
    assert (unloaded.conf / "directory/default/1021.xml").exists()


def test_it_stays_to_be_done_when_the_switch_does_not_hold_it(
    unloaded: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: object) -> tuple[int, int]:
        raise prover.SwitchError("it holds something else")

    with monkeypatch.context() as patch:
        patch.setattr(prover.SwitchProver, "prove", refuse)
        assert unloaded.run("apply", "--yes").code == 5
    assert mark(unloaded)
    assert unloaded.run("apply", "--yes").code == 0


def test_ending_registrations_later_needs_the_permission_that_it_needs_at_once(
    unloaded: Project,
) -> None:
    settings = (unloaded.root / "fsgitops.yaml").read_text()
    unloaded.write("fsgitops.yaml", settings + "allow: [reload]\n")
    ran = unloaded.run("apply", "--yes")
    assert (ran.code, "--allow registration" in ran.err) == (4, True)
    assert unloaded.run("apply", "--yes", "--allow", "registration").code == 0


def test_a_plan_saved_before_it_was_loaded_is_stale(unloaded: Project) -> None:
    saved = str(unloaded.root / "plan.json")
    assert unloaded.run("plan", "--out", saved).code == 0
    assert unloaded.run("apply", "--yes").code == 0
    assert unloaded.run("apply", saved).code == 4


def test_a_saved_plan_has_it_loaded(unloaded: Project) -> None:
    saved = str(unloaded.root / "plan.json")
    assert unloaded.run("plan", "--out", saved).code == 0
    ran = unloaded.run("apply", saved)
    assert (ran.code, "Registrations ended: 1" in ran.out) == (0, True)


def test_what_is_released_is_not_ours_to_load(unloaded: Project) -> None:
    assert unloaded.run("release", "agent:1020").code == 0
    assert mark(unloaded) == {"directory/default/1021.xml": "agent:1021"}


def test_what_somebody_else_put_there_since_is_not_expected_to_be_gone(unloaded: Project) -> None:
    text = (unloaded.conf / "directory/default/1020.xml").read_text().replace("1020", "1021")
    (unloaded.conf / "directory/default/1021.xml").write_text(text)
    assert unloaded.run("apply", "--yes").code == 0
    assert registered(unloaded)


def test_a_mark_that_names_a_path_outside_is_refused(unloaded: Project) -> None:
    manifest = unloaded.conf / ".fsgitops/manifest.json"
    data = json.loads(manifest.read_bytes())
    for bad in ({"../x.xml": "agent:1020"}, {"a.xml": "agent:1020 x\n"}, {"a.xml": 3}, [1]):
        manifest.write_text(json.dumps({**data, "unloaded": bad}))
        assert unloaded.run("plan").code == 1
