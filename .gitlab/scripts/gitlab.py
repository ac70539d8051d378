"""What the pipelines say to GitLab: one note, one outcome, one issue. Standard library only.

Reads CI_API_V4_URL, CI_PROJECT_ID and a token: FSGITOPS_COMMENT_TOKEN on a merge request,
FSGITOPS_GITLAB_TOKEN on the main branch. Without its token a command says nothing, and that is no
failure. Text comes from files and goes to the API as JSON; nothing is ever given to a shell.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import re
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SECONDS = 30
PAUSES = (1.0, 4.0)
PAGES = 50
LIMIT = 65_536
STATE_LIMIT = 256 * 1024 * 1024
STATES = ("success", "failure", "error")
ON_MERGE_REQUESTS, ON_MAIN = "FSGITOPS_COMMENT_TOKEN", "FSGITOPS_GITLAB_TOKEN"
TOKENS = {
    "comment": ON_MERGE_REQUESTS,
    "recorded": ON_MERGE_REQUESTS,
    "outcome": ON_MAIN,
    "issue": ON_MAIN,
}
SECRET_HEADERS = ("Private-token", "Job-token")


class ApiError(Exception):
    """GitLab did not do what it was asked."""


class Redirect(urllib.request.HTTPRedirectHandler):
    """Follows the redirect of a GET, as to the store of artifacts, and shows no other host a token.

    That of anything else is refused: it would be sent again as a GET, and nothing be written.
    """

    def redirect_request(
        self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        """Return the next request, without tokens where it goes elsewhere."""
        if req.get_method() != "GET":
            return None
        following = super().redirect_request(req, fp, code, msg, headers, newurl)
        if following is not None and origin(newurl) != origin(req.full_url):
            for name in SECRET_HEADERS:
                following.remove_header(name)
        return following


def origin(url: str) -> tuple[str, str]:
    """Return the scheme, host and port of a URL."""
    parts = urllib.parse.urlsplit(url)
    return parts.scheme, parts.netloc


@dataclass(frozen=True)
class Api:
    """GitLab's REST API (v4) as one token sees it; `header` is what carries the token."""

    token: str
    header: str = "Private-token"

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Send one request and return the JSON of the answer."""
        try:
            return json.loads(self.send(method, path, body) or b"null")
        except ValueError as problem:
            raise ApiError(f"{method} {path}: {problem}") from None

    def send(self, method: str, path: str, body: dict[str, Any] | None = None) -> bytes:
        """Send one request, again where that helps and writes nothing twice; return the answer."""
        said = ""
        for pause in (*PAUSES, None):
            try:
                return self.send_once(method, path, body)
            except urllib.error.HTTPError as problem:
                said = f"GitLab answered {problem.code}"
                again = problem.code == 429 or (method != "POST" and problem.code >= 500)
                asked = str(problem.headers.get("Retry-After", ""))
            except ValueError:
                # Its text can hold the header, and so the token.
                raise ApiError(f"{method} {path}: the URL or the token is malformed") from None
            except (OSError, http.client.HTTPException) as problem:
                said, again, asked = str(problem), method != "POST", ""
            if pause is None or not again:
                break
            time.sleep(max(pause, min(int(asked), SECONDS * 2) if asked.isdigit() else 0))
        raise ApiError(f"{method} {path}: {said}")

    def send_once(self, method: str, path: str, body: dict[str, Any] | None) -> bytes:
        """Send one request and return the answer. Raises what urllib raises."""
        request = urllib.request.Request(  # noqa: S310 - the runner's own API address
            f"{os.environ['CI_API_V4_URL'].rstrip('/')}/{path}",
            data=None if body is None else json.dumps(body).encode(),
            method=method,
            headers={
                "Content-Type": "application/json",
                "User-Agent": "fsgitops",
                self.header: self.token,
            },
        )
        with urllib.request.build_opener(Redirect).open(request, timeout=SECONDS) as answer:
            content: bytes = answer.read(STATE_LIMIT)
            return content

    def find_ours(self, path: str, text: str, marker: str) -> dict[str, Any] | None:
        """Return the first thing in a list that this token wrote and whose text has the marker."""
        me = self.call("GET", "user")["id"]
        joint = "&" if "?" in path else "?"
        for page in range(1, PAGES + 1):
            items = self.call("GET", f"{path}{joint}per_page=100&page={page}")
            if not isinstance(items, list):
                raise ApiError(f"GET {path}: not a list")
            for item in items:
                ours = (item.get("author") or {}).get("id") == me
                if ours and (item.get(text) or "").startswith(marker):
                    return dict(item)
            if len(items) < 100:
                return None
        return None


def in_project(path: str, variable: str = "CI_PROJECT_ID") -> str:
    """Return a path below the project whose number the variable holds."""
    return f"projects/{number_in(variable)}/{path}"


def number_in(variable: str) -> str:
    """Return the number that a variable holds."""
    number = os.environ[variable]
    if not number.isdigit():
        raise ApiError(f"{variable} is {number!r}")
    return number


def slug(text: str) -> str:
    """Return a text as it stands in a marker."""
    return re.sub(r"[^A-Za-z0-9]+", "-", text)


def disarm(text: str) -> str:
    """Return a text without quick actions: a line that begins with `/` commands GitLab."""
    return re.sub(r"^(?=/)", "\u200b", text.replace("\r", "\n"), flags=re.MULTILINE)


def read_comment(file: Path) -> str:
    """Return the comment that the job `plan` left, or one that tells that it left none."""
    if file.exists():
        body = disarm(file.read_text(encoding="utf-8"))
        marker = body.partition("\n")[0]
        if re.fullmatch(r"<!-- fsgitops [A-Za-z0-9-]+ -->", marker) and len(body) <= LIMIT:
            return body
        raise ApiError(f"{file} is not a comment of fsgitops")
    title = f"plan for {os.environ['TARGET']}"
    return (
        f"<!-- fsgitops {slug(title)} -->\n### fsgitops: `{title}`\n\n"
        f"**No plan**: the job `plan` ended before it had one. Its log tells why.\n"
    )


def comment(api: Api, file: Path) -> str:
    """Write the one note of a merge request, or write it again."""
    body = read_comment(file)
    request = in_project(
        f"merge_requests/{number_in('CI_MERGE_REQUEST_IID')}", "CI_MERGE_REQUEST_PROJECT_ID"
    )
    ours = os.environ.get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA") or os.environ["CI_COMMIT_SHA"]
    if api.call("GET", request)["sha"] != ours:
        return "left to the pipeline of a later commit"
    notes = f"{request}/notes"
    found = api.find_ours(notes, "body", body.partition("\n")[0])
    if found is None:
        api.call("POST", notes, {"body": body})
        return "written"
    if found["body"] == body:
        return "as it was"
    api.call("PUT", f"{notes}/{int(found['id'])}", {"body": body})
    return "updated"


def outcome(api: Api, file: Path) -> str:
    """Write the outcome of an apply, from the outputs of apply.sh, below the commit.

    A comment, and not a commit status: setting one needs the right to merge into the branch.
    """
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    told = dict(line.partition("=")[::2] for line in lines)
    sha, target = os.environ["CI_COMMIT_SHA"], os.environ["TARGET"]
    if not re.fullmatch(r"[0-9a-f]{40}", sha):
        raise ApiError(f"CI_COMMIT_SHA is {sha!r}")
    if told["state"] not in STATES:
        raise ApiError(f"{file}: no outcome is called {told['state']!r}")
    url = os.environ.get("CI_JOB_URL", "")
    body = f"fsgitops/apply ({target}): **{told['state']}**: {told['text'][:500]}"
    note = disarm(f"{body}\n\n{url}" if url else body)
    api.call("POST", in_project(f"repository/commits/{sha}/comments"), {"note": note})
    return told["state"]


def issue(api: Api, file: Path, *, drifted: bool) -> str:
    """Open, update or close the one issue about a target's drift."""
    target = os.environ["TARGET"]
    marker = f"<!-- fsgitops drift-of-{slug(target)} -->"
    issues = in_project("issues")
    found = api.find_ours(f"{issues}?state=opened&scope=created_by_me", "description", marker)
    if not drifted:
        if found is None:
            return "no drift, no issue"
        number = int(found["iid"])
        api.call("PUT", f"{issues}/{number}", {"state_event": "close"})
        api.call("POST", f"{issues}/{number}/notes", {"body": "The drift is gone."})
        return "closed"
    # The file was cut at a number of bytes, which may be in the middle of a character.
    told = disarm(file.read_text(encoding="utf-8", errors="replace"))
    body = f"{marker}\n{told}"[:LIMIT]
    # What stands on the switch is not for everybody, where the project is.
    text = {"description": body, "confidential": True}
    if found is None:
        api.call("POST", issues, {"title": f"fsgitops: {target} has drifted", **text})
        return "opened"
    if found["description"] == body:
        return "as it was"
    api.call("PUT", f"{issues}/{int(found['iid'])}", text)
    return "updated"


