"""Promises of `fsgitops fmt`: what it writes, what it leaves, how it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from project import Project

CROOKED = "agents:\n  - name: 'Alice'  # first\n    extension: 1020\n"
STRAIGHT = "agents:\n  - extension: 1020\n    name: Alice  # first\n"


def test_check_names_the_files_and_writes_nothing(project: Project) -> None:
    place = project.write("desired/agents.yaml", CROOKED)
    ran = project.run("fmt", "--check")
    assert (ran.code, ran.out) == (1, "would change: desired/agents.yaml\n")
    assert place.read_text() == CROOKED


def test_fmt_writes_and_the_second_run_finds_nothing_to_do(project: Project) -> None:
    place = project.write("desired/agents.yaml", CROOKED)
    place.chmod(0o640)
    assert project.run("fmt").code == 0
    assert place.read_text() == STRAIGHT
    assert place.stat().st_mode & 0o777 == 0o640
    assert project.run("fmt", "--check").code == 0


def test_fmt_takes_a_byte_order_mark_away_and_nothing_else(project: Project) -> None:
    place = project.write("desired/agents.yaml", STRAIGHT)
    place.write_bytes(b"\xef\xbb\xbf" + STRAIGHT.encode())
    assert project.run("validate").code == 0
    assert project.run("fmt", "--check").code == 1
    assert project.run("fmt").code == 0
    assert place.read_bytes() == STRAIGHT.encode()
    assert project.run("fmt", "--check").code == 0


def test_a_file_that_the_loader_refuses_is_a_finding_and_nothing_is_written(
    project: Project,
) -> None:
    place = project.write("desired/agents.yaml", CROOKED)
    project.write("desired/broken.yaml", "agents: [\n")
    ran = project.run("fmt")
    assert ran.code == 3
    assert "desired/broken.yaml:" in ran.err
    assert place.read_text() == CROOKED


def test_only_the_paths_that_are_named_are_formatted(project: Project) -> None:
    project.write("desired/agents.yaml", CROOKED)
    project.write("desired/more.yaml", "x-a: 'b'\n")
    ran = project.run("fmt", "--json", "desired/more.yaml")
    assert ran.json()["changed"] == ["desired/more.yaml"]


def test_a_path_outside_the_project_is_wrong_usage(project: Project) -> None:
    assert project.run("fmt", "../elsewhere.yaml").code == 64


def test_the_example_of_this_project_is_canonical(project: Project) -> None:
    assert project.run("init", "fresh").code == 0
    ran = project.run("fmt", "--check", "fresh/desired")
    assert (ran.code, ran.err) == (0, "0 changed, 3 canonical already\n")


def test_what_cannot_be_formatted_is_a_finding(project: Project) -> None:
    place = project.write("desired/agents.yaml", "x-a: 1\t\nx-b: 'c'\n")
    ran = project.run("fmt")
    assert ran.code == 3
    assert "cannot be formatted: line 1:" in ran.err
    assert place.read_text() == "x-a: 1\t\nx-b: 'c'\n"


def test_a_path_that_is_typed_in_a_folder_below_says_where_it_starts(project: Project) -> None:
    ran = project.run("fmt", "-C", "desired", "--check", "desired/agents.yaml")
    assert ran.code == 3
    assert "desired/desired/agents.yaml:1:1: error: no such file" in ran.err
    assert "A path that you type starts in the folder that you are in." in ran.err
    assert "Create it" not in ran.err
