"""Keys stay out of git, and out of everybody's password."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from project import Project


def git(project: Project, *words: str) -> str:
    command = ["git", "-C", str(project.root), "-c", "user.name=t", "-c", "user.email=t@t", *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def checkout(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A git checkout without a `.gitignore`, and no key yet."""
    monkeypatch.delenv("FSGITOPS_KEY")
    git(project, "init", "-q")
    return project


def added(project: Project) -> list[str]:
    git(project, "add", "-A")
    return git(project, "ls-files").split()


def test_a_new_key_is_ignored_by_git_from_the_start(checkout: Project) -> None:
    assert checkout.run("key", "new").code == 0
    assert (checkout.root / ".fsgitops/.gitignore").read_text() == "*\n"
    assert [name for name in added(checkout) if ".fsgitops" in name] == []


def test_so_are_the_next_key_an_age_identity_tokens_and_the_sandbox(checkout: Project) -> None:
    for words in (
        ("plan",),
        ("secret", "keygen"),
        ("token", "new", "--name", "x", "--scope", "read"),
        ("key", "rotate", "--start"),
    ):
        assert checkout.run(*words).code == 0
    assert [name for name in added(checkout) if ".fsgitops" in name] == []


def test_a_key_is_not_written_where_git_would_take_it(checkout: Project) -> None:
    place = checkout.root / "keys" / "prod"
    ran = checkout.run("key", "new", "--file", str(place))
    assert (ran.code, "git does not ignore this place" in ran.err) == (64, True)
    assert not place.exists()
    checkout.write(".gitignore", "keys/\n")
    assert checkout.run("key", "new", "--file", str(place)).code == 0


@pytest.mark.parametrize("name", ["key", "key.next", "key.previous", "age-identity"])
def test_a_key_that_git_would_take_stops_a_plan_and_an_apply(checkout: Project, name: str) -> None:
    checkout.run("key", "new")
    checkout.run("secret", "keygen")
    if name in ("key.next", "key.previous"):
        checkout.run("key", "new", "--file", str(checkout.root / ".fsgitops" / name))
    (checkout.root / ".fsgitops/.gitignore").write_text(f"*\n!{name}\n")
    for words in (("plan",), ("apply", "--yes")):
        ran = checkout.run(*words)
        told = f".fsgitops/{name}: git does not ignore this key: the next `git add` would commit it"
        assert (ran.code, told in ran.err) == (1, True)
    assert not (checkout.conf / ".fsgitops/manifest.json").exists()


def test_a_key_that_git_has_taken_stops_a_plan_and_an_apply(checkout: Project) -> None:
    checkout.run("key", "new")
    git(checkout, "add", "-f", ".fsgitops/key")
    for words in (("plan",), ("apply", "--yes")):
        ran = checkout.run(*words)
        assert (ran.code, "git rm --cached .fsgitops/key" in ran.err) == (1, True)
        assert "git tracks this key: the next commit takes it, if none has it yet" in ran.err
        assert "is committed" not in ran.err  # it was added, and nothing more
    git(checkout, "rm", "-q", "--cached", ".fsgitops/key")
    assert checkout.run("apply", "--yes").code == 0


def test_a_key_that_an_earlier_commit_has_is_told_until_it_is_replaced(checkout: Project) -> None:
    checkout.run("key", "new")
    git(checkout, "add", "-f", ".fsgitops/key")
    git(checkout, "rm", "-q", "--cached", ".fsgitops/key")
    assert "has this key" not in checkout.run("plan").err  # no commit has it
    git(checkout, "add", "-f", ".fsgitops/key")
    git(checkout, "commit", "-qm", "oh")
    git(checkout, "rm", "-q", "--cached", ".fsgitops/key")
    git(checkout, "commit", "-qm", "sorry")
    commit = git(checkout, "log", "-1", "--format=%h", "--grep=oh").strip()
    ran = checkout.run("plan")
    assert (ran.code, f"warning: .fsgitops/key: commit {commit} has this" in ran.err) == (0, True)
    checks = checkout.run("doctor", "--json").json()["checks"]
    assert [item["health"] for item in checks if item["name"] == "key-in-git"] == ["error"]
    for words in (("--start",), ("--everyone",), ("--finish",)):
        assert checkout.run("key", "rotate", *words).code == 0
    assert "has this key" not in checkout.run("plan").err


