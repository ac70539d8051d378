"""What the workflows say to GitHub: one comment, one status, one issue. Standard library only.

Reads GITHUB_API_URL, GITHUB_REPOSITORY and GITHUB_TOKEN. Text comes from files and goes to the
API as JSON; nothing is ever given to a shell.
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
BOT = "github-actions[bot]"


class ApiError(Exception):
    """GitHub did not do what it was asked."""


def call(method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    """Send one request below the repository and return the JSON of the answer."""
    base = os.environ.get("GITHUB_API_URL", "https://api.github.com").rstrip("/")
    repository = os.environ["GITHUB_REPOSITORY"]
    if not re.fullmatch(r"[A-Za-z0-9._-]+/[A-Za-z0-9._-]+", repository):
        raise ApiError(f"GITHUB_REPOSITORY is {repository!r}")
    request = urllib.request.Request(  # noqa: S310 - the runner's own API address
        f"{base}/repos/{repository}/{path}",
        data=None if body is None else json.dumps(body).encode(),
        method=method,
        headers={
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {os.environ['GITHUB_TOKEN']}",
            "Content-Type": "application/json",
            "User-Agent": "fsgitops",
            "X-GitHub-Api-Version": "2022-11-28",
        },
    )
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:  # noqa: S310
            return json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as problem:
        raise ApiError(f"{method} {path}: GitHub answered {problem.code}") from None
    except (OSError, ValueError) as problem:
        raise ApiError(f"{method} {path}: {problem}") from None


def find_ours(path: str, marker: str) -> dict[str, Any] | None:
    """Return the first thing in a list that this bot wrote and that begins with the marker."""
    joint = "&" if "?" in path else "?"
    for page in range(1, PAGES + 1):
        items = call("GET", f"{path}{joint}per_page=100&page={page}")
        for item in items:
            writer = (item.get("user") or {}).get("login")
            ours = writer == BOT and (item.get("body") or "").startswith(marker)
            if ours and "pull_request" not in item:
                return dict(item)
        if len(items) < 100:
            return None
    return None


def read_comment(file: Path) -> str:
    """Return the comment that the job `plan` left."""
    body = file.read_text(encoding="utf-8")
    marker = body.partition("\n")[0]
    if not re.fullmatch(r"<!-- fsgitops [A-Za-z0-9-]+ -->", marker) or len(body) > LIMIT:
        raise ApiError(f"{file} is not a comment of fsgitops")
    return body


def slug(text: str) -> str:
    """Return a text as it stands in a marker."""
    return re.sub(r"[^A-Za-z0-9]+", "-", text)


def comment(number: str, file: Path) -> str:
    """Write the one comment of a pull request, or write it again: also where there is no plan."""
    if not number.isdigit():
        raise ApiError(f"{number!r} is not the number of a pull request")
    comments = f"issues/{number}/comments"
    if file.exists():
        body = read_comment(file)
        found = find_ours(comments, body.partition("\n")[0])
    else:
        # Without TARGET only a plan could have named it: then any comment about one is ours.
        target = os.environ.get("TARGET", "")
        begins = f"<!-- fsgitops {slug(f'plan for {target}')}"
        found = find_ours(comments, f"{begins} -->" if target else begins)
        marker = (
            found["body"].partition("\n")[0]
            if found
            else f"{begins}{'' if target else 'sandbox'} -->"
        )
        body = (
            f"{marker}\n**No plan**: the job `plan` ended before it had one. Its log tells why.\n"
        )
    if found is None:
        call("POST", comments, {"body": body})
        return "written"
    if found["body"] == body:
        return "as it was"
    call("PATCH", f"issues/comments/{int(found['id'])}", {"body": body})
    return "updated"


def status(sha: str, state: str, text: str, target: str, url: str) -> str:
    """Put the outcome of an apply on a commit."""
    if not re.fullmatch(r"[0-9a-f]{40}", sha):
        raise ApiError(f"{sha!r} is not a commit")
    body = {"state": state, "description": text[:140], "context": f"fsgitops/apply ({target})"}
    call("POST", f"statuses/{sha}", {**body, **({"target_url": url} if url else {})})
    return state


def issue(target: str, file: Path, *, drifted: bool) -> str:
    """Open, update or close the one issue about a target's drift."""
    marker = f"<!-- fsgitops drift-of-{slug(target)} -->"
    found = find_ours("issues?state=open", marker)
    if not drifted:
        if found is None:
            return "no drift, no issue"
        number = int(found["number"])
        call("POST", f"issues/{number}/comments", {"body": "The drift is gone."})
        call("PATCH", f"issues/{number}", {"state": "closed", "state_reason": "completed"})
        return "closed"
    # The file was cut at a number of bytes, which may be in the middle of a character.
    text = file.read_text(encoding="utf-8", errors="replace")
    body = f"{marker}\n{text}"[:LIMIT]
    if found is None:
        call("POST", "issues", {"title": f"fsgitops: {target} has drifted", "body": body})
        return "opened"
    if found["body"] == body:
        return "as it was"
    call("PATCH", f"issues/{int(found['number'])}", {"body": body})
    return "updated"


def last_run(workflow: str, branch: str) -> str:
    """Tell which run of a workflow, on a push to a branch of this repository, succeeded last."""
    if not re.fullmatch(r"[A-Za-z0-9._-]+\.ya?ml", workflow):
        raise ApiError(f"{workflow!r} is not a workflow")
    query = f"branch={urllib.parse.quote(branch, safe='')}&event=push&status=success&per_page=1"
    runs = call("GET", f"actions/workflows/{workflow}/runs?{query}")["workflow_runs"]
    number = str(int(runs[0]["id"])) if runs else ""
    with Path(os.environ.get("GITHUB_OUTPUT", os.devnull)).open("a", encoding="utf-8") as output:
        output.write(f"run={number}\n")
    return number or "none"


def main(words: list[str]) -> int:
    """Do what the words say; 1 when GitHub did not."""
    parser = argparse.ArgumentParser(prog="github.py")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, arguments in {
        "comment": ("number", "file"),
        "status": ("sha", "state", "text", "target", "url"),
        "issue": ("target", "file", "drifted"),
        "last-run": ("workflow", "branch"),
    }.items():
        command = commands.add_parser(name)
        for argument in arguments:
            command.add_argument(argument)
    given = parser.parse_args(words)
    try:
        if given.command == "comment":
            done = comment(given.number, Path(given.file))
        elif given.command == "status":
            done = status(given.sha, given.state, given.text, given.target, given.url)
        elif given.command == "issue":
            done = issue(given.target, Path(given.file), drifted=given.drifted == "true")
        else:
            done = last_run(given.workflow, given.branch)
    except (ApiError, OSError, KeyError, ValueError) as problem:
        print(f"github.py: {problem}", file=sys.stderr)  # noqa: T201
        return 1
    print(f"{given.command}: {done}")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
