"""The pipelines for GitLab: rehearsed from branch to switch, and what they say there."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from fake_gitlab import COMMENT_TOKEN, JOB_TOKEN, FakeGitLab
from pipeline_runner import matches
from rehearsal import exceed_limits
from rehearsal_gitlab import MERGE_REQUEST, GitLabRehearsal
from scratch_repository import CHECKOUT, results

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pipeline_runner import PipelineJob
    from project import Project

PIPELINES = CHECKOUT / "docs" / "ci" / "gitlab.yml"
SCRIPT = CHECKOUT / ".gitlab" / "scripts" / "gitlab.py"
APPLIED = {"validate": "success", "propose": "success", "apply": "success"}
REFUSED = {**APPLIED, "apply": "failed"}
NOTES = f"merge_requests/{MERGE_REQUEST}/notes"


@pytest.fixture
def rehearsal(tmp_path: Path) -> Iterator[GitLabRehearsal]:
    with FakeGitLab() as gitlab:
        yield GitLabRehearsal(tmp_path / "rehearsal", gitlab)


def test_a_fresh_project_gets_these_very_pipelines(project: Project) -> None:
    project.run("init", "--ci", "gitlab", str(project.root / "fresh"))
    fresh = project.root / "fresh"
    assert (fresh / ".gitlab-ci.yml").read_bytes() == PIPELINES.read_bytes()
    names = {path.name for path in (CHECKOUT / ".github" / "scripts").glob("*.sh")}
    names |= {path.name for path in SCRIPT.parent.glob("*.*")}
    names |= {"requirements.txt", "fsgitops.txt"}
    assert {path.name for path in (fresh / ".gitlab/scripts").iterdir()} == names
    assert not (fresh / ".github").exists()


def test_a_project_without_pipelines_gets_none(project: Project) -> None:
    project.run("init", "--ci", "none", str(project.root / "fresh"))
    assert not (project.root / "fresh" / ".github").exists()
    assert not (project.root / "fresh" / ".gitlab-ci.yml").exists()


@pytest.mark.sweep
def test_a_merge_request_goes_from_branch_to_switch(rehearsal: GitLabRehearsal) -> None:
    gitlab = rehearsal.gitlab
    assert results(rehearsal.begin()) == APPLIED

    rehearsal.branch()
    assert results(rehearsal.plan()) == {"plan": "success", "comment": "success"}
    assert "0 to create, 2 to change, 0 to delete" in rehearsal.comment()
    assert "compared with the state recorded" in rehearsal.comment()

    place = rehearsal.origin / "desired" / "agents.yaml"
    place.write_text(place.read_text().replace("Help Desk", "Front Desk"))
    rehearsal.git("commit", "-q", "-am", "Another name")
    rehearsal.plan()
    assert "Front Desk" in rehearsal.comment()
    assert gitlab.writes[-1].startswith(f"PUT {NOTES}/")

    rehearsal.merge()
    jobs = rehearsal.push(play=False)
    assert results(jobs) == {**APPLIED, "apply": "manual"}
    live = rehearsal.runner.machine / ".fsgitops/sandbox/conf/directory/default/1020.xml"
    assert "Front Desk" not in live.read_text()

    assert results(rehearsal.push()) == APPLIED
    assert "Front Desk" in live.read_text()
    merged = rehearsal.git("rev-parse", "main")
    [outcome] = [item["note"] for item in gitlab.outcomes if item["sha"] == merged]
    told, _, url = outcome.partition("\n\n")
    assert told == "fsgitops/apply (sandbox): **success**: Applied: 0 created, 2 changed, 0 deleted"
    assert url == "https://gitlab.example/jobs/1"

    secrets = (*rehearsal.runner.protected.values(), COMMENT_TOKEN, JOB_TOKEN)
    kept = [p for p in rehearsal.runner.root.glob("artifacts-*/**/*") if p.is_file()]
    assert kept
    for path in kept:
        assert not [secret for secret in secrets if secret in path.read_text()]


@pytest.mark.sweep
def test_a_merge_request_meets_no_protected_variable(rehearsal: GitLabRehearsal) -> None:
    rehearsal.begin()
    rehearsal.branch()
    given = rehearsal.runner.protected
    path = rehearsal.origin / ".gitlab" / "scripts" / "plan.sh"
    path.write_text(f"env\n{path.read_text()}")
    rehearsal.git("commit", "-q", "-am", "Look around")
    log = rehearsal.plan()["plan"].log
    assert "CI_MERGE_REQUEST_IID=7" in log
    assert not [value for value in given.values() if value in log]


@pytest.mark.sweep
def test_a_plan_that_is_not_the_approved_one_is_refused(rehearsal: GitLabRehearsal) -> None:
    rehearsal.begin()
    rehearsal.branch()
    rehearsal.merge()
    run_job = rehearsal.runner.run_job

    def tamper(job: Any, variables: Any, before: list[PipelineJob], sha: str) -> PipelineJob:
        for plan in (p for e in before for p in e.artifacts.glob("plan/plan.json")):  # type: ignore[union-attr]
            plan.write_text(plan.read_text().replace('"1020 XML default"', '"1022 XML default"'))
        return run_job(job, variables, before, sha)

    rehearsal.runner.run_job = tamper  # type: ignore[method-assign]
    assert results(rehearsal.push()) == REFUSED
    outcome = rehearsal.gitlab.outcomes[-1]["note"]
    assert "**failure**: Refused: the plan is not the one that was approved" in outcome
    live = rehearsal.runner.machine / ".fsgitops/sandbox/conf/dialplan/public"
    assert all("1022" not in path.read_text() for path in live.glob("*1334.xml"))


@pytest.mark.sweep
def test_drift_opens_one_issue_and_closes_it_when_it_is_gone(rehearsal: GitLabRehearsal) -> None:
    rehearsal.begin()
    assert results(rehearsal.look_for_drift()) == {"drift": "success"}
    assert not rehearsal.gitlab.issues
    live = rehearsal.runner.machine / ".fsgitops/sandbox/conf/directory/default/1020.xml"
    before = live.read_text()
    for name in ("Somebody Else", "Mallory"):
        live.write_text(before.replace("Example Support", name))
        assert results(rehearsal.look_for_drift()) == {"drift": "success"}
        [issue] = rehearsal.gitlab.issues.values()
        assert issue["title"] == "fsgitops: sandbox has drifted"
        assert name in issue["description"]
    live.write_text(before)
    assert results(rehearsal.look_for_drift()) == {"drift": "success"}
    assert issue["state"] == "closed"


@pytest.mark.sweep
def test_without_tokens_the_pipelines_do_all_but_speak(rehearsal: GitLabRehearsal) -> None:
    del rehearsal.runner.variables["FSGITOPS_COMMENT_TOKEN"]
    del rehearsal.runner.protected["FSGITOPS_GITLAB_TOKEN"]
    assert results(rehearsal.begin()) == APPLIED
    rehearsal.branch()
    jobs = rehearsal.plan()
    assert results(jobs) == {"plan": "success", "comment": "success"}
    assert "nothing said: FSGITOPS_COMMENT_TOKEN is not set" in jobs["comment"].log
    assert results(rehearsal.look_for_drift()) == {"drift": "success"}
    assert not rehearsal.gitlab.writes


@pytest.mark.sweep
def test_an_apply_that_cannot_be_told_of_is_still_an_apply(rehearsal: GitLabRehearsal) -> None:
    rehearsal.runner.protected["FSGITOPS_GITLAB_TOKEN"] = "expired"
    jobs = rehearsal.begin()
    assert results(jobs) == APPLIED
    assert "GitLab answered 401" in jobs["apply"].log
    assert "The outcome is not below the commit" in jobs["apply"].log


@pytest.mark.sweep
def test_only_the_token_of_the_main_branch_speaks_there(rehearsal: GitLabRehearsal) -> None:
    del rehearsal.runner.protected["FSGITOPS_GITLAB_TOKEN"]
    assert results(rehearsal.begin()) == APPLIED
    assert results(rehearsal.look_for_drift()) == {"drift": "success"}
    assert not rehearsal.gitlab.writes


@pytest.mark.sweep
def test_a_manual_job_started_for_another_target_applies_nothing(
    rehearsal: GitLabRehearsal,
) -> None:
    rehearsal.runner.started_with["TARGET"] = "prod"
    jobs = rehearsal.begin()
    assert results(jobs) == REFUSED
    assert not list(rehearsal.runner.machine.glob(".fsgitops/sandbox/conf/directory/default/1*"))


@pytest.mark.sweep
def test_a_permission_is_given_when_the_manual_job_is_started(rehearsal: GitLabRehearsal) -> None:
    rehearsal.begin()
    exceed_limits(rehearsal.runner)
    assert results(rehearsal.push()) == REFUSED
    outcome = rehearsal.gitlab.outcomes[-1]["note"]
    assert "Refused: needs --allow deletes: the plan needs permissions" in outcome
    assert "--allow deletes: 2 of" in outcome
    rehearsal.runner.started_with["FSGITOPS_ALLOW"] = "deletes, updates"
    assert results(rehearsal.push()) == APPLIED


@pytest.mark.sweep
def test_drift_in_between_does_not_hide_the_recorded_state(rehearsal: GitLabRehearsal) -> None:
    rehearsal.begin()
    rehearsal.look_for_drift()
    rehearsal.gitlab.deploy("sandbox", "failed", {})
    rehearsal.gitlab.deploy("elsewhere", "success", {"applied/state.json": b"{}"})
    rehearsal.branch()
    rehearsal.plan()
    assert "compared with the state recorded" in rehearsal.comment()


@pytest.mark.sweep
def test_what_others_merged_since_is_no_change_of_this_merge_request(
    rehearsal: GitLabRehearsal,
) -> None:
    rehearsal.begin()
    rehearsal.branch()
    rehearsal.git("checkout", "-q", "main")
    agents = rehearsal.origin / "desired" / "sales.yaml"
    agents.write_text("agents:\n  - {extension: 1055, name: Dora Example}\n")
    rehearsal.git("add", ".")
    rehearsal.git("commit", "-q", "-m", "Dora")
    rehearsal.push()
    rehearsal.plan()
    assert "0 to create, 2 to change, 0 to delete" in rehearsal.comment()
    assert "compared with the state recorded" in rehearsal.comment()
    rehearsal.gitlab.deployments.clear()
    rehearsal.plan()
    assert "0 to create, 2 to change, 0 to delete" in rehearsal.comment()


@pytest.mark.sweep
def test_what_cannot_be_merged_is_compared_with_what_it_is_based_on(
    rehearsal: GitLabRehearsal,
) -> None:
    rehearsal.begin()
    rehearsal.branch()
    rehearsal.git("checkout", "-q", "main")
    place = rehearsal.origin / "desired" / "agents.yaml"
    place.write_text(place.read_text().replace("Example Support", "Conflict"))
    rehearsal.git("commit", "-q", "-am", "At the same place")
    rehearsal.push()
    jobs = rehearsal.plan()
    assert "Not merged with its target branch" in jobs["plan"].log
    assert "0 to create, 2 to change, 0 to delete" in rehearsal.comment()
    assert "compared with the state recorded" not in rehearsal.comment()


@pytest.mark.sweep
def test_a_plan_that_came_to_nothing_replaces_the_note(rehearsal: GitLabRehearsal) -> None:
    rehearsal.begin()
    rehearsal.branch()
    rehearsal.plan()
    (rehearsal.origin / "fsgitops.yaml").write_text("targets: [\n")
    rehearsal.git("commit", "-q", "-am", "Broken settings")
    assert results(rehearsal.plan()) == {"plan": "failed", "comment": "success"}
    assert "No plan: 1 error" in rehearsal.comment()
    assert "fsgitops.yaml:2:1" in rehearsal.comment()


@pytest.mark.sweep
def test_a_job_that_ends_before_there_is_a_plan_replaces_the_note(
    rehearsal: GitLabRehearsal,
) -> None:
    rehearsal.begin()
    rehearsal.branch()
    rehearsal.plan()
    (rehearsal.origin / ".gitlab" / "scripts" / "install.sh").write_text("exit 1\n")
    rehearsal.git("commit", "-q", "-am", "Nothing to install from")
    assert results(rehearsal.plan()) == {"plan": "failed", "comment": "success"}
    assert "**No plan**: the job `plan` ended" in rehearsal.comment()
    assert "2 to change" not in rehearsal.comment()


@pytest.mark.sweep
def test_findings_become_reports_and_a_note(rehearsal: GitLabRehearsal) -> None:
    rehearsal.begin()
    rehearsal.branch()
    place = rehearsal.origin / "desired" / "did_routes.yaml"
    place.write_text(
        place.read_text().replace("destination_extension: 1020", "destination_extension: 1")
    )
    rehearsal.git("commit", "-q", "-am", "Wrong")
    jobs = rehearsal.plan()
    assert results(jobs) == {"plan": "failed", "comment": "success"}
    assert "No plan:" in rehearsal.comment()
    folder = jobs["plan"].artifacts
    assert folder is not None
    [entry, *_] = json.loads((folder / "plan/gl-code-quality-report.json").read_text())
    assert entry["location"]["path"] == "desired/did_routes.yaml"
    assert "<failure" in (folder / "plan/junit.xml").read_text()


@pytest.mark.sweep
def test_without_a_recorded_state_the_base_commit_is_compared_with(
    rehearsal: GitLabRehearsal,
) -> None:
    rehearsal.begin()
    rehearsal.gitlab.deployments.clear()
    rehearsal.branch()
    jobs = rehearsal.plan()
    assert "recorded: none (no deployment yet)" in jobs["plan"].log
    assert "2 to change" in rehearsal.comment()
    assert "compared with the state recorded" not in rehearsal.comment()


def test_jobs_that_reach_the_switch_run_on_its_machine_one_at_a_time_for_a_target() -> None:
    data = yaml.safe_load(PIPELINES.read_text())
    for name in ("propose", "apply", "drift"):
        assert data[name]["tags"] == ["freeswitch"]
    assert data["propose"]["resource_group"] == data["apply"]["resource_group"] == "$TARGET"
    assert data["apply"]["rules"][0]["when"] == "manual"
    assert all("timeout" in data[name] for name in data["stages"])


def test_the_environment_that_is_protected_belongs_to_the_apply_alone() -> None:
    data = yaml.safe_load(PIPELINES.read_text())
    assert data["apply"]["environment"] == {"name": "$TARGET"}
    for name in ("propose", "drift"):
        assert data[name]["environment"] == {"name": "$TARGET-plan", "action": "access"}


def test_what_the_jobs_run_in_is_pinned() -> None:
    data = yaml.safe_load(PIPELINES.read_text())
    jobs = {name: job for name, job in data.items() if isinstance(job, dict) and "script" in job}
    hosted = {name: job["image"] for name, job in jobs.items() if "tags" not in job}
    assert hosted.keys() == {"plan", "validate", "comment"}
    for image in hosted.values():
        assert re.fullmatch(r"[a-z]+:[a-z0-9.-]+@sha256:[0-9a-f]{64}", image)
    ours = [job for job in jobs.values() if "tags" in job]
    assert not [job for job in ours if "image" in job]


def test_no_later_commit_keeps_what_is_merged_from_being_proposed() -> None:
    data = yaml.safe_load(PIPELINES.read_text())
    assert data["workflow"] == {"auto_cancel": {"on_new_commit": "interruptible"}}
    jobs = {name: job for name, job in data.items() if isinstance(job, dict) and "script" in job}
    assert [name for name, job in jobs.items() if job.get("interruptible")] == ["plan"]
    assert data["propose"]["needs"] == []


def test_artifacts_are_for_developers_but_for_what_a_reporter_s_token_must_read() -> None:
    data = yaml.safe_load(PIPELINES.read_text())
    jobs = [(name, job) for name, job in data.items() if isinstance(job, dict) and "script" in job]
    kept = {name: job["artifacts"].get("access") for name, job in jobs if "artifacts" in job}
    developers = dict.fromkeys(("plan", "validate", "propose", "drift"), "developer")
    assert kept == {**developers, "apply": None}


def test_no_text_of_somebody_else_stands_in_a_line_of_shell() -> None:
    data = yaml.safe_load(PIPELINES.read_text())
    jobs = {name: job for name, job in data.items() if isinstance(job, dict) and "script" in job}
    assert len(jobs) == 6
    named = {
        variable
        for job in jobs.values()
        for line in job["script"]
        for variable in re.findall(r"\$\{?(\w+)", line)
    }
    assert named <= {"TARGET", "CI_ENVIRONMENT_NAME", "OUTPUTS", "PATH", "code"}
    given = {str(value) for job in jobs.values() for value in job.get("variables", {}).values()}
    assert not [value for value in given if re.search(r"TITLE|MESSAGE|DESCRIPTION|REF_NAME", value)]


def test_the_rehearsal_matches_paths_as_gitlab_does() -> None:
    assert matches("desired/agents.yaml", "desired/**/*")
    assert matches("desired/sales/a.yaml", "desired/**/*")
    assert matches("fsgitops.yaml", "fsgitops.yaml")
    assert not matches("docs/desired/x", "desired/**/*")