@pytest.mark.parametrize("spelling", ["plain", "dots", "absolute", "link", "hard link", "copy"])
@pytest.mark.parametrize("name", ["key", "key.next", "key.previous", "age-identity"])
def test_no_key_is_given_away_as_somebodys_password(
    project: Project, monkeypatch: pytest.MonkeyPatch, name: str, spelling: str
) -> None:
    monkeypatch.delenv("FSGITOPS_KEY")
    project.run("key", "new")
    key = project.root / ".fsgitops" / name
    if name == "age-identity":
        project.run("secret", "keygen")
    elif name != "key":
        project.run("key", "new", "--file", str(key))
    other = project.root / "other"
    if spelling == "link":
        other.symlink_to(key)
    elif spelling == "hard link":
        os.link(key, other)
    elif spelling == "copy":
        other.write_bytes(key.read_bytes())
        other.chmod(0o600)
    file = {"plain": f".fsgitops/{name}", "dots": f"./.fsgitops//./{name}", "absolute": str(key)}
    path = file.get(spelling, "other")
    project.write(
        "desired/agents.yaml",
        f"agents:\n  - {{extension: 1020, name: A, password: {{file: {path}}}}}\n",
    )
    project.write("desired/routes.yaml", "did_routes: []\n")
    ran = project.run("plan")
    secret = key.read_text().strip().splitlines()[-1]
    assert ran.code == 3
    assert "this is the project key" in ran.err or "control character" in ran.err
    assert secret not in ran.out + ran.err


def test_neither_is_a_key_that_a_variable_or_a_command_hands_over(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PHONE", os.environ["FSGITOPS_KEY"])
    project.write(
        "desired/agents.yaml",
        "agents:\n"
        "  - {extension: 1020, name: A, password: {env: PHONE}}\n"
        "  - {extension: 1021, name: B, password: {command: [printenv, PHONE]}}\n",
    )
    text = (project.root / "fsgitops.yaml").read_text()
    project.write("fsgitops.yaml", text + "secrets: {allow_commands: true}\n")
    ran = project.run("plan")
    assert (ran.code, ran.err.count("this is the project key")) == (3, 2)


def test_the_event_sockets_password_is_no_key_either(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FSGITOPS_TARGET", "t")
    project.write(
        "fsgitops.yaml",
        "targets:\n  t: {conf_dir: c, domain: d.example, esl: {password: {file: k}}}\n",
    )
    (project.write("k", os.environ["FSGITOPS_KEY"] + "\n")).chmod(0o600)
    ran = project.run("calls")
    assert (ran.code, "this is the project key" in ran.err) == (1, True)


@pytest.fixture
def started(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], list[str]]:
    """What git was asked: one that writes that down is found first."""
    told, real = tmp_path / "told", shutil.which("git")
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "git").write_text(f'#!/bin/sh\necho "$3" >> {told}\nexec {real} "$@"\n')
    (folder / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return lambda: told.read_text().split() if told.exists() else []


def test_a_plan_outside_a_checkout_starts_no_git(
    project: Project, started: Callable[[], list[str]]
) -> None:
    assert project.run("key", "new").code == 0
    assert project.run("plan").code == 0
    assert started() == []


def test_a_plan_in_a_checkout_asks_once_which_keys_git_has(
    checkout: Project, started: Callable[[], list[str]]
) -> None:
    assert checkout.run("key", "new").code == 0
    before = len(started())
    assert checkout.run("plan").code == 0
    assert started()[before:].count("ls-files") == 1