def recorded(token: str, path: str, file: Path) -> str:
    """Fetch a file that the job of the last successful deployment to the target left.

    A job's own token may read artifacts on some plans only: then the other token is tried.
    """
    tries = [Api(os.environ.get("CI_JOB_TOKEN", ""), "Job-token"), Api(token)]
    said = "no token"
    for api in tries:
        if not api.token:
            continue
        try:
            content = api.send("GET", find_artifact(api, path))
            json.loads(content)
        except (ApiError, ValueError, LookupError, TypeError) as problem:
            said = str(problem) or type(problem).__name__
            continue
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        return str(file)
    return f"none ({said})"


def find_artifact(api: Api, path: str) -> str:
    """Return where a file is that the last successful deployment to the target left.

    Not "of the last successful pipeline": any schedule makes a later one, without that job.
    """
    query = urllib.parse.urlencode(
        {
            "environment": os.environ["TARGET"],
            "status": "success",
            "order_by": "id",
            "sort": "desc",
            "per_page": "1",
        }
    )
    variable = "CI_MERGE_REQUEST_PROJECT_ID"
    found = api.call("GET", in_project(f"deployments?{query}", variable))
    if not found:
        raise ApiError("no deployment yet")
    job = int(found[0]["deployable"]["id"])
    return in_project(f"jobs/{job}/artifacts/{urllib.parse.quote(path)}", variable)


