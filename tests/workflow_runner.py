"""Runs a workflow's jobs on this machine: every `run` as it is written, the few actions by hand."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from fake_github import REPOSITORY, TOKEN
from scratch_repository import STEP_SECONDS, ScratchRepository

_TOKEN = re.compile(r"'[^']*'|&&|\|\||==|!=|!|\(|\)|[A-Za-z_][\w-]*\(\)|[A-Za-z_][\w.-]*|\s+")
_WORDS = {"&&": " and ", "||": " or ", "!": " not ", "==": "==", "!=": "!=", "(": "(", ")": ")"}


@dataclass
class Job:
    """How a job ended, what it put out, and what its steps printed."""

    result: str
    outputs: dict[str, str]
    log: str


@dataclass
class Runner(ScratchRepository):
    """A scratch repository `origin`, a machine that reaches the switch, and hosted machines."""

    root: Path
    api_url: str
    variables: dict[str, str]
    secrets: dict[str, str]
    artifacts: dict[str, dict[str, Path]] = field(default_factory=dict)
    summary: str = ""
    _count: int = 0

    def run(self, workflow: str, run_id: str, github: dict[str, Any], sha: str) -> dict[str, Job]:
        """Run all jobs of a workflow of the checked-out commit, in order."""
        text = self.git("show", f"{sha}:.github/workflows/{workflow}")
        jobs: dict[str, Job] = {}
        self.artifacts[run_id] = {}
        for name, job in yaml.safe_load(text)["jobs"].items():
            needs = [job["needs"]] if isinstance(job.get("needs"), str) else job.get("needs", [])
            context = {
                "github": {**github, "repository": REPOSITORY, "token": TOKEN, "run_id": run_id},
                "vars": self.variables,
                "secrets": self.secrets if github["event_name"] != "pull_request" else {},
                "needs": {need: {"outputs": jobs[need].outputs} for need in needs},
                "steps": {},
            }
            fine = all(jobs[need].result == "success" for need in needs)
            if not decide(job.get("if"), context, success=fine):
                jobs[name] = Job("skipped", {}, "")
                continue
            jobs[name] = self.run_job(job, context, run_id, sha)
        return jobs

    def run_job(self, job: Any, context: dict[str, Any], run_id: str, sha: str) -> Job:
        self._count += 1
        hosted = "self-hosted" not in job["runs-on"]
        folder = self.root / f"hosted-{self._count}" if hosted else self.machine
        success, log = True, ""
        for number, step in enumerate(job["steps"]):
            if not decide(step.get("if"), context, success=success):
                continue
            if "uses" in step:
                done, said = self.act(step, context, run_id, sha, folder), f"uses {step['uses']}\n"
                outputs: dict[str, str] = {}
            else:
                done, said, outputs = self.shell(step, context, folder, number)
            log += said
            if "id" in step:
                context["steps"][step["id"]] = {"outputs": outputs}
            success = success and (done or bool(step.get("continue-on-error")))
        outputs = {k: fill(v, context) for k, v in job.get("outputs", {}).items()}
        return Job("success" if success else "failure", outputs, log)

    def shell(
        self, step: Any, context: dict[str, Any], folder: Path, number: int
    ) -> tuple[bool, str, dict[str, str]]:
        assert "${{" not in step["run"], "text is interpolated into a shell"
        output, summary = self.root / "output", self.root / "summary"
        for path in (output, summary):
            path.write_text("")
        environment = {
            "PATH": f"{self.root / 'bin'}:{os.environ['PATH']}",
            "HOME": str(self.root),
            "GITHUB_API_URL": self.api_url,
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_SHA": context["github"]["sha"],
            "GITHUB_OUTPUT": str(output),
            "GITHUB_STEP_SUMMARY": str(summary),
            **{name: fill(str(value), context) for name, value in step.get("env", {}).items()},
        }
        done = subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", step["run"]],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=STEP_SECONDS,
            check=False,
        )
        self.summary += summary.read_text()
        pairs = (line.partition("=") for line in output.read_text().splitlines())
        said = f"$ {step['run']}\n{done.stdout}{done.stderr}"
        return done.returncode == 0, said, {name: value for name, _, value in pairs}

    def act(self, step: Any, context: dict[str, Any], run_id: str, sha: str, folder: Path) -> bool:
        options = {k: fill(str(v), context) for k, v in step.get("with", {}).items()}
        action = step["uses"].partition("@")[0]
        if action == "actions/checkout":
            self.check_out(folder, options.get("ref") or sha)
        elif action == "actions/upload-artifact":
            source, kept = folder / options["path"], self.root / "artifacts" / run_id
            if not source.exists():
                return False
            place = kept / options["name"]
            shutil.rmtree(place, ignore_errors=True)
            copy(source, place)
            self.artifacts[run_id][options["name"]] = place
        elif action == "actions/download-artifact":
            found = self.artifacts.get(options.get("run-id") or run_id, {}).get(options["name"])
            if found is None:
                return False
            shutil.copytree(found, folder / options["path"], dirs_exist_ok=True)
        else:
            assert action == "actions/setup-python", action
        return True


def copy(source: Path, place: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, place)
    else:
        place.mkdir(parents=True)
        shutil.copy2(source, place / source.name)


def decide(condition: object, context: dict[str, Any], *, success: bool) -> bool:
    """Tell whether a job or step runs: by default, when all went well before."""
    if condition is None:
        return success
    text = str(condition)
    free = re.search(r"\b(always|cancelled|failure)\(\)", text) is not None
    return bool(evaluate(text, context)) and (success or free)


def fill(text: str, context: dict[str, Any]) -> str:
    """Put the values of `${{ … }}` into a text."""
    return re.sub(r"\$\{\{(.*?)\}\}", lambda match: show(evaluate(match[1], context)), text)


def show(value: object) -> str:
    return "" if value is None else str(value)


def evaluate(expression: str, context: dict[str, Any]) -> Any:
    """Return the value of a workflow expression: the little of the language that is used here."""
    parts, position = [], 0
    while position < len(expression):
        match = _TOKEN.match(expression, position)
        assert match, f"not understood: {expression[position:]}"
        word, position = match[0], match.end()
        if word in _WORDS:
            parts.append(_WORDS[word])
        elif word.startswith("'"):
            parts.append(repr(word[1:-1]))
        elif word.endswith("()"):
            parts.append({"always()": "True", "cancelled()": "False"}[word])
        elif word.strip():
            parts.append(f"look({word!r})")
    return eval("".join(parts).strip(), {"__builtins__": {}, "look": lambda p: look(p, context)})


def look(path: str, context: dict[str, Any]) -> Any:
    value: Any = context
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return "" if value is None else value
