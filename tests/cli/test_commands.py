"""Every other command from the command line."""

from __future__ import annotations

import base64
import stat
from pathlib import Path

import pytest
from project import Project

from fsgitops.cli import COMMANDS, run


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_has_help_with_an_example(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([name, "--help"]) == 0
    assert "Example: " in capsys.readouterr().out or name == "completion"


def test_an_unknown_command_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["plam"]) == 64
    assert "plam" in capsys.readouterr().err


def test_a_valid_project_exits_0(project: Project) -> None:
    ran = project.run("validate")
    assert (ran.code, ran.out) == (0, "Valid: 2 agents, 1 DID route.\n")


def test_every_finding_comes_at_once_with_its_place(project: Project) -> None:
    project.write("desired/more.yaml", "agents:\n  - extension: 12\n    nam: X\n")
    project.write("desired/worse.yaml", "agents:\n\t- x\n")
    ran = project.run("validate")
    assert ran.code == 3
    assert "desired/more.yaml:2:16: error:" in ran.err
    assert "desired/more.yaml:3:5: error:" in ran.err
    assert "desired/worse.yaml:2:1: error:" in ran.err
    assert "Did you mean `name`?" in ran.err


@pytest.mark.parametrize("text", ["password: #hunter2", "password:", "password: ~"])
def test_a_password_that_reads_as_nothing_is_found_and_not_derived(
    project: Project, text: str
) -> None:
    project.write("desired/more.yaml", f"agents:\n  - extension: 1030\n    name: X\n    {text}\n")
    ran = project.run("validate")
    assert (ran.code, "desired/more.yaml:4:" in ran.err, "hunter2" in ran.err) == (3, True, False)


def test_findings_as_json_have_their_places(project: Project) -> None:
    project.write("desired/more.yaml", "agents:\n  - extension: 12\n    name: X\n")
    ran = project.run("validate", "--json")
    data = ran.json()
    assert (ran.code, data["valid"], data["errors"]) == (3, False, 1)
    assert (data["findings"][0]["line"], data["findings"][0]["column"]) == (2, 16)


def test_a_plan_of_an_invalid_project_is_json_too(project: Project) -> None:
    project.write("desired/more.yaml", "agents: 7\n")
    ran = project.run("plan", "--json")
    data = ran.json()
    assert (ran.code, data["format"], data["exit_code"]) == (3, "fsgitops-error", 3)
    assert data["findings"]


def test_an_unknown_key_in_the_settings_is_found_with_its_place(project: Project) -> None:
    project.write(
        "fsgitops.yaml", "project: x\ntargets:\n  prod:\n    conf_dri: /x\n    domain: d\n"
    )
    ran = project.run("validate")
    assert ran.code == 3
    assert "fsgitops.yaml:4:5: error: unknown key `conf_dri`" in ran.err
    assert "conf_dir" in ran.err


def test_a_password_inline_in_the_settings_is_refused_and_not_repeated(project: Project) -> None:
    project.write(
        "fsgitops.yaml",
        "targets:\n  prod: {conf_dir: /x, domain: d, esl: {password: hunter2}}\n",
    )
    ran = project.run("validate")
    assert (ran.code, "plain text" in ran.err, "hunter2" in ran.err) == (3, True, False)


def test_an_unknown_target_names_the_known_ones(project: Project) -> None:
    ran = project.run("plan", "--target", "prd")
    assert (ran.code, "image, sandbox" in ran.err) == (64, True)


def test_a_missing_directory_is_wrong_usage(project: Project) -> None:
    assert project.run("-C", "nowhere", "plan").code == 64


