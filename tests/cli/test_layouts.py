"""Layouts of a site, from the command line: what differs is where the files are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from layouts import AGENTS, ROUTES, choose

from fsgitops.commands.layout import edit_layout
from fsgitops.errors import UsageError

if TYPE_CHECKING:
    from project import Project

OTHER = {"files": "sharded", "sharded": "files"}


@pytest.fixture(params=["files", "sharded"])
def site(project: Project, request: pytest.FixtureRequest) -> Project:
    """Applied in the one layout, and in the other."""
    project.write("desired/agents.yaml", AGENTS)
    project.write("desired/routes.yaml", ROUTES)
    choose(project, request.param)
    project.prepare("apply", "--yes")
    return project


def layout_of(site: Project) -> str:
    return (site.root / "fsgitops.yaml").read_text().rpartition("layout: ")[2].strip()


def test_to_the_other_layout_everything_moves_and_nothing_else_happens(site: Project) -> None:
    """Files of one resource and of several, in both directions; nobody's registration ends."""
    choose(site, OTHER[layout_of(site)])
    plan = site.run("plan", "--json").json()
    others = [
        item["resource"]
        for item in plan["changes"]
        if item["resource"] not in (item["renamed_from"], item["renamed_to"])
    ]
    assert others == ["dialplan:dids"]
    assert [step["command"] for step in plan["reloads"]] == ["reloadxml", "xml_flush_cache"]
    ran = site.run("apply", "--yes")
    assert ran.code == 0, ran.err
    assert "No changes" in site.run("plan").out
    assert site.run("drift").code == 0


def test_the_command_shows_that_there_are_only_moves_and_applies_nothing(site: Project) -> None:
    before, settings = site.tree(), (site.root / "fsgitops.yaml").read_text()
    other = OTHER[layout_of(site)]
    ran = site.run("layout", other)
    assert ran.code == 0, ran.err
    assert "6 to another file" in ran.out
    how = "created" if other == "sharded" else "deleted"
    assert (
        f"Only moves: 6 resources to another file; dialplan:dids, which finds them, is {how}. "
        "No registration and no call ends.\n"
    ) in ran.out
    assert site.tree() == before
    assert (site.root / "fsgitops.yaml").read_text() == settings
    choose(site, other)
    assert ran.out.startswith(site.run("plan").out)


def test_the_command_says_what_else_is_in_the_plan(site: Project) -> None:
    site.write("desired/agents.yaml", AGENTS.replace("Bob", "Ben"))
    ran = site.run("layout", OTHER[layout_of(site)])
    assert "Not only moves: agent:1021 would be created, changed or deleted" in ran.out


def test_the_command_says_that_nothing_changes_in_the_same_layout(site: Project) -> None:
    ran = site.run("layout", layout_of(site))
    assert "Nothing changes: no file lies elsewhere in this layout." in ran.out


def test_the_layout_is_written_into_the_settings_and_applies_as_it_was_shown(site: Project) -> None:
    settings = site.root / "fsgitops.yaml"
    layout, other = layout_of(site), OTHER[layout_of(site)]
    settings.write_text("# ours\n" + settings.read_text().rstrip() + "  # since May\n")
    wanted = settings.read_text().replace(f"layout: {layout}", f"layout: {other}")
    ran = site.run("layout", other, "--write", "--json")
    assert ran.code == 0, ran.err
    assert ran.json()["format"] == "fsgitops-plan"
    assert settings.read_text() == wanted
    assert site.run("apply", "--yes").code == 0
    assert site.run("plan", "--detailed-exitcode").code == 0


def test_the_command_counts_files_in_both_layouts(site: Project) -> None:
    found = site.run("layout", "--json").json()
    assert found["layout"] == layout_of(site)
    assert found["kinds"]["agent"] == {
        "enabled": 3,
        "files": {"files": 3, "sharded": 2},
        "fullest": {"files": 1, "sharded": 2},
    }
    assert found["needs"] == []
    out = site.run("layout").out
    assert out.startswith(f"Target sandbox: layout {layout_of(site)}\n")
    assert f"fsgitops layout {OTHER[layout_of(site)]}" in out


