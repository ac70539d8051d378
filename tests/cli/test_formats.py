"""`--format` and `--output` of plan and validate."""

from __future__ import annotations

import json

import pytest
from hostile_review import big_review
from project import SETTINGS, Project

from fsgitops.cli.outputs import FORMATS
from fsgitops.cli.review import render_review
from fsgitops.model.plan_json import plan_to_json

ROOM = {"markdown": 65_536}  # GitHub's limit on a comment


def _break(project: Project) -> None:
    project.write("desired/routes.yaml", "did_routes:\n  - {did_number: x}\n")


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("command", ["plan", "validate"])
def test_each_format_is_printed(project: Project, command: str, name: str) -> None:
    starts = {
        "json": "{",
        "markdown": "<!-- fsgitops ",
        "html": "<!DOCTYPE html>",
        "gitlab": "[",
        "sarif": "{",
        "junit": "<?xml",
    }
    ran = project.run(command, "--format", name)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith(starts.get(name, ""))


@pytest.mark.parametrize("name", [name for name in FORMATS if name not in ("text", "json")])
def test_without_a_plan_each_format_tells_the_findings(project: Project, name: str) -> None:
    _break(project)
    ran = project.run("plan", "--format", name)
    assert ran.code == 3
    assert "desired/routes.yaml" in ran.out
    assert "desired/routes.yaml:2:" in ran.err


@pytest.mark.parametrize("name", [name for name in FORMATS if name not in ("text", "json")])
@pytest.mark.parametrize("command", ["plan", "validate"])
def test_settings_that_are_wrong_are_told_in_each_format(
    project: Project, command: str, name: str
) -> None:
    project.write("fsgitops.yaml", "targets: [\n")
    ran = project.run(command, "--format", name)
    assert ran.code == 3
    assert "fsgitops.yaml" in ran.out
    assert "fsgitops.yaml:2:1: error:" in ran.err


def test_json_of_a_validation_tells_wrong_settings_as_findings(project: Project) -> None:
    project.write("fsgitops.yaml", "targets: [\n")
    ran = project.run("validate", "--json")
    data = ran.json()
    assert (ran.code, data["format"], data["valid"]) == (3, "fsgitops-findings", False)
    assert [item["file"] for item in data["findings"]] == ["fsgitops.yaml"]


def test_json_of_what_is_invalid_is_the_documented_error(project: Project) -> None:
    _break(project)
    for words in (("--json",), ("--format", "json"), ("--format=json",)):
        data = project.run("plan", *words).json()
        assert (data["format"], data["exit_code"]) == ("fsgitops-error", 3)


def test_several_files_are_written_as_their_endings_say_and_the_text_is_printed(
    project: Project,
) -> None:
    names = ("p.json", "p.md", "p.html", "p.sarif", "p.xml", "p.txt")
    words = [word for name in names for word in ("--output", str(project.root / name))]
    ran = project.run("plan", *words)
    assert "Plan: 5 to create" in ran.out
    for name in names:
        assert (project.root / name).stat().st_size > 0
    assert json.loads((project.root / "p.json").read_text())["format"] == "fsgitops-plan"
    assert "Plan: 5 to create" in (project.root / "p.txt").read_text()
    assert "p.json`" in (project.root / "p.md").read_text()


def test_a_format_and_one_file_go_together_whatever_its_ending(project: Project) -> None:
    file = project.root / "comment.txt"
    project.run("plan", "--format", "markdown", "--output", str(file))
    assert file.read_text().startswith("<!-- fsgitops plan-for-sandbox -->")


@pytest.mark.parametrize(
    "words",
    [
        ("--json", "--format", "html"),
        ("--format", "html", "--output", "a.html", "--output", "b.html"),
        ("--output", "plan.what"),
        ("--format", "pdf"),
    ],
)
def test_what_does_not_go_together_is_wrong_usage(project: Project, words: tuple[str, ...]) -> None:
    assert project.run("plan", *words).code == 64


