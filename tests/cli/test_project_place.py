"""The project is found from a folder below it, as git finds its own."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from fsgitops.cli import run
from fsgitops.cli.cdr import invoke

if TYPE_CHECKING:
    from pathlib import Path

    from project import Project


@pytest.fixture
def below(project: Project, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the desired files, where the command line stands."""
    folder = project.root / "desired"
    monkeypatch.chdir(folder)
    return folder


def said(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    capsys.readouterr()
    code = run(words)
    told = capsys.readouterr()
    return code, told.out, told.err


def test_commands_find_the_project_above_and_say_which(
    project: Project, below: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = f"The project is {project.root}; paths start there.\n"
    code, out, err = said(capsys, "plan")
    assert (code, err) == (0, told)
    assert "desired/agents.yaml:2:5" in out
    assert said(capsys, "apply", "--yes")[0] == 0
    assert (project.conf / "directory/default/1020.xml").exists()
    assert not (below / ".fsgitops").exists()
    assert said(capsys, "status", "-q")[2] == ""


def test_where_the_project_is_nothing_is_said_of_it(project: Project) -> None:
    assert project.run("plan").err == ""


def test_a_folder_that_c_names_is_searched_from_as_well(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = said(capsys, "-C", str(project.root / "desired"), "validate")
    assert (code, "2 agents" in out) == (0, True)


def test_paths_that_are_typed_start_where_one_stands(
    project: Project, below: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = said(capsys, "plan", "--only", "agents.yaml", "--out", "p.json")
    assert (code, "agent 1021" in out, "did +1949" in out) == (0, True, False)
    assert (below / "p.json").exists()
    code, _, err = said(capsys, "fmt", "--check", "agents.yaml", "../desired/routes.yaml")
    assert code in (0, 1), err
    assert "outside" not in err


def test_an_own_folder_of_desired_files_is_a_project_without_settings(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    inner = project.root / "other"
    project.write("other/desired/agents.yaml", "agents: []\n")
    monkeypatch.chdir(inner)
    code, out, err = said(capsys, "validate")
    assert (code, "0 agents" in out, "The project is" in err) == (0, True, False)


@pytest.mark.parametrize(
    "words",
    [
        ("plan",),
        ("apply", "--yes"),
        ("key", "new"),
        ("key", "rotate", "--start"),
        ("secret", "keygen"),
        ("token", "new", "--name", "x", "--scope", "read"),
        ("history",),
        ("doctor",),
        ("kick", "1020"),
        ("diff", "HEAD"),
    ],
    ids=" ".join,
)
def test_outside_a_project_a_command_says_so_and_writes_nothing(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
) -> None:
    monkeypatch.chdir(tmp_path)
    code, _, err = said(capsys, *words)
    assert (code, "not in a project: no fsgitops.yaml in" in err) == (64, True)
    assert "`fsgitops init`" in err
    assert list(tmp_path.iterdir()) == []


def test_a_key_for_elsewhere_or_for_a_pipeline_needs_no_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert said(capsys, "key", "new", "--print")[0] == 0
    assert list(tmp_path.iterdir()) == []
    assert said(capsys, "key", "new", "--file", "prod.key")[0] == 0
    assert said(capsys, "secret", "keygen", "--file", "prod.age")[0] == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["prod.age", "prod.key"]


def test_a_project_above_that_everybody_may_write_is_not_taken_unasked(
    project: Project, below: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project.root.chmod(0o777)
    code, out, err = said(capsys, "plan")
    assert (code, out) == (64, "")
    assert f"{project.root}: everybody may write it" in err
    assert said(capsys, "-C", str(project.root), "plan")[0] == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
@pytest.mark.parametrize("name", ["fsgitops.yaml", "."])
def test_a_project_above_that_belongs_to_somebody_else_is_not_taken_unasked(
    project: Project,
    below: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    os.chown(project.root / name, 61003, -1)
    monkeypatch.delenv("SUDO_UID", raising=False)
    code, _, err = said(capsys, "plan")
    assert (code, "it belongs to uid 61003" in err) == (64, True)
    monkeypatch.setenv("SUDO_UID", "61003")  # whoever became root for it wrote it himself
    assert said(capsys, "plan")[0] == 0


def test_the_sidecars_program_finds_the_project_too(
    project: Project, below: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (project.root / "fsgitops.yaml").read_text()
    project.write("fsgitops.yaml", f"{text}cdr: {{lake: declared}}\n")
    for words, folder in (((), project.root / "declared"), (("--lake", "typed"), below / "typed")):
        capsys.readouterr()
        assert invoke([*words, "files"]) == 1  # there is no lake yet
        assert f"{folder}: no such directory" in capsys.readouterr().err


def test_init_below_a_project_names_that_one(project: Project) -> None:
    project.write("fsgitops.yaml", "")
    ran = project.run("init", str(project.root / "sites" / "fresh"))
    assert ran.code == 0
    assert f"{project.root} is a project too; in {project.root}/sites/fresh and below it" in ran.err
    outside = project.run("init", str(project.root.parent / "beside"))
    assert "is a project too" not in outside.err


@pytest.mark.parametrize("name", ["file1", "file1/below"])
def test_init_refuses_a_file_as_its_folder(project: Project, name: str) -> None:
    file = project.write("file1", "mine")
    ran = project.run("init", str(project.root / name))
    assert ran.code == 64
    assert f"{file}: is a file, expected a folder" in ran.err
    assert file.read_text() == "mine"


def test_init_says_how_to_enter_a_project_that_is_elsewhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for words, told in (
        (("init", "my pbx"), "Next: cd 'my pbx', fsgitops key new,"),
        (("-C", "my pbx", "init", "other"), "Next: cd 'my pbx/other', fsgitops key new,"),
        (("init",), "Next: fsgitops key new,"),
    ):
        code, out, _ = said(capsys, *words)
        assert (code, told in out) == (0, True), out


@pytest.mark.parametrize("words", [("key", "status"), ("token", "list"), ("secret", "keygen")])
def test_a_group_takes_the_directory_in_any_place(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, str]
) -> None:
    project.write("fsgitops.yaml", "")
    monkeypatch.chdir(tmp_path)
    group, command = words
    assert run([group, "-C", str(project.root), command]) == 0
    assert run([group, "-C", str(project.root / "nowhere"), command]) == 64
    if group != "token":
        assert run([group, "--target", "nowhere", "-C", str(project.root), command]) != 0
