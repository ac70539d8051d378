"""Promises of completion: a shell gets the words of the project, quickly, and never an error."""

from __future__ import annotations

import importlib.util
import os
import pty
import shutil
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from click.shell_completion import ShellComplete

from fsgitops.cli import cli, run
from fsgitops.cli.cdr import cli as sidecar

if TYPE_CHECKING:
    from pathlib import Path

    from project import Project

PROGRAMS = {"fsgitops": cli, "fsgitops-cdr": sidecar}


def complete(program: str, *words: str) -> list[str]:
    """Return what a shell is offered for the last word."""
    *before, typed = words
    shell = ShellComplete(PROGRAMS[program], {}, program, "_X_COMPLETE")
    return [item.value for item in shell.get_completions(before, typed)]


@pytest.fixture
def here(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.chdir(project.root)
    return project


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("--target", ""), ["sandbox", "image"]),
        (("plan", "--target", "i"), ["image"]),
        (("status", ""), ["1020", "1021"]),
        (("kick", "1020"), ["1020"]),
        (("credentials", "102"), ["1020", "1021"]),
        (("dial", "10"), ["1020", "1021"]),
        (("dial", "1020", "+1"), ["+19495431333"]),
        (("dial", "1020", "1", "--caller-id", ""), ["+19495431333"]),
        (("transfer", "uuid", "1021"), ["1021"]),
        (("plan", "--only", "agent:"), ["agent:1020", "agent:1021"]),
        (("plan", "--exclude", "did:"), ["did:+19495431333"]),
        (("fmt", "desired/a"), ["desired/agents.yaml"]),
        (("explain", "agent.caller"), ["agent.caller_id_name", "agent.caller_id_number"]),
        (("explain", "unknown-d"), ["unknown-destination"]),
        (("schema", "hi"), ["history"]),
        (("rollb",), ["rollback"]),
        (("key", "ro"), ["rotate"]),
        (("list", "a"), ["agent"]),
        (("get", "agents", "102"), ["1020", "1021"]),
        (("plan", "--color", "a"), ["auto", "always"]),
        (("key", "rotate", "--extensions", "1020,"), ["1020,1020", "1020,1021"]),
    ],
)
def test_words_of_the_project_are_offered(
    here: Project, words: tuple[str, ...], offered: list[str]
) -> None:
    assert complete("fsgitops", *words) == offered


def test_national_numbers_are_offered_as_they_are_dialled(here: Project) -> None:
    here.write(
        "desired/routes.yaml",
        "did_routes:\n- {did_number: (949) 543-1333, destination_extension: 1020}\n",
    )
    assert complete("fsgitops", "dial", "1020", "+") == ["+19495431333"]


def test_groups_are_offered_behind_those_that_are_typed(here: Project) -> None:
    here.write(
        "desired/agents.yaml", "agents:\n- {extension: 1020, name: A, groups: [sales, support]}\n"
    )
    offered = complete("fsgitops", "key", "rotate", "--groups", "sales,su")
    assert offered == ["sales,support"]


def test_revisions_and_managed_files_are_offered(here: Project) -> None:
    here.run("apply", "--yes")
    assert complete("fsgitops", "show", "") == ["1"]
    assert complete("fsgitops", "rollback", "") == ["1"]
    assert complete("fsgitops", "release", "agent:102") == ["agent:1020", "agent:1021"]
    assert "directory/default/1020.xml" in complete("fsgitops", "release", "directory/")
    assert "directory/default/" in complete("fsgitops", "adopt", "directory/d")


def test_branches_are_offered_for_diff(here: Project) -> None:
    for words in (
        ("init", "-qb", "trunk"),
        (
            "-c",
            "user.name=a",
            "-c",
            "user.email=a@example.com",
            "commit",
            "-qm",
            "x",
            "--allow-empty",
        ),
        ("branch", "topic"),
    ):
        subprocess.run(["git", *words], check=True, cwd=here.root)
    assert complete("fsgitops", "diff", "t") == ["topic", "trunk"]
    assert complete("fsgitops", "diff", "trunk", "to") == ["topic"]


def test_tokens_are_offered(here: Project) -> None:
    made = here.run("token", "new", "--name", "x", "--scope", "read", "--json").json()
    assert complete("fsgitops", "token", "revoke", "") == [made["id"]]


