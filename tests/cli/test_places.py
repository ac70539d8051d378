"""A conf directory whose folders and contexts have other names is managed where they are."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from office_site import run_office, write_office
from project import Project

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

GROUP = """\
ring_groups:
  - {name: sales, extension: 7001, members: [1020, 1021], fallback: 1021}
"""
FILES = {
    "directory/office/phones/1020.xml",
    "directory/office/phones/1021.xml",
    "dialplan/office/00_10_fsgitops_agents.xml",
    "dialplan/office/00_20_group_sales.xml",
    "dialplan/carriers/00_inbound_19495431333.xml",
    "dialplan/whole/fsgitops_transfer.xml",
}


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    write_office(tmp_path / "conf")
    return tmp_path / "conf"


@pytest.fixture
def office(project: Project, conf: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    project.write("desired/groups.yaml", GROUP)
    yield from run_office(project, conf, monkeypatch)


def set_places(office: Project, old: str, new: str) -> None:
    text = (office.root / "fsgitops.yaml").read_text()
    assert old in text
    office.write("fsgitops.yaml", text.replace(old, new))


def ours(office: Project, conf: Path) -> set[str]:
    return {path for path, text in office.tree(conf).items() if b"fsgitops" in text}


def ends(office: Project, *words: str) -> str:
    ran = office.run("trace", *words)
    assert ran.code == 0, ran.err
    return ran.out


def test_everything_is_written_where_the_settings_say_and_read_back(
    office: Project, conf: Path
) -> None:
    before = office.tree(conf)
    ran = office.run("apply", "--yes")
    assert ran.code == 0, ran.out + ran.err
    assert office.tree(conf).keys() - before.keys() == FILES
    assert {path: office.tree(conf)[path] for path in before} == before
    assert office.run("plan", "--detailed-exitcode").code == 0
    assert office.run("drift").code == 0


def test_calls_reach_agents_groups_and_numbers_in_those_contexts(office: Project) -> None:
    assert office.run("apply", "--yes").code == 0
    assert "rings 1020" in ends(office, "1020", "--as", "1021")
    assert "rings 1020" in ends(office, "+19495431333")
    assert "rings 1020" in ends(office, "7001", "--as", "1021")


def test_agents_without_a_context_dial_in_that_of_the_target(office: Project, conf: Path) -> None:
    assert office.run("apply", "--yes").code == 0
    user = (conf / "directory/office/phones/1020.xml").read_text()
    assert '<variable name="user_context" value="inside"/>' in user


def test_moved_calls_go_on_in_the_context_of_the_agents(office: Project, conf: Path) -> None:
    assert office.run("apply", "--yes").code == 0
    text = (conf / "dialplan/whole/fsgitops_transfer.xml").read_text()
    assert 'data="${destination_number} XML inside"' in text
    assert "XML default" not in text


def test_a_change_of_places_only_moves(office: Project, conf: Path) -> None:
    """A folder that is included beside the old one, in the same place, changes no call."""
    assert office.run("apply", "--yes").code == 0
    domain = conf / "directory/default.xml"
    line = '<X-PRE-PROCESS cmd="include" data="office/phones/*.xml"/>'
    domain.write_text(
        domain.read_text().replace(line, f"{line}\n{line.replace('phones', 'desks')}")
    )
    set_places(office, "directory/office/phones", "directory/office/desks")
    planned = office.run("plan")
    assert "Plan: 0 to create, 0 to change, 0 to delete, 2 to another file" in planned.out, (
        planned.out
    )
    assert office.run("apply", "--yes").code == 0
    found = {path for path in office.tree(conf) if path.endswith(("1020.xml", "1021.xml"))}
    assert found == {"directory/office/desks/1020.xml", "directory/office/desks/1021.xml"}


@pytest.mark.parametrize(
    ("old", "new"),
    [("contexts: dialplan/whole", "contexts: dialplan"), ("/carriers", "/desks")],
)
def test_a_roll_back_to_other_places_asks_for_these_before_it_touches_anything(
    office: Project, conf: Path, old: str, new: str
) -> None:
    public = conf / "dialplan/public.xml"
    line = '<X-PRE-PROCESS cmd="include" data="carriers/*.xml"/>'
    also = line.replace("carriers", "desks")
    public.write_text(public.read_text().replace(line, f"{line}\n{also}"))
    assert office.run("apply", "--yes").code == 0
    before = ours(office, conf)
    set_places(office, old, new)
    assert office.run("apply", "--yes").code == 0
    ran = office.run("rollback", "--yes")
    assert ran.code == 4, ran.out + ran.err
    assert "set the target's `places` to what they were then" in ran.out
    assert office.run("plan", "--detailed-exitcode").code == 0
    set_places(office, new, old)
    ran = office.run("rollback", "--yes")
    assert ran.code == 0, ran.out + ran.err
    assert ours(office, conf) == before
    assert office.run("plan", "--detailed-exitcode").code == 0


def test_the_other_layout_has_its_folders_too(office: Project, conf: Path) -> None:
    assert office.run("apply", "--yes").code == 0
    assert office.run("layout", "sharded", "--write").code == 0
    ran = office.run("apply", "--yes")
    assert ran.code == 0, ran.out + ran.err
    found = ours(office, conf)
    assert "directory/office/groups/agents_1000.xml" in found
    assert "dialplan/whole/fsgitops_dids_194954313.xml" in found
    assert "dialplan/carriers/00_inbound_fsgitops.xml" in found
    assert "1020" in ends(office, "+19495431333")


def test_what_is_left_in_memory_is_known_to_be_ours(office: Project, conf: Path) -> None:
    assert office.run("apply", "--yes").code == 0
    assert office.run("release", "agent:1021", "ring_group:sales").code == 0
    for path in ("directory/office/phones/1021.xml", "dialplan/office/00_20_group_sales.xml"):
        (conf / path).unlink()
    items = office.run("drift", "--json").json()["drift"]
    left = {item["resource"]: item["path"] for item in items if "left-over" in item["kinds"]}
    assert left == {
        "agent:1021": "directory/office/phones/1021.xml",
        "ring_group:sales": "dialplan/office/00_20_group_sales.xml",
    }


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            "directory/office/phones", "directory/office/desks",
            'put <X-PRE-PROCESS cmd="include" data="office/desks/*.xml"/> into <users> of the '
            "domain in directory/default.xml",
        ),
        (
            "dialplan/office", "dialplan/elsewhere",
            'put <X-PRE-PROCESS cmd="include" data="elsewhere/*.xml"/> into the context `inside` '
            "in dialplan/default.xml",
        ),
        (
            "dialplan/whole", "dialplan/contexts",
            'put <X-PRE-PROCESS cmd="include" data="dialplan/contexts/*.xml"/> into the dialplan '
            "section of freeswitch.xml",
        ),
        (
            "context: inside", "context: nowhere",
            "includes dialplan/office/*.xml in the context `inside`, and not in `nowhere`",
        ),
        (
            "inbound_context: from-carriers", "inbound_context: from-elsewhere",
            "includes dialplan/carriers/*.xml in the context `from-carriers`",
        ),
    ],
    ids=["users", "dialplan", "contexts", "context", "inbound"],
)  # fmt: skip
def test_what_the_tree_does_not_have_is_an_error_of_the_plan(
    office: Project, conf: Path, old: str, new: str, told: str
) -> None:
    before = office.tree(conf)
    set_places(office, old, new)
    planned = office.run("plan")
    assert told in planned.out, planned.out
    assert office.run("apply", "--yes").code == 4
    assert office.tree(conf) == before


def test_an_agent_in_a_context_that_does_not_exist_is_an_error_of_the_plan(
    office: Project,
) -> None:
    office.write("desired/more.yaml", "agents: [{extension: 1030, name: Cy, context: default}]")
    out = office.run("plan").out
    assert "agent 1030 cannot call anybody: no dialplan has the context" in out


def test_settings_that_name_one_place_twice_are_refused(office: Project) -> None:
    set_places(office, "context: inside", "context: from-carriers")
    set_places(office, "dialplan: dialplan/office", "dialplan: dialplan/carriers")
    err = office.run("validate").err
    assert "expected a context that no agent dials in" in err
    assert "found 'dialplan/carriers', expected another folder than that of `dialplan`" in err


@pytest.mark.parametrize(
    "folder", ["../vars", "dialplan/..", "dialplan/a/b/c/d", "/etc", "dialplan/a b", "vars"]
)
def test_a_place_is_a_folder_of_its_section(office: Project, folder: str) -> None:
    set_places(office, "dialplan: dialplan/office", f"dialplan: {json.dumps(folder)}")
    assert "expected dialplan or a folder of it" in office.run("validate").err


def test_a_context_of_the_stock_configuration_may_be_the_inbound_one(
    office: Project, conf: Path
) -> None:
    """Where agents dial elsewhere, `default` is a context like any other."""
    for path in ("dialplan/public.xml", "sip_profiles/internal.xml", "sip_profiles/external.xml"):
        file = conf / path
        file.write_text(file.read_text().replace("from-carriers", "default"))
    set_places(office, "inbound_context: from-carriers", "inbound_context: default")
    ran = office.run("plan")
    assert ran.code == 0, ran.err
    assert "In the way" not in ran.out


def test_init_writes_the_places_of_an_existing_directory_and_they_serve(
    office: Project, conf: Path, tmp_path: Path
) -> None:
    ran = office.run("init", str(tmp_path / "new"), "--ci", "none", "--from", str(conf))
    assert (ran.code, "by hand" in ran.err) == (0, False), ran.err
    new = Project(tmp_path / "new", office.capsys)
    new.write("desired/more.yaml", "agents: [{extension: 1040, name: Di}]")
    text = (new.root / "fsgitops.yaml").read_text()
    assert "# included in <users> of the group default (directory/default.xml:12)\n" in text
    port = (office.root / "fsgitops.yaml").read_text().partition("port: ")[2].partition("}")[0]
    new.write("fsgitops.yaml", text.replace("port: 8021", f"port: {port}"))
    assert new.run("key", "new", "--target", "prod").code == 0
    ran = new.run("apply", "--yes", "--target", "prod")
    assert ran.code == 0, ran.out + ran.err
    assert (conf / "directory/office/phones/1040.xml").is_file()


def test_init_declares_nothing_for_an_existing_directory(
    office: Project, conf: Path, tmp_path: Path
) -> None:
    office.run("init", str(tmp_path / "new"), "--ci", "none", "--from", str(conf))
    new = Project(tmp_path / "new", office.capsys)
    assert "Valid: 0 agents, 0 DID routes" in new.run("validate", "--target", "prod").out


def test_init_says_what_an_existing_directory_lacks(
    office: Project, conf: Path, tmp_path: Path
) -> None:
    include = '<X-PRE-PROCESS cmd="include" data="office/*.xml"/>'
    file = conf / "dialplan/default.xml"
    file.write_text(file.read_text().replace(include, ""))
    ran = office.run("init", str(tmp_path / "new"), "--ci", "none", "--from", str(conf))
    assert f"put {include.replace('office', 'inside')} into the context `inside`" in ran.err


def test_init_from_what_is_no_configuration_is_refused(office: Project, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    ran = office.run("init", str(tmp_path / "new"), "--from", str(tmp_path / "empty"))
    assert (ran.code, "freeswitch.xml" in ran.err) == (1, True)
    assert not (tmp_path / "new").exists()


def test_doctor_proposes_the_places_that_the_directory_has(office: Project) -> None:
    set_places(office, "directory/office/phones", "directory/elsewhere")
    checks = office.run("doctor", "--json").json()["checks"]
    (said,) = [item for item in checks if item["name"] == "places"]
    assert "`places.directory` is directory/elsewhere" in said["message"]
    assert said["remedy"] == ("set `targets.office.places.directory` to directory/office/phones")


def test_doctor_proposes_nothing_where_all_is_included(office: Project) -> None:
    names = {item["name"] for item in office.run("doctor", "--json").json()["checks"]}
    assert "places" not in names