def test_the_command_says_what_the_other_layout_needs_of_the_conf_directory(
    project: Project,
) -> None:
    project.prepare("apply", "--yes")
    file = project.conf / "directory/default.xml"
    line = '<X-PRE-PROCESS cmd="include" data="fsgitops/*.xml"/>'
    assert line in file.read_text()
    file.write_text(file.read_text().replace(line, ""))
    needs = project.run("layout", "--json").json()["needs"]
    assert needs == [f"put {line} into <groups> of the domain in directory/default.xml"]
    assert f"Layout sharded needs this first: put {line} into <groups>" in project.run("layout").out
    ran = project.run("layout", "sharded")
    assert "[unread-folder]" in ran.out
    assert "An apply would refuse this" in ran.out
    assert "Only moves" not in ran.out


def test_write_needs_a_layout(project: Project) -> None:
    ran = project.run("layout", "--write")
    assert (ran.code, "--write needs a layout" in ran.err) == (64, True), ran


@pytest.mark.parametrize(
    ("text", "path", "wanted"),
    [
        ("", ("layout",), "layout: sharded\n"),
        ("project: a\n", ("layout",), "project: a\n\nlayout: sharded\n"),
        ("layout: files # x\na: b\n", ("layout",), "layout: sharded # x\na: b\n"),
        ("layout: 'files' # x\na: b\n", ("layout",), "layout: sharded # x\na: b\n"),
        (
            'targets:\n  a: {layout: files}\n  b: {layout: "files"}\n',
            ("targets", "b", "layout"),
            "targets:\n  a: {layout: files}\n  b: {layout: sharded}\n",
        ),
        (
            "layout: files\ntargets:\n  a:\n    layout: files  # old\n",
            ("targets", "a", "layout"),
            "layout: files\ntargets:\n  a:\n    layout: sharded  # old\n",
        ),
    ],
)
def test_a_layout_is_set_and_nothing_else_changes(
    text: str, path: tuple[str, ...], wanted: str
) -> None:
    assert edit_layout(text, path, "sharded") == wanted


@pytest.mark.parametrize(
    "text", ["{project: a}\n", '"layout": files\n', "layout: &a files\nb: *a\n"]
)
def test_a_layout_that_cannot_be_set_safely_is_left_to_a_person(text: str) -> None:
    with pytest.raises(UsageError, match="set `layout` to `sharded` by hand"):
        edit_layout(text, ("layout",), "sharded")


def test_the_layout_of_a_target_is_set_where_it_has_its_own(project: Project) -> None:
    settings = project.root / "fsgitops.yaml"
    own = settings.read_text().replace("{conf_dir: conf,", "{conf_dir: conf, layout: sharded,")
    settings.write_text(own)
    (project.root / "conf").mkdir()
    ran = project.run("layout", "files", "--write", "--target", "image")
    assert ran.code == 0, ran.err
    assert settings.read_text() == own.replace("layout: sharded", "layout: files")
    assert ran.out.endswith("Next: fsgitops apply --target image\n")


def test_a_move_of_many_needs_no_permission(project: Project) -> None:
    """It deletes nobody, so the limits on what one plan may delete or change do not count it."""
    many = "".join(f"  - {{extension: {n}, name: A{n}}}\n" for n in range(2000, 2060))
    project.write("desired/agents.yaml", "agents:\n" + many)
    (project.root / "desired/routes.yaml").unlink()
    settings = project.root / "fsgitops.yaml"
    settings.write_text(settings.read_text() + "allow: []\nlimits: {minimum: 1}\n")
    choose(project, "files")
    assert project.run("apply", "--yes", "--allow", "reload").code == 0
    for layout in ("sharded", "files"):
        choose(project, layout)
        ran = project.run("apply", "--yes", "--allow", "reload")
        assert (ran.code, "60 moved to another file" in ran.out) == (0, True), ran.err


def test_who_moves_in_a_partial_plan_is_still_there(site: Project) -> None:
    choose(site, OTHER[layout_of(site)])
    ran = site.run("plan", "--only", "agent:1020")
    assert "1 to another file" in ran.out
    assert "is not there once" not in ran.out + ran.err


