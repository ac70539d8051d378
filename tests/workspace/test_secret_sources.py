"""Secrets from every place where one may stand, through the command line."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

import pytest
from secret_sources import EXTENSIONS, KINDS, NAMED, Planted, plant_secrets

from fsgitops.cli.outputs import FORMATS

if TYPE_CHECKING:
    from project import Project


@pytest.fixture
def planted(project: Project, monkeypatch: pytest.MonkeyPatch) -> Planted:
    return plant_secrets(project, monkeypatch)


def md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()


@pytest.mark.parametrize("kind", NAMED)
def test_a_secret_of_each_kind_becomes_the_hashes_of_its_agent(
    project: Project, planted: Planted, kind: str
) -> None:
    assert project.run("apply", "--yes").code == 0
    extension = EXTENSIONS[kind]
    text = (project.conf / f"directory/default/{extension}.xml").read_text()
    prefix = f"{extension}:sandbox.example:"
    assert f'"a1-hash" value="{md5(prefix + planted.passwords[kind])}"' in text
    assert f'"vm-a1-hash" value="{md5(prefix + planted.pins[kind])}"' in text


@pytest.mark.parametrize("kind", NAMED)
def test_credentials_reveal_a_secret_of_each_kind(
    project: Project, planted: Planted, kind: str
) -> None:
    data = project.run("credentials", EXTENSIONS[kind], "--reveal", "--json").json()
    assert (data["password"], data["voicemail_pin"]) == (
        planted.passwords[kind],
        planted.pins[kind],
    )


def test_after_an_apply_nothing_is_left_to_do(project: Project, planted: Planted) -> None:
    project.run("apply", "--yes")
    assert "No changes" in project.run("plan").out


def test_a_secret_that_changed_where_it_stands_is_a_change(
    project: Project, planted: Planted, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.run("apply", "--yes")
    monkeypatch.setenv("SECRET_PASSWORD", "another-one")
    (project.root / "outside/file-pin").write_text("260718")
    out = project.run("plan").out
    assert "Plan: 0 to create, 2 to change, 0 to delete" in out
    assert "a1-hash: (secret) -> (secret)" in out.partition(f"agent {EXTENSIONS['env']} ")[2]
    assert "vm-a1-hash: (secret) -> (secret)" in out.partition(f"agent {EXTENSIONS['file']} ")[2]


def test_validate_fetches_nothing(
    project: Project, planted: Planted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SECRET_PASSWORD")
    for path in (project.root / "outside").iterdir():
        path.unlink()
    monkeypatch.delenv("FSGITOPS_KEY")
    ran = project.run("validate")
    assert (ran.code, ran.err) == (0, "")


MISSING = {
    "env": "the environment variable SECRET_PASSWORD is not set",
    "file": "outside/file-password: cannot read the secret: No such file",
    "sops": "there is no program sops here",
    "age": "no age identity at hand",
    "command": "there is no program vault here",
}


@pytest.mark.parametrize("kind", sorted(MISSING))
def test_what_is_not_at_hand_is_known_after_apply_and_stops_an_apply(
    project: Project, planted: Planted, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.delenv("SECRET_PASSWORD")
    for name in ("file-password", "sops", "vault", "../.fsgitops/age-identity"):
        (project.root / "outside" / name).unlink()
    plan = project.run("plan")
    assert (plan.code, MISSING[kind] in plan.err) == (0, True), plan.err
    assert "(known after apply)" in plan.out
    ran = project.run("apply", "--yes")
    assert (ran.code, MISSING[kind] in ran.err) == (4, True), ran.err
    assert not (project.conf / "directory/default/2100.xml").exists()


def test_a_pull_request_from_a_fork_plans_without_a_key_and_runs_nothing(
    project: Project, planted: Planted, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran_file = project.root / "ran"
    project.write("outside/vault", f"#!/bin/sh\ntouch {ran_file}\n").chmod(0o755)
    project.write("outside/sops", f"#!/bin/sh\ntouch {ran_file}\n").chmod(0o755)
    monkeypatch.setenv("FSGITOPS_KEY", "")
    monkeypatch.setenv("SECRET_PASSWORD", "")
    assert project.run("validate").code == 0
    ran = project.run("plan")
    assert (ran.code, "Plan: 9 to create" in ran.out) == (0, True), ran.err
    assert not ran_file.exists()


def test_without_the_key_even_known_secrets_are_not_applied(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write(
        "desired/agents.yaml",
        "agents: [{extension: 1020, name: A, password: {env: ONE}}]\n",
    )
    monkeypatch.setenv("ONE", "known-here")
    monkeypatch.delenv("FSGITOPS_KEY")
    ran = project.run("apply", "--yes")
    assert (ran.code, "FSGITOPS_KEY" in ran.err) == (4, True)


def test_commands_run_only_where_the_project_allows_them(
    project: Project, planted: Planted
) -> None:
    path = project.root / "fsgitops.yaml"
    path.write_text(path.read_text().replace("allow_commands: true", "allow_commands: false"))
    ran = project.run("plan")
    assert (ran.code, "allow_commands" in ran.err) == (3, True)


def test_a_file_that_everybody_may_read_is_refused_at_plan(
    project: Project, planted: Planted
) -> None:
    (project.root / "outside/file-password").chmod(0o644)
    ran = project.run("plan")
    assert (ran.code, "chmod o-rwx" in ran.err) == (3, True)


def test_a_link_out_of_the_project_is_not_followed(project: Project, tmp_path: os.PathLike) -> None:
    precious = project.root.parent / "precious"
    precious.write_text("precious-value")
    precious.chmod(0o600)
    (project.root / "link").symlink_to(precious)
    project.write(
        "desired/agents.yaml", "agents: [{extension: 1020, name: A, password: {file: link}}]\n"
    )
    ran = project.run("plan")
    assert (ran.code, "leaves the project's directory" in ran.err) == (3, True)


def test_an_absolute_path_may_be_a_link_as_orchestrators_mount_them(
    project: Project, tmp_path: os.PathLike
) -> None:
    precious = project.root.parent / "precious"
    precious.write_text("precious-value\n")
    precious.chmod(0o600)
    link = project.root.parent / "link"
    link.symlink_to(precious)
    project.write(
        "desired/agents.yaml",
        f"agents: [{{extension: 1020, name: A, password: {{file: {link}}}}}]\n",
    )
    data = project.run("credentials", "1020", "--reveal", "--json").json()
    assert data["password"] == "precious-value"


@pytest.mark.parametrize(
    ("value", "rule", "code"),
    [("12", "voicemail-pin", 3), ("1020", "voicemail-pin", 3), ("123456", "weak-pin", 0),
     ("7391", "weak-pin", 0), ("820417", "", 0)],
)  # fmt: skip
def test_a_fetched_pin_is_judged_and_not_shown(
    project: Project, monkeypatch: pytest.MonkeyPatch, value: str, rule: str, code: int
) -> None:
    monkeypatch.setenv("PIN", value)
    project.write(
        "desired/agents.yaml",
        "agents: [{extension: 1020, name: A, voicemail: {pin: {env: PIN}}}]\n",
    )
    (project.root / "desired/routes.yaml").unlink()
    ran = project.run("plan")
    assert (ran.code, f"[{rule}]" in ran.err) == (code, bool(rule)), ran.err
    assert value == "1020" or value not in ran.err.replace("desired/agents.yaml:1:", "")


def test_the_same_password_in_two_places_is_found_once_it_is_fetched(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONE", "same-value")
    monkeypatch.setenv("TWO", "same-value")
    project.write(
        "desired/agents.yaml",
        "agents:\n"
        "  - {extension: 1020, name: A, password: {env: ONE}}\n"
        "  - {extension: 1021, name: B, password: {env: TWO}}\n",
    )
    assert project.run("validate").code == 0
    ran = project.run("plan")
    assert (ran.code, "[shared-password]" in ran.err, "same-value" in ran.err) == (3, True, False)


def test_a_password_in_plain_text_stops_everything(project: Project) -> None:
    project.write(
        "desired/agents.yaml", "agents: [{extension: 1020, name: A, password: hunter2}]\n"
    )
    for command in ("validate", "plan"):
        ran = project.run(command)
        assert (ran.code, "[plaintext-secret]" in ran.err, "hunter2" in ran.err) == (3, True, False)


def test_every_kind_of_source_has_an_agent_here() -> None:
    assert set(KINDS) == {"derived", *NAMED}
    assert len(EXTENSIONS) == 7


def test_a_secret_is_encrypted_for_the_recipients_and_opened_again(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    import io

    recipient = project.run("secret", "keygen").out.strip()
    project.write("fsgitops.yaml", f"project: test\nsecrets: {{age_recipients: [{recipient}]}}\n")
    monkeypatch.setattr("sys.stdin", io.StringIO("hidden here\n"))
    source = project.run("secret", "encrypt").out.strip()
    project.write(
        "desired/agents.yaml", f"agents: [{{extension: 1020, name: A, password: {source}}}]\n"
    )
    data = project.run("credentials", "1020", "--reveal", "--json").json()
    assert data["password"] == "hidden here"


def test_without_recipients_nothing_is_encrypted(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    import io

    monkeypatch.setattr("sys.stdin", io.StringIO("hidden here\n"))
    ran = project.run("secret", "encrypt")
    assert (ran.code, "age_recipients" in ran.err, ran.out) == (1, True, "")


def test_an_identity_is_private_and_never_overwritten(project: Project) -> None:
    project.run("secret", "keygen")
    path = project.root / ".fsgitops/age-identity"
    text = path.read_text()
    ran = project.run("secret", "keygen")
    assert (ran.code, path.read_text(), path.stat().st_mode & 0o777) == (1, text, 0o600)
    assert "AGE-SECRET-KEY" not in ran.out + ran.err


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(
    "field",
    [
        "password: *Hunter2geheim",
        "password: !Hunter2geheim",
        "password: !Hunter2geheim x",
        "password: !!Hunter2geheim",
        "password: &Hunter2geheim x",
        "password: {Hunter2geheim}",
        "password: [Hunter2geheim]",
        'password: "Hunter2geheim',
        "password: @Hunter2geheim",
        "voicemail: Hunter2geheim",
        "voicemail: {pin: Hunter2geheim}",
        "passwrod: Hunter2geheim",
    ],
)
def test_a_password_in_a_slip_of_the_pen_is_refused_and_not_shown(
    project: Project, field: str, form: str
) -> None:
    project.write(
        "desired/agents.yaml", f"agents:\n  - extension: 1020\n    name: A\n    {field}\n"
    )
    ran = project.run("validate", "--format", form)
    assert ran.code == 3
    assert "unter2" not in ran.out + ran.err
