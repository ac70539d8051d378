"""The `sops` program itself: what it decrypts, what it refuses, and what it changes on the way."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from real_sops import write_sops_file

from fsgitops.errors import SecretError, SecretUnavailableError
from fsgitops.secret.fetch import SecretFetcher, SecretPlace
from fsgitops.secret.source import read_source

if TYPE_CHECKING:
    from pathlib import Path

    from fsgitops.secret.value import Secret

FILES = {
    "yaml": ("agents:\n  - {pin: '004711', password: ü €}\n", "agents.0.password", "ü €"),
    "json": ('{"agents": {"1020": {"password": "a+/="}}}', "agents.1020.password", "a+/="),
    "env": ("PASSWORD=x=y z\n", "PASSWORD", "x=y z"),
    "ini": ("[phones]\nalice = hush\n", "phones.alice", "hush"),
}


def fetch(root: Path, file: str, key: str) -> Secret:
    fetcher = SecretFetcher(SecretPlace(root, dict(os.environ), root / "no-age-identity"))
    return fetcher.fetch(read_source({"sops": file, "key": key}))


@pytest.mark.parametrize("ending", sorted(FILES))
def test_a_value_of_a_file_of_each_format_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    text, key, secret = FILES[ending]
    write_sops_file(tmp_path / f"phones.{ending}", text, monkeypatch)
    assert secret not in (tmp_path / f"phones.{ending}").read_text()
    assert fetch(tmp_path, f"phones.{ending}", key).reveal() == secret


def test_leading_zeros_in_quotes_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_sops_file(tmp_path / "pins.yaml", "pin: '004711'\n", monkeypatch)
    assert fetch(tmp_path, "pins.yaml", "pin").reveal() == "004711"


@pytest.mark.parametrize("number", ["004711", "739182", "1e3", "0x10", "1.5"])
def test_a_number_is_refused_since_sops_may_have_changed_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: str
) -> None:
    write_sops_file(tmp_path / "pins.yaml", f"pin: {number}\n", monkeypatch)
    with pytest.raises(SecretError, match="write it in quotes") as caught:
        fetch(tmp_path, "pins.yaml", "pin")
    assert not isinstance(caught.value, SecretUnavailableError)


def test_without_the_key_the_secret_is_not_at_hand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_sops_file(tmp_path / "a.yaml", "a: word\n", monkeypatch)
    write_sops_file(tmp_path / "b.yaml", "a: word\n", monkeypatch)
    with pytest.raises(SecretUnavailableError, match="no key here can decrypt it"):
        fetch(tmp_path, "a.yaml", "a")


@pytest.mark.parametrize("part", ["a: ENC[AES256_GCM,data:", "open_unencrypted: "])
def test_a_file_that_somebody_changed_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    path = tmp_path / "a.yaml"
    write_sops_file(path, "a: a-long-word\nopen_unencrypted: AAAA\n", monkeypatch)
    before, _, after = path.read_text().partition(part)
    path.write_text(f"{before}{part}BBBB{after[4:]}")
    with pytest.raises(SecretError, match="was changed after it was encrypted") as caught:
        fetch(tmp_path, "a.yaml", "a")
    assert not isinstance(caught.value, SecretUnavailableError)


def test_a_file_that_is_not_encrypted_gives_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_sops_file(tmp_path / "other.yaml", "a: x\n", monkeypatch)
    (tmp_path / "a.yaml").write_text("a: in-the-clear\n")
    with pytest.raises(SecretError, match="a complete file that sops") as caught:
        fetch(tmp_path, "a.yaml", "a")
    assert not isinstance(caught.value, SecretUnavailableError)
    assert "in-the-clear" not in str(caught.value)


def test_a_file_that_is_cut_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.yaml"
    write_sops_file(path, "a: word\n", monkeypatch)
    path.write_bytes(path.read_bytes()[:150])
    with pytest.raises(SecretError) as caught:
        fetch(tmp_path, "a.yaml", "a")
    assert not isinstance(caught.value, SecretUnavailableError)


def test_a_date_is_refused_since_sops_makes_a_time_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_sops_file(tmp_path / "a.yaml", "bare: 2026-11-26\nquoted: '2026-11-26'\n", monkeypatch)
    assert fetch(tmp_path, "a.yaml", "quoted").reveal() == "2026-11-26"
    with pytest.raises(SecretError, match="write it in quotes"):
        fetch(tmp_path, "a.yaml", "bare")


@pytest.mark.parametrize("code", [24, 25, 51, 52])
def test_each_code_for_a_changed_file_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    program = tmp_path / "bin" / "sops"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\nexit {code}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    (tmp_path / "a.yaml").write_text("a: b\n")
    with pytest.raises(SecretError, match="was changed after it was encrypted"):
        fetch(tmp_path, "a.yaml", "a")


def test_the_project_s_keys_do_not_reach_sops(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_sops_file(tmp_path / "a.yaml", "a: word\n", monkeypatch)
    seen = tmp_path / "seen"
    program = tmp_path / "bin" / "sops"
    program.parent.mkdir()
    program.write_text(
        f'#!/bin/sh\nenv >{seen}\nexec "{os.environ["PATH"].split(":")[0]}/sops" "$@"\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("FSGITOPS_KEY", "the-project-key")
    assert fetch(tmp_path, "a.yaml", "a").reveal() == "word"
    assert "SOPS_AGE_KEY_FILE" in seen.read_text()
    assert "the-project-key" not in seen.read_text()