def test_the_directory_that_is_typed_is_the_one_that_is_read(
    project: Project, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    assert complete("fsgitops", "status", "") == []
    assert complete("fsgitops", "-C", str(project.root), "status", "") == ["1020", "1021"]
    assert complete("fsgitops", "status", "-C", str(project.root), "") == ["1020", "1021"]


def test_a_folder_below_the_project_is_in_it(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write("fsgitops.yaml", "")
    monkeypatch.chdir(project.root / "desired")
    assert complete("fsgitops", "status", "") == ["1020", "1021"]
    assert complete("fsgitops", "fmt", "ag") == ["agents.yaml"]


def test_the_sidecar_is_completed_too(here: Project) -> None:
    pytest.importorskip("pyarrow")
    assert complete("fsgitops-cdr", "list", "--agent", "") == ["1020", "1021"]
    assert complete("fsgitops-cdr", "list", "--did", "") == ["+19495431333"]
    assert complete("fsgitops-cdr", "--target", "im") == ["image"]


@pytest.mark.parametrize(
    "wrong", ["agents: [", "agents: 3", "agents: [3, {extension: [1]}, {name: x}]", "\x00", "- a"]
)
def test_what_is_wrong_in_the_project_gives_fewer_words_and_no_error(
    here: Project, wrong: str
) -> None:
    here.write("desired/agents.yaml", wrong)
    here.write("fsgitops.yaml", "targets: {prod: 3}\n")
    for words in (("status", ""), ("plan", "--only", ""), ("--target", ""), ("explain", "unk")):
        complete("fsgitops", *words)
    assert here.capsys.readouterr() == ("", "")


def test_a_word_that_would_act_in_a_terminal_is_not_offered(here: Project) -> None:
    here.write("desired/agents.yaml", 'agents:\n- {extension: "10\\e[2J", name: "a b"}\n')
    assert complete("fsgitops", "status", "") == []


def test_former_names_of_options_are_not_offered(here: Project) -> None:
    offered = complete("fsgitops", "compile", "--ou")
    assert offered == ["--output"]


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_gets_its_script(
    program: str, shell: str, capsys: pytest.CaptureFixture[str]
) -> None:
    from fsgitops.cli.cdr import invoke

    assert (run if program == "fsgitops" else invoke)(["completion", shell]) == 0
    variable = f"_{program.upper().replace('-', '_')}_COMPLETE"
    assert f"{variable}={shell}_complete" in capsys.readouterr().out


@pytest.fixture
def programs(tmp_path: Path) -> str:
    """A PATH on which a shell finds both programs."""
    place = tmp_path / "bin"
    place.mkdir()
    for program, module in (("fsgitops", "fsgitops.cli"), ("fsgitops-cdr", "fsgitops.cli.cdr")):
        code = f"from {module} import main; main()"
        (place / program).write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "{code}" "$@"\n')
        (place / program).chmod(0o755)
    return f"{place}:{os.environ['PATH']}"


def type_into_bash(here: Project, path: str, *lines: str) -> list[str]:
    """Type lines, with tabs, into an interactive bash; return the words that each of them gave."""
    begin = (
        "bind 'set bell-style none'",
        *(f'eval "$({program} completion bash)"' for program in PROGRAMS),
        # What is run is only shown; the script itself asks the program that is on the PATH.
        *(f"{program}() {{ printf '<%s>\\n' \"$*\" >>typed; }}" for program in PROGRAMS),
    )
    (here.root / "bashrc").write_text("\n".join(begin))
    mine, theirs = pty.openpty()
    shell = subprocess.Popen(
        ["bash", "--noprofile", "--rcfile", "bashrc", "-i"],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=here.root,
        env={**os.environ, "PATH": path, "TERM": "dumb"},
        start_new_session=True,
    )
    os.close(theirs)
    os.write(mine, "".join(f"{line}\r" for line in (*lines, "exit")).encode())
    # A terminal whose last program ended answers with an error.
    with suppress(OSError):
        while os.read(mine, 4096):
            pass
    shell.wait()
    os.close(mine)
    return (here.root / "typed").read_text().splitlines()


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_bash_completes_words_with_colons_and_equals_signs(here: Project, programs: str) -> None:
    typed = {
        "fsgitops --target i\t": "--target image ",
        "fsgitops plan --only agent:1\t1": "plan --only agent:1021",
        "fsgitops plan --only=did:+1\t": "plan --only=did:+19495431333 ",
        "fsgitops plan --target=\ti\t": "plan --target=image ",
        "fsgitops   plan   --only did:\t --full": "plan --only did:+19495431333 --full",
        "fsgitops-cdr list --target=im\t": "list --target=image ",
    }
    if importlib.util.find_spec("pyarrow") is None:
        typed = {line: words for line, words in typed.items() if "-cdr" not in line}
    told = type_into_bash(here, programs, *typed)
    assert [line.strip("<> ") for line in told] == [words.strip() for words in typed.values()]


def test_every_kind_is_offered_by_its_word(here: Project) -> None:
    here.write("desired/group.yaml", "ring_groups: [{name: sales, members: [1020]}]\n")
    assert complete("fsgitops", "plan", "--only", "ring") == ["ring_group:sales"]
    assert complete("fsgitops", "transfer", "uuid", "ring") == ["ring_group/sales"]
