"""Just enough of GitLab's REST API (v4), on loopback, for what the pipelines say to it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from loopback_api import LoopbackApi, page

PROJECT = 42
COMMENT_TOKEN = "glpat-rehearsal-requests"
PROJECT_TOKEN = "glpat-rehearsal-main"
JOB_TOKEN = "glcbt-rehearsal-job"
USERS = {COMMENT_TOKEN: 11, PROJECT_TOKEN: 12}


@dataclass
class FakeGitLab(LoopbackApi):
    """What GitLab knows. `writes` lists every request that changed something."""

    notes: dict[int, dict[str, Any]] = field(default_factory=dict)
    issues: dict[int, dict[str, Any]] = field(default_factory=dict)
    heads: dict[int, str] = field(default_factory=dict)
    """Merge request -> the commit that its source branch is at."""
    outcomes: list[dict[str, Any]] = field(default_factory=list)
    """Comments on commits."""
    deployments: list[dict[str, Any]] = field(default_factory=list)
    artifacts: dict[tuple[int, str], bytes] = field(default_factory=dict)
    """Job and path -> content."""
    failures: list[int] = field(default_factory=list)
    """What to answer, instead, to the next requests."""
    writes: list[str] = field(default_factory=list)
    job_tokens: bool = False
    """Whether a job's own token may read artifacts, as on the plans that are paid for."""
    elsewhere: str = ""
    """Where artifacts are kept, when not here."""
    moved: str = ""
    """Where everything that writes is sent on to."""
    odd: list[Any] = field(default_factory=list)
    """What to answer, instead, where lists of notes are asked for."""
    next_id: int = 100

    def add(self, items: dict[int, dict[str, Any]], user: int, **fields: Any) -> dict[str, Any]:
        self.next_id += 1
        key = self.next_id
        item = {"id": key, "iid": key, "author": {"id": user}, "state": "opened", **fields}
        items[key] = item
        return item

    def deploy(self, environment: str, status: str, files: dict[str, bytes]) -> None:
        """Add the deployment that a job made, and the artifacts of that job."""
        self.next_id += 1
        job = self.next_id
        made = {"environment": environment, "status": status, "deployable": {"id": job}}
        self.deployments.append(made)
        self.artifacts.update({(job, path): content for path, content in files.items()})

    @property
    def url(self) -> str:
        return f"{self.root}/api/v4"

    def handle(self, method: str, path: str, body: Any, headers: Any) -> tuple[int, Any]:
        address = urlsplit(path)
        where, query = address.path.removeprefix("/api/v4/"), parse_qs(address.query)
        user = USERS.get(headers.get("Private-Token", ""))
        if self.failures:
            return self.failures.pop(0), {}
        prefix = f"projects/{PROJECT}/"
        if where == "user":
            return (200, {"id": user}) if user else (401, {})
        if not where.startswith(prefix):
            return 404, {}
        where = where.removeprefix(prefix)
        of_job = headers.get("Job-Token") == JOB_TOKEN
        if where == "deployments" and (user or of_job):
            return 200, self.find_deployments(query)
        if match := re.fullmatch(r"jobs/(\d+)/artifacts/(.+)", where):
            allowed = user or (self.job_tokens and of_job)
            return self.artifact(int(match[1]), unquote(match[2])) if allowed else (403, {})
        if not user:
            return 401, {}
        if self.moved and method != "GET":
            return 302, f"{self.moved}/{where}".encode()
        if method != "GET":
            self.writes.append(f"{method} {where}")
        return self.route(method, where, query, body or {}, user)

    def find_deployments(self, query: Any) -> list[dict[str, Any]]:
        assert (query["order_by"], query["sort"]) == (["id"], ["desc"])
        wanted = {name: query[name][0] for name in ("environment", "status")}
        found = [d for d in self.deployments if wanted.items() <= d.items()]
        return page(found[::-1], query)

    def artifact(self, job: int, path: str) -> tuple[int, Any]:
        found = self.artifacts.get((job, path))
        if found is None:
            return 404, {}
        return (302, f"{self.elsewhere}/{path}".encode()) if self.elsewhere else (200, found)

    def route(
        self, method: str, where: str, query: Any, body: dict[str, Any], user: int
    ) -> tuple[int, Any]:
        if match := re.fullmatch(r"(merge_requests|issues)/(\d+)/notes", where):
            on = {"on": f"{match[1]}/{match[2]}"}
            if method == "POST":
                return 201, self.add(self.notes, user, **on, body=body["body"])
            if self.odd:
                return 200, self.odd[0]
            return 200, page([x for x in self.notes.values() if x["on"] == on["on"]], query)
        if match := re.fullmatch(r"merge_requests/(\d+)", where):
            return 200, {"sha": self.heads[int(match[1])]}
        if match := re.fullmatch(r"merge_requests/\d+/notes/(\d+)", where):
            note = self.notes[int(match[1])]
            note["body"] = body["body"]
            return 200, note
        if where == "issues" and method == "POST":
            return 201, self.add(self.issues, user, **body)
        if where == "issues":
            mine = query.get("scope") == ["created_by_me"]
            found = [x for x in self.issues.values() if x["state"] == query["state"][0]]
            return 200, page([x for x in found if not mine or x["author"]["id"] == user], query)
        if match := re.fullmatch(r"issues/(\d+)", where):
            issue = self.issues[int(match[1])]
            issue.update({k: v for k, v in body.items() if k != "state_event"})
            if body.get("state_event") == "close":
                issue["state"] = "closed"
            return 200, issue
        if match := re.fullmatch(r"repository/commits/([0-9a-f]{40})/comments", where):
            self.outcomes.append({"sha": match[1], "by": user, **body})
            return 201, {}
        return 404, {}
