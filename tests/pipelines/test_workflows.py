"""Promises of the workflows: well formed, without a way in, and rehearsed from branch to switch."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from doc_pages import agrees, read_quotes
from fake_github import FakeGitHub
from project import Project
from rehearsal import Rehearsal, exceed_limits
from scratch_repository import CHECKOUT, results
from workflow_runner import evaluate

if TYPE_CHECKING:
    from collections.abc import Iterator

WORKFLOWS = sorted((CHECKOUT / ".github" / "workflows").glob("*.yml"))
SCRIPTS = CHECKOUT / ".github" / "scripts"
FILES = [*WORKFLOWS, CHECKOUT / "action.yml"]
BIN = Path(sys.executable).parent


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


def steps(data: Any) -> Iterator[dict[str, Any]]:
    for job in [*data.get("jobs", {}).values(), data.get("runs", {})]:
        yield from job.get("steps", [])


def check(*words: str) -> str:
    done = subprocess.run(
        [str(BIN / words[0]), *words[1:]], cwd=CHECKOUT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_zizmor_finds_nothing_an_attacker_could_use() -> None:
    check("zizmor", "--offline", "--no-progress", "--quiet", *map(str, FILES))


@pytest.mark.parametrize(
    ("schema", "files"),
    [
        ("vendor.github-workflows", WORKFLOWS),
        ("custom.github-workflows-require-timeout", WORKFLOWS),
        ("vendor.github-actions", [CHECKOUT / "action.yml"]),
        ("vendor.gitlab-ci", [CHECKOUT / "docs" / "ci" / "gitlab.yml"]),
    ],
)
def test_every_file_obeys_the_vendored_schema(schema: str, files: list[Path]) -> None:
    assert files
    extra = ["--data-transform", "gitlab-ci"] if "gitlab" in schema else []
    check("check-jsonschema", "--builtin-schema", schema, *extra, *map(str, files))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_text_is_interpolated_into_a_shell_and_actions_are_pinned(path: Path) -> None:
    found = list(steps(load(path)))
    assert found
    for step in found:
        assert "${{" not in step.get("run", "")
        if "uses" in step:
            assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", step["uses"])
    for line in path.read_text().splitlines():
        if " uses: " in line:
            assert re.search(r"# v\d+\.\d+\.\d+$", line)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_permissions_are_granted_job_by_job(path: Path) -> None:
    data = load(path)
    assert data["permissions"] == {}
    assert all(job["permissions"] for job in data["jobs"].values())
    assert "pull_request_target" not in path.read_text()
    assert "workflow_run" not in data[True]


def test_a_pull_request_meets_no_secret() -> None:
    assert "secrets." not in (CHECKOUT / ".github/workflows/plan.yml").read_text()
    assert "secrets." not in (CHECKOUT / ".github/workflows/ci.yml").read_text()


def test_the_job_that_may_write_runs_nothing_of_the_pull_request() -> None:
    jobs = load(CHECKOUT / ".github/workflows/plan.yml")["jobs"]
    writing = [job for job in jobs.values() if "write" in {*job["permissions"].values()}]
    assert [job["name"] for job in writing] == ["comment"]
    [checkout] = [s for s in writing[0]["steps"] if s.get("uses", "").startswith("actions/check")]
    assert checkout["with"]["ref"] == "${{ github.event.pull_request.base.sha }}"


OWN = {"ci.yml", "release.yml"}
"""They test and release fsgitops itself."""


def test_a_fresh_project_gets_these_very_pipelines(project: Project) -> None:
    project.run("init", str(project.root / "fresh"))
    github = project.root / "fresh" / ".github"
    written = {str(path.relative_to(github)) for path in github.rglob("*.*") if path.is_file()}
    ours = {f"scripts/{path.name}" for path in SCRIPTS.glob("*.*")}
    ours |= {f"workflows/{path.name}" for path in WORKFLOWS if path.name not in OWN}
    assert written == ours | {"scripts/requirements.txt", "scripts/fsgitops.txt"}


def test_the_wheel_carries_every_pipeline_but_the_project_s_own() -> None:
    carried = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())
    names = carried["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    workflows = {name for name in names if name.startswith(".github/workflows/")}
    assert workflows == {
        f".github/workflows/{path.name}" for path in WORKFLOWS if path.name not in OWN
    }


@pytest.mark.parametrize(
    "path",
    sorted([*SCRIPTS.glob("*.sh"), *CHECKOUT.glob(".gitlab/scripts/*.sh")]),
    ids=lambda path: path.name,
)
def test_a_script_is_well_formed_and_stops_at_unset_variables(path: Path) -> None:
    subprocess.run(["bash", "-n", str(path)], check=True)
    assert re.search(r"^set -e?uo pipefail$", path.read_text(), re.MULTILINE)


def test_a_source_distribution_holds_all_that_the_wheel_is_made_of() -> None:
    targets = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]
    included = [Path(name) for name in targets["targets"]["sdist"]["include"]]
    for name in targets["targets"]["wheel"]["force-include"]:
        assert [place for place in included if Path(name).is_relative_to(place)], name


def test_the_hooks_name_commands_that_exist() -> None:
    from fsgitops.cli import COMMANDS

    hooks = load(CHECKOUT / ".pre-commit-hooks.yaml")
    assert {hook["entry"].split()[1] for hook in hooks} <= set(COMMANDS)


@pytest.fixture
def rehearsal(tmp_path: Path) -> Iterator[Rehearsal]:
    with FakeGitHub() as github:
        yield Rehearsal(tmp_path / "rehearsal", github)


def pages_show(comment: str) -> None:
    """Hold what README and docs/ci.md quote to the comment: all of it there, some of it here."""
    lines = [line.strip(" ") for line in comment.splitlines()]
    [whole] = [one for one in read_quotes(CHECKOUT / "docs" / "ci.md") if one[0].startswith("###")]
    assert agrees(["…", *whole, "…"], lines), comment
    [part] = [one for one in read_quotes(CHECKOUT / "README.md") if one[0].startswith("###")]
    left = iter(lines)
    assert all(line in left for line in part if line and line != "```"), comment


def test_a_pull_request_goes_from_branch_to_switch(rehearsal: Rehearsal) -> None:
    github = rehearsal.github
    assert results(rehearsal.begin()) == {"propose": "success", "apply": "success"}

    rehearsal.branch()
    assert results(rehearsal.plan()) == {"plan": "success", "comment": "success"}
    comment = rehearsal.comment()
    assert "0 to create, 2 to change, 0 to delete" in comment
    assert "compared with the state recorded" in comment
    pages_show(comment)

    place = rehearsal.origin / "desired" / "agents.yaml"
    place.write_text(place.read_text().replace("Help Desk", "Front Desk"))
    rehearsal.git("commit", "-q", "-am", "Another name")
    rehearsal.plan()
    assert "Front Desk" in rehearsal.comment()
    assert github.writes[-1].startswith("PATCH issues/comments/")

    jobs = rehearsal.merge()
    assert results(jobs) == {"propose": "success", "apply": "success"}
    merged = rehearsal.git("rev-parse", "main")
    [status] = [item for item in github.statuses if item["sha"] == merged]
    assert (status["state"], status["context"]) == ("success", "fsgitops/apply (sandbox)")
    assert status["description"] == "Applied: 0 created, 2 changed, 0 deleted"
    live = rehearsal.runner.machine / ".fsgitops/sandbox/conf/directory/default/1020.xml"
    assert "Front Desk" in live.read_text()

    key = rehearsal.runner.secrets["FSGITOPS_KEY"]
    kept = [p for p in (rehearsal.runner.root / "artifacts").rglob("*") if p.is_file()]
    assert kept
    assert not [path for path in kept if key in path.read_text()]
    assert results(rehearsal.apply()) == {"propose": "success", "apply": "skipped"}


@pytest.mark.sweep
def test_a_plan_that_is_not_the_approved_one_is_refused(rehearsal: Rehearsal) -> None:
    rehearsal.begin()
    rehearsal.branch()
    rehearsal.git("checkout", "-q", "main")
    rehearsal.git("merge", "-q", "--no-ff", "-m", "Merge", "new-name")
    act = rehearsal.runner.act

    def tamper(step: Any, context: Any, run_id: str, sha: str, folder: Path) -> bool:
        done = act(step, context, run_id, sha, folder)
        if "download-artifact" in step["uses"]:
            plan = folder / "approved" / "plan.json"
            plan.write_text(plan.read_text().replace('"1020 XML default"', '"1022 XML default"'))
        return done

    rehearsal.runner.act = tamper  # type: ignore[method-assign]
    jobs = rehearsal.apply()
    assert results(jobs) == {"propose": "success", "apply": "failure"}
    assert rehearsal.github.statuses[-1]["state"] == "failure"
    live = rehearsal.runner.machine / ".fsgitops/sandbox/conf/dialplan/public"
    assert all("1020" not in p.read_text() for p in live.glob("*1334.xml"))


@pytest.mark.sweep
def test_what_changed_after_the_approval_is_not_applied(rehearsal: Rehearsal) -> None:
    rehearsal.begin()
    rehearsal.branch()
    rehearsal.git("checkout", "-q", "main")
    rehearsal.git("merge", "-q", "--no-ff", "-m", "Merge", "new-name")
    live = rehearsal.runner.machine / ".fsgitops/sandbox/conf/dialplan/public"
    [route] = live.glob("*1334.xml")
    act = rehearsal.runner.act

    def edit(step: Any, context: Any, run_id: str, sha: str, folder: Path) -> bool:
        if "download-artifact" in step["uses"]:
            route.write_text(route.read_text().replace("1021", "1022"))
        return act(step, context, run_id, sha, folder)

    rehearsal.runner.act = edit  # type: ignore[method-assign]
    assert results(rehearsal.apply()) == {"propose": "success", "apply": "failure"}
    assert rehearsal.github.statuses[-1]["description"].startswith(
        "Refused: the saved plan is stale"
    )
    assert "1022" in route.read_text()


@pytest.mark.sweep
def test_drift_opens_one_issue_and_closes_it_when_it_is_gone(rehearsal: Rehearsal) -> None:
    rehearsal.begin()
    assert results(rehearsal.look_for_drift()) == {"drift": "success"}
    assert not rehearsal.github.issues
    live = rehearsal.runner.machine / ".fsgitops/sandbox/conf/directory/default/1020.xml"
    before = live.read_text()
    live.write_text(before.replace("Example Support", "Somebody Else"))
    assert results(rehearsal.look_for_drift()) == {"drift": "success"}
    [issue] = rehearsal.github.issues.values()
    assert issue["title"] == "fsgitops: sandbox has drifted"
    assert "Somebody Else" in issue["body"]
    live.write_text(before)
    assert results(rehearsal.look_for_drift()) == {"drift": "success"}
    assert issue["state"] == "closed"


@pytest.mark.sweep
def test_a_fork_gets_a_plan_in_the_summary_and_no_comment(rehearsal: Rehearsal) -> None:
    rehearsal.begin()
    rehearsal.branch()
    assert results(rehearsal.plan(fork=True)) == {"plan": "success", "comment": "skipped"}
    assert not rehearsal.github.comments
    assert "2 to change" in rehearsal.runner.summary


@pytest.mark.sweep
def test_settings_that_are_wrong_become_annotations_and_a_comment(rehearsal: Rehearsal) -> None:
    rehearsal.begin()
    rehearsal.branch()
    (rehearsal.origin / "fsgitops.yaml").write_text("targets: [\n")
    rehearsal.git("commit", "-q", "-am", "Broken settings")
    jobs = rehearsal.plan()
    assert results(jobs) == {"plan": "failure", "comment": "success"}
    assert "::error file=fsgitops.yaml,line=2" in jobs["plan"].log
    assert "No plan: 1 error" in rehearsal.comment()


@pytest.mark.sweep
def test_a_job_that_ends_before_there_is_a_plan_replaces_the_comment(rehearsal: Rehearsal) -> None:
    rehearsal.begin()
    rehearsal.branch()
    rehearsal.plan()
    assert "2 to change" in rehearsal.comment()
    (rehearsal.origin / ".github" / "scripts" / "install.sh").write_text("exit 1\n")
    rehearsal.git("commit", "-q", "-am", "Nothing to install from")
    assert results(rehearsal.plan()) == {"plan": "failure", "comment": "success"}
    assert "**No plan**: the job `plan` ended" in rehearsal.comment()
    assert "2 to change" not in rehearsal.comment()


@pytest.mark.sweep
def test_a_permission_is_given_by_a_variable_of_the_environment(rehearsal: Rehearsal) -> None:
    rehearsal.begin()
    exceed_limits(rehearsal.runner)
    assert results(rehearsal.apply()) == {"propose": "success", "apply": "failure"}
    told = rehearsal.github.statuses[-1]["description"]
    assert told.startswith("Refused: needs --allow deletes: the plan needs permissions")
    rehearsal.runner.variables["FSGITOPS_ALLOW"] = "deletes updates"
    assert results(rehearsal.apply()) == {"propose": "success", "apply": "success"}


@pytest.mark.sweep
def test_findings_become_annotations_and_a_comment(rehearsal: Rehearsal) -> None:
    rehearsal.begin()
    rehearsal.branch()
    place = rehearsal.origin / "desired" / "did_routes.yaml"
    place.write_text(
        place.read_text().replace("destination_extension: 1020", "destination_extension: 1")
    )
    rehearsal.git("commit", "-q", "-am", "Wrong")
    jobs = rehearsal.plan()
    assert results(jobs) == {"plan": "failure", "comment": "success"}
    assert "::error file=desired/did_routes.yaml,line=" in jobs["plan"].log
    assert "No plan:" in rehearsal.comment()


@pytest.mark.sweep
def test_without_a_recorded_state_the_base_commit_is_compared_with(rehearsal: Rehearsal) -> None:
    rehearsal.begin()
    rehearsal.github.runs.clear()
    rehearsal.branch()
    assert results(rehearsal.plan())["plan"] == "success"
    assert "2 to change" in rehearsal.comment()
    assert "compared with the state recorded" not in rehearsal.comment()


def test_no_other_workflow_joins_the_group_in_which_an_apply_waits() -> None:
    groups = {
        path.name: load(path)["concurrency"]["group"]
        for path in WORKFLOWS
        if "concurrency" in load(path)
    }
    assert "apply.yml" in groups
    assert [name for name, group in groups.items() if group == groups["apply.yml"]] == ["apply.yml"]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("a.b == 'x'", True),
        ("a.b != ''", True),
        ("a.none != ''", False),
        ("!cancelled() && a.b == 'x'", True),
        ("a.b", "x"),
    ],
)
def test_the_rehearsal_reads_expressions_as_github_does(expression: str, value: object) -> None:
    assert evaluate(expression, {"a": {"b": "x"}}) == value
