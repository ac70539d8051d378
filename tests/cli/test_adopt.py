"""Taking hand-written files over and giving files back, from the command line."""

from __future__ import annotations

import json
import os
import shutil

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from project import Project

from fsgitops.commands.adopt import relative_path
from fsgitops.errors import UsageError

PATH = "directory/default/1020.xml"


@pytest.fixture
def foreign(project: Project) -> Project:
    """What an apply would write at PATH stands there by hand, with another name."""
    project.prepare("apply", "--yes")
    text = (project.conf / PATH).read_text().replace("Alice", "Alicia")
    project.prepare("release", PATH)
    (project.conf / PATH).write_text(text)
    return project


def test_a_released_file_stays_and_stops_the_next_plan_while_it_is_declared(
    project: Project,
) -> None:
    project.prepare("apply", "--yes")
    before = project.tree()
    ran = project.run("release", "agent:1020")
    assert (ran.code, project.tree()) == (0, before)
    assert "foreign-file" in project.run("plan").out
    path = project.root / "desired/agents.yaml"
    path.write_text("agents:\n" + path.read_text().splitlines()[2] + "\n")
    (project.root / "desired/routes.yaml").unlink()
    assert project.run("apply", "--yes").code == 0
    assert (project.conf / PATH).read_bytes() == before[PATH]


def test_an_adoption_shows_the_difference_and_changes_no_file(foreign: Project) -> None:
    before = foreign.tree()
    ran = foreign.run("adopt", PATH, "--yes")
    assert (ran.code, foreign.tree()) == (0, before)
    assert 'effective_caller_id_name: "Alicia" -> "Alice"' in ran.out


def test_an_adopted_file_is_updated_by_the_next_apply(foreign: Project) -> None:
    foreign.run("adopt", PATH, "--yes")
    plan = foreign.run("plan").out
    assert "Plan: 0 to create, 1 to change, 0 to delete" in plan
    assert "drift" not in plan
    assert foreign.run("apply", "--yes").code == 0
    assert b"Alice" in (foreign.conf / PATH).read_bytes()


def test_an_adopted_file_that_is_as_declared_needs_nothing_more(project: Project) -> None:
    project.prepare("apply", "--yes")
    project.run("release", PATH)
    ran = project.run("adopt", str(project.conf / PATH), "--yes")
    assert (ran.code, "is as declared" in ran.out) == (0, True)
    assert "No changes" in project.run("plan").out


def test_an_adoption_asks_and_a_script_must_say_yes(foreign: Project) -> None:
    ran = foreign.run("adopt", PATH)
    assert (ran.code, "--yes" in ran.err) == (64, True)
    assert "foreign-file" in foreign.run("plan").out


def test_an_adoption_shows_no_secret(foreign: Project) -> None:
    file = foreign.conf / PATH
    text = file.read_text()
    secret = text.split('a1-hash" value="')[1].split('"')[0]
    file.write_text(text.replace(secret, "f" * 32))
    ran = foreign.run("adopt", PATH, "--yes")
    assert "(secret) -> (secret)" in ran.out
    assert secret not in ran.out + ran.err
    assert "f" * 32 not in ran.out + ran.err


def test_an_adoption_is_told_as_json(foreign: Project) -> None:
    data = foreign.run("adopt", PATH, "--yes", "--json").json()
    assert data["adopted"] == [{"path": PATH, "resource": "agent:1020"}]
    assert [change["path"] for change in data["changes"]] == [PATH]


def test_a_release_is_told_as_json(project: Project) -> None:
    project.prepare("apply", "--yes")
    data = project.run("release", "did:+19495431333", "--json").json()
    assert data["released"] == [
        {"path": "dialplan/public/inbound_19495431333.xml", "resource": "did:+19495431333"}
    ]


def test_a_file_that_nothing_declared_compiles_to_is_not_adopted(foreign: Project) -> None:
    (foreign.conf / "directory/default/9999.xml").write_text("<include>\n</include>\n")
    ran = foreign.run("adopt", "directory/default/9999.xml", "--yes")
    assert (ran.code, "declare it first" in ran.err) == (4, True)