def test_a_comment_names_its_target_even_when_there_is_no_plan(project: Project) -> None:
    _break(project)
    assert project.run("plan", "--format", "markdown").out.startswith(
        "<!-- fsgitops plan-for-sandbox -->"
    )


def test_an_annotation_counts_folders_from_the_top_of_the_repository(project: Project) -> None:
    (project.root.parent / ".git").mkdir()
    _break(project)
    assert (
        "file=project/desired/routes.yaml,line=2," in project.run("plan", "--format", "github").out
    )


def test_no_format_shows_a_secret(project: Project) -> None:
    project.prepare("apply", "--yes")
    data = project.run("credentials", "1020", "--reveal", "--json").json()
    live = project.conf / "directory/default/1020.xml"
    hashes = [part.split('"')[0] for part in live.read_text().split('a1-hash" value="')[1:]]
    assert len(hashes) == 2
    live.write_bytes(live.read_bytes().replace(b"Alice", b"Mallory"))
    path = project.root / "desired" / "agents.yaml"
    path.write_text(path.read_text() + "  - {extension: 1022, name: Carol, voicemail: true}\n")
    for name in FORMATS:
        out = project.run("plan", "--format", name).out
        assert "Mallory" in out or name in ("sarif", "gitlab")
        for secret in (data["password"], data["voicemail_pin"], *hashes):
            assert secret not in out, name


def test_the_page_shows_the_xml_of_both_sides(project: Project) -> None:
    project.prepare("apply", "--yes")
    live = project.conf / "directory/default/1020.xml"
    live.write_bytes(live.read_bytes().replace(b"Alice", b"Mallory"))
    page = project.run("plan", "--format", "html").out
    for name in ("Mallory", "Alice"):
        line = f'<variable name="effective_caller_id_name" value="{name}"/>'
        assert json.dumps(line)[1:-1].replace("<", "\\u003c").replace(">", "\\u003e") in page


def test_the_same_plan_gives_the_same_bytes_in_every_format(project: Project) -> None:
    for name in FORMATS:
        words = ("plan", "--format", name)
        assert project.run(*words).out == project.run(*words).out


@pytest.mark.parametrize("name", [
    pytest.param(name, marks=() if name in ("markdown", "html") else pytest.mark.sweep)
    for name in FORMATS
])  # fmt: skip
def test_ten_thousand_changes_have_room_in_every_format(name: str) -> None:
    review = big_review()
    plan = review.plan
    assert plan is not None
    text = render_review(name, review, lambda: plan_to_json(plan))
    assert 0 < len(text) < ROOM.get(name, 30_000_000)


def test_a_permission_that_is_missing_is_a_warning_in_every_format(project: Project) -> None:
    project.write("fsgitops.yaml", f"{SETTINGS}allow: []\n")
    for name in ("markdown", "html", "github"):
        assert "--allow reload" in project.run("plan", "--format", name).out


@pytest.mark.parametrize("name", FORMATS)
def test_each_format_says_what_people_have_to_do(project: Project, name: str) -> None:
    project.prepare("apply", "--yes")
    project.write(
        "desired/agents.yaml",
        "agents:\n  - {extension: 1021, name: Bob, webrtc: true, password_version: 2}\n",
    )
    project.write("desired/routes.yaml", "did_routes: []\n")
    ran = project.run("plan", "--format", name)
    assert "SIP password changes: give 1021 its new credentials" in ran.out
    assert "phone of 1020 will be cut off" in ran.out


def test_what_people_have_to_do_is_no_part_of_what_a_saved_plan_is_held_to(
    project: Project,
) -> None:
    saved = project.root / "p.json"
    assert project.run("plan", "--out", str(saved)).code == 0
    data = json.loads(saved.read_text())
    assert [task["kind"] for task in data["tasks"]] == ["new"]
    del data["tasks"]  # a plan that an earlier version saved
    saved.write_text(json.dumps(data))
    assert project.run("apply", str(saved), "--yes").code == 0
