"""The script of the pipelines for GitLab, against the API that it speaks to."""

from __future__ import annotations

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.util import module_from_spec, spec_from_file_location
from typing import TYPE_CHECKING, Any

import pytest
from fake_gitlab import COMMENT_TOKEN, JOB_TOKEN, PROJECT, PROJECT_TOKEN, USERS, FakeGitLab
from rehearsal_gitlab import MERGE_REQUEST
from scratch_repository import CHECKOUT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SCRIPT = CHECKOUT / ".gitlab" / "scripts" / "gitlab.py"
NOTES = f"merge_requests/{MERGE_REQUEST}/notes"


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Any, FakeGitLab]]:
    spec = spec_from_file_location("fsgitops_gitlab_script", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    with FakeGitLab() as gitlab:
        for name, value in {
            "CI_API_V4_URL": gitlab.url,
            "CI_PROJECT_ID": str(PROJECT),
            "CI_MERGE_REQUEST_PROJECT_ID": str(PROJECT),
            "CI_MERGE_REQUEST_IID": str(MERGE_REQUEST),
            "CI_DEFAULT_BRANCH": "main",
            "CI_JOB_TOKEN": JOB_TOKEN,
            "CI_COMMIT_SHA": SHA,
            "TARGET": "prod",
            "FSGITOPS_COMMENT_TOKEN": COMMENT_TOKEN,
            "FSGITOPS_GITLAB_TOKEN": PROJECT_TOKEN,
        }.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(module, "PAUSES", (0.0, 0.0))
        gitlab.heads[MERGE_REQUEST] = SHA
        yield module, gitlab


SHA = "a1" * 20
BODY = "<!-- fsgitops plan-for-prod -->\n"


def test_somebody_else_s_note_is_never_touched(
    script: tuple[Any, FakeGitLab], tmp_path: Path
) -> None:
    module, gitlab = script
    where = f"merge_requests/{MERGE_REQUEST}"
    theirs = gitlab.add(gitlab.notes, 99, on=where, body=BODY + "mine")
    (tmp_path / "comment.md").write_text(BODY + "plan")
    assert module.main(["comment", str(tmp_path / "comment.md")]) == 0
    assert theirs["body"] == BODY + "mine"
    assert len(gitlab.notes) == 2


def test_the_note_is_found_behind_hundreds_of_others(
    script: tuple[Any, FakeGitLab], tmp_path: Path
) -> None:
    module, gitlab = script
    for _ in range(250):
        gitlab.add(gitlab.notes, 99, on=f"merge_requests/{MERGE_REQUEST}", body="talk")
    file = tmp_path / "comment.md"
    for text in ("one", "two", "two"):
        file.write_text(BODY + text)
        assert module.main(["comment", str(file)]) == 0
    assert gitlab.writes == [f"POST {NOTES}", f"PUT {NOTES}/{max(gitlab.notes)}"]


def test_no_line_of_a_note_or_an_issue_commands_gitlab(
    script: tuple[Any, FakeGitLab], tmp_path: Path
) -> None:
    module, gitlab = script
    file, outputs = tmp_path / "text.md", tmp_path / "drifted.env"
    file.write_bytes(BODY.encode() + b"/merge\n```\n/close\n```\nwords\r/approve\n    /label ~x\n")
    outputs.write_text("drifted=true\n")
    assert module.main(["comment", str(file)]) == 0
    assert module.main(["issue", str(file), str(outputs)]) == 0
    [note], [issue] = gitlab.notes.values(), gitlab.issues.values()
    for text in (note["body"], issue["description"]):
        assert "/merge" in text
        assert not [line for line in text.replace("\r", "").splitlines() if line.startswith("/")]


@pytest.mark.parametrize(
    ("number", "body"), [("7/../8", BODY), ("7", "no marker\n"), ("7", BODY + "x" * 70_000)]
)
def test_what_is_not_our_note_is_not_sent(
    script: tuple[Any, FakeGitLab],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: str,
    body: str,
) -> None:
    module, gitlab = script
    monkeypatch.setenv("CI_MERGE_REQUEST_IID", number)
    (tmp_path / "comment.md").write_text(body)
    assert module.main(["comment", str(tmp_path / "comment.md")]) == 1
    assert gitlab.writes == []


def test_a_refusal_of_gitlab_is_told_and_shows_no_token(
    script: tuple[Any, FakeGitLab],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    module, _ = script
    monkeypatch.setenv("FSGITOPS_COMMENT_TOKEN", "wrong-token")
    (tmp_path / "comment.md").write_text(BODY)
    assert module.main(["comment", str(tmp_path / "comment.md")]) == 1
    said = capsys.readouterr().err
    assert "GitLab answered 401" in said
    assert "wrong-token" not in said


@pytest.mark.parametrize("job_tokens", [True, False])
def test_a_recorded_state_is_fetched_with_whichever_token_may(
    script: tuple[Any, FakeGitLab], tmp_path: Path, job_tokens: bool
) -> None:
    module, gitlab = script
    gitlab.job_tokens = job_tokens
    gitlab.deploy("prod", "success", {"applied/state.json": b'{"format": "fsgitops-state"}'})
    place = tmp_path / "recorded" / "state.json"
    assert module.main(["recorded", "applied/state.json", str(place)]) == 0
    assert json.loads(place.read_bytes()) == {"format": "fsgitops-state"}


def test_another_host_is_shown_no_token(script: tuple[Any, FakeGitLab], tmp_path: Path) -> None:
    module, gitlab = script
    seen: list[dict[str, str]] = []

    class Store(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(dict(self.headers))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *words: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Store)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    gitlab.elsewhere = f"http://localhost:{server.server_port}"
    gitlab.deploy("prod", "success", {"applied/state.json": b"{}"})
    place = tmp_path / "state.json"
    assert module.main(["recorded", "applied/state.json", str(place)]) == 0
    server.shutdown()
    server.server_close()
    [headers] = seen
    assert not [value for value in headers.values() if value in (*USERS, JOB_TOKEN)]


def test_what_is_asked_to_be_written_elsewhere_is_refused(
    script: tuple[Any, FakeGitLab], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    module, gitlab = script
    gitlab.moved = "http://127.0.0.1:1"
    (tmp_path / "comment.md").write_text(BODY)
    assert module.main(["comment", str(tmp_path / "comment.md")]) == 1
    assert f"POST projects/42/{NOTES}: GitLab answered 302" in capsys.readouterr().err


def test_a_redirect_to_the_same_host_without_tls_is_shown_no_token(
    script: tuple[Any, FakeGitLab],
) -> None:
    module, _ = script
    asked = module.urllib.request.Request(
        "https://gitlab.example/api", headers={"Private-token": "secret"}
    )
    follow = module.Redirect().redirect_request
    same = follow(asked, None, 302, "", {}, "https://gitlab.example/store")
    plain = follow(asked, None, 302, "", {}, "http://gitlab.example/api")
    assert same.get_header("Private-token") == "secret"
    assert plain.get_header("Private-token") is None


def test_a_busy_gitlab_is_asked_again_and_nothing_is_written_twice(
    script: tuple[Any, FakeGitLab], tmp_path: Path
) -> None:
    module, gitlab = script
    (tmp_path / "comment.md").write_text(BODY)
    gitlab.failures += [502, 429]
    assert module.main(["comment", str(tmp_path / "comment.md")]) == 0
    (tmp_path / "applied.env").write_text("state=success\ntext=Applied\n")
    gitlab.failures += [429]
    assert module.main(["outcome", str(tmp_path / "applied.env")]) == 0
    gitlab.failures += [502]
    assert module.main(["outcome", str(tmp_path / "applied.env")]) == 1
    assert len(gitlab.outcomes) == 1


def test_a_malformed_token_is_never_printed(
    script: tuple[Any, FakeGitLab],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    module, gitlab = script
    (tmp_path / "comment.md").write_text(BODY)
    monkeypatch.setenv("FSGITOPS_COMMENT_TOKEN", "glpat-\nsecret")
    assert module.main(["comment", str(tmp_path / "comment.md")]) == 1
    said = capsys.readouterr()
    assert "the URL or the token is malformed" in said.err
    assert "secret" not in said.err + said.out
    monkeypatch.setenv("FSGITOPS_COMMENT_TOKEN", f"{COMMENT_TOKEN}\n")
    assert module.main(["comment", str(tmp_path / "comment.md")]) == 0
    assert gitlab.writes == [f"POST {NOTES}"]


def test_an_answer_of_another_shape_is_an_error_and_no_traceback(
    script: tuple[Any, FakeGitLab], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    module, gitlab = script
    (tmp_path / "comment.md").write_text(BODY)
    for odd in ({"message": "x"}, ["x"], None, 7):
        gitlab.odd = [odd]
        assert module.main(["comment", str(tmp_path / "comment.md")]) == 1
        assert capsys.readouterr().err.startswith("gitlab.py: ")


def test_the_note_is_left_to_the_pipeline_of_the_latest_commit(
    script: tuple[Any, FakeGitLab], tmp_path: Path
) -> None:
    module, gitlab = script
    gitlab.heads[MERGE_REQUEST] = "b2" * 20
    (tmp_path / "comment.md").write_text(BODY)
    assert module.main(["comment", str(tmp_path / "comment.md")]) == 0
    assert not gitlab.writes


def test_an_issue_about_drift_is_for_members(
    script: tuple[Any, FakeGitLab], tmp_path: Path
) -> None:
    module, gitlab = script
    (tmp_path / "issue.md").write_text("text")
    (tmp_path / "drifted.env").write_text("drifted=true\n")
    words = ["issue", str(tmp_path / "issue.md"), str(tmp_path / "drifted.env")]
    assert module.main(words) == 0
    [issue] = gitlab.issues.values()
    assert issue["confidential"] is True


def test_what_is_fetched_but_is_no_state_is_not_kept(
    script: tuple[Any, FakeGitLab], tmp_path: Path
) -> None:
    module, gitlab = script
    gitlab.deploy("prod", "success", {"applied/state.json": b"<html>sign in</html>"})
    place = tmp_path / "state.json"
    assert module.main(["recorded", "applied/state.json", str(place)]) == 0
    assert not place.exists()
