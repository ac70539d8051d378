"""The scripts of the pipelines: what they print, and what the one for GitHub says there."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fake_github import REPOSITORY, TOKEN, FakeGitHub
from rehearsal import PULL_REQUEST
from scratch_repository import CHECKOUT

if TYPE_CHECKING:
    from collections.abc import Iterator

SCRIPTS = CHECKOUT / ".github" / "scripts"
BIN = Path(sys.executable).parent


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Any, FakeGitHub]]:
    spec = spec_from_file_location("fsgitops_github_script", SCRIPTS / "github.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    with FakeGitHub() as github:
        monkeypatch.setenv("GITHUB_API_URL", github.url)
        monkeypatch.setenv("GITHUB_REPOSITORY", REPOSITORY)
        monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
        yield module, github


BODY = "<!-- fsgitops plan-for-prod -->\n"


def test_somebody_else_s_comment_is_never_touched(
    script: tuple[Any, FakeGitHub], tmp_path: Path
) -> None:
    module, github = script
    theirs = github.add(
        github.comments, issue=PULL_REQUEST, body=BODY + "mine", user={"login": "mallory"}
    )
    file = tmp_path / "comment.md"
    file.write_text(BODY + "plan")
    assert module.main(["comment", str(PULL_REQUEST), str(file)]) == 0
    assert theirs["body"] == BODY + "mine"
    assert len(github.comments) == 2


def test_the_comment_is_found_behind_hundreds_of_others(
    script: tuple[Any, FakeGitHub], tmp_path: Path
) -> None:
    module, github = script
    for _ in range(250):
        github.add(github.comments, issue=PULL_REQUEST, body="talk", user={"login": "bob"})
    file = tmp_path / "comment.md"
    for text in ("one", "two", "two"):
        file.write_text(BODY + text)
        assert module.main(["comment", str(PULL_REQUEST), str(file)]) == 0
    assert github.writes == [
        f"POST issues/{PULL_REQUEST}/comments",
        f"PATCH issues/comments/{max(github.comments)}",
    ]


@pytest.mark.parametrize(
    ("number", "body"), [("7/../8", BODY), ("7", "no marker\n"), ("7", BODY + "x" * 70_000)]
)
def test_what_is_not_our_comment_is_not_sent(
    script: tuple[Any, FakeGitHub], tmp_path: Path, number: str, body: str
) -> None:
    module, github = script
    file = tmp_path / "comment.md"
    file.write_text(body)
    assert module.main(["comment", number, str(file)]) == 1
    assert github.writes == []


@pytest.mark.parametrize(("target", "kept"), [("prod", "prod"), ("", "prod"), ("other", "other")])
def test_where_there_is_no_plan_the_comment_about_that_target_tells_so(
    script: tuple[Any, FakeGitHub],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    target: str,
    kept: str,
) -> None:
    module, github = script
    monkeypatch.setenv("TARGET", target)
    file = tmp_path / "comment.md"
    file.write_text(BODY + "2 to change")
    assert module.main(["comment", str(PULL_REQUEST), str(file)]) == 0
    file.unlink()
    assert module.main(["comment", str(PULL_REQUEST), str(file)]) == 0
    last = list(github.comments.values())[-1]["body"]
    assert last.startswith(f"<!-- fsgitops plan-for-{kept} -->\n**No plan**")
    assert len(github.comments) == (2 if kept == "other" else 1)


def test_one_issue_is_opened_updated_and_closed(
    script: tuple[Any, FakeGitHub], tmp_path: Path
) -> None:
    module, github = script
    file = tmp_path / "issue.md"
    for text, drifted in (("a", "true"), ("a", "true"), ("b", "true"), ("", "false")):
        file.write_text(text)
        assert module.main(["issue", "prod", str(file), drifted]) == 0
    [issue] = github.issues.values()
    assert (issue["state"], issue["body"]) == ("closed", "<!-- fsgitops drift-of-prod -->\nb")
    number = issue["number"]
    assert github.writes == [
        "POST issues",
        f"PATCH issues/{number}",
        f"POST issues/{number}/comments",
        f"PATCH issues/{number}",
    ]
    assert module.main(["issue", "prod", str(file), "false"]) == 0
    assert len(github.writes) == 4


def test_a_refusal_of_github_is_told_and_shows_no_token(
    script: tuple[Any, FakeGitHub],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    module, _ = script
    monkeypatch.setenv("GITHUB_TOKEN", "wrong-token")
    file = tmp_path / "comment.md"
    file.write_text(BODY)
    assert module.main(["comment", "7", str(file)]) == 1
    said = capsys.readouterr().err
    assert "GitHub answered 401" in said
    assert "wrong-token" not in said


@pytest.mark.parametrize(("code", "drifted"), [(0, "false"), (2, "true"), (1, None)])
def test_the_drift_script_tells_drift_from_trouble(
    tmp_path: Path, code: int, drifted: str | None
) -> None:
    stub = tmp_path / "bin" / "fsgitops"
    stub.parent.mkdir()
    stub.write_text(f"#!/bin/sh\necho '```'\necho 'agent 1020 differs'\nexit {code}\n")
    stub.chmod(0o755)
    output = tmp_path / "output"
    done = subprocess.run(
        ["bash", str(SCRIPTS / "drift.sh")],
        cwd=tmp_path,
        env={
            "PATH": f"{stub.parent}:/usr/bin:/bin",
            "TARGET": "prod",
            "GITHUB_OUTPUT": str(output),
        },
        capture_output=True,
        check=False,
    )
    if drifted is None:
        assert done.returncode == 1
        assert not output.exists()
        return
    assert done.returncode == 0
    assert output.read_text() == f"drifted={drifted}\n"
    assert "    ```\n    agent 1020 differs\n" in (tmp_path / "drift/issue.md").read_text()


def test_an_issue_that_was_cut_inside_a_character_is_still_sent(
    script: tuple[Any, FakeGitHub], tmp_path: Path
) -> None:
    module, github = script
    file = tmp_path / "issue.md"
    file.write_bytes("    drifted é".encode()[:-1] + b"\n")
    assert module.main(["issue", "prod", str(file), "true"]) == 0
    [issue] = github.issues.values()
    assert "    drifted " in issue["body"]


def test_text_from_outside_is_printed_where_the_runner_takes_no_commands(tmp_path: Path) -> None:
    stub = tmp_path / "bin" / "fsgitops"
    stub.parent.mkdir()
    lines = ('[ "$1" = validate ] && exec >&2', 'echo "agent ##[add-mask]a"', "exit 1", "")
    stub.write_text("\n".join(["#!/bin/sh", *lines]))
    stub.chmod(0o755)
    for name in ("plan", "propose", "apply", "drift"):
        done = subprocess.run(
            ["bash", str(SCRIPTS / f"{name}.sh")],
            cwd=tmp_path,
            env={
                "PATH": f"{stub.parent}:{BIN}:/usr/bin:/bin",
                "TARGET": "prod",
                "PLAN": "/dev/null",
                "PLAN_SHA256": "",
                "GITHUB_ACTIONS": "true",
            },
            capture_output=True,
            text=True,
            check=False,
        )
        said = done.stdout.splitlines()
        stop = next(line for line in said if line.startswith("::stop-commands::"))
        assert done.returncode != 0
        assert not any("##[" in line for line in said[: said.index(stop)])
        assert name != "plan" or "##[" not in done.stderr
        assert said[-1] == f"::{stop.removeprefix('::stop-commands::')}::"
