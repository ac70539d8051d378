"""What the pipelines say to GitLab: one note, one status, one issue. Standard library only.

Reads CI_API_V4_URL, CI_PROJECT_ID and a token: FSGITOPS_GITLAB_TOKEN, else FSGITOPS_COMMENT_TOKEN.
Without a token nothing is said, and that is no failure. Text comes from files and goes to the API
as JSON; nothing is ever given to a shell.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

SECONDS = 30
PAGES = 50
LIMIT = 65_536
STATE_LIMIT = 256 * 1024 * 1024
STATES = {"success": "success", "failure": "failed", "error": "failed"}
TOKENS = ("FSGITOPS_GITLAB_TOKEN", "FSGITOPS_COMMENT_TOKEN")
SECRET_HEADERS = ("Private-token", "Job-token")


class ApiError(Exception):
    """GitLab did not do what it was asked."""


class Redirect(urllib.request.HTTPRedirectHandler):
    """Follows a redirect, as to the store of artifacts, and shows no other host a token."""

    def redirect_request(self, req: Any, *rest: Any) -> urllib.request.Request | None:
        """Return the next request, without tokens where it goes elsewhere."""
        following = super().redirect_request(req, *rest)
        if following is not None and following.host != req.host:
            for name in SECRET_HEADERS:
                following.remove_header(name)
        return following


def find_token() -> str:
    """Return the token at hand, or ""."""
    return next((os.environ[name] for name in TOKENS if os.environ.get(name)), "")


def call(method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    """Send one request and return the JSON of the answer."""
    content = send(method, path, {"Private-token": find_token()}, body)
    try:
        return json.loads(content or b"null")
    except ValueError as problem:
        raise ApiError(f"{method} {path}: {problem}") from None


def send(
    method: str, path: str, headers: dict[str, str], body: dict[str, Any] | None = None
) -> bytes:
    """Send one request to the API and return the answer."""
    request = urllib.request.Request(  # noqa: S310 - the runner's own API address
        f"{os.environ['CI_API_V4_URL'].rstrip('/')}/{path}",
        data=None if body is None else json.dumps(body).encode(),
        method=method,
        headers={"Content-Type": "application/json", "User-Agent": "fsgitops", **headers},
    )
    try:
        with urllib.request.build_opener(Redirect).open(request, timeout=SECONDS) as answer:
            content: bytes = answer.read(STATE_LIMIT)
            return content
    except urllib.error.HTTPError as problem:
        raise ApiError(f"{method} {path}: GitLab answered {problem.code}") from None
    except (OSError, ValueError) as problem:
        raise ApiError(f"{method} {path}: {problem}") from None


def in_project(path: str, variable: str = "CI_PROJECT_ID") -> str:
    """Return a path below the project whose number the variable holds."""
    number = os.environ[variable]
    if not number.isdigit():
        raise ApiError(f"{variable} is {number!r}")
    return f"projects/{number}/{path}"


def find_ours(path: str, text: str, marker: str) -> dict[str, Any] | None:
    """Return the first thing in a list that this token wrote and whose text has the marker."""
    me = call("GET", "user")["id"]
    joint = "&" if "?" in path else "?"
    for page in range(1, PAGES + 1):
        items = call("GET", f"{path}{joint}per_page=100&page={page}")
        for item in items:
            ours = (item.get("author") or {}).get("id") == me
            if ours and (item.get(text) or "").startswith(marker):
                return dict(item)
        if len(items) < 100:
            return None
    return None


def disarm(text: str) -> str:
    """Return a text without quick actions: a line that begins with `/` commands GitLab."""
    return re.sub(r"^(?=/)", "\u200b", text.replace("\r", "\n"), flags=re.MULTILINE)


def comment(file: Path) -> str:
    """Write the one note of a merge request, or write it again."""
    body = disarm(file.read_text(encoding="utf-8"))
    marker = body.partition("\n")[0]
    if not re.fullmatch(r"<!-- fsgitops [A-Za-z0-9-]+ -->", marker) or len(body) > LIMIT:
        raise ApiError(f"{file} is not a comment of fsgitops")
    number = os.environ["CI_MERGE_REQUEST_IID"]
    if not number.isdigit():
        raise ApiError(f"CI_MERGE_REQUEST_IID is {number!r}")
    notes = in_project(f"merge_requests/{number}/notes", "CI_MERGE_REQUEST_PROJECT_ID")
    found = find_ours(notes, "body", marker)
    if found is None:
        call("POST", notes, {"body": body})
        return "written"
    if found["body"] == body:
        return "as it was"
    call("PUT", f"{notes}/{int(found['id'])}", {"body": body})
    return "updated"


def status(file: Path) -> str:
    """Put the outcome of an apply, from the outputs of apply.sh, on the commit."""
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    told = dict(line.partition("=")[::2] for line in lines)
    sha, target = os.environ["CI_COMMIT_SHA"], os.environ["TARGET"]
    if not re.fullmatch(r"[0-9a-f]{40}", sha):
        raise ApiError(f"CI_COMMIT_SHA is {sha!r}")
    body = {
        "state": STATES[told["state"]],
        "name": f"fsgitops/apply ({target})",
        "description": told["text"][:140],
        "target_url": os.environ.get("CI_JOB_URL", ""),
    }
    call("POST", in_project(f"statuses/{sha}"), {k: v for k, v in body.items() if v})
    return body["state"]


def issue(file: Path, *, drifted: bool) -> str:
    """Open, update or close the one issue about a target's drift."""
    target = os.environ["TARGET"]
    marker = f"<!-- fsgitops drift-of-{re.sub(r'[^A-Za-z0-9]+', '-', target)} -->"
    issues = in_project("issues")
    found = find_ours(f"{issues}?state=opened&scope=created_by_me", "description", marker)
    if not drifted:
        if found is None:
            return "no drift, no issue"
        number = int(found["iid"])
        call("POST", f"{issues}/{number}/notes", {"body": "The drift is gone."})
        call("PUT", f"{issues}/{number}", {"state_event": "close"})
        return "closed"
    # The file was cut at a number of bytes, which may be in the middle of a character.
    text = disarm(file.read_text(encoding="utf-8", errors="replace"))
    body = f"{marker}\n{text}"[:LIMIT]
    if found is None:
        call("POST", issues, {"title": f"fsgitops: {target} has drifted", "description": body})
        return "opened"
    if found["description"] == body:
        return "as it was"
    call("PUT", f"{issues}/{int(found['iid'])}", {"description": body})
    return "updated"


