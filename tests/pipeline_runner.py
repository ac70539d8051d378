"""Runs a GitLab pipeline's jobs on this machine: every `script` as it is written."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import yaml
from scratch_repository import STEP_SECONDS, ScratchRepository

_TERM = re.compile(r'^\s*(\$\w+|"[^"]*")\s*==\s*(\$\w+|"[^"]*")\s*$')


@dataclass
class PipelineJob:
    """How a job ended, what it printed, and where its artifacts are."""

    result: str
    log: str = ""
    artifacts: Path | None = None
    variables: dict[str, str] = field(default_factory=dict)


@dataclass
class PipelineRunner(ScratchRepository):
    """A scratch repository `origin`, a machine that reaches the switch, and hosted machines.

    `protected` are variables that only pipelines of the main branch get, `started_with` those that
    somebody gives a manual job at its start, when its environment stands already.
    """

    root: Path
    api_url: str
    variables: dict[str, str]
    protected: dict[str, str]
    started_with: dict[str, str] = field(default_factory=dict)
    _count: int = 0

    def run(
        self, predefined: dict[str, str], changed: list[str], *, play: bool = True
    ) -> dict[str, PipelineJob]:
        """Run all jobs of a pipeline, stage by stage; `play` starts the manual ones."""
        sha = predefined["CI_COMMIT_SHA"]
        data = yaml.safe_load(self.git("show", f"{sha}:.gitlab-ci.yml"))
        on_main = "CI_COMMIT_BRANCH" in predefined
        variables = {
            "CI": "true",
            "GITLAB_CI": "true",
            "CI_API_V4_URL": self.api_url,
            "CI_DEFAULT_BRANCH": "main",
            "CI_JOB_URL": "https://gitlab.example/jobs/1",
            **predefined,
            **self.variables,
            **(self.protected if on_main else {}),
        }
        for name, value in data.get("variables", {}).items():
            variables.setdefault(name, value)
        jobs = {n: job for n, job in data.items() if isinstance(job, dict) and "script" in job}
        done: dict[str, PipelineJob] = {}
        for name in sorted(jobs, key=lambda name: data["stages"].index(jobs[name]["stage"])):
            rule = self.find_rule(jobs[name], variables, changed)
            if rule is None:
                continue
            before = [done[need] for need in jobs[name].get("needs", done) if need in done]
            fine = all(job.result == "success" for job in before)
            if (rule == "manual" and not play) or not (fine or rule == "always"):
                done[name] = PipelineJob("manual" if fine else "skipped")
                continue
            place = expand(jobs[name].get("environment", {}).get("name", ""), variables)
            given = self.started_with if rule == "manual" else {}
            its = {**variables, "CI_ENVIRONMENT_NAME": place, **given}
            done[name] = self.run_job(jobs[name], its, before, sha)
        return done

    def find_rule(self, job: Any, variables: dict[str, str], changed: list[str]) -> str | None:
        """Return when the job runs, by its first rule that holds; None where none does."""
        for rule in job["rules"]:
            paths = rule.get("changes")
            if all(holds(term, variables) for term in rule["if"].split("&&")) and (
                not paths or any(matches(path, glob) for path in changed for glob in paths)
            ):
                return str(rule.get("when", "on_success"))
        return None

    def run_job(
        self, job: Any, variables: dict[str, str], before: list[PipelineJob], sha: str
    ) -> PipelineJob:
        self._count += 1
        hosted = "tags" not in job
        folder = self.root / f"job-{self._count}" if hosted else self.machine
        self.clean_out(folder, sha)
        for earlier in before:
            if earlier.artifacts:
                shutil.copytree(earlier.artifacts, folder, dirs_exist_ok=True)
            variables = {**variables, **earlier.variables}
        environment = {"PATH": f"{self.root / 'bin'}:{os.environ['PATH']}", "HOME": str(self.root)}
        environment |= variables
        for name, value in job.get("variables", {}).items():
            environment[name] = expand(value, environment)
        lines = ["set -eo pipefail", *job.get("before_script", []), *job["script"]]
        ran = subprocess.run(
            ["bash", "-c", "\n".join(lines)],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=STEP_SECONDS,
            check=False,
        )
        result = PipelineJob("failed" if ran.returncode else "success", ran.stdout + ran.stderr)
        self.keep(job.get("artifacts", {}), folder, result)
        return result

    def keep(self, artifacts: Any, folder: Path, job: PipelineJob) -> None:
        if not artifacts or (job.result != "success" and artifacts.get("when") != "always"):
            return
        job.artifacts = self.root / f"artifacts-{self._count}"
        job.artifacts.mkdir()
        for path in artifacts.get("paths", ()):
            if (folder / path).is_dir():
                shutil.copytree(folder / path, job.artifacts / path)
        for name in ("junit", "codequality"):
            report = artifacts.get("reports", {}).get(name)
            missing = report is not None and not (folder / report).is_file()
            assert not missing or job.result == "failed", f"no report {report}"
        if dotenv := artifacts.get("reports", {}).get("dotenv"):
            pairs = (line.partition("=") for line in (folder / dotenv).read_text().splitlines())
            job.variables = {name: value for name, _, value in pairs}

    def clean_out(self, folder: Path, sha: str) -> None:
        self.check_out(folder, sha)
        # A runner cleans its folder; the sandbox's conf directory stands in for a real one's.
        self.git("clean", "-q", "-ffdx", "-e", ".fsgitops", folder=folder)


def expand(text: str, variables: dict[str, str]) -> str:
    """Return a text with `$NAME` replaced, as GitLab does in variables."""
    return re.sub(r"\$(\w+)", lambda match: variables.get(match[1], ""), str(text))


def holds(term: str, variables: dict[str, str]) -> bool:
    """Tell whether one comparison of a rule holds: the little of the language that is used."""
    match = _TERM.match(term)
    assert match, f"not understood: {term}"
    sides = [variables.get(s[1:]) if s.startswith("$") else s.strip('"') for s in match.groups()]
    return sides[0] == sides[1]


def matches(path: str, glob: str) -> bool:
    """Tell whether a path is one of a `changes` glob: `**/` also stands for no folder."""
    return fnmatchcase(path, glob) or fnmatchcase(path, glob.replace("**/", ""))
