"""`make rehearse-mr`: a merge request from branch to switch, on one machine, as GitLab plays it.

A scratch repository as `fsgitops init --ci gitlab` writes it; the jobs of its pipelines, run as
they are written; GitLab's API played on loopback; the plan applied to the sandbox.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from fake_gitlab import COMMENT_TOKEN, JOB_TOKEN, PROJECT, PROJECT_TOKEN, FakeGitLab
from pipeline_runner import PipelineRunner
from rehearsal import change_desired

from fsgitops.cli import run
from fsgitops.secret.key import new_key

if TYPE_CHECKING:
    from pipeline_runner import PipelineJob

MERGE_REQUEST = 7
DECLARED = ["desired/agents.yaml", "desired/did_routes.yaml"]


class GitLabRehearsal:
    """One scratch repository and the story of one merge request in it."""

    def __init__(self, root: Path, gitlab: FakeGitLab) -> None:
        self.gitlab = gitlab
        self.runner = PipelineRunner(
            root,
            gitlab.url,
            {
                "TARGET": "sandbox",
                "CI_PROJECT_ID": str(PROJECT),
                "CI_JOB_TOKEN": JOB_TOKEN,
                "FSGITOPS_COMMENT_TOKEN": COMMENT_TOKEN,
            },
            {"FSGITOPS_KEY": new_key(), "FSGITOPS_GITLAB_TOKEN": PROJECT_TOKEN},
        )
        self.runner.put_fsgitops_on_the_path()
        self.origin, self.git = self.runner.origin, self.runner.git

    def begin(self) -> dict[str, PipelineJob]:
        """Write the project, push it to main, and let the pipeline apply it."""
        self.origin.mkdir(parents=True)
        assert run(["-C", str(self.origin), "init", "--ci", "gitlab"]) == 0
        self.git("init", "-q", "-b", "main")
        self.git("add", ".")
        self.git("commit", "-q", "-m", "Begin")
        return self.push()

    def push(self, *, play: bool = True) -> dict[str, PipelineJob]:
        """Run what a push to main runs; a deployment can be found by later pipelines."""
        sha = self.git("rev-parse", "main")
        given = {"CI_COMMIT_SHA": sha, "CI_COMMIT_BRANCH": "main", "CI_PIPELINE_SOURCE": "push"}
        jobs = self.runner.run(given, DECLARED, play=play)
        if (apply := jobs["apply"]).result in {"success", "failed"}:
            self.gitlab.deploy("sandbox", apply.result, read_all(apply.artifacts))
        return jobs

    def branch(self) -> None:
        """Change what is declared, on a branch."""
        change_desired(self.runner)

    def plan(self) -> dict[str, PipelineJob]:
        """Run the pipeline of the merge request as it is."""
        sha = self.git("rev-parse", "new-name")
        self.gitlab.heads[MERGE_REQUEST] = sha
        given = {
            "CI_COMMIT_SHA": sha,
            "CI_PIPELINE_SOURCE": "merge_request_event",
            "CI_MERGE_REQUEST_IID": str(MERGE_REQUEST),
            "CI_MERGE_REQUEST_PROJECT_ID": str(PROJECT),
            "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
            "CI_MERGE_REQUEST_DIFF_BASE_SHA": self.git("merge-base", "main", "new-name"),
        }
        return self.runner.run(given, DECLARED)

    def merge(self) -> None:
        """Merge the branch."""
        self.git("checkout", "-q", "main")
        self.git("merge", "-q", "--no-ff", "-m", "Merge the merge request", "new-name")

    def look_for_drift(self) -> dict[str, PipelineJob]:
        """Run what a schedule runs."""
        sha = self.git("rev-parse", "main")
        given = {"CI_COMMIT_SHA": sha, "CI_COMMIT_BRANCH": "main", "CI_PIPELINE_SOURCE": "schedule"}
        return self.runner.run(given, [])

    def comment(self) -> str:
        """Return the one note of the merge request."""
        where = f"merge_requests/{MERGE_REQUEST}"
        [only] = [note for note in self.gitlab.notes.values() if note["on"] == where]
        return str(only["body"])


def read_all(folder: Path | None) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file()) if folder else ()
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files if folder}


def show(title: str, jobs: dict[str, PipelineJob]) -> None:
    print(f"\n=== {title}")
    for name, job in jobs.items():
        print(f"--- {name}: {job.result}\n{job.log}", end="")
        if job.result == "failed":
            sys.exit(1)


def main(kept: Path) -> None:
    with tempfile.TemporaryDirectory() as folder, FakeGitLab() as gitlab:
        rehearsal = GitLabRehearsal(Path(folder), gitlab)
        show("main", rehearsal.begin())
        rehearsal.branch()
        jobs = rehearsal.plan()
        show("merge request", jobs)
        rehearsal.merge()
        show("merged, and the manual job started", rehearsal.push())
        kept.mkdir(parents=True, exist_ok=True)
        (kept / "note.md").write_text(rehearsal.comment())
        plan = jobs["plan"].artifacts
        assert plan is not None
        shutil.copy2(plan / "plan" / "plan.html", kept / "plan.html")
        print(f"\n=== the note, also in {kept}/note.md\n\n{rehearsal.comment()}")
        print(f"=== below the commit: {gitlab.outcomes[-1]['note']}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "build/rehearsal"))