def main(words: list[str]) -> int:
    """Do what the words say; 1 when GitLab did not."""
    parser = argparse.ArgumentParser(prog="gitlab.py")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, arguments in {
        "comment": ("file",),
        "outcome": ("file",),
        "issue": ("file", "outputs"),
        "recorded": ("path", "file"),
    }.items():
        command = commands.add_parser(name)
        for argument in arguments:
            command.add_argument(argument)
    given = parser.parse_args(words)
    try:
        done = act(given)
    except (ApiError, OSError, LookupError, ValueError, TypeError, AttributeError) as problem:
        print(f"gitlab.py: {problem}", file=sys.stderr)  # noqa: T201
        return 1
    print(f"{given.command}: {done}")  # noqa: T201
    return 0


def act(given: argparse.Namespace) -> str:
    """Do what one command says, and tell what was done."""
    token = os.environ.get(TOKENS[given.command], "").strip()
    if given.command == "recorded":
        return recorded(token, given.path, Path(given.file))
    if not token:
        return f"nothing said: {TOKENS[given.command]} is not set"
    if given.command == "comment":
        return comment(Api(token), Path(given.file))
    if given.command == "outcome":
        return outcome(Api(token), Path(given.file))
    outputs = Path(given.outputs).read_text(encoding="utf-8").splitlines()
    return issue(Api(token), Path(given.file), drifted="drifted=true" in outputs)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
