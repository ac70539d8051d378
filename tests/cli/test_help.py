"""Promises of help and of the options that every command takes, in both programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import pytest
from terminal import ESCAPE, show

from fsgitops import cli as ours
from fsgitops.cli import cdr as sidecar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from project import Project

PROGRAMS: dict[str, tuple[click.Group, Callable[[list[str]], int]]] = {
    "fsgitops": (ours.cli, ours.run),
    "fsgitops-cdr": (sidecar.cli, sidecar.invoke),
}


def walk(group: click.Group, words: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the words that name each command below a group."""
    context = click.Context(group)
    for name in group.list_commands(context):
        found = group.get_command(context, name)
        yield (*words, name)
        if isinstance(found, click.Group):
            yield from walk(found, (*words, name))


EVERY = [(program, words) for program, (group, _) in PROGRAMS.items() for words in walk(group)]
NAMES = [" ".join((program, *words)) for program, words in EVERY]


def find(program: str, words: tuple[str, ...]) -> click.Command:
    command: click.Command = PROGRAMS[program][0]
    for word in words:
        assert isinstance(command, click.Group)
        found = command.get_command(click.Context(command), word)
        assert found is not None
        command = found
    return command


@pytest.mark.parametrize(("program", "words"), EVERY, ids=NAMES)
def test_every_command_has_help_with_an_example_of_itself(
    program: str, words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert PROGRAMS[program][1]([*words, "--help"]) == 0
    told = " ".join(capsys.readouterr().out.partition("Example: ")[2].split())
    assert f"{program} {' '.join(words)}" in told


@pytest.mark.parametrize(("program", "words"), EVERY, ids=NAMES)
def test_help_describes_every_option_and_takes_the_common_ones(
    program: str, words: tuple[str, ...]
) -> None:
    command = find(program, words)
    options = [item for item in command.params if isinstance(item, click.Option)]
    assert {"--color", "--quiet"} <= {name for item in options for name in item.opts}
    assert not [item.opts for item in options if not item.help and not item.hidden]
    assert not [item.opts for item in options if item.hidden]


@pytest.mark.parametrize(("program", "words"), EVERY, ids=NAMES)
def test_a_summary_is_one_whole_line_at_80_columns(program: str, words: tuple[str, ...]) -> None:
    summary = find(program, words).get_short_help_str(10_000)
    assert not summary.endswith("...")
    assert len("  registrations  ") + len(summary) <= 80 - 2


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("columns", [52, 80])
def test_the_list_of_commands_holds_every_summary_whole(
    program: str, columns: int, tmp_path: Path
) -> None:
    shown = show(program, "--help", columns=columns, cwd=tmp_path)
    assert max(map(len, shown.splitlines())) <= columns
    assert "..." not in shown.replace("[ARGS]...", "")
    flat = " ".join(shown.split())
    group = PROGRAMS[program][0]
    for name in group.list_commands(click.Context(group)):
        summary = find(program, (name,)).get_short_help_str(10_000)
        assert f"{name} {summary}" in flat


def test_commands_stand_below_what_they_are_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert ours.run(["--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    heads = ["Declare:", "Change:", "Watch:", "Operate:", "Secrets:", "Pipelines:"]
    assert [line for line in lines if line in heads] == heads
    assert lines.index("Change:") < lines.index(
        "  apply     Apply a plan, and read it back from the switch."
    )


def test_the_days_of_a_report_are_those_of_its_time_zone(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert sidecar.invoke(["report", "--help"]) == 0
    told = capsys.readouterr().out
    assert "First day (of --tz)." in told
    assert "UTC" not in told


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_command_stands_in_one_section(program: str) -> None:
    group = PROGRAMS[program][0]
    listed = [name for names in group.sections.values() for name in names]  # type: ignore[attr-defined]
    assert sorted(listed) == group.list_commands(click.Context(group))


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["fsgitops", "aply"], "did you mean `fsgitops apply`"),
        (["fsgitops", "key", "rotat"], "did you mean `fsgitops key rotate`"),
        (["fsgitops", "imprt"], "did you mean `fsgitops import`"),
        (["fsgitops-cdr", "repor"], "did you mean `fsgitops-cdr report`"),
        (["fsgitops", "zzz"], "see --help"),
        (["fsgitops", "plan", "--targt", "x"], "--target"),
        (["fsgitops", "rollback", "x"], "'x' is not a valid number"),
        (["fsgitops", "api", "--port", "x"], "'x' is not a valid number"),
    ],
)
def test_a_misspelt_word_names_what_was_meant(
    words: list[str], hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert PROGRAMS[words[0]][1](words[1:]) == 64
    assert hint in capsys.readouterr().err


GROUPS = [("fsgitops", ()), ("fsgitops-cdr", ())] + [
    (program, words) for program, words in EVERY if isinstance(find(program, words), click.Group)
]


@pytest.mark.parametrize(("program", "words"), GROUPS)
def test_a_group_without_a_command_shows_its_help_once(
    program: str, words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert PROGRAMS[program][1]([*words, "--help"]) == 0
    help_text = capsys.readouterr().out
    for options in ([], ["-q"], ["--color", "never"]):
        assert PROGRAMS[program][1]([*words, *options]) == 64
        assert capsys.readouterr() == ("", help_text)


def test_colour_is_for_terminals(project: Project) -> None:
    assert "\x1b[" not in project.run("plan").out
    assert "\x1b[32m" in show("fsgitops", "plan", cwd=project.root)


@pytest.mark.parametrize("environment", [{"TERM": "dumb"}, {"NO_COLOR": "1"}])
def test_a_dumb_terminal_and_no_color_get_plain_text(
    environment: dict[str, str], project: Project
) -> None:
    shown = show("fsgitops", "plan", cwd=project.root, **environment)
    assert "\x1b[3" not in shown
    assert "+ agent 1020" in shown
    if "TERM" in environment:
        assert "\x1b" not in shown


@pytest.mark.parametrize("before", [True, False])
def test_color_decides_before_and_after_the_command(before: bool, project: Project) -> None:
    words = ["--color", "always", "plan"] if before else ["plan", "--color=always"]
    assert "\x1b[32m" in project.run(*words).out
    shown = show("fsgitops", "plan", "--color", "never", cwd=project.root, FORCE_COLOR="1")
    assert "\x1b[3" not in shown
    assert "\x1b[" not in project.run("plan").out


def test_findings_are_coloured_where_that_was_asked_for(project: Project) -> None:
    project.write("desired/more.yaml", "agents:\n- {extension: 12, name: X}\n")
    assert "\x1b[31m" in project.run("validate", "--color", "always").err
    assert "\x1b[" not in project.run("validate").err


def test_quiet_leaves_confirmations_out_and_keeps_what_was_asked_for(project: Project) -> None:
    assert project.run("validate", "-q").out == ""
    assert project.run("key", "new", "-q").out == ""
    loud = project.run("plan").out
    assert project.run("-q", "plan").out == loud
    ran = project.run("apply", "--yes", "--quiet")
    assert (ran.code, ran.out) == (0, "")
    assert "No changes" in project.run("plan").out


def test_quiet_keeps_warnings_and_errors(project: Project) -> None:
    project.write("desired/more.yaml", "agents:\n- {extension: 12, name: X}\n")
    ran = project.run("validate", "-q")
    assert ran.code == 3
    assert "desired/more.yaml:2:15: error:" in ran.err
    assert "1 error, " not in ran.err
    project.write("desired/more.yaml", "")
    project.write(".fsgitops/sandbox/conf/directory/default/1020.xml", "<include/>")
    assert "1020.xml" in project.run("apply", "--yes", "-q").err


def test_quiet_still_shows_the_plan_that_it_asks_about(project: Project) -> None:
    project.run("key", "new")
    shown = ESCAPE.sub("", project.run("apply", "-q").out)
    assert "+ agent 1020" in shown


@pytest.mark.parametrize(
    ("words", "old"),
    [
        (["fsgitops", "compile"], "--out"),
        (["fsgitops", "export-state"], "--out"),
        (["fsgitops-cdr", "report"], "--out"),
    ],
)
def test_former_names_of_options_are_taken_and_not_shown(
    words: list[str], old: str, project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    program, run = PROGRAMS[words[0]]
    command = find(words[0], tuple(words[1:]))
    made = command.make_parser(click.Context(command))
    assert made.parse_args([old, "x", "--output", "y"])[0]
    run([*words[1:], "--help"])
    assert f"{old} " not in capsys.readouterr().out
    assert program is not None


def test_a_former_name_of_an_option_does_the_same(project: Project) -> None:
    project.run("key", "new")
    assert project.run("compile", "--output", str(project.root / "new")).code == 0
    assert project.run("compile", "--out", str(project.root / "old")).code == 0
    assert project.tree(project.root / "new") == project.tree(project.root / "old")
