"""`make rehearse-pr`: a pull request from branch to switch, on one machine.

A scratch repository as `fsgitops init` writes it; the steps of its plan.yml and apply.yml, run as
they are written; GitHub's API played on loopback; the plan applied to the sandbox.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fake_github import REPOSITORY, FakeGitHub
from workflow_runner import Runner

from fsgitops.cli import run
from fsgitops.secret.key import new_key

if TYPE_CHECKING:
    from scratch_repository import ScratchRepository
    from workflow_runner import Job

PULL_REQUEST = 7
CHANGED = (
    ("desired/agents.yaml", "caller_id_name: Example Support", "caller_id_name: Help Desk"),
    ("desired/did_routes.yaml", "destination_extension: 1021", "destination_extension: 1020"),
)


def change_desired(repository: ScratchRepository) -> None:
    """Change what is declared, on a branch."""
    repository.git("checkout", "-q", "-b", "new-name")
    for path, before, after in CHANGED:
        place = repository.origin / path
        text = place.read_text()
        assert before in text
        place.write_text(text.replace(before, after))
    message = "Alice has a new name, and the second number is hers"
    repository.git("commit", "-q", "-am", message)


def exceed_limits(repository: ScratchRepository) -> None:
    """Delete more agents than a plan may without a permission."""
    settings = repository.origin / "fsgitops.yaml"
    settings.write_text(settings.read_text() + "\nlimits: {minimum: 1}\n")
    agents = repository.origin / "desired" / "agents.yaml"
    agents.write_text(agents.read_text().partition("  - extension: 1021")[0])
    routes = repository.origin / "desired" / "did_routes.yaml"
    routes.write_text(routes.read_text().replace("1021", "1020"))
    expected = repository.origin / "desired" / "tests" / "calls.yaml"
    expected.write_text(expected.read_text().partition("  - name: Bob")[0])
    repository.git("commit", "-q", "-am", "Two leave")


class Rehearsal:
    """One scratch repository and the story of one pull request in it."""

    def __init__(self, root: Path, github: FakeGitHub) -> None:
        self.github = github
        self.runner = Runner(
            root, github.url, {"FSGITOPS_TARGET": "sandbox"}, {"FSGITOPS_KEY": new_key()}
        )
        self.runner.put_fsgitops_on_the_path()
        self.origin = self.runner.origin
        self.git = self.runner.git

    def begin(self) -> dict[str, Job]:
        """Write the project, push it to main, and let apply.yml apply it."""
        self.origin.mkdir(parents=True)
        assert run(["-C", str(self.origin), "init"]) == 0
        self.git("init", "-q", "-b", "main")
        return self.push("Begin")

    def push(self, message: str) -> dict[str, Job]:
        """Commit on main, and run what a push to main runs."""
        self.git("add", ".")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.apply()

    def apply(self) -> dict[str, Job]:
        """Run apply.yml for main as it is; a run that succeeds can be found by later ones."""
        sha = self.git("rev-parse", "main")
        number = str(len(self.github.runs) + 1000)
        jobs = self.runner.run("apply.yml", number, self.event("push", sha), sha)
        if all(job.result != "failure" for job in jobs.values()):
            self.github.runs.append({"id": int(number)})
        return jobs

    def branch(self) -> None:
        """Change what is declared, on a branch."""
        change_desired(self.runner)

    def plan(self, *, fork: bool = False) -> dict[str, Job]:
        """Run plan.yml for the pull request as it is."""
        sha = self.git("rev-parse", "new-name")
        event = self.event("pull_request", sha)
        head = "somebody/pbx" if fork else REPOSITORY
        event["event"]["pull_request"] = {
            "number": PULL_REQUEST,
            "base": {"sha": self.git("merge-base", "main", "new-name")},
            "head": {"sha": sha, "repo": {"full_name": head}},
        }
        return self.runner.run("plan.yml", f"plan-{sha[:8]}", event, sha)

    def merge(self) -> dict[str, Job]:
        """Merge the branch, and run what that runs."""
        self.git("checkout", "-q", "main")
        self.git("merge", "-q", "--no-ff", "-m", "Merge the pull request", "new-name")
        return self.apply()

    def look_for_drift(self) -> dict[str, Job]:
        """Run drift.yml, as the clock does."""
        sha = self.git("rev-parse", "main")
        return self.runner.run("drift.yml", "drift", self.event("schedule", sha), sha)

    def event(self, name: str, sha: str) -> dict[str, Any]:
        return {
            "event_name": name,
            "sha": sha,
            "server_url": "https://github.example",
            "event": {"repository": {"default_branch": "main"}},
        }

    def comment(self) -> str:
        """Return the one comment of the pull request."""
        [only] = [item for item in self.github.comments.values() if item["issue"] == PULL_REQUEST]
        return str(only["body"])


def show(title: str, jobs: dict[str, Job]) -> None:
    print(f"\n=== {title}")
    for name, job in jobs.items():
        print(f"--- {name}: {job.result}\n{job.log}", end="")
        if job.result == "failure":
            sys.exit(1)


def main(kept: Path) -> None:
    with tempfile.TemporaryDirectory() as folder, FakeGitHub() as github:
        rehearsal = Rehearsal(Path(folder), github)
        show("main: apply.yml", rehearsal.begin())
        rehearsal.branch()
        show("pull request: plan.yml", rehearsal.plan())
        show("merged: apply.yml, after somebody approved the plan", rehearsal.merge())
        kept.mkdir(parents=True, exist_ok=True)
        (kept / "comment.md").write_text(rehearsal.comment())
        [plan] = Path(folder).glob("artifacts/plan-*/plan")
        shutil.copy2(plan / "plan.html", kept / "plan.html")
        print(f"\n=== the comment, also in {kept}/comment.md\n\n{rehearsal.comment()}")
        last = github.statuses[-1]
        print(f"=== on the commit: {last['context']}: {last['state']}: {last['description']}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "build/rehearsal"))
