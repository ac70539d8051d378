"""Just enough of GitHub's REST API, on loopback, for what the workflows say to it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from loopback_api import LoopbackApi, page

BOT = {"login": "github-actions[bot]"}
TOKEN = "rehearsal-token"
REPOSITORY = "example/pbx"


@dataclass
class FakeGitHub(LoopbackApi):
    """What GitHub knows. `writes` lists every request that changed something."""

    comments: dict[int, dict[str, Any]] = field(default_factory=dict)
    issues: dict[int, dict[str, Any]] = field(default_factory=dict)
    statuses: list[dict[str, Any]] = field(default_factory=list)
    runs: list[dict[str, Any]] = field(default_factory=list)
    writes: list[str] = field(default_factory=list)
    next_id: int = 100

    def add(self, items: dict[int, dict[str, Any]], **fields: Any) -> dict[str, Any]:
        self.next_id += 1
        key = self.next_id
        items[key] = {"id": key, "number": key, "user": BOT, "state": "open", **fields}
        return items[key]

    @property
    def url(self) -> str:
        return self.root

    def handle(self, method: str, path: str, body: Any, headers: Any) -> tuple[int, Any]:
        if headers.get("Authorization") != f"Bearer {TOKEN}":
            return 401, {}
        address = urlsplit(path)
        prefix = f"/repos/{REPOSITORY}/"
        if not address.path.startswith(prefix):
            return 404, {}
        where, query = address.path.removeprefix(prefix), parse_qs(address.query)
        if method != "GET":
            self.writes.append(f"{method} {where}")
        return self.route(method, where, query, body)

    def route(self, method: str, where: str, query: Any, body: Any) -> tuple[int, Any]:
        if match := re.fullmatch(r"issues/(\d+)/comments", where):
            number = int(match[1])
            if method == "POST":
                return 201, self.add(self.comments, issue=number, **body)
            return 200, page([x for x in self.comments.values() if x["issue"] == number], query)
        if match := re.fullmatch(r"issues/comments/(\d+)", where):
            self.comments[int(match[1])].update(body)
            return 200, self.comments[int(match[1])]
        if where == "issues" and method == "POST":
            return 201, self.add(self.issues, **body)
        if where == "issues":
            return 200, page([x for x in self.issues.values() if x["state"] == "open"], query)
        if match := re.fullmatch(r"issues/(\d+)", where):
            self.issues[int(match[1])].update(body)
            return 200, self.issues[int(match[1])]
        if match := re.fullmatch(r"statuses/([0-9a-f]{40})", where):
            self.statuses.append({"sha": match[1], **body})
            return 201, {}
        if re.fullmatch(r"actions/workflows/[a-z]+\.yml/runs", where):
            return 200, {"workflow_runs": self.runs[-1:]}
        return 404, {}