def test_a_fresh_key_is_32_bytes_in_a_private_file(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert project.run("key", "new").code == 0
    file = project.root / ".fsgitops" / "key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(base64.b64decode(file.read_text())) == 32


def test_a_key_is_never_overwritten_nor_printed(project: Project) -> None:
    project.run("key", "new")
    text = (project.root / ".fsgitops" / "key").read_text()
    ran = project.run("key", "new")
    assert (ran.code, (project.root / ".fsgitops" / "key").read_text()) == (1, text)
    assert text.strip() not in ran.out + ran.err


def test_credentials_hide_the_password_unless_asked(project: Project) -> None:
    hidden = project.run("credentials", "1020", "--json").json()
    shown = project.run("credentials", "1020", "--reveal", "--json").json()
    assert hidden["password"] == "(hidden)"
    assert (shown["username"], shown["domain"], len(shown["password"]) >= 24) == (
        "1020", "sandbox.example", True,
    )  # fmt: skip


def test_a_raised_password_version_gives_another_password(project: Project) -> None:
    before = project.run("credentials", "1021", "--reveal", "--json").json()
    path = project.root / "desired" / "agents.yaml"
    path.write_text(path.read_text().replace("webrtc: true", "webrtc: true, password_version: 2"))
    after = project.run("credentials", "1021", "--reveal", "--json").json()
    assert before["password"] != after["password"]


def test_compile_writes_the_files_of_the_target(project: Project) -> None:
    out = project.root / "build"
    assert project.run("compile", "--target", "image", "--out", str(out)).code == 0
    text = (out / "dialplan/public/inbound_19495431333.xml").read_text()
    assert 'data="domain_name=pbx.example.com"' in text


def test_compile_refuses_a_directory_that_is_not_empty(project: Project) -> None:
    assert project.run("compile", "--out", str(project.root)).code == 64


def test_init_writes_a_project_that_plans(tmp_path: Path, project: Project) -> None:
    fresh = tmp_path / "fresh"
    assert project.run("init", str(fresh)).code == 0
    ran = project.run("-C", str(fresh), "plan")
    assert (ran.code, "Plan: 7 to create" in ran.out) == (0, True), ran.err


def test_init_leaves_what_exists(tmp_path: Path, project: Project) -> None:
    before = (project.root / "fsgitops.yaml").read_text()
    ran = project.run("init", str(project.root))
    assert (ran.code, (project.root / "fsgitops.yaml").read_text()) == (0, before)
    assert "left as it is: fsgitops.yaml" in ran.err


def test_init_with_templates_compiles_to_the_same_bytes(tmp_path: Path, project: Project) -> None:
    for name, options in (("plain", []), ("own", ["--templates"])):
        project.run("init", str(tmp_path / name), *options)
        project.run("-C", str(tmp_path / name), "compile", "--out", str(tmp_path / name / "out"))
    assert project.tree(tmp_path / "plain/out") == project.tree(tmp_path / "own/out")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script_for_the_shell(shell: str, project: Project) -> None:
    ran = project.run("completion", shell)
    assert (ran.code, "_FSGITOPS_COMPLETE" in ran.out) == (0, True)


def test_the_schema_for_editors_is_the_one_that_is_shipped() -> None:
    from fsgitops.commands.init import schema_text

    shipped = Path(__file__).parents[2] / "schema" / "desired.schema.json"
    assert shipped.read_text(encoding="utf-8") == schema_text()


@pytest.mark.parametrize("key", ["desired", "templates", "key_file"])
def test_a_path_in_the_settings_with_a_control_character_is_a_finding(
    project: Project, key: str
) -> None:
    project.write("fsgitops.yaml", f'{key}: "a\\0b"\n')
    ran = project.run("validate")
    assert (ran.code, f"`{key}`" in ran.err) == (3, True)


@pytest.mark.parametrize("esl", ['["hunter2"]', '{password: ["hunter2"]}', "hunter2",
                                 '{password: {env: "hunter-2"}}'])  # fmt: skip
def test_a_misplaced_password_in_the_settings_is_not_repeated(project: Project, esl: str) -> None:
    target = f"targets: {{p: {{conf_dir: /x, domain: a.example, esl: {esl}}}}}\n"
    project.write("fsgitops.yaml", target)
    ran = project.run("validate", "--json")
    assert ran.code == 3
    assert "hunter" not in ran.out + ran.err


@pytest.mark.parametrize("name", ["DEFAULT_CALLER_NAME", "FSGITOPS_DEFAULT_CALLER_NAME"])
def test_a_backtick_in_the_default_caller_name_is_refused(
    project: Project, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "`id`")
    ran = project.run("validate")
    assert (ran.code, "backtick" in ran.err) == (3, True)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("plan", "--json", "--bogus"), 64),
        (("apply", "--json"), 64),
        (("plan", "--json", "--out", "/nowhere/plan.json"), 1),
    ],
)
def test_whatever_fails_with_json_says_so_in_json(
    project: Project, words: tuple[str, ...], code: int
) -> None:
    ran = project.run(*words)
    assert ran.code == code
    assert (ran.json()["format"], ran.json()["exit_code"]) == ("fsgitops-error", code)