def recorded(job: str, path: str, file: Path) -> str:
    """Fetch a file that a job of the last successful pipeline of the main branch left.

    A job's own token may read artifacts on some plans only: then another token is tried.
    """
    branch = urllib.parse.quote(os.environ["CI_DEFAULT_BRANCH"], safe="")
    query = urllib.parse.urlencode({"job": job})
    where = in_project(
        f"jobs/artifacts/{branch}/raw/{urllib.parse.quote(path)}?{query}",
        "CI_MERGE_REQUEST_PROJECT_ID",
    )
    tries = {"Job-token": os.environ.get("CI_JOB_TOKEN", ""), "Private-token": find_token()}
    said = "no token"
    for header, token in tries.items():
        if not token:
            continue
        try:
            content = send("GET", where, {header: token})
            json.loads(content)
        except (ApiError, ValueError) as problem:
            said = str(problem)
            continue
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        return str(file)
    return f"none ({said})"


def main(words: list[str]) -> int:
    """Do what the words say; 1 when GitLab did not."""
    parser = argparse.ArgumentParser(prog="gitlab.py")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, arguments in {
        "comment": ("file",),
        "status": ("file",),
        "issue": ("file", "outputs"),
        "recorded": ("job", "path", "file"),
    }.items():
        command = commands.add_parser(name)
        for argument in arguments:
            command.add_argument(argument)
    given = parser.parse_args(words)
    try:
        done = act(given)
    except (ApiError, OSError, KeyError, ValueError, TypeError) as problem:
        print(f"gitlab.py: {problem}", file=sys.stderr)  # noqa: T201
        return 1
    print(f"{given.command}: {done}")  # noqa: T201
    return 0


def act(given: argparse.Namespace) -> str:
    """Do what one command says, and tell what was done."""
    if given.command == "recorded":
        return recorded(given.job, given.path, Path(given.file))
    if not find_token():
        return f"nothing said: neither {TOKENS[0]} nor {TOKENS[1]} is set"
    if given.command == "comment":
        return comment(Path(given.file))
    if given.command == "status":
        return status(Path(given.file))
    outputs = Path(given.outputs).read_text(encoding="utf-8").splitlines()
    return issue(Path(given.file), drifted="drifted=true" in outputs)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
