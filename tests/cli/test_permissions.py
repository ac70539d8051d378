"""Limits, dangers, protection, renames and partial plans from the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from project import SETTINGS, Project
from switchboard import serve

from fsgitops.sandbox.switch import EmbeddedSwitch

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

DOMAIN = "sandbox.example"


def declare(
    project: Project, numbers: Iterable[int], *, name: str = "Agent", more: str = ""
) -> None:
    lines = [f"  - {{extension: {n}, name: {name} {n}{more}}}" for n in numbers]
    project.write("desired/agents.yaml", "\n".join(["agents:", *lines, ""]))


@pytest.fixture
def many(project: Project) -> Project:
    """Twenty agents, applied, and no route."""
    (project.root / "desired/routes.yaml").unlink()
    declare(project, range(1000, 1020))
    project.prepare("apply", "--yes")
    return project


@pytest.fixture
def served(many: Project) -> Iterator[EmbeddedSwitch]:
    """The same, with the switch that commands find running."""
    with serve(many) as switch:
        yield switch


def test_too_many_deletions_are_refused_and_nothing_is_touched(many: Project) -> None:
    declare(many, range(1000, 1010))
    before = many.tree()
    ran = many.run("apply", "--yes")
    assert (ran.code, many.tree()) == (4, before)
    assert "--allow deletes: 10 of 20 managed resources would be deleted (50%)" in ran.err


def test_naming_the_permission_lifts_the_refusal(many: Project) -> None:
    declare(many, range(1000, 1010))
    assert many.run("apply", "--yes", "--allow", "deletes").code == 0


def test_another_permission_does_not(many: Project) -> None:
    declare(many, range(1000, 1010))
    assert many.run("apply", "--yes", "--allow", "updates", "--allow", "calls").code == 4


def test_too_many_updates_are_refused(many: Project) -> None:
    declare(many, range(1000, 1020), name="Phone")
    ran = many.run("apply", "--yes")
    assert (ran.code, "--allow updates" in ran.err) == (4, True)


def test_an_empty_desired_state_is_refused(many: Project) -> None:
    (many.root / "desired/agents.yaml").unlink()
    ran = many.run("apply", "--yes", "--allow", "deletes")
    assert (ran.code, "--allow empty" in ran.err) == (4, True)
    assert many.run("apply", "--yes", "--allow", "empty").code == 0


def test_the_plan_says_what_will_be_refused(many: Project) -> None:
    declare(many, range(1000, 1010))
    assert "  --allow deletes: 10 of 20" in many.run("plan").out
    needs = {need["permission"]: need for need in many.run("plan", "--json").json()["needs"]}
    assert set(needs) == {"deletes", "reload", "registration"}
    assert (needs["deletes"]["allowed"], needs["registration"]["allowed"]) == (False, True)


def test_a_saved_plan_is_given_its_permission_when_it_is_applied(many: Project) -> None:
    declare(many, range(1000, 1010))
    saved = str(many.root / "plan.json")
    assert many.run("plan", "--out", saved, "--allow", "deletes").code == 0
    assert many.run("apply", saved).code == 4
    assert many.run("apply", saved, "--allow", "deletes").code == 0


def test_limits_are_set_in_the_settings_and_a_target_has_its_own(many: Project) -> None:
    limits = "limits: {deletes_percent: 60}\n"
    own = SETTINGS.replace("example.com}", "example.com, limits: {deletes_percent: 0, minimum: 1}}")
    many.write("fsgitops.yaml", own + limits)
    (many.root / "conf").mkdir()
    assert many.run("apply", "--yes", "--no-reload", "--target", "image").code == 0
    declare(many, range(1000, 1010))
    assert many.run("apply", "--yes").code == 0
    ran = many.run("apply", "--yes", "--no-reload", "--target", "image")
    assert (ran.code, "more than the 0% allowed" in ran.err) == (4, True)


def test_a_limit_that_is_no_percentage_is_a_finding_with_its_place(project: Project) -> None:
    project.write("fsgitops.yaml", SETTINGS + "limits: {deletes_percent: 130}\n")
    ran = project.run("plan")
    assert (ran.code, "fsgitops.yaml:5:" in ran.err) == (3, True)


def test_a_misspelt_limit_is_corrected(project: Project) -> None:
    project.write("fsgitops.yaml", SETTINGS + "limits: {delete_percent: 10}\n")
    assert "Did you mean `deletes_percent`?" in project.run("plan").err


def test_a_class_that_the_settings_do_not_allow_is_refused(many: Project) -> None:
    many.write("fsgitops.yaml", SETTINGS + "allow: [reload]\n")
    declare(many, range(1000, 1019))
    assert "--allow registration" in many.run("plan").out
    many.write("fsgitops.yaml", SETTINGS + "allow: []\n")
    refused = many.run("apply", "--yes", "--allow", "calls")
    assert (refused.code, "--allow reload" in refused.err) == (4, True)


def test_an_agent_that_is_not_registered_has_no_registration_to_lose(
    many: Project, served: EmbeddedSwitch
) -> None:
    many.write("fsgitops.yaml", SETTINGS + "allow: [reload]\n")
    declare(many, range(1000, 1019))
    assert "--allow registration" not in many.run("plan", "--live").out


def test_a_registration_that_came_after_the_plan_is_seen_before_the_apply(
    many: Project, served: EmbeddedSwitch
) -> None:
    many.write("fsgitops.yaml", SETTINGS + "allow: [reload, registration]\n")
    declare(many, range(1000, 1019))
    served.add_registration("1019", DOMAIN)
    out = many.run("plan", "--live").out
    assert "agent 1019 now: 1 registration" in out
    assert "Registrations ended: 1" in many.run("apply", "--yes").out


def test_an_apply_needs_no_permission_for_a_registration_that_is_not_there(
    many: Project, served: EmbeddedSwitch
) -> None:
    many.write("fsgitops.yaml", SETTINGS + "allow: [reload]\n")
    declare(many, range(1000, 1018))
    served.add_registration("1018", DOMAIN)
    ran = many.run("apply", "--yes")
    assert (ran.code, "lose their registration: agent:1018\n" in ran.err) == (4, True)
    declare(many, [*range(1000, 1019)])
    assert many.run("apply", "--yes").code == 0


def test_a_live_plan_whose_switch_cannot_be_asked_says_so_and_is_a_plan(many: Project) -> None:
    text = SETTINGS.replace("example.com}", "example.com, esl: {port: 1, password: {env: NONE}}}")
    many.write("fsgitops.yaml", text)
    (many.root / "conf").mkdir()
    assert many.run("apply", "--yes", "--no-reload", "--target", "image").code == 0
    declare(many, range(1000, 1019))
    ran = many.run("plan", "--live", "--target", "image")
    assert ran.code == 0
    assert "The switch could not say who is registered" in ran.out
    assert "1 to delete" in ran.out


def test_a_plan_for_files_only_needs_no_permission_of_the_switch(many: Project) -> None:
    many.write("fsgitops.yaml", SETTINGS + "allow: []\n")
    declare(many, range(1000, 1019))
    assert many.run("apply", "--yes").code == 4
    assert many.run("apply", "--yes", "--no-reload").code == 0


def test_a_protected_agent_is_not_deleted_when_its_block_is_gone(many: Project) -> None:
    declare(many, range(1000, 1020), more=", protect: true")
    many.prepare("apply", "--yes")
    declare(many, range(1000, 1019))
    before = many.tree()
    ran = many.run("apply", "--yes", "--allow", "deletes")
    assert (ran.code, many.tree()) == (4, before)
    assert "agent:1019 is protected" in ran.err
    assert "protect: false" in ran.err


def test_protection_is_lifted_by_applying_false_first(many: Project) -> None:
    declare(many, range(1000, 1020), more=", protect: true")
    many.prepare("apply", "--yes")
    declare(many, range(1000, 1020), more=", protect: false")
    assert many.run("apply", "--yes").code == 0
    declare(many, range(1000, 1019))
    assert many.run("apply", "--yes").code == 0


def test_a_disabled_agent_that_is_protected_stays(many: Project) -> None:
    declare(many, range(1000, 1020), more=", protect: true")
    many.prepare("apply", "--yes")
    declare(many, range(1000, 1020), more=", protect: true, enabled: false")
    assert many.run("apply", "--yes", "--allow", "empty").code == 4


def test_protection_changes_no_file_and_needs_no_reload(many: Project) -> None:
    before = many.tree()
    declare(many, range(1000, 1020), more=", protect: true")
    plan = many.run("plan", "--json").json()
    assert plan["reloads"] == []
    assert {tuple(change["dangers"]) for change in plan["changes"]} == {("nothing",)}
    ran = many.run("apply", "--yes")
    assert (ran.code, many.tree()) == (0, before)
    assert "reloadxml" not in ran.out
    assert "No changes" in many.run("plan").out


def test_a_protected_route_is_not_deleted_either(project: Project) -> None:
    routes = project.root / "desired/routes.yaml"
    routes.write_text(routes.read_text().replace("1020}", "1020, protect: true}"))
    project.prepare("apply", "--yes")
    routes.unlink()
    ran = project.run("apply", "--yes")
    assert (ran.code, "did:+19495431333 is protected" in ran.err) == (4, True)


def test_a_manifest_from_before_protection_is_read(many: Project) -> None:
    manifest = many.conf / ".fsgitops/manifest.json"
    assert "protect" not in manifest.read_text()
    assert "No changes" in many.run("plan").out


def test_an_agent_that_moves_is_one_change(many: Project) -> None:
    text = (many.root / "desired/agents.yaml").read_text()
    many.write("desired/agents.yaml", text.replace("extension: 1005", "extension: 2005"))
    out = many.run("plan").out
    assert "  > agent 1005 -> 2005  directory/default/2005.xml" in out
    assert out.splitlines()[-1] == "Plan: 0 to create, 0 to change, 0 to delete, 1 to rename"
    assert "- agent 1005" not in out


def test_a_rename_is_a_deletion_and_a_creation_in_json_that_name_each_other(many: Project) -> None:
    text = (many.root / "desired/agents.yaml").read_text()
    many.write("desired/agents.yaml", text.replace("extension: 1005", "extension: 2005"))
    plan = many.run("plan", "--json").json()
    assert plan["summary"] == {"create": 0, "update": 0, "delete": 0, "rename": 1}
    told = [(c["action"], c["renamed_from"], c["renamed_to"]) for c in plan["changes"]]
    assert told == [("delete", None, "agent:2005"), ("create", "agent:1005", None)]


def test_a_rename_is_carried_out(many: Project) -> None:
    text = (many.root / "desired/agents.yaml").read_text()
    many.write("desired/agents.yaml", text.replace("extension: 1005", "extension: 2005"))
    ran = many.run("apply", "--yes")
    assert (ran.code, "1 renamed" in ran.out) == (0, True)
    assert (many.conf / "directory/default/2005.xml").exists()
    assert not (many.conf / "directory/default/1005.xml").exists()


def test_only_what_was_named_is_planned_and_the_plan_says_so(project: Project) -> None:
    ran = project.run("plan", "--only", "agent:1020")
    assert "Partial plan (--only agent:1020): 2 other changes left out." in ran.out
    assert ran.out.splitlines()[-1].endswith("; partial: 2 left out")
    plan = project.run("plan", "--only", "agent:1020", "--json").json()
    assert (plan["partial"], plan["only"], plan["left_out"]) == (True, ["agent:1020"], 2)
    assert [c["resource"] for c in plan["changes"]] == [
        "agent:1020",
        "dialplan:agents",
        "dialplan:transfers",
    ]


def test_a_partial_apply_leaves_the_rest_as_it_is(project: Project) -> None:
    assert project.run("apply", "--yes", "--only", "agent:1020").code == 0
    assert (project.conf / "directory/default/1020.xml").exists()
    assert not (project.conf / "directory/default/1021.xml").exists()
    assert "Plan: 2 to create" in project.run("plan").out


def test_a_yaml_path_names_what_it_declares(project: Project) -> None:
    plan = project.run("plan", "--exclude", "desired/rou*.yaml", "--json").json()
    assert "did:+19495431333" not in [c["resource"] for c in plan["changes"]]
    assert len(plan["changes"]) == 4


def test_a_selector_that_names_nothing_is_wrong_usage(project: Project) -> None:
    ran = project.run("plan", "--only", "agent:1002")
    assert (ran.code, "did you mean `agent:102" in ran.err) == (64, True)


def test_a_selector_that_is_like_no_name_is_given_no_likeness(project: Project) -> None:
    for selector in ("agent:9999", "did:+4930123456789", "agent:+19495431333"):
        ran = project.run("plan", "--only", selector)
        assert (ran.code, "did you mean" in ran.err) == (64, False), ran.err


def test_a_partial_plan_that_leaves_a_route_dangling_warns(project: Project) -> None:
    out = project.run("plan", "--only", "did:*").out
    assert "warning: did:+19495431333 rings 1020, and agent:1020 is not there" in out


def test_a_saved_partial_plan_applies_as_such(project: Project) -> None:
    saved = str(project.root / "plan.json")
    project.run("plan", "--only", "agent:1020", "--out", saved)
    assert project.run("apply", saved).code == 0
    assert not (project.conf / "directory/default/1021.xml").exists()


def test_a_saved_plan_is_not_narrowed_when_it_is_applied(project: Project) -> None:
    saved = str(project.root / "plan.json")
    project.run("plan", "--out", saved)
    assert project.run("apply", saved, "--only", "agent:1020").code == 4


def test_a_foreign_file_outside_of_a_partial_plan_is_not_in_its_way(project: Project) -> None:
    project.run("plan")
    (project.conf / "directory/default/1021.xml").write_text("<include>\n</include>\n")
    assert project.run("apply", "--yes", "--only", "agent:1021").code == 4
    assert project.run("apply", "--yes", "--only", "agent:1020").code == 0


def test_a_new_password_is_kicked_only_when_asked(many: Project, served: EmbeddedSwitch) -> None:
    served.add_registration("1000", DOMAIN)
    served.add_registration("1001", DOMAIN)
    declare(many, range(1000, 1020))
    text = (many.root / "desired/agents.yaml").read_text()
    rotated = text.replace("Agent 1000", "Agent 1000, password_version: 2")
    many.write("desired/agents.yaml", rotated)
    plain = many.run("plan", "--json").json()["reloads"]
    assert [step["command"] for step in plain] == ["reloadxml", "xml_flush_cache"]
    steps = many.run("plan", "--json", "--kick-rotated").json()["reloads"]
    assert [step["command"] for step in steps] == [
        "reloadxml", "xml_flush_cache", f"sofia profile internal flush_inbound_reg 1000@{DOMAIN}",
        "verto noperm SESSION methods verto",
    ]  # fmt: skip
    ran = many.run("apply", "--yes", "--kick-rotated")
    assert "Registrations with a former password ended: 1" in ran.out, ran.err
    assert [item.user for item in served.registrations] == ["1001"]


def test_no_reload_step_can_drop_a_call(many: Project) -> None:
    declare(many, range(1010, 1022), more=", password_version: 2")
    steps = many.run("plan", "--json", "--kick-rotated").json()["reloads"]
    harmless = (
        "reloadxml", "xml_flush_cache", "sofia profile internal flush_inbound_reg ",
        "verto noperm SESSION methods verto",
    )  # fmt: skip
    assert len(steps) == 23
    assert all(step["command"].startswith(harmless) and step["because"] for step in steps)
    assert [step["command"] for step in steps].index("reloadxml") == 0


def test_an_apply_of_marks_alone_claims_no_read_back_and_is_not_what_a_roll_back_undoes(
    many: Project,
) -> None:
    declare(many, [*range(1000, 1019), 1030])
    many.prepare("apply", "--yes")
    declare(many, [*range(1000, 1019), 1030], more=", protect: true")
    ran = many.run("apply", "--yes")
    assert (ran.code, "Read back" in ran.out) == (0, False)
    *_, last = many.run("history", "--json").json()["revisions"]
    assert last["ending"] == "applied"
    declare(many, range(1000, 1019))
    ran = many.run("rollback", "1", "--yes")
    assert (ran.code, "protected" in ran.err) == (4, True)
    ran = many.run("rollback", "--yes")
    assert "undoes 2, 3" in ran.out
