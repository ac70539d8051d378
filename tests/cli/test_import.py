"""Declaring what stands in a conf directory, from the command line."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from handmade_trees import DOMAIN, ansible, fusionpbx, included, one_file, user, whole, write_tree

if TYPE_CHECKING:
    from pathlib import Path

    from project import Project

SETTINGS = f"""\
project: test
default_region: US
targets:
  prod: {{conf_dir: conf, domain: {DOMAIN}}}
"""
TARGET = ("--target", "prod")


def handmade(project: Project, tree: dict[str, str]) -> Path:
    """Give a project without anything declared a conf directory, and return that."""
    for path in (project.root / "desired").glob("*"):
        path.unlink()
    project.write("fsgitops.yaml", SETTINGS)
    conf = project.root / "conf"
    write_tree(conf, tree)
    return conf


@pytest.fixture
def conf(project: Project) -> Path:
    return handmade(project, ansible())


def one_user(
    project: Project, params: dict[str, str], variables: dict[str, str], **more: str
) -> Path:
    """Give a project one user, 1001, who is as declared."""
    conf = handmade(project, {p: t for p, t in ansible().items() if "default/" not in p})
    text = user("1001", params, variables, **more)
    write_tree(conf, {"directory/default/1001.xml": included(text)})
    return conf


def agents(project: Project) -> dict[str, dict[str, Any]]:
    text = (project.root / "desired/agents.yaml").read_text()
    items = yaml.load(text, yaml.BaseLoader)["agents"]  # as texts, as fsgitops reads them
    return {item["extension"]: item for item in items}


def left(project: Project, *words: str) -> dict[str, list[str]]:
    """What a dry run leaves, with the reasons."""
    found = project.run("import", "--dry-run", "--json", *TARGET, *words).json()
    return {item["what"]: [one["reason"] for one in item["reasons"]] for item in found["left"]}


def test_users_become_agents_that_validate_and_need_no_formatting(
    project: Project, conf: Path
) -> None:
    ran = project.run("import", *TARGET)
    assert (ran.code, "Imported: 3 agents" in ran.out) == (0, True), ran.err
    assert project.run("validate", *TARGET).code == 0
    assert project.run("fmt", "--check").code == 0
    assert set(agents(project)) == {"1001", "1002", "1003"}


def test_what_a_user_says_stands_in_the_fields_of_the_agent(project: Project, conf: Path) -> None:
    project.run("import", *TARGET)
    found = agents(project)
    assert found["1001"]["groups"] == ["sales", "support"]
    assert found["1001"]["voicemail"]["email"] == "alice@example.com"
    assert found["1001"]["params"] == {
        "vm-email-all-messages": "false",
        "vm-attach-file": "false",
    }
    assert found["1002"]["variables"] == {"hold_music": "$${hold_music}", "department": "it"}
    assert found["1003"]["user"] == "reception"
    assert found["1003"]["params"] == {"max-registrations-per-extension": "2"}


def test_a_comment_beside_a_user_stands_above_the_agent(project: Project, conf: Path) -> None:
    project.run("import", *TARGET)
    text = (project.root / "desired/agents.yaml").read_text()
    assert "  # Alice sits at the window\n  - extension: 1001\n" in text


def test_a_comment_that_may_hold_a_secret_is_not_taken_and_that_is_told(
    project: Project, conf: Path
) -> None:
    file = conf / "directory/default/1001.xml"
    text = file.read_text()
    file.write_text(text.replace("Alice sits at the window", "her old password: sesame99"))
    ran = project.run("import", *TARGET)
    assert "sesame99" not in ran.out + (project.root / "desired/agents.yaml").read_text()
    assert "directory/default/1001.xml:3: a comment is not taken" in ran.out


def test_markup_that_is_commented_out_and_directives_of_ours_do_not_arrive(
    project: Project, conf: Path
) -> None:
    file = conf / "directory/default/1001.xml"
    text = file.read_text()
    comment = "--><!-- fsgitops: ignore weak-pin --><!-- <param name='x' value='y'/> "
    file.write_text(text.replace(" Alice sits at the window ", comment))
    project.run("import", *TARGET)
    text = (project.root / "desired/agents.yaml").read_text()
    assert "fsgitops:" not in text
    assert "<param" not in text


def test_the_settings_get_what_the_agents_need(project: Project) -> None:
    handmade(project, fusionpbx())
    ran = project.run("import", *TARGET)
    assert ran.code == 0, ran.err
    settings = yaml.safe_load((project.root / "fsgitops.yaml").read_text())
    assert settings["extensions"] == {"digits": [3, 6]}
    assert settings["variables"] == {"allow": ["domain_uuid"]}
    assert project.run("validate", *TARGET).code == 0
    assert "fsgitops.yaml now says: extensions: {digits: [3, 6]}" in ran.out


def test_a_setting_that_is_there_and_says_less_is_asked_for(project: Project) -> None:
    handmade(project, fusionpbx())
    path = project.root / "fsgitops.yaml"
    path.write_text(path.read_text() + "extensions: {digits: [4, 5]}\n")
    before = path.read_text()
    ran = project.run("import", *TARGET)
    assert ran.code == 64
    assert "set `extensions: {digits: [3, 5]}` first" in ran.err
    assert path.read_text() == before
    assert not (project.root / "desired/agents.yaml").exists()


def test_caller_ids_that_no_field_can_say_are_variables(project: Project) -> None:
    handmade(project, fusionpbx())
    project.run("import", *TARGET)
    alice = agents(project)["101"]
    assert alice["name"] == "Alice"
    assert alice["context"] == DOMAIN
    assert alice["variables"]["accountcode"] == DOMAIN
    assert alice["variables"]["outbound_caller_id_name"] == "Example Ltd"
    assert alice["variables"]["outbound_caller_id_number"] == "19495431333"


def test_users_of_one_file_are_agents_as_well(project: Project) -> None:
    handmade(project, one_file())
    ran = project.run("import", *TARGET)
    assert "Imported: 2 agents" in ran.out, ran.out
    assert set(agents(project)) == {"1001", "1002"}


def test_where_files_would_not_be_read_is_told_with_the_line_that_is_missing(
    project: Project,
) -> None:
    """Once the lines are there, the users of one file are taken over as any others."""
    conf = handmade(project, one_file())
    found = project.run("import", "--json", *TARGET).json()["places"]
    assert [item["problem"].partition(" ")[0] for item in found] == [
        "freeswitch.xml:", "directory/default/*.xml", "dialplan/default/*.xml", "dialplan/*.xml",
    ]  # fmt: skip
    lines = [item["remedy"].removeprefix("put ").partition(" into ")[0] for item in found[1:]]
    file = conf / "freeswitch.xml"
    text = file.read_text()
    users = text[text.index("  <user id=") : text.index("        </users>")]
    write_tree(conf, {"directory/users.xml": included(users)})
    theirs = lines[0].replace("directory/default/*.xml", "directory/users.xml")
    text = text.replace(users, f"          {lines[0]}\n          {theirs}\n")
    context = text.index("</context>", text.index('<context name="default">'))
    text = f"{text[:context]}{lines[1]}\n    {text[context:]}"
    end = text.index("</section>", text.index('<section name="dialplan">'))
    file.write_text(f"{text[:end]}{lines[2]}\n  {text[end:]}")
    assert project.run("import", "--force", "--json", *TARGET).json()["places"] == []
    for words in (("adopt", ".", "--split", "--yes"), ("apply", "--yes", "--no-reload")):
        ran = project.run(*words, *TARGET)
        assert ran.code == 0, ran.err
    assert "No changes to files" in project.run("plan", *TARGET).out
    assert not (conf / "directory/users.xml").exists()


def test_a_user_of_another_group_that_is_called_is_left(project: Project, conf: Path) -> None:
    text = user("1009", {"password": "pw-nine"}, whole("1009", "Nine"))
    group = f'<group name="night"><users>\n{text}</users></group>\n      <group name="default">'
    file = conf / "directory/default.xml"
    file.write_text(file.read_text().replace('<group name="default">', group))
    assert left(project) == {}
    file = conf / "dialplan/default.xml"
    file.write_text(file.read_text().replace("user/$1@", "${group_call(night@x)},user/$1@"))
    assert [*left(project)] == ["user 1009"]


def test_what_agents_get_that_users_had_not_is_told(project: Project) -> None:
    handmade(project, one_file())
    found = project.run("import", "--dry-run", "--json", *TARGET).json()
    changes = {item["resource"]: item["changes"] for item in found["imported"]}
    assert "effective_caller_id_name=1001" in changes["agent:1001"]
    assert not [item for item in changes["agent:1001"] if item.startswith("toll_allow")]


@pytest.mark.parametrize(
    ("params", "variables", "reason"),
    [
        ({"password": "x"}, {"default_gateway": "g"}, "FreeSWITCH reads the variable"),
        ({"password": "x", "vm-convert-cmd": "sox"}, {}, "is a command of a shell"),
        ({"password": "x"}, {"site_a": "${system(id)}"}, "expands during a call"),
        ({}, {}, "it had none: anybody could register as it"),
        ({"a1-hash": "no hash"}, {}, "its a1-hash is none"),
        ({"password": "x"}, {"media_webrtc": "true"}, "reserved"),
        ({"password": "x", "vm-mailto": "a b@c"}, {}, "`voicemail.email` cannot hold"),
        ({"password": "x"}, {"callgroup": "a b"}, "is not a plain name"),
    ],
    ids=["read", "shell", "expands", "passwordless", "no-hash", "webrtc", "mail", "group"],
)
def test_a_user_that_cannot_be_declared_is_left_with_the_reason(
    project: Project, params: dict[str, str], variables: dict[str, str], reason: str
) -> None:
    one_user(project, params, whole("1001", "Alice", **variables))
    found = left(project)
    assert [reason in " ".join(told) for told in found.values()] == [True], found


def test_a_reason_names_the_file_and_line(project: Project) -> None:
    one_user(project, {"password": "x"}, whole("1001", "Alice", default_gateway="g"))
    ran = project.run("import", "--dry-run", *TARGET)
    assert "  directory/default/1001.xml:2: user 1001\n" in ran.out
    assert re.search(r"    directory/default/1001.xml:14: FreeSWITCH reads the\s+variable", ran.out)


@pytest.mark.parametrize("attributes", [' auth="none"', ' type="other"', ' number-alias="7"'])
def test_a_user_with_an_attribute_that_no_agent_has_is_left(
    project: Project, attributes: str
) -> None:
    one_user(project, {"password": "x"}, whole("1001", "A"), attributes=attributes)
    assert [*left(project)] == ["user 1001"]


def test_networks_of_a_user_are_those_of_the_agent(project: Project) -> None:
    attributes = ' cidr="192.0.2.0/24,198.51.100.7/32"'
    one_user(project, {"password": "x"}, whole("1001", "A"), attributes=attributes)
    project.run("import", *TARGET)
    assert agents(project)["1001"]["cidr"] == ["192.0.2.0/24", "198.51.100.7/32"]


def test_users_of_other_domains_are_left_and_counted(project: Project, conf: Path) -> None:
    extra = '<domain name="other.example.com">\n<user id="1"/>\n<user id="2"/>\n</domain>\n'
    write_tree(conf, {"directory/other.xml": included(extra)})
    assert left(project) == {
        "domain other.example.com": [f"its 2 users stay: the target's domain is {DOMAIN}"]
    }


def test_of_two_users_of_one_id_the_one_that_is_found_is_brought(
    project: Project, conf: Path
) -> None:
    text = (conf / "directory/default/1001.xml").read_text()
    write_tree(conf, {"directory/default/zz.xml": text})
    assert left(project) == {
        "user 1001": ["directory/default/1001.xml:3 is found in its place: it comes first"]
    }


def test_a_file_that_is_there_is_not_overwritten_and_nothing_is_written(
    project: Project, conf: Path
) -> None:
    declared = "agents:\n  - {extension: 1099, name: Zoë}\n"
    project.write("desired/agents.yaml", declared)
    ran = project.run("import", *TARGET)
    assert (ran.code, "desired/agents.yaml: there already" in ran.err) == (64, True)
    assert (project.root / "desired/agents.yaml").read_text() == declared
    assert (project.root / "fsgitops.yaml").read_text() == SETTINGS
    assert project.run("import", "--force", *TARGET).code == 0
    assert len(agents(project)) == 3


def test_a_file_that_declares_nothing_yet_is_written(project: Project, conf: Path) -> None:
    project.write("desired/agents.yaml", "# None yet.\nagents: []\n")
    assert project.run("import", *TARGET).code == 0
    assert len(agents(project)) == 3


def test_what_is_declared_already_is_not_declared_again(project: Project, conf: Path) -> None:
    project.write("desired/mine.yaml", "agents:\n  - {extension: 1001, name: Alice}\n")
    ran = project.run("import", *TARGET)
    assert "Declared already: 1" in ran.out
    assert set(agents(project)) == {"1002", "1003"}


def test_a_dry_run_writes_nothing(project: Project, conf: Path) -> None:
    before = {path: path.read_bytes() for path in project.root.rglob("*") if path.is_file()}
    ran = project.run("import", "--dry-run", *TARGET)
    assert "Would import: 3 agents" in ran.out
    assert before == {p: p.read_bytes() for p in project.root.rglob("*") if p.is_file()}


def test_the_conf_directory_stays_as_it_is(project: Project, conf: Path) -> None:
    before = project.tree(conf)
    project.run("import", *TARGET)
    assert project.tree(conf) == before


def test_defaults_of_the_project_do_not_change_what_a_user_is(project: Project, conf: Path) -> None:
    path = project.root / "fsgitops.yaml"
    path.write_text(SETTINGS + "defaults: {agents: {voicemail: true, groups: [all]}}\n")
    project.run("import", *TARGET)
    found = agents(project)
    assert found["1002"]["voicemail"] == "false"
    assert found["1002"]["groups"] == []


# What comes after


def take_over(project: Project) -> None:
    for words in (
        ("import",),
        ("adopt", ".", "--split", "--yes"),
        ("apply", "--yes", "--no-reload", "--allow", "updates"),
    ):
        ran = project.run(*words, *TARGET)
        assert ran.code == 0, ran.err


def test_after_an_import_an_adoption_and_an_apply_there_is_nothing_to_change(
    project: Project, conf: Path
) -> None:
    take_over(project)
    assert "No changes to files" in project.run("plan", *TARGET).out
    assert not (conf / "directory/default/reception.xml").exists()


def test_a_tree_whose_context_has_the_name_of_its_domain_is_taken_over(project: Project) -> None:
    """As FusionPBX writes them."""
    conf = handmade(project, fusionpbx())
    path = project.root / "fsgitops.yaml"
    places = f"conf_dir: conf, places: {{context: {DOMAIN}}},"
    path.write_text(path.read_text().replace("conf_dir: conf,", places))
    before = outcomes(project, "101", "102")
    take_over(project)
    assert "context" not in agents(project)["101"]
    assert "No changes to files" in project.run("plan", *TARGET).out
    assert outcomes(project, "101", "102") == before
    assert "a1-hash" in (conf / "directory/default/101.xml").read_text()


@pytest.mark.sweep
@pytest.mark.parametrize("name", ["vanilla", "insideout", "minimal"])
def test_a_stock_configuration_is_taken_over(project: Project, shared: Path, name: str) -> None:
    conf = handmade(project, {})
    shutil.copytree(shared / "freeswitch-conf" / name, conf, copy_function=shutil.copyfile)
    root = conf / "freeswitch.xml"
    if name == "insideout":  # as it is shipped, FreeSWITCH does not load it
        root.write_text(f'<document type="freeswitch/xml">\n{root.read_text()}</document>\n')
    ran = project.run("import", *TARGET)
    assert ("20 agents" in ran.out) is (name != "minimal")
    if name == "minimal":
        return
    for words in (
        ("adopt", ".", "--split", "--yes"),
        ("apply", "--yes", "--no-reload", "--allow", "updates"),
    ):
        ran = project.run(*words, *TARGET)
        assert ran.code == 0, ran.err
    assert "No changes to files" in project.run("plan", *TARGET).out


def outcomes(project: Project, *extensions: str) -> list[list[str]]:
    found = (
        project.run("trace", each, "--context", DOMAIN, "--json", *TARGET).json()
        for each in extensions
    )
    return [[way["end"]["told"] for way in trace["ways"]] for trace in found]


def test_the_plan_of_an_adoption_tells_nobody_of_a_password_or_a_pin_that_stays(
    project: Project, conf: Path
) -> None:
    for name in ("1001", "1002"):
        file = conf / f"directory/default/{name}.xml"
        password = 'name="password" value="$${default_password}"'
        file.write_text(re.sub(r'name="password" value="[^"]*"', password, file.read_text()))
    project.run("import", *TARGET)
    project.run("adopt", ".", "--split", "--yes", *TARGET)
    plan = project.run("plan", "--json", *TARGET).json()
    assert plan["tasks"] == []
    assert all("registration" not in change["dangers"] for change in plan["changes"])
    told = project.run("plan", *TARGET).out
    assert "password: (the same secret) -> (none)" in told
    assert "For people to do" not in told


def test_a_password_that_does_not_stay_is_told(project: Project, conf: Path) -> None:
    project.run("import", *TARGET)
    project.run("adopt", ".", "--split", "--yes", *TARGET)
    file = conf / "directory/default/1002.xml"
    file.write_text(file.read_text().replace("Bob/pw=22", "another"))
    plan = project.run("plan", "--json", *TARGET).json()
    assert [task["agents"] for task in plan["tasks"]] == [["1002"]]
