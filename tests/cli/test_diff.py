"""Promises of `fsgitops diff`: what a branch changes, from git alone."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from project import AGENTS, ROUTES

if TYPE_CHECKING:
    from project import Project


def git(project: Project, *words: str) -> None:
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.com"]
    command = ["git", "-C", str(project.root), *identity, *words]
    subprocess.run(command, check=True, capture_output=True)


@pytest.fixture
def repository(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """The project in git, tagged `one`, and another commit on top, tagged `two`; no key."""
    monkeypatch.delenv("FSGITOPS_KEY")
    git(project, "init", "-q", "-b", "main")
    git(project, "add", ".")
    git(project, "commit", "-qm", "one")
    git(project, "tag", "one")
    project.write("desired/agents.yaml", AGENTS.replace("Alice", "Alicia"))
    project.write("desired/routes.yaml", "did_routes: []\n")
    git(project, "commit", "-qam", "two")
    git(project, "tag", "two")
    return project


def test_both_revisions_are_compiled_and_compared(repository: Project) -> None:
    ran = repository.run("diff", "one", "two", "--json")
    found = [(item["action"], item["resource"]) for item in ran.json()["changes"]]
    assert found == [("update", "agent:1020"), ("delete", "did:+19495431333")]
    assert not repository.conf.exists()
    assert "one..two" in repository.run("diff", "one", "two").out


def test_without_a_second_revision_the_working_tree_is_meant(repository: Project) -> None:
    assert repository.run("diff", "two", "--detailed-exitcode").code == 0
    repository.write("desired/agents.yaml", AGENTS)
    ran = repository.run("diff", "two", "--detailed-exitcode")
    assert ran.code == 2
    assert '"Alicia" -> "Alice"' in ran.out


def test_a_secret_that_would_change_is_named_and_not_shown(repository: Project) -> None:
    raised = AGENTS.replace("name: Bob,", "name: Bob, password_version: 2,")
    repository.write("desired/agents.yaml", raised.replace("Alice", "Alicia"))
    [change] = repository.run("diff", "two", "--json").json()["changes"]
    assert change["resource"] == "agent:1021"
    assert {item["after"] for item in change["attributes"]} == {"(secret)"}


def test_templates_and_settings_of_each_revision_count(repository: Project) -> None:
    repository.write("fsgitops.yaml", "default_region: US\ndefaults: {agents: {context: lab}}\n")
    changes = repository.run("diff", "two", "--json").json()["changes"]
    assert {item["resource"] for item in changes} == {"agent:1020", "agent:1021"}


def test_a_project_in_a_folder_of_the_repository_is_found(repository: Project) -> None:
    repository.write("pbx/desired/agents.yaml", AGENTS)
    repository.write("pbx/desired/routes.yaml", ROUTES.replace("9495431333", "9495431335"))
    git(repository, "add", ".")
    git(repository, "commit", "-qm", "three")
    repository.write("pbx/desired/agents.yaml", AGENTS.replace("Bob", "Bert"))
    ran = repository.run("diff", "-C", str(repository.root / "pbx"), "HEAD", "--json")
    assert [item["resource"] for item in ran.json()["changes"]] == ["agent:1021"]


def test_findings_of_the_second_revision_are_told_with_their_place(repository: Project) -> None:
    repository.write("desired/agents.yaml", "agents: [{extension: 1}]\n")
    ran = repository.run("diff", "two")
    assert ran.code == 3
    assert "desired/agents.yaml:1:" in ran.err


def test_a_first_revision_that_is_invalid_itself_is_told_apart(repository: Project) -> None:
    repository.write("desired/agents.yaml", "agents: [{extension: 1}]\n")
    git(repository, "commit", "-qam", "bad")
    repository.write("desired/agents.yaml", AGENTS)
    ran = repository.run("diff", "HEAD")
    assert ran.code == 1
    assert "HEAD has errors, so nothing can be compared" in ran.err


@pytest.mark.parametrize("revision", ["none", "--output=x", "-x", "one:desired", ""])
def test_what_is_no_revision_is_wrong_usage(repository: Project, revision: str) -> None:
    ran = repository.run("diff", "--", revision)
    assert ran.code == 64
    assert "Traceback" not in ran.err
    assert not (repository.root / "x").exists()


def test_outside_git_nothing_is_compared(project: Project) -> None:
    assert project.run("diff", "HEAD").code == 64