@pytest.mark.parametrize(
    "path", ["../conf/x.xml", "/etc/passwd", ".fsgitops/manifest.json", "a/../b"]
)
def test_a_path_outside_is_not_adopted_nor_released(foreign: Project, path: str) -> None:
    for word in ("adopt", "release"):
        ran = foreign.run(word, path, *(["--yes"] if word == "adopt" else []))
        assert (ran.code, "not a path below" in ran.err) == (64, True)


def test_where_nothing_stands_nothing_is_adopted(foreign: Project) -> None:
    (foreign.conf / PATH).unlink()
    ran = foreign.run("adopt", PATH, "--yes")
    assert (ran.code, "no such file" in ran.err) == (64, True)


@pytest.mark.parametrize("kind", ["symbolic link", "further hard links", "directory"])
def test_what_is_no_plain_file_is_not_adopted(foreign: Project, kind: str) -> None:
    file = foreign.conf / PATH
    elsewhere = foreign.root / "elsewhere.xml"
    file.rename(elsewhere)
    if kind == "directory":
        file.mkdir()
    elif kind == "symbolic link":
        file.symlink_to(elsewhere)
    else:
        os.link(elsewhere, file)
    ran = foreign.run("adopt", PATH, "--yes")
    assert (ran.code, kind in ran.err) == (4, True)


def test_what_is_not_managed_is_not_released_and_nothing_else_either(project: Project) -> None:
    project.prepare("apply", "--yes")
    ran = project.run("release", PATH, "agent:9999")
    assert ran.code == 64
    assert "No changes" in project.run("plan").out


@pytest.mark.parametrize(
    ("words", "left"),
    [
        ((".",), 0),
        (("directory",), 3),
        (("directory/default/*.xml", "did:+19495431333"), 2),
        (("dialplan/default/",), 4),
    ],
    ids=str,
)
def test_a_folder_a_glob_and_a_dot_release_what_is_managed_there(
    project: Project, words: tuple[str, ...], left: int
) -> None:
    project.prepare("apply", "--yes")
    before = project.tree()
    ran = project.run("release", *words, "--json")
    manifest = json.loads((project.conf / ".fsgitops/manifest.json").read_text())
    assert (ran.code, len(manifest["entries"])) == (0, left), ran.err
    assert project.tree() == before


def test_a_release_says_what_stops_the_next_plan_and_can_be_done_about_it(project: Project) -> None:
    project.prepare("apply", "--yes")
    told = project.run("release", ".").out
    assert "1020.xml is no longer managed; remove agent:1020 from the desired files too" in told
    assert "agents.xml is no longer managed; plans stop at it while agents are declared" in told
    assert "remove dialplan:" not in told
    assert "1020.xml: this file exists, and fsgitops does not manage it" in project.run("plan").out


@pytest.mark.parametrize("word", ["agent:9999", "chatplan", "nothing/*.xml", "directory/x.xml"])
def test_what_names_nothing_managed_is_said_not_to_be(project: Project, word: str) -> None:
    project.prepare("apply", "--yes")
    ran = project.run("release", word)
    assert (ran.code, f"{word}: not managed here" in ran.err) == (64, True)


@pytest.mark.parametrize(
    ("name", "rule"),
    [("link", "hazard-symlink"), ("hard", "hazard-hard-link"), ("folder", "hazard-directory"),
     ("pipe", "hazard-other"), ("endless", "hazard-oversized"), ("file", "foreign-file")],
)  # fmt: skip
def test_whatever_stands_in_the_way_is_a_hazard_with_a_name(
    project: Project, name: str, rule: str
) -> None:
    project.run("plan")
    elsewhere = project.root / "elsewhere.xml"
    elsewhere.write_text("precious")
    place = project.conf / PATH
    make = {
        "link": lambda: place.symlink_to(elsewhere),
        "hard": lambda: os.link(elsewhere, place),
        "folder": place.mkdir,
        "pipe": lambda: os.mkfifo(place),
        "endless": lambda: (place.touch(), os.truncate(place, 1 << 40)),
        "file": lambda: place.write_text("theirs"),
    }
    make[name]()
    ran = project.run("apply", "--yes")
    assert (ran.code, f"[{rule}]" in ran.err) == (4, True)
    assert elsewhere.read_text() == "precious"
    assert not (project.conf / "directory/default/1021.xml").exists()