def test_who_moves_and_changes_keeps_his_phone_and_is_shown_what_changes(site: Project) -> None:
    """Only another password ends a registration; the move is not told as a move alone."""
    site.write("desired/agents.yaml", AGENTS.replace("Bob", "Bert"))
    other = OTHER[layout_of(site)]
    told = site.run("layout", other).out
    assert "Not only moves: agent:1021 would be created, changed or deleted too." in told
    choose(site, other)
    text = site.run("plan").out
    assert '      effective_caller_id_name: "Bob" -> "Bert"' in text
    plan = site.run("plan", "--json").json()
    needs = [item["permission"] for item in plan["needs"]]
    assert (plan["tasks"], needs) == ([], ["reload"])
    commands = [step["command"] for step in plan["reloads"]]
    assert commands == ["reloadxml", "xml_flush_cache"]
    [half] = [
        item for item in plan["changes"]
        if item["resource"] == "agent:1021" and item["action"] == "create"
    ]  # fmt: skip
    assert [item["after"] for item in half["attributes"]] == ["Bert"]
    ran = site.run("apply", "--yes")
    assert ran.code == 0, ran.err
    assert "No changes" in site.run("plan").out


def test_what_somebody_edited_is_told_where_it_moves_and_ends_no_registration(
    site: Project,
) -> None:
    (edited,) = (
        path for path in site.conf.rglob("directory/**/*.xml") if "Bob" in path.read_text()
    )
    edited.write_text(edited.read_text().replace("Bob", "Eve"))
    choose(site, OTHER[layout_of(site)])
    plan = site.run("plan", "--json").json()
    assert (plan["tasks"], [step["command"] for step in plan["reloads"]]) == (
        [], ["reloadxml", "xml_flush_cache"],
    )  # fmt: skip
    drifted = [item for item in plan["changes"] if item["drifted"]]
    assert [item["path"] for item in drifted] == [str(edited.relative_to(site.conf))]
    text = site.run("plan").out
    assert "(drift: changed by somebody else since the last apply)" in text
    assert '      effective_caller_id_name: "Eve" -> "Bob"' in text
    told = site.run("plan", "--format", "sarif").out
    assert f"{edited.relative_to(site.conf)} was changed by somebody else" in told
    assert "an apply will move agent 1021" in told
    assert site.run("apply", "--yes").code == 0
    assert "No changes" in site.run("plan").out


@pytest.mark.parametrize("option, task, needs", [
    ("voicemail: {pin: {plaintext: true, value: '739182'}}", "pin", ["reload"]),
    ("voicemail: true, password_version: 2", "password", ["reload", "registration"]),
])  # fmt: skip
def test_who_moves_and_gets_another_secret_is_told_as_if_he_stayed(
    site: Project, option: str, task: str, needs: list[str]
) -> None:
    site.write("desired/agents.yaml", AGENTS.replace("Bob", "Bob, voicemail: true"))
    site.prepare("apply", "--yes")
    site.write("desired/agents.yaml", AGENTS.replace("Bob", f"Bob, {option}"))
    choose(site, OTHER[layout_of(site)])
    plan = site.run("plan", "--json").json()
    assert (plan["tasks"][0]["kind"], plan["tasks"][0]["agents"]) == (task, ["1021"])
    assert [item["permission"] for item in plan["needs"]] == needs
    assert "flush_inbound_reg" not in str(plan["reloads"])
    kicked = site.run("plan", "--json", "--kick-rotated").json()
    ended = "flush_inbound_reg 1021@" in str(kicked["reloads"])
    assert ended == ("registration" in needs)


def test_without_the_key_a_move_is_a_move(site: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    choose(site, OTHER[layout_of(site)])
    monkeypatch.delenv("FSGITOPS_KEY")
    plan = site.run("plan", "--json").json()
    assert (plan["unknown_secrets"], plan["tasks"]) == (True, [])
    moved = [item for item in plan["changes"] if item["renamed_from"]]
    assert (len(moved), [item["attributes"] for item in moved if item["attributes"]]) == (6, [])


def test_the_other_targets_that_a_written_layout_is_for_are_named(project: Project) -> None:
    """`layout` of all is written where the target has none of its own."""
    target = "\n    conf_dir: {0}\n    domain: {1}.example\n    esl: {{password: {{env: NONE}}}}\n"
    declared = [f"  {name}:{target.format(project.conf, name)}" for name in ("east", "west")]
    settings = project.root / "fsgitops.yaml"
    text = settings.read_text().partition("targets:")[0]
    settings.write_text(f"{text}targets:\n{declared[0]}{declared[1]}    layout: files\n")
    project.write("desired/agents.yaml", AGENTS)
    ran = project.run("layout", "sharded", "--write", "--target", "sandbox")
    assert ran.code == 0, ran.err
    assert "Wrote fsgitops.yaml: layout sharded, also for target east. Next" in ran.out
