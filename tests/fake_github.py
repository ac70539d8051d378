"""Just enough of GitHub's REST API, on loopback, for what the workflows say to it."""

from __future__ import annotations

import json
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

BOT = {"login": "github-actions[bot]"}
TOKEN = "rehearsal-token"
REPOSITORY = "example/pbx"


@dataclass
class FakeGitHub:
    """What GitHub knows. `writes` lists every request that changed something."""

    comments: dict[int, dict[str, Any]] = field(default_factory=dict)
    issues: dict[int, dict[str, Any]] = field(default_factory=dict)
    statuses: list[dict[str, Any]] = field(default_factory=list)
    runs: list[dict[str, Any]] = field(default_factory=list)
    writes: list[str] = field(default_factory=list)
    next_id: int = 100
    url: str = ""

    def __enter__(self) -> FakeGitHub:
        github = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(length)) if length else None
                allowed = self.headers.get("Authorization") == f"Bearer {TOKEN}"
                code, data = github.answer(self.command, self.path, body) if allowed else (401, {})
                content = json.dumps(data).encode()
                self.send_response(code)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PATCH = answer

            def log_message(self, *words: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *problem: object) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def add(self, items: dict[int, dict[str, Any]], **fields: Any) -> dict[str, Any]:
        self.next_id += 1
        key = self.next_id
        items[key] = {"id": key, "number": key, "user": BOT, "state": "open", **fields}
        return items[key]

    def answer(self, method: str, path: str, body: Any) -> tuple[int, Any]:
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


def page(items: list[dict[str, Any]], query: dict[str, list[str]]) -> list[dict[str, Any]]:
    size = int(query.get("per_page", ["30"])[0])
    number = int(query.get("page", ["1"])[0])
    return items[(number - 1) * size : number * size]
