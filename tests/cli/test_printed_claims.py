"""Each sentence that a command prints says what was looked at, and no more."""

from __future__ import annotations

import pytest
from project import Project

AGENTS = "desired/agents.yaml"


def replace(project: Project, before: str, after: str) -> None:
    path = project.root / AGENTS
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))


def line_of(text: str, start: str) -> str:
    return next(line for line in text.splitlines() if line.strip().startswith(start))


def test_a_roll_back_with_nothing_left_does_not_say_as_declared(applied: Project) -> None:
    assert applied.run("rollback", "0", "--yes").code == 0
    ran = applied.run("rollback", "0", "--yes")
    assert (ran.code, "declared" in ran.out) == (0, False), ran.out
    assert "Roll back to before the first revision: nothing is left to undo." in ran.out
    assert "No changes: every managed file is as it was then." in ran.out


def test_a_read_back_after_deletions_says_that_they_are_gone(applied: Project) -> None:
    ran = applied.run("rollback", "0", "--yes")
    assert "Read back from the switch: 2 agents and 3 dialplan files gone." in ran.out
    shown = applied.run("apply", "--yes", "--json").json()
    assert (shown["agents_proved"], shown["agents_gone"]) == (2, 0)


def test_a_drift_of_files_says_nothing_of_the_switch(applied: Project) -> None:
    path = applied.conf / "directory/default/1020.xml"
    path.write_text(path.read_text().replace('value="Alice"', 'value="Mallory"'))
    ran = applied.run("drift", "--offline")
    assert line_of(ran.out, "effective") == (
        '      effective_caller_id_name: "Alice" -> "Mallory" on disk'
    )
    assert "switch" not in ran.out.partition("[edited]")[2]


def test_a_deletion_names_the_file_and_no_line_that_is_anothers_now(applied: Project) -> None:
    replace(applied, "  - {extension: 1021, name: Bob, webrtc: true}\n", "")
    line = line_of(applied.run("plan").out, "- agent 1021")
    assert line.endswith("directory/default/1021.xml  from desired/agents.yaml")


def test_a_deletion_of_a_disabled_agent_names_the_line_that_disables_it(applied: Project) -> None:
    replace(applied, "name: Bob,", "name: Bob, enabled: false,")
    line = line_of(applied.run("plan").out, "- agent 1021")
    assert line.endswith("directory/default/1021.xml  desired/agents.yaml:3:5")


def test_a_roll_back_names_no_line_of_a_former_commit(applied: Project) -> None:
    replace(applied, "Bob", "Robert")
    applied.prepare("apply", "--yes")
    path = applied.root / AGENTS
    path.write_text("# moved\n" + path.read_text())
    line = line_of(applied.run("rollback", "1").out, "~ agent 1021")
    assert line.endswith("from desired/agents.yaml")


def test_a_partial_plan_without_changes_counts_what_it_leaves_out(applied: Project) -> None:
    replace(applied, "Bob", "Robert")
    ran = applied.run("plan", "--only", "agent:1020")
    assert "No changes to what was chosen; 1 other change left out." in ran.out


def test_a_plan_against_a_recording_speaks_of_the_recording(applied: Project) -> None:
    state = applied.root / "state.json"
    assert applied.run("export-state", "--out", str(state)).code == 0
    ran = applied.run("plan", "--against", str(state))
    assert "No changes: the recorded state is as declared." in ran.out


def test_without_the_key_no_claim_is_made_for_the_secrets(
    applied: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FSGITOPS_KEY")
    ran = applied.run("plan")
    assert "No changes, but secrets that are missing here were not compared." in ran.out


def test_plan_show_and_drift_say_an_attribute_in_one_style(applied: Project) -> None:
    replace(applied, "Bob", "Robert")
    told = '      effective_caller_id_name: "Bob" -> "Robert"'
    planned = applied.run("plan").out
    assert told in planned.splitlines()
    applied.run("apply", "--yes")
    shown = applied.run("show", "2").out
    assert told in shown.splitlines()
    assert "  ~ agent 1021  " in shown
    path = applied.conf / "directory/default/1021.xml"
    path.write_text(path.read_text().replace("Robert", "Bob"))
    drifted = applied.run("drift", "--offline").out
    assert '      effective_caller_id_name: "Robert" -> "Bob" on disk' in drifted.splitlines()


def test_a_silenced_agent_leaves_its_neighbour_a_warning(project: Project) -> None:
    project.write(
        AGENTS,
        "agents:\n"
        "  - extension: 1020\n    name: A\n    caller_id_number: +12025550123"
        "  # fsgitops: ignore[caller-id-not-owned] because the old office keeps it\n"
        "  - {extension: 1021, name: B, caller_id_number: +12025550123}\n"
        "  - {extension: 1022, name: C, caller_id_number: +12025550123}\n",
    )
    ran = project.run("lint")
    assert "silence-unused" not in ran.err
    assert "agents.yaml:5:" in ran.err
    assert "agent 1021 shows" in ran.err
    assert "; 1 more agent does too" in ran.err


def test_a_text_file_of_a_plan_leaves_nothing_out(project: Project) -> None:
    agents = "".join(f"  - {{extension: {1020 + n}, name: N{n}}}\n" for n in range(5))
    project.write(AGENTS, "agents:\n" + agents)
    project.write("desired/routes.yaml", "did_routes: []\n")
    out = project.root / "plan.txt"
    ran = project.run("plan", "--output", str(out))
    assert "(--full shows the values of 5 more creations)" in ran.out
    assert out.read_text().count("effective_caller_id_name:") == 5
    assert project.run("plan", "--full").out.count("effective_caller_id_name:") == 5
