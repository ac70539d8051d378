"""Layouts of a site, from the command line: what differs is where the files are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fsgitops.commands.layout import edit_layout
from fsgitops.errors import UsageError

if TYPE_CHECKING:
    from project import Project

AGENTS = """\
agents:
  - {extension: 1020, name: Alice}
  - {extension: 1021, name: Bob}
  - {extension: 999998, name: Zoe}
"""
ROUTES = """\
did_routes:
  - {did_number: +19495431333, destination_extension: 1020}
  - {did_number: +19495431334, destination_extension: 1021}
  - {did_number: +442071838750, destination_extension: 999998}
"""
OTHER = {"files": "sharded", "sharded": "files"}


def choose(project: Project, layout: str) -> None:
    settings = project.root / "fsgitops.yaml"
    lines = settings.read_text().splitlines()
    kept = [line for line in lines if not line.startswith("layout:")]
    settings.write_text("\n".join((*kept, f"layout: {layout}")) + "\n")


@pytest.fixture(params=["files", "sharded"])
def site(project: Project, request: pytest.FixtureRequest) -> Project:
    """Applied in the one layout, and in the other."""
    project.write("desired/agents.yaml", AGENTS)
    project.write("desired/routes.yaml", ROUTES)
    choose(project, request.param)
    ran = project.run("apply", "--yes")
    assert ran.code == 0, ran.err
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
    assert "Not only moves: agent:1021, agent:1021 would be created, changed or deleted" in ran.out


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
    assert project.run("apply", "--yes").code == 0
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
        (
            "targets:\n  a: {layout: files}\n  b: {layout: files}\n",
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
