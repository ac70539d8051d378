"""Declaring what stands in a conf directory, from the command line."""

from __future__ import annotations

import hashlib
import json
import re
import stat
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from handmade_trees import DOMAIN, ansible, fusionpbx, included, one_file, user, whole, write_tree
from leak_search import Search

from fsgitops.secret.age import decrypt, load_identities

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


def open_secret(project: Project, ciphertext: str) -> str:
    identities = load_identities({}, project.root / ".fsgitops/age-identity")
    return decrypt(ciphertext, identities, "here").reveal()


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


# Secrets


def test_passwords_are_encrypted_for_an_identity_that_is_made_where_there_is_none(
    project: Project, conf: Path
) -> None:
    ran = project.run("import", *TARGET)
    found = agents(project)
    assert open_secret(project, found["1001"]["password"]["age"]) == "Alice/pw=1"
    assert open_secret(project, found["1001"]["voicemail"]["pin"]["age"]) == "739182"
    identity = project.root / ".fsgitops/age-identity"
    assert stat.S_IMODE(identity.stat().st_mode) == 0o600
    assert "Phones that must register anew: none" in ran.out
    assert project.run("plan", *TARGET, "--json").json()["unknown_secrets"] is False


def test_a_password_that_several_share_is_kept_as_a_hash_of_each_and_told(
    project: Project, conf: Path
) -> None:
    for name in ("1001", "1002"):
        file = conf / f"directory/default/{name}.xml"
        shared = re.sub(
            r'name="password" value="[^"]*"',
            'name="password" value="$${default_password}"',
            file.read_text(),
        )
        file.write_text(shared)
    ran = project.run("import", *TARGET)
    text = f"1001:{DOMAIN}:Hand+made1"
    wanted = hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
    assert open_secret(project, agents(project)["1001"]["password"]["a1"]["age"]) == wanted
    assert "others have too, so that each can register as the other: 1001, 1002" in (
        " ".join(ran.out.split())
    )
    assert project.run("plan", *TARGET).code == 0


def test_a_hash_stays_the_hash_that_it_is(project: Project) -> None:
    one_user(project, {"a1-hash": "AB" * 16, "vm-enabled": "false"}, whole("1001", "Alice"))
    project.run("import", *TARGET)
    assert open_secret(project, agents(project)["1001"]["password"]["a1"]["age"]) == "ab" * 16
    assert project.run("compile", "--out", str(project.root / "out"), *TARGET).code == 0
    assert f'"a1-hash" value="{"ab" * 16}"' in (
        (project.root / "out/directory/default/1001.xml").read_text()
    )


def test_a_password_that_is_only_known_as_a_hash_is_not_shown(project: Project) -> None:
    one_user(project, {"a1-hash": "ab" * 16}, whole("1001", "Alice"))
    project.run("import", *TARGET)
    ran = project.run("credentials", "1001", "--reveal", *TARGET)
    assert (ran.code, "only the a1-hash of its SIP password is known" in ran.err) == (1, True)


def test_secrets_as_variables_stand_in_a_file_that_git_does_not_see(
    project: Project, conf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = project.run("import", "--secrets", "env", *TARGET)
    assert agents(project)["1001"]["password"] == {"env": "FSGITOPS_SIP_1001"}
    path = project.root / ".fsgitops/imported.env"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert (project.root / ".fsgitops/.gitignore").read_text() == "*\n"
    assert "imported.env" in ran.out
    assert "FSGITOPS_SIP_1001=Alice/pw=1\n" in path.read_text()
    assert project.run("plan", "--json", *TARGET).json()["unknown_secrets"] is True
    for line in path.read_text().splitlines():
        name, _, value = line.partition("=")
        monkeypatch.setenv(name, value.strip("'"))
    assert project.run("plan", "--json", *TARGET).json()["unknown_secrets"] is False


def test_secrets_of_an_earlier_import_are_not_overwritten(project: Project, conf: Path) -> None:
    project.run("import", "--secrets", "env", *TARGET)
    before = (project.root / ".fsgitops/imported.env").read_text()
    ran = project.run("import", "--secrets", "env", "--force", *TARGET)
    assert (ran.code, "an earlier import" in ran.err) == (1, True)
    assert (project.root / ".fsgitops/imported.env").read_text() == before


def test_with_derived_passwords_every_phone_is_told_to_register_anew(
    project: Project, conf: Path
) -> None:
    ran = project.run("import", "--secrets", "derive", *TARGET)
    assert "Phones that must register anew: 1001, 1002, 1003" in ran.out
    assert "password" not in agents(project)["1001"]


def test_hashes_can_stand_in_the_yaml(project: Project, conf: Path) -> None:
    project.run("import", "--secrets", "a1", *TARGET)
    text = f"reception:{DOMAIN}:Desk/pw=3"
    wanted = hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
    assert agents(project)["1003"]["password"] == {"a1": wanted}
    assert project.run("plan", *TARGET).code == 0


def test_a_pin_that_anybody_guesses_becomes_another_and_that_is_told(project: Project) -> None:
    one_user(project, {"password": "x", "vm-password": "1001"}, whole("1001", "Alice"))
    found = project.run("import", "--json", *TARGET).json()
    assert [item["agent"] for item in found["new_pins"]] == ["1001"]
    assert "is the extension" in found["new_pins"][0]["reason"] or found["new_pins"][0][
        "reason"
    ].startswith("the extension")
    assert agents(project)["1001"]["voicemail"] == "true"


@pytest.mark.parametrize("how", ["age", "env", "derive", "a1"])
@pytest.mark.parametrize("form", [(), ("--json",), ("--dry-run",)])
def test_no_password_is_printed_or_written(
    project: Project, conf: Path, how: str, form: tuple[str, ...]
) -> None:
    search = Search(
        {"alice": "Alice/pw=1", "bob": "Bob/pw=22", "desk": "Desk/pw=3", "pin": "739182"}
    )
    ran = project.run("import", "--secrets", how, *form, *TARGET)
    found = search.find("printed", (ran.out + ran.err).encode())
    for path in project.root.rglob("*"):
        name = str(path.relative_to(project.root))
        if path.is_file() and not name.startswith(("conf/", ".fsgitops/imported.env")):
            found += search.find(name, path.read_bytes())
    assert found == []


def test_the_output_as_json_is_documented(project: Project, conf: Path) -> None:
    found = project.run("import", "--json", *TARGET).json()
    assert [item["resource"] for item in found["imported"]] == [
        "agent:1001",
        "agent:1002",
        "agent:1003",
    ]
    assert json.dumps(found["files"]) == '[{"path": "desired/agents.yaml", "resources": 3}]'


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
