"""`apply --notify`: whatever way it ends, the webhook is told, and nothing else changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from project import SETTINGS, Project, check_output
from test_webhook import SECRET, Hook, running

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def hook(project: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hook]:
    with running(Hook()) as hook:
        monkeypatch.setenv("HOOK_URL", hook.url)
        _configure(project, "{url: {env: HOOK_URL}, format: json, timeout: 5}")
        yield hook


def _configure(project: Project, notify: str) -> None:
    project.write("fsgitops.yaml", f"{SETTINGS}notify: {notify}\n")


def test_an_apply_is_told_with_its_counts(project: Project, hook: Hook) -> None:
    assert project.run("apply", "--yes", "--notify").code == 0
    (told,) = hook.bodies
    assert (told["outcome"], told["exit_code"], told["created"]) == ("applied", 0, 5)
    assert (told["project"], told["target"], told["simulated"]) == ("test", "sandbox", True)
    assert told["format"] == "fsgitops-notice"
    check_output(told)


def test_without_the_option_nobody_is_told(project: Project, hook: Hook) -> None:
    project.run("apply", "--yes")
    assert hook.bodies == []


def test_an_apply_of_nothing_is_told_as_unchanged(project: Project, hook: Hook) -> None:
    project.prepare("apply", "--yes")
    project.run("apply", "--yes", "--notify")
    assert hook.bodies[0]["outcome"] == "unchanged"


def test_a_refused_plan_is_told(project: Project, hook: Hook) -> None:
    project.run("plan")
    (project.conf / "directory/default/1020.xml").write_text("<include>\n</include>\n")
    assert project.run("apply", "--yes", "--notify").code == 4
    (told,) = hook.bodies
    assert (told["outcome"], told["exit_code"]) == ("refused", 4)
    assert "foreign-file" in str(told["message"])


def test_what_is_invalid_is_told(project: Project, hook: Hook) -> None:
    project.write("desired/routes.yaml", "did_routes:\n  - {did_number: x}\n")
    assert project.run("apply", "--yes", "--notify").code == 3
    assert (hook.bodies[0]["outcome"], hook.bodies[0]["exit_code"]) == ("invalid", 3)


def test_an_unreachable_switch_is_told_as_a_failure(
    project: Project, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project.root / "conf").mkdir()
    monkeypatch.setenv("FSGITOPS_ESL_PASSWORD", "x")
    monkeypatch.setenv("FSGITOPS_ESL_PORT", "1")
    assert project.run("apply", "--yes", "--notify", "--target", "image").code == 1
    assert (hook.bodies[0]["outcome"], hook.bodies[0]["target"]) == ("failed", "image")


@pytest.mark.parametrize(
    ("error", "outcome", "code"),
    [("RolledBackError", "rolled-back", 5), ("RollbackFailedError", "rollback-failed", 6)],
)
def test_a_roll_back_is_told(
    project: Project,
    hook: Hook,
    monkeypatch: pytest.MonkeyPatch,
    error: str,
    outcome: str,
    code: int,
) -> None:
    from fsgitops import errors

    def fail(*_: object, **__: object) -> None:
        raise getattr(errors, error)("what happened")

    monkeypatch.setattr("fsgitops.commands.apply.run_apply", fail)
    assert project.run("apply", "--yes", "--notify").code == code
    (told,) = hook.bodies
    assert (told["outcome"], told["exit_code"], told["message"]) == (outcome, code, "what happened")


def test_the_slack_shape_is_a_text(project: Project, hook: Hook) -> None:
    _configure(project, "{url: {env: HOOK_URL}}")
    project.run("apply", "--yes", "--notify")
    assert "5 created, 0 changed, 0 deleted" in str(hook.bodies[0]["text"])


@pytest.mark.parametrize("url", ["", "http://127.0.0.1:1/T0-secret-path", "T0-secret-path"])
def test_that_nobody_was_notified_is_a_warning_without_the_url(
    project: Project, hook: Hook, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("HOOK_URL", url)
    ran = project.run("apply", "--yes", "--notify")
    assert ran.code == 0
    assert "warning: nobody was notified" in ran.err
    assert SECRET not in ran.err + ran.out


def test_a_failure_to_notify_keeps_the_exit_code_of_a_refusal(project: Project, hook: Hook) -> None:
    hook.status = 500
    project.run("plan")
    (project.conf / "directory/default/1020.xml").write_text("<include>\n</include>\n")
    assert project.run("apply", "--yes", "--notify").code == 4


def test_without_settings_the_option_is_wrong_usage_and_nothing_is_applied(
    project: Project,
) -> None:
    ran = project.run("apply", "--yes", "--notify")
    assert (ran.code, "notify: {url: {env: NAME}" in ran.err) == (64, True)
    assert not project.conf.exists()


@pytest.mark.parametrize(
    "notify",
    [
        "{url: https://hooks.example/T0-secret-path}",
        "{url: {env: https://hooks.example/T0-secret-path}}",
        "{url: {file: https://hooks.example/T0-secret-path}}",
    ],
)
def test_a_url_in_the_settings_is_refused_and_not_shown(project: Project, notify: str) -> None:
    _configure(project, notify)
    ran = project.run("plan")
    assert ran.code == 3
    assert "fsgitops.yaml:5:" in ran.err
    assert SECRET not in ran.err