@pytest.mark.parametrize("name", ["link", "hard"])
def test_a_managed_file_that_became_a_link_is_a_hazard_even_when_it_is_to_be_deleted(
    project: Project, name: str
) -> None:
    project.prepare("apply", "--yes")
    place = project.conf / PATH
    elsewhere = project.root / "elsewhere.xml"
    place.rename(elsewhere)
    if name == "link":
        place.symlink_to(elsewhere)
    else:
        os.link(elsewhere, place)
    path = project.root / "desired/agents.yaml"
    path.write_text("agents:\n" + path.read_text().splitlines()[2] + "\n")
    (project.root / "desired/routes.yaml").unlink()
    ran = project.run("apply", "--yes")
    assert ran.code == 4
    assert "hazard-" in ran.err
    assert elsewhere.exists()
    assert os.path.lexists(place)


def test_a_secret_that_everybody_may_read_is_told_and_stops_nothing(project: Project) -> None:
    project.prepare("apply", "--yes")
    (project.conf / PATH).chmod(0o644)
    ran = project.run("plan")
    assert ran.code == 0
    assert "[secret-exposed]" in ran.out
    assert project.run("apply", "--yes").code == 0


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.text(max_size=30) | st.lists(st.sampled_from(["..", ".", "a", "", "~"])).map("/".join))
def test_no_word_on_the_command_line_names_a_path_outside(tmp_path_factory, word: str) -> None:
    conf = tmp_path_factory.getbasetemp() / "conf"
    try:
        path = relative_path(conf, word)
    except UsageError:
        return
    assert os.path.normpath(conf / path) == str(conf / path)
    assert (conf / path).is_relative_to(conf)


def test_who_took_a_file_over_or_gave_it_back_is_in_the_audit_log(foreign: Project) -> None:
    assert foreign.run("adopt", PATH, "--yes").code == 0
    log = foreign.conf / ".fsgitops/audit.jsonl"
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [(line["action"], line["subject"], line["result"]) for line in lines] == [
        ("release", PATH, "intended"), ("release", PATH, "done"),
        ("adopt", PATH, "intended"), ("adopt", PATH, "done"),
    ]  # fmt: skip
    assert {line["paths"] for line in lines} == {PATH}


@pytest.mark.parametrize(
    ("words", "count"),
    [
        (["."], None),
        (["directory"], 2),
        (["directory/default/"], 2),
        (["directory/default/*.xml"], 2),
        (["**/10?0.xml"], 1),
        (["directory", "**", "dialplan/public"], None),
    ],
)
def test_after_the_state_was_lost_folders_and_globs_take_the_declared_files_over(
    project: Project, words: list[str], count: int | None
) -> None:
    project.prepare("apply", "--yes")
    (project.conf / "directory/default/1000.xml").write_text("<include/>")
    everything = len(json.loads((project.conf / ".fsgitops/manifest.json").read_text())["entries"])
    before = project.tree()
    shutil.rmtree(project.conf / ".fsgitops")
    assert project.run("apply", "--yes").code == 4
    ran = project.run("adopt", *words, "--yes", "--json")
    assert (ran.code, len(ran.json()["adopted"]), project.tree()) == (
        0, count or everything, before,
    )  # fmt: skip
    if count is None:
        assert project.run("plan", "--detailed-exitcode").code == 0


def test_the_absolute_path_of_a_folder_is_one_too(foreign: Project) -> None:
    ran = foreign.run("adopt", str(foreign.conf / "directory"), "--yes", "--json")
    assert [item["path"] for item in ran.json()["adopted"]] == [PATH]


@pytest.mark.parametrize("word", ["autoload_configs", "nothing/*.xml", "../**", "/etc", "/etc/*"])
def test_a_folder_or_a_glob_without_a_declared_file_is_wrong_usage(
    foreign: Project, word: str
) -> None:
    assert foreign.run("adopt", word, "--yes").code == 64


def test_a_folder_with_a_link_in_the_place_of_a_declared_file_is_refused(foreign: Project) -> None:
    (foreign.conf / PATH).unlink()
    (foreign.conf / PATH).symlink_to("/etc/passwd")
    ran = foreign.run("adopt", "directory", "--yes")
    assert (ran.code, "only a plain file" in ran.err) == (4, True)
