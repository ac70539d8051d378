"""What becomes of the passwords and PINs of a conf directory that is imported."""

from __future__ import annotations

import hashlib
import re
import stat
from typing import TYPE_CHECKING

import pytest
from handmade_trees import DOMAIN, ansible, whole
from leak_search import Search
from test_import import TARGET, agents, handmade, one_user

from fsgitops.secret.age import decrypt, load_identities

if TYPE_CHECKING:
    from pathlib import Path

    from project import Project


@pytest.fixture
def conf(project: Project) -> Path:
    return handmade(project, ansible())


def open_secret(project: Project, ciphertext: str) -> str:
    identities = load_identities({}, project.root / ".fsgitops/age-identity")
    return decrypt(ciphertext, identities, "here").reveal()


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
    assert found["files"] == [{"path": "desired/agents.yaml", "resources": 3}]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"challenge-realm": "asterisk"}, ["log in to one realm, asterisk (challenge-realm)"]),
        ({"challenge-realm": DOMAIN.upper()}, [f"one realm, {DOMAIN.upper()} (challenge-realm)"]),
        ({"force-register-domain": DOMAIN}, ["takes them for users of"]),
        ({"challenge-realm": "auto_from", "force-register-domain": DOMAIN}, ["takes them for"]),
        ({"challenge-realm": DOMAIN, "force-register-domain": DOMAIN}, []),
        ({"challenge-realm": "AUTO_FROM"}, []),
        ({}, []),
    ],
)
def test_a_realm_for_which_no_hash_is_is_told(
    project: Project, conf: Path, settings: dict[str, str], said: list[str]
) -> None:
    """FreeSWITCH hashes a password for the realm that it asks for; a hash is for one."""
    lines = [f'<param name="{name}" value="{value}"/>' for name, value in settings.items()]
    file = conf / "autoload_configs/sofia.conf.xml"
    text = file.read_text().replace("<settings>", "\n".join(["<settings>", *lines]), 1)
    file.write_text(text)
    found = project.run("import", "--json", "--dry-run", *TARGET).json()["realms"]
    assert len(found) == len(said)
    assert all(words in item["problem"] for words, item in zip(said, found, strict=True))
    told = "Phones cannot register with them" in project.run("import", "--dry-run", *TARGET).out
    assert told == bool(said)


def test_a_realm_is_nothing_to_users_who_have_only_a_hash(project: Project) -> None:
    conf = one_user(project, {"a1-hash": "ab" * 16, "vm-enabled": "false"}, whole("1001", "Alice"))
    file = conf / "autoload_configs/sofia.conf.xml"
    realm = '<settings>\n<param name="challenge-realm" value="asterisk"/>'
    file.write_text(file.read_text().replace("<settings>", realm, 1))
    assert project.run("import", "--json", "--dry-run", *TARGET).json()["realms"] == []


def test_a_variable_that_repeats_a_secret_of_the_preprocessor_is_not_written(
    project: Project,
) -> None:
    one_user(
        project, {"password": "pw"}, {**whole("1001", "A"), "accountcode": "$${default_password}"}
    )
    ran = project.run("import", *TARGET)
    assert "accountcode has a value that may be a secret" in ran.out
    assert "Hand+made1" not in ran.out
    assert not (project.root / "desired/agents.yaml").exists()
