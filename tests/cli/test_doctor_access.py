"""Who may read and write what, as doctor sees it: folders, files, copies and the key."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING

import pytest
from doctor_site import checks, make_site

from fsgitops.commands.doctor import files as doctor_files
from fsgitops.live.switch_user import Person, find_unreadable, may_read, read_person
from fsgitops.planning import survey
from fsgitops.sandbox.skeleton import write_skeleton
from fsgitops.sandbox.switch import EmbeddedSwitch

if TYPE_CHECKING:
    from pathlib import Path

    from project import Project


@pytest.fixture
def site(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    return make_site(project, monkeypatch)


def test_a_conf_directory_that_everybody_may_write_to_is_an_error(site: Project) -> None:
    (site.root / "conf").chmod(0o777)
    assert checks(site)["conf-dir"]["health"] == "error"


def test_a_managed_file_that_everybody_may_read_is_an_error(site: Project) -> None:
    (site.root / "conf/directory/default/1020.xml").chmod(0o644)
    check = checks(site)["managed-files"]
    assert (check["health"], "1020.xml" in check["remedy"]) == ("error", True)


def test_a_switch_that_may_not_read_our_files_is_an_error(
    site: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        doctor_files, "find_switch_user", lambda _: Person(54321, frozenset({54321}))
    )
    check = checks(site)["switch-user"]
    assert (check["health"], "chgrp" in check["remedy"]) == ("error", True)


def test_a_switch_in_the_group_of_our_files_may_read_them(
    site: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = (site.root / "conf/directory/default/1020.xml").stat().st_gid
    monkeypatch.setattr(
        doctor_files, "find_switch_user", lambda _: Person(54321, frozenset({group}))
    )
    assert checks(site)["switch-user"]["health"] == "ok"


def test_what_freeswitch_may_not_read_is_foreseen_before_the_first_apply(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_skeleton(project.root / "conf", "pbx.example.com")
    (project.root / "conf/directory/default").chmod(0o755)
    person = Person(54321, frozenset({54321}))
    monkeypatch.setattr(doctor_files, "find_switch_user", lambda _: person)
    monkeypatch.setattr(survey, "find_switch_user", lambda _: person)
    check = checks(project)["switch-user"]
    assert (check["health"], "what you write to directory/default" in check["message"]) == (
        "error", True,
    )  # fmt: skip
    ran = project.run("plan", "--target", "image")
    assert "FreeSWITCH runs as uid 54321 and may not read directory/default/1020.xml" in ran.out
    told = [line for line in ran.out.splitlines() if "may not read" in line]
    assert len(told) == len(set(told)) == 4  # once for each folder that is written to


def test_a_folder_that_freeswitch_may_not_enter_is_named(site: Project) -> None:
    conf = site.root / "conf"
    (conf / "directory").chmod(0o750)
    person = Person(54321, frozenset({54321}))
    told = find_unreadable(conf, "directory/default/1020.xml", person)
    assert told.startswith("the folder directory (uid ")


def test_where_an_access_list_says_more_than_the_mode_nothing_is_claimed(
    site: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    conf, path = site.root / "conf", "directory/default/1020.xml"
    person = Person(54321, frozenset({54321}))
    assert find_unreadable(conf, path, person)
    monkeypatch.setattr(os, "listxattr", lambda _: ["system.posix_acl_access"])
    assert find_unreadable(conf, path, person) == ""


@pytest.mark.parametrize(
    ("mode", "uid", "groups", "readable"),
    [
        (0o640, 7, set(), True),
        (0o040, 7, {8}, False),
        (0o640, 9, {8}, True),
        (0o600, 9, {8}, False),
        (0o604, 9, {8}, False),
        (0o640, 9, {9}, False),
        (0o644, 9, {9}, True),
    ],
)
def test_the_kernel_s_rule_decides_who_may_read(
    mode: int, uid: int, groups: set[int], readable: bool
) -> None:
    status = os.stat_result((mode, 0, 0, 1, 7, 8, 0, 0, 0, 0))
    assert may_read(status, Person(uid, frozenset(groups))) is readable


def test_the_user_and_groups_of_a_process_are_read_as_the_kernel_tells_them() -> None:
    status = "Name:\tfreeswitch\nUid:\t1\t2\t3\t4\nGid:\t5\t5\t5\t5\nGroups:\t6 7 \n"
    assert read_person(status) == (2, {5, 6, 7})


def test_a_key_file_that_others_may_read_is_an_error_with_the_command(
    site: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FSGITOPS_KEY")
    site.run("key", "new")
    (site.root / ".fsgitops/key").chmod(0o644)
    check = checks(site)["project-key"]
    assert (check["health"], "chmod 600" in check["remedy"]) == ("error", True)


def test_a_malformed_key_is_an_error_and_not_shown(
    site: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FSGITOPS_KEY", "s3cret-but-no-key")
    check = checks(site)["project-key"]
    assert (check["health"], "s3cret" in json.dumps(check)) == ("error", False)


@pytest.mark.parametrize("name", ["key", "key.next", "key.previous"])
def test_a_key_in_git_is_an_error(site: Project, name: str) -> None:
    site.run("key", "new", "--file", str(site.root / ".fsgitops" / name))
    for words in (("init", "-q"), ("add", "-f", f".fsgitops/{name}")):
        subprocess.run(["git", "-C", str(site.root), *words], check=True)
    assert checks(site)["key-in-git"]["health"] == "error"


def test_a_missing_key_is_a_warning(site: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FSGITOPS_KEY")
    assert checks(site)["project-key"]["health"] == "warning"


def test_revisions_that_everybody_may_look_into_are_an_error(site: Project) -> None:
    assert checks(site)["revisions"]["health"] == "ok"
    (site.root / "conf/.fsgitops/revisions").chmod(0o755)
    found = checks(site)["revisions"]
    assert (found["health"], "a1-hash" in found["message"]) == ("error", True)


def test_the_merged_configuration_that_freeswitch_writes_is_looked_at(
    site: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = tmp_path / "log" / "freeswitch.xml.fsxml"
    written.parent.mkdir()
    written.write_text("<document/>")
    file = site.root / "conf/vars.xml"
    line = f'<X-PRE-PROCESS cmd="set" data="log_dir={written.parent}"/>'
    file.write_text(file.read_text().replace("<include>", f"<include>\n{line}"))
    with EmbeddedSwitch(site.root / "conf", "own") as switch:
        monkeypatch.setenv("FSGITOPS_ESL_PORT", str(switch.address[1]))
        health = []
        for mode in (0o644, 0o640):
            written.chmod(mode)
            health.append(checks(site)["merged-copy"]["health"])
    assert health == ["warning", "ok"]


def test_a_state_directory_that_the_operators_do_not_share_is_told(site: Project) -> None:
    assert "state-dir" not in checks(site)
    (site.root / "conf").chmod(0o2770)
    found = checks(site)["state-dir"]
    assert (found["health"], "only one can apply" in found["message"]) == ("warning", True)
