"""Files in which several agents lie, from the command line: everything goes by the agent."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

import fsgitops.kinds
from fsgitops.kinds import BUILT_IN
from fsgitops.kinds.agent import AGENT
from fsgitops.model.kind import Kinds

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from project import Project, Ran

TEAM = "directory/default/team.xml"
SHARD = "directory/fsgitops/agents_1000.xml"
NAMES = {"1020": "Alice", "1021": "Bob", "1022": "Carol"}


def _drafts(*given: Any) -> Iterator[Any]:
    for draft in AGENT.drafts(*given):
        yield draft._replace(path=TEAM)


def use_kinds(monkeypatch: pytest.MonkeyPatch, kinds: Kinds) -> None:
    monkeypatch.setattr(fsgitops.kinds, "BUILT_IN", kinds)


@pytest.fixture(autouse=True, params=[pytest.param(TEAM, marks=pytest.mark.sweep), SHARD])
def _one_file(
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest, project: Project
) -> None:
    """Let all agents lie in one file: in a list of users, or in a group (layout: sharded)."""
    settings = project.root / "fsgitops.yaml"
    if request.param == SHARD:
        monkeypatch.setattr(f"{__name__}.TEAM", SHARD)
        settings.write_text(settings.read_text() + "layout: sharded\n")
        return
    # What is made ready for these kinds is nothing for others.
    settings.write_text(settings.read_text() + "# in a list of users\n")
    team = replace(AGENT, joint=lambda _site: True, paths=lambda *_: (TEAM,), drafts=_drafts)
    kinds = Kinds(team if kind is AGENT else kind for kind in BUILT_IN.values())
    use_kinds(monkeypatch, kinds)


@pytest.fixture
def team(project: Project) -> Project:
    """Three agents, applied into one file."""
    (project.root / "desired/routes.yaml").unlink(missing_ok=True)
    declare(project, NAMES)
    project.prepare("apply", "--yes")
    return project


def declare(project: Project, names: Mapping[str, str], **fields: str) -> None:
    lines = [
        f"  - {{extension: {extension}, name: {name}{fields.get('e' + extension, '')}}}"
        for extension, name in names.items()
    ]
    project.write("desired/agents.yaml", "\n".join(["agents:", *lines]) + "\n")


def file(project: Project) -> Path:
    return project.conf / TEAM


def element(project: Project, extension: str) -> str:
    """Return what the file holds of an agent, byte for byte; "" for nothing."""
    text = file(project).read_text()
    found = re.search(rf'<user id="{extension}".*?</user>', text, re.DOTALL)
    return found[0] if found else ""


def edit(project: Project, extension: str, old: str, new: str) -> str:
    """Change an agent by hand, and return what it is then."""
    before = element(project, extension)
    assert old in before
    file(project).write_text(file(project).read_text().replace(before, before.replace(old, new)))
    return element(project, extension)


def changes(ran: Ran) -> list[tuple[str, str, bool]]:
    return [(item["action"], item["resource"], item["drifted"]) for item in ran.json()["changes"]]


def plan(project: Project, *words: str) -> list[tuple[str, str, bool]]:
    return changes(project.run("plan", "--json", *words))


def apply(project: Project, *words: str) -> Ran:
    ran = project.run("apply", "--yes", *words)
    assert ran.code == 0, ran.err
    assert project.run("drift").code == 0
    return ran


def test_all_lie_in_one_file_and_are_managed_each(team: Project) -> None:
    assert [path for path in team.tree() if path.startswith("directory/default/1")] == []
    entry = json.loads((team.conf / ".fsgitops/manifest.json").read_bytes())["entries"][TEAM]
    assert [item["resource"] for item in entry["resources"]] == [f"agent:{ext}" for ext in NAMES]
    assert plan(team) == []
    assert team.run("drift").code == 0


def test_one_more_is_one_to_create_and_the_others_keep_their_bytes(team: Project) -> None:
    before = [element(team, extension) for extension in NAMES]
    declare(team, {**NAMES, "1023": "Dora"})
    assert plan(team) == [("create", "agent:1023", False)]
    assert "Applied: 1 created, 0 changed, 0 deleted" in apply(team).out
    assert [element(team, extension) for extension in NAMES] == before
    assert element(team, "1023")


def test_a_change_of_one_names_its_attributes_and_nobody_else(team: Project) -> None:
    declare(team, {**NAMES, "1021": "Bert"})
    ran = team.run("plan")
    assert 'effective_caller_id_name: "Bob" -> "Bert"' in ran.out
    assert "Plan: 0 to create, 1 to change, 0 to delete" in ran.out
    assert "1 agent as written" in apply(team).out


def test_a_page_shows_of_the_file_what_is_of_the_agent(team: Project) -> None:
    declare(team, {**NAMES, "1021": "Bert"})
    page = team.run("plan", "--format", "html").out
    assert "Bert" in page
    assert "Carol" not in page


def test_deleting_one_leaves_the_file_to_the_others(team: Project) -> None:
    declare(team, {ext: name for ext, name in NAMES.items() if ext != "1021"})
    assert plan(team) == [("delete", "agent:1021", False)]
    ran = apply(team, "--allow", "deletes")
    assert "1 agent gone" in ran.out
    assert (element(team, "1021"), bool(element(team, "1022"))) == ("", True)


def test_deleting_the_last_removes_the_file(team: Project) -> None:
    declare(team, {"1020": "Alice"})
    apply(team, "--allow", "deletes")
    assert element(team, "1020")
    team.write("desired/agents.yaml", "agents: []\n")
    apply(team, "--allow", "deletes", "--allow", "empty")
    assert not file(team).exists()


def test_a_mark_that_goes_with_the_last_neighbour_is_told(team: Project) -> None:
    """The one that stays is compared with its own record, and not with that of its neighbour."""
    declare(team, {"1020": "Alice", "1021": "Bob"}, e1021=", protect: true")
    apply(team, "--allow", "deletes")
    declare(team, {"1021": "Bob"})
    assert plan(team) == [("delete", "agent:1020", False), ("update", "agent:1021", False)]
    declare(team, {"1021": "Bob"}, e1021=", protect: true")
    assert plan(team) == [("delete", "agent:1020", False)]


def test_one_that_is_protected_cannot_be_deleted_and_the_others_can(team: Project) -> None:
    declare(team, NAMES, e1020=", protect: true")
    ran = team.run("plan", "--json")
    assert [item["attributes"][0]["name"] for item in ran.json()["changes"]] == ["protect"]
    before = file(team).read_bytes()
    apply(team)
    assert (file(team).read_bytes(), plan(team)) == (before, [])
    declare(team, {"1021": "Bob", "1022": "Carol"})
    (hazard,) = team.run("plan", "--json").json()["hazards"]
    assert (hazard["rule"], "agent:1020" in hazard["message"]) == ("protected", True)
    declare(team, {"1020": "Alice", "1022": "Carol"}, e1020=", protect: true")
    apply(team, "--allow", "deletes")
    assert element(team, "1020")


def test_what_somebody_edited_is_drift_of_that_agent_alone(team: Project) -> None:
    edit(team, "1021", 'value="Bob"', 'value="Mallory"')
    report = team.run("drift", "--offline", "--json").json()
    assert [item["resource"] for item in report["drift"]] == ["agent:1021"]
    assert plan(team) == [("update", "agent:1021", True)]
    declare(team, {**NAMES, "1022": "Cleo"})
    assert plan(team) == [("update", "agent:1021", True), ("update", "agent:1022", False)]


def test_one_that_somebody_took_out_is_created_again(team: Project) -> None:
    file(team).write_text(file(team).read_text().replace(element(team, "1021"), ""))
    assert plan(team) == [("create", "agent:1021", True)]
    apply(team)
    assert element(team, "1021")


def test_what_is_of_nobody_in_the_file_is_told_and_goes(team: Project) -> None:
    stray = '  <user id="4000"><params><param name="password" value="hunter2"/></params></user>\n'
    text = file(team).read_text()
    file(team).write_text(text.replace("</include>", f"{stray}</include>"))
    ran = team.run("plan")
    assert "(beside all)" in ran.out
    assert "hunter2" not in ran.out + team.run("plan", "--json").out
    assert team.run("drift", "--offline").code != 0
    apply(team)
    assert "4000" not in file(team).read_text()


@pytest.mark.parametrize("broken", ["<include>\n<user id=\n", ""])
def test_a_file_that_cannot_be_read_is_written_anew(team: Project, broken: str) -> None:
    file(team).write_text(broken)
    assert {drifted for _, _, drifted in plan(team)} == {True}
    assert team.run("apply", "--yes", "--no-reload").code == 0
    assert all(element(team, extension) for extension in NAMES)


def test_only_one_is_written_and_the_others_keep_what_stands(team: Project) -> None:
    edited = edit(team, "1022", 'value="Carol"', "value='Carol'  ")
    bob = element(team, "1021")
    declare(team, {"1020": "Anna", "1021": "Bert", "1022": "Cleo", "1023": "Dora"})
    assert "partial: 3 left out" in team.run("plan", "--only", "agent:1020").out
    ran = team.run("apply", "--yes", "--only", "agent:1020")
    assert (ran.code, "Applied: 0 created, 1 changed, 0 deleted" in ran.out) == (0, True)
    assert "Anna" in element(team, "1020")
    assert (element(team, "1021"), element(team, "1022"), element(team, "1023")) == (
        bob, edited, "",
    )  # fmt: skip
    assert [item[:2] for item in plan(team)] == [
        ("update", "agent:1021"), ("update", "agent:1022"), ("create", "agent:1023"),
    ]  # fmt: skip


def test_what_somebody_edited_is_still_drift_once_another_was_applied(team: Project) -> None:
    edited = edit(team, "1022", 'value="Carol"', 'value="Mallory"')
    declare(team, {**NAMES, "1020": "Anna"})
    assert team.run("apply", "--yes", "--only", "agent:1020").code == 0
    assert element(team, "1022") == edited
    assert plan(team) == [("update", "agent:1022", True)]
    report = team.run("drift", "--offline", "--json").json()
    assert [item["resource"] for item in report["drift"]] == ["agent:1022"]


def test_only_one_is_created_and_only_one_deleted(team: Project) -> None:
    declare(team, {"1020": "Alice", "1019": "Zoe", "1023": "Dora"})
    apply(team, "--only", "agent:1019", "--only", "agent:1021", "--allow", "deletes")
    ids = re.findall(r'<user id="(\d+)"', file(team).read_text())
    assert ids == ["1019", "1020", "1022"]
    assert [item[:2] for item in plan(team)] == [("delete", "agent:1022"), ("create", "agent:1023")]


def test_only_one_of_a_file_that_is_not_there_makes_a_file_of_one(project: Project) -> None:
    (project.root / "desired/routes.yaml").unlink(missing_ok=True)
    declare(project, NAMES)
    apply(project, "--only", "agent:1021")
    assert re.findall(r'<user id="(\d+)"', file(project).read_text()) == ["1021"]
    assert [item[:2] for item in plan(project)] == [
        ("create", "agent:1020"), ("create", "agent:1022"),
    ]  # fmt: skip
    apply(project)
    assert plan(project) == []


def test_what_cannot_be_kept_byte_for_byte_stops_a_partial_plan(team: Project) -> None:
    line = '  <X-PRE-PROCESS cmd="set" data="x=1"/>\n'
    text = file(team).read_text()
    file(team).write_text(text.replace("</include>", f"{line}</include>"))
    declare(team, {**NAMES, "1020": "Anna"})
    (hazard,) = team.run("plan", "--json", "--only", "agent:1020").json()["hazards"]
    assert hazard["rule"] == "inseparable"
    assert team.run("plan", "--json").json()["hazards"] == []


def test_a_mark_is_kept_in_the_manifest_whatever_stands_in_the_file(team: Project) -> None:
    text = file(team).read_text()
    line = '  <X-PRE-PROCESS cmd="set" data="x=1"/>\n'
    file(team).write_text(text.replace("</include>", f"{line}</include>"))
    declare(team, NAMES, e1021=", protect: true")
    made = team.run("plan", "--json", "--only", "agent:1021").json()
    assert ([item["dangers"] for item in made["changes"]], made["hazards"]) == ([["nothing"]], [])
    assert team.run("apply", "--yes", "--only", "agent:1021").code == 0
    assert line in file(team).read_text()
    assert plan(team) == [("update", "agent:1020", True)]


def test_without_the_key_all_but_the_secrets_is_compared(
    team: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FSGITOPS_KEY", raising=False)
    (team.root / ".fsgitops/key").unlink(missing_ok=True)
    assert plan(team) == []
    declare(team, {**NAMES, "1021": "Bert"})
    made = team.run("plan", "--json").json()
    assert ([item["resource"] for item in made["changes"]], made["unknown_secrets"]) == (
        ["agent:1021"], True,
    )  # fmt: skip


def test_a_file_is_adopted_for_all_that_it_holds(team: Project) -> None:
    (team.conf / ".fsgitops/manifest.json").unlink()
    edit(team, "1022", 'value="Carol"', 'value="Other"')
    declare(team, {**NAMES, "1023": "Dora"})
    assert team.run("plan", "--json").json()["hazards"]
    ran = team.run("adopt", "--yes", ".")
    assert ran.code == 0, ran.err
    assert [item[:2] for item in plan(team)] == [
        ("update", "agent:1022"), ("create", "agent:1023"),
    ]  # fmt: skip


def test_a_file_is_given_back_as_a_whole(team: Project) -> None:
    ran = team.run("release", "agent:1020")
    assert (ran.code, "holds 2 other resources as well" in ran.err) == (64, True)
    ran = team.run("release", "--json", TEAM)
    assert [item["resource"] for item in ran.json()["released"]] == [f"agent:{e}" for e in NAMES]


def test_a_new_number_of_one_is_a_rename(team: Project) -> None:
    declare(team, {"1020": "Alice", "1022": "Carol", "1031": "Bob"})
    assert "agent 1021 -> 1031" in team.run("plan").out


def test_a_roll_back_brings_back_what_each_was(team: Project) -> None:
    before = file(team).read_bytes()
    declare(team, {"1020": "Anna", "1022": "Carol", "1023": "Dora"})
    apply(team, "--allow", "deletes")
    shown = team.run("show", "2", "--json").json()["changes"]
    assert [(item["action"], item["resource"]) for item in shown] == [
        ("update", "agent:1020"), ("delete", "agent:1021"), ("create", "agent:1023"),
    ]  # fmt: skip
    ran = team.run("rollback", "--yes", "--allow", "deletes")
    assert ran.code == 0, ran.err
    assert "Applied: 1 created, 1 changed, 1 deleted" in ran.out
    assert file(team).read_bytes() == before
    declare(team, NAMES)
    assert plan(team) == []


def test_a_roll_back_of_one_that_was_added_keeps_the_file(team: Project) -> None:
    before = file(team).read_bytes()
    declare(team, {**NAMES, "1023": "Dora"})
    apply(team)
    assert team.run("rollback", "--yes").code == 0
    assert file(team).read_bytes() == before


def test_the_first_of_a_file_is_rolled_back_with_it(team: Project) -> None:
    assert team.run("rollback", "--yes", "--allow", "deletes").code == 0
    assert not file(team).exists()


def test_what_was_not_loaded_is_told_by_agent(team: Project) -> None:
    declare(team, {"1020": "Anna", "1022": "Carol"})
    ran = team.run("apply", "--yes", "--no-reload", "--allow", "deletes")
    assert ran.code == 0, ran.err
    unloaded = team.run("plan", "--json").json()["unloaded"]
    assert [(item["action"], item["resource"]) for item in unloaded] == [
        ("update", "agent:1020"), ("delete", "agent:1021"),
    ]  # fmt: skip
    apply(team)
    assert team.run("plan", "--json").json()["unloaded"] == []


def test_a_recorded_state_knows_each(team: Project, tmp_path: Path) -> None:
    state = str(tmp_path / "state.json")
    assert team.run("export-state", "--output", state).code == 0
    assert plan(team, "--against", state) == []
    declare(team, {"1020": "Anna", "1021": "Bob", "1023": "Dora"})
    assert plan(team, "--against", state) == [
        ("update", "agent:1020", False), ("delete", "agent:1022", False),
        ("create", "agent:1023", False),
    ]  # fmt: skip


def test_agents_that_move_to_a_file_of_all_are_not_cut_off(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project.root / "desired/routes.yaml").unlink(missing_ok=True)
    declare(project, NAMES, e1022=", protect: true")
    together, settings = fsgitops.kinds.BUILT_IN, project.root / "fsgitops.yaml"
    layout = settings.read_text()
    use_kinds(monkeypatch, BUILT_IN)
    settings.write_text(layout.replace("layout: sharded", "layout: files"))
    apply(project)
    assert (project.conf / "directory/default/1020.xml").exists()
    use_kinds(monkeypatch, together)
    settings.write_text(layout)
    declare(project, {**NAMES, "1021": "Bert"}, e1022=", protect: true")
    made = project.run("plan", "--json").json()
    assert (made["hazards"], made["tasks"]) == ([], [])
    assert [step["command"] for step in made["reloads"]] == ["reloadxml", "xml_flush_cache"]
    assert "3 to another file" in project.run("plan").out
    apply(project, "--allow", "deletes")
    assert plan(project) == []
    assert not (project.conf / "directory/default/1020.xml").exists()
    ran = project.run("rollback", "--yes", "--allow", "deletes")
    assert (ran.code, "3 to another file" in ran.out) == (0, True)
    assert (project.conf / "directory/default/1020.xml").exists()
    assert not file(project).exists()


def test_two_revisions_are_compared_agent_by_agent(project: Project) -> None:
    (project.root / "desired/routes.yaml").unlink(missing_ok=True)
    declare(project, NAMES)
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.com"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "one"]):
        command = ["git", "-C", str(project.root), *identity, *words]
        subprocess.run(command, check=True, capture_output=True)
    declare(project, {"1020": "Anna", "1021": "Bob", "1023": "Dora"})
    assert changes(project.run("diff", "HEAD", "--json")) == [
        ("update", "agent:1020", False), ("delete", "agent:1022", False),
        ("create", "agent:1023", False),
    ]  # fmt: skip
