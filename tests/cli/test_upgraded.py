"""What an apply notes after an upgrade: that the same bytes follow from other inputs."""

from __future__ import annotations

from pathlib import Path

import pytest
from project import Project

from fsgitops.steps.compile import compilation, program

TEMPLATES = Path(__file__).parents[2] / "templates"


@pytest.fixture
def upgraded(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Another release than the one that applied, which makes the same bytes of other inputs."""
    project.prepare("apply", "--yes")
    monkeypatch.setattr(compilation, "source_digest", lambda: "of the next release")
    return project


def forbid_rendering(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a file was rendered")

    monkeypatch.setattr(program.Programs, "get", refuse)


def test_after_an_upgrade_an_apply_notes_what_the_same_bytes_follow_from(
    upgraded: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = upgraded.run("apply", "--yes")
    assert ran.code == 0, ran.err
    assert "other inputs than before gave 5 files the same bytes" in ran.out
    assert "Nothing more was done" in ran.out
    forbid_rendering(monkeypatch)
    assert "No changes" in upgraded.run("plan").out
    assert "Nothing was done" in upgraded.run("apply", "--yes").out


def test_what_an_apply_notes_changes_no_file_and_is_no_revision(upgraded: Project) -> None:
    manifest, before = upgraded.conf / ".fsgitops" / "manifest.json", upgraded.tree()
    noted, history = manifest.read_bytes(), upgraded.run("history").out
    assert upgraded.run("apply", "--yes", "--no-reload").code == 0
    assert manifest.read_bytes() != noted
    assert (upgraded.tree(), upgraded.run("history").out) == (before, history)


def test_an_apply_notes_nothing_of_files_that_came_out_with_other_bytes(project: Project) -> None:
    project.prepare("apply", "--yes")
    text = (TEMPLATES / "agent.xml.j2").read_text()
    project.write("templates/agent.xml.j2", text.replace("<include>", "<include>\n  <!-- new -->"))
    ran = project.run("apply", "--yes")
    assert (ran.code, "No changes" in ran.out) == (0, True)
    assert "gave 3 files the same bytes" in ran.out  # those of the dialplan


def test_an_apply_of_one_change_notes_the_unchanged_files_as_well(
    upgraded: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = upgraded.root / "desired" / "agents.yaml"
    path.write_text(path.read_text().replace("Alice", "Anna"))
    assert upgraded.run("apply", "--yes").code == 0
    forbid_rendering(monkeypatch)
    assert "No changes" in upgraded.run("plan").out
