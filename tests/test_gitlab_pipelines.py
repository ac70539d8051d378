"""The pipelines for GitLab: rehearsed from branch to switch, and what they say there."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.util import module_from_spec, spec_from_file_location
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from fake_gitlab import COMMENT_TOKEN, JOB_TOKEN, PROJECT, USERS, FakeGitLab
from pipeline_runner import matches
from rehearsal_gitlab import MERGE_REQUEST, GitLabRehearsal
from scratch_repository import CHECKOUT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pipeline_runner import PipelineJob
    from project import Project

PIPELINES = CHECKOUT / "docs" / "ci" / "gitlab.yml"
SCRIPT = CHECKOUT / ".gitlab" / "scripts" / "gitlab.py"
NOTES = f"merge_requests/{MERGE_REQUEST}/notes"


@pytest.fixture
def rehearsal(tmp_path: Path) -> Iterator[GitLabRehearsal]:
    with FakeGitLab() as gitlab:
        yield GitLabRehearsal(tmp_path / "rehearsal", gitlab)


def results(jobs: dict[str, PipelineJob]) -> dict[str, str]:
    return {name: job.result for name, job in jobs.items()}


def test_a_fresh_project_gets_these_very_pipelines(project: Project) -> None:
    project.run("init", "--ci", "gitlab", str(project.root / "fresh"))
    fresh = project.root / "fresh"
    assert (fresh / ".gitlab-ci.yml").read_bytes() == PIPELINES.read_bytes()
    names = {path.name for path in (CHECKOUT / ".github" / "scripts").glob("*.sh")}
    assert {path.name for path in (fresh / ".gitlab/scripts").iterdir()} == {*names, SCRIPT.name}
    assert not (fresh / ".github").exists()


def test_a_project_without_pipelines_gets_none(project: Project) -> None:
    project.run("init", "--ci", "none", str(project.root / "fresh"))
    assert not (project.root / "fresh" / ".github").exists()
    assert not (project.root / "fresh" / ".gitlab-ci.yml").exists()


def test_a_merge_request_goes_from_branch_to_switch(rehearsal: GitLabRehearsal) -> None:
    gitlab = rehearsal.gitlab
    assert results(rehearsal.begin()) == {"propose": "success", "apply": "success"}

    rehearsal.branch()
    assert results(rehearsal.plan()) == {"plan": "success", "comment": "success"}
    assert "0 to create, 2 to change, 0 to delete" in rehearsal.comment()
    assert "compared with what was live" in rehearsal.comment()

    place = rehearsal.origin / "desired" / "agents.yaml"
    place.write_text(place.read_text().replace("Help Desk", "Front Desk"))
    rehearsal.git("commit", "-q", "-am", "Another name")
    rehearsal.plan()
    assert "Front Desk" in rehearsal.comment()
    assert gitlab.writes[-1].startswith(f"PUT {NOTES}/")

    rehearsal.merge()
    jobs = rehearsal.push(play=False)
    assert results(jobs) == {"propose": "success", "apply": "manual"}
    live = rehearsal.runner.machine / ".fsgitops/sandbox/conf/directory/default/1020.xml"
    assert "Front Desk" not in live.read_text()

    assert results(rehearsal.push()) == {"propose": "success", "apply": "success"}
    assert "Front Desk" in live.read_text()
    merged = rehearsal.git("rev-parse", "main")
    [status] = [item for item in gitlab.statuses if item["sha"] == merged]
    assert (status["state"], status["name"]) == ("success", "fsgitops/apply (sandbox)")
    assert status["description"] == "Applied: 0 created, 2 changed, 0 deleted"

    secrets = (*rehearsal.runner.protected.values(), COMMENT_TOKEN, JOB_TOKEN)
    kept = [p for p in rehearsal.runner.root.glob("artifacts-*/**/*") if p.is_file()]
    assert kept
    for path in kept:
        assert not [secret for secret in secrets if secret in path.read_text()]


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


def test_a_plan_that_is_not_the_approved_one_is_refused(rehearsal: GitLabRehearsal) -> None:
    rehearsal.begin()
    rehearsal.branch()
    rehearsal.merge()
    run_job = rehearsal.runner.run_job

    def tamper(job: Any, variables: Any, before: list[PipelineJob], sha: str) -> PipelineJob:
        for earlier in before:
            assert earlier.artifacts is not None
            plan = earlier.artifacts / "plan" / "plan.json"
            plan.write_text(plan.read_text().replace('"1020 XML default"', '"1022 XML default"'))
        return run_job(job, variables, before, sha)

    rehearsal.runner.run_job = tamper  # type: ignore[method-assign]
    assert results(rehearsal.push()) == {"propose": "success", "apply": "failed"}
    assert rehearsal.gitlab.statuses[-1]["state"] == "failed"
    assert "not the one that was approved" in rehearsal.gitlab.statuses[-1]["description"]
    live = rehearsal.runner.machine / ".fsgitops/sandbox/conf/dialplan/public"
    assert all("1022" not in path.read_text() for path in live.glob("*1334.xml"))


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


def test_without_tokens_the_pipelines_do_all_but_speak(rehearsal: GitLabRehearsal) -> None:
    del rehearsal.runner.variables["FSGITOPS_COMMENT_TOKEN"]
    del rehearsal.runner.protected["FSGITOPS_GITLAB_TOKEN"]
    assert results(rehearsal.begin()) == {"propose": "success", "apply": "success"}
    rehearsal.branch()
    jobs = rehearsal.plan()
    assert results(jobs) == {"plan": "success", "comment": "success"}
    assert "neither FSGITOPS_GITLAB_TOKEN nor FSGITOPS_COMMENT_TOKEN is set" in jobs["comment"].log
    assert results(rehearsal.look_for_drift()) == {"drift": "success"}
    assert not rehearsal.gitlab.writes


def test_an_apply_that_cannot_be_told_of_fails_its_job(rehearsal: GitLabRehearsal) -> None:
    rehearsal.runner.protected["FSGITOPS_GITLAB_TOKEN"] = COMMENT_TOKEN
    jobs = rehearsal.begin()
    assert results(jobs) == {"propose": "success", "apply": "failed"}
    assert "GitLab answered 403" in jobs["apply"].log


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


def test_without_a_recorded_state_the_base_commit_is_compared_with(
    rehearsal: GitLabRehearsal,
) -> None:
    rehearsal.begin()
    rehearsal.gitlab.artifacts.clear()
    rehearsal.branch()
    jobs = rehearsal.plan()
    assert "recorded: none (GET projects/42/jobs" in jobs["plan"].log
    assert "2 to change" in rehearsal.comment()
    assert "compared with what was live" not in rehearsal.comment()


def test_jobs_that_reach_the_switch_run_on_its_machine_one_at_a_time_for_a_target() -> None:
    data = yaml.safe_load(PIPELINES.read_text())
    for name in ("propose", "apply", "drift"):
        assert data[name]["tags"] == ["freeswitch"]
        assert data[name]["environment"]["name"] == "$TARGET"
    assert data["propose"]["resource_group"] == data["apply"]["resource_group"] == "$TARGET"
    assert data["apply"]["rules"][0]["when"] == "manual"
    assert all("timeout" in data[name] for name in data["stages"])


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Any, FakeGitLab]]:
    spec = spec_from_file_location("fsgitops_gitlab_script", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    with FakeGitLab() as gitlab:
        for name, value in {
            "CI_API_V4_URL": gitlab.url,
            "CI_PROJECT_ID": str(PROJECT),
            "CI_MERGE_REQUEST_PROJECT_ID": str(PROJECT),
            "CI_MERGE_REQUEST_IID": str(MERGE_REQUEST),
            "CI_DEFAULT_BRANCH": "main",
            "CI_JOB_TOKEN": JOB_TOKEN,
            "TARGET": "prod",
            "FSGITOPS_COMMENT_TOKEN": COMMENT_TOKEN,
        }.items():
            monkeypatch.setenv(name, value)
        monkeypatch.delenv("FSGITOPS_GITLAB_TOKEN", raising=False)
        yield module, gitlab


BODY = "<!-- fsgitops plan-for-prod -->\n"


def test_somebody_else_s_note_is_never_touched(
    script: tuple[Any, FakeGitLab], tmp_path: Path
) -> None:
    module, gitlab = script
    where = f"merge_requests/{MERGE_REQUEST}"
    theirs = gitlab.add(gitlab.notes, 99, on=where, body=BODY + "mine")
    (tmp_path / "comment.md").write_text(BODY + "plan")
    assert module.main(["comment", str(tmp_path / "comment.md")]) == 0
    assert theirs["body"] == BODY + "mine"
    assert len(gitlab.notes) == 2


def test_the_note_is_found_behind_hundreds_of_others(
    script: tuple[Any, FakeGitLab], tmp_path: Path
) -> None:
    module, gitlab = script
    for _ in range(250):
        gitlab.add(gitlab.notes, 99, on=f"merge_requests/{MERGE_REQUEST}", body="talk")
    file = tmp_path / "comment.md"
    for text in ("one", "two", "two"):
        file.write_text(BODY + text)
        assert module.main(["comment", str(file)]) == 0
    assert gitlab.writes == [f"POST {NOTES}", f"PUT {NOTES}/{max(gitlab.notes)}"]


def test_no_line_of_a_note_or_an_issue_commands_gitlab(
    script: tuple[Any, FakeGitLab], tmp_path: Path
) -> None:
    module, gitlab = script
    file, outputs = tmp_path / "text.md", tmp_path / "drifted.env"
    file.write_bytes(BODY.encode() + b"/merge\n```\n/close\n```\nwords\r/approve\n    /label ~x\n")
    outputs.write_text("drifted=true\n")
    assert module.main(["comment", str(file)]) == 0
    assert module.main(["issue", str(file), str(outputs)]) == 0
    [note], [issue] = gitlab.notes.values(), gitlab.issues.values()
    for text in (note["body"], issue["description"]):
        assert "/merge" in text
        assert not [line for line in text.replace("\r", "").splitlines() if line.startswith("/")]


@pytest.mark.parametrize(
    ("number", "body"), [("7/../8", BODY), ("7", "no marker\n"), ("7", BODY + "x" * 70_000)]
)
def test_what_is_not_our_note_is_not_sent(
    script: tuple[Any, FakeGitLab],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: str,
    body: str,
) -> None:
    module, gitlab = script
    monkeypatch.setenv("CI_MERGE_REQUEST_IID", number)
    (tmp_path / "comment.md").write_text(body)
    assert module.main(["comment", str(tmp_path / "comment.md")]) == 1
    assert gitlab.writes == []


def test_a_refusal_of_gitlab_is_told_and_shows_no_token(
    script: tuple[Any, FakeGitLab],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    module, _ = script
    monkeypatch.setenv("FSGITOPS_COMMENT_TOKEN", "wrong-token")
    (tmp_path / "comment.md").write_text(BODY)
    assert module.main(["comment", str(tmp_path / "comment.md")]) == 1
    said = capsys.readouterr().err
    assert "GitLab answered 401" in said
    assert "wrong-token" not in said


@pytest.mark.parametrize("job_tokens", [True, False])
def test_a_recorded_state_is_fetched_with_whichever_token_may(
    script: tuple[Any, FakeGitLab], tmp_path: Path, job_tokens: bool
) -> None:
    module, gitlab = script
    gitlab.job_tokens = job_tokens
    gitlab.artifacts["apply", "applied/state.json"] = b'{"format": "fsgitops-state"}'
    place = tmp_path / "recorded" / "state.json"
    assert module.main(["recorded", "apply", "applied/state.json", str(place)]) == 0
    assert json.loads(place.read_bytes()) == {"format": "fsgitops-state"}


def test_another_host_is_shown_no_token(script: tuple[Any, FakeGitLab], tmp_path: Path) -> None:
    module, gitlab = script
    seen: list[dict[str, str]] = []

    class Store(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(dict(self.headers))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *words: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Store)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    gitlab.elsewhere = f"http://localhost:{server.server_port}"
    gitlab.artifacts["apply", "applied/state.json"] = b"{}"
    place = tmp_path / "state.json"
    assert module.main(["recorded", "apply", "applied/state.json", str(place)]) == 0
    server.shutdown()
    server.server_close()
    [headers] = seen
    assert not [value for value in headers.values() if value in (*USERS, JOB_TOKEN)]


def test_what_is_fetched_but_is_no_state_is_not_kept(
    script: tuple[Any, FakeGitLab], tmp_path: Path
) -> None:
    module, gitlab = script
    gitlab.artifacts["apply", "applied/state.json"] = b"<html>sign in</html>"
    place = tmp_path / "state.json"
    assert module.main(["recorded", "apply", "applied/state.json", str(place)]) == 0
    assert not place.exists()


def test_the_rehearsal_matches_paths_as_gitlab_does() -> None:
    assert matches("desired/agents.yaml", "desired/**/*")
    assert matches("desired/sales/a.yaml", "desired/**/*")
    assert matches("fsgitops.yaml", "fsgitops.yaml")
    assert not matches("docs/desired/x", "desired/**/*")
