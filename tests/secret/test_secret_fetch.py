"""Where secrets stand: reading the source, and opening it without trusting it."""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from real_sops import write_sops_file

from fsgitops.errors import SecretError, SecretUnavailableError
from fsgitops.secret import fetch
from fsgitops.secret.age import encrypt, load_identities, read_ciphertext, write_identity
from fsgitops.secret.fetch import SecretFetcher, SecretPlace, pick_value
from fsgitops.secret.source import SourceError, describe_source, identify_source, read_source
from fsgitops.secret.value import Secret

if TYPE_CHECKING:
    from pathlib import Path


def fetcher(root: Path, environ: dict[str, str] | None = None, **options: Any) -> SecretFetcher:
    environ = {"PATH": os.environ["PATH"], **(environ or {})}
    return SecretFetcher(
        SecretPlace(root, environ, root / "identity", **{"allow_commands": True, **options})
    )


def python(code: str) -> dict[str, list[str]]:
    return {"command": [sys.executable, "-c", code]}


KEYS = st.sampled_from(
    ["env", "file", "sops", "key", "age", "command", "plaintext", "value", "else"]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)


@given(VALUES)
def test_any_value_is_a_source_or_refused_in_words(value: object) -> None:
    try:
        source = read_source(value)
    except SourceError as problem:
        assert str(problem)
    else:
        assert describe_source(source)
        assert identify_source(source) == identify_source(read_source(value))


@given(st.text(min_size=8, max_size=40))
def test_a_plaintext_is_never_shown_by_its_source(text: str) -> None:
    for source in (read_source(text), read_source({"plaintext": "true", "value": text})):
        assert text not in repr(source)
        assert text not in describe_source(source)


@given(st.text(max_size=40))
def test_an_absolute_or_inner_path_is_all_that_a_file_may_be(path: str) -> None:
    try:
        source = read_source({"file": path})
    except SourceError:
        return
    assert path.startswith("/") or ".." not in path.split("/")
    assert source.file == path  # type: ignore[union-attr]


def test_a_command_that_prints_a_secret_is_run_once(tmp_path: Path) -> None:
    source = read_source(python("print('x', file=open('ran', 'a')); print('value')"))
    one = fetcher(tmp_path)
    assert [one.fetch(source).reveal() for _ in range(3)] == ["value"] * 3
    assert (tmp_path / "ran").read_text() == "x\n"


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("import sys; sys.stderr.write('s3cret'); sys.exit(3)", SecretUnavailableError),
        ("pass", SecretError),
        ("print('two\\nlines')", SecretError),
        ("import sys; sys.stdout.buffer.write(b'\\xff')", SecretError),
        ("import sys; print(sys.stdin.read() or input())", SecretUnavailableError),
    ],
)
def test_a_command_that_gives_no_secret_is_told_without_its_words(
    tmp_path: Path, code: str, error: type[SecretError]
) -> None:
    with pytest.raises(error) as caught:
        fetcher(tmp_path).fetch(read_source(python(code)))
    assert type(caught.value) is error
    assert "s3cret" not in str(caught.value)


def test_a_command_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "PROGRAM_SECONDS", 0.3)
    hanging = read_source(python("import signal; signal.pause()"))
    with pytest.raises(SecretUnavailableError, match="no answer"):
        fetcher(tmp_path).fetch(hanging)


def test_a_command_never_sees_the_project_s_own_secrets(tmp_path: Path) -> None:
    ours = {"FSGITOPS_KEY": "k", "FSGITOPS_KEY_NEXT": "n", "FSGITOPS_ESL_PASSWORD": "p"}
    code = "import os; print([n for n in os.environ if 'FSGITOPS' in n], os.environ['VAULT'])"
    found = fetcher(tmp_path, {**ours, "VAULT": "v"}).fetch(read_source(python(code)))
    assert found.reveal() == "[] v"


def test_a_command_is_not_run_where_it_is_not_allowed(tmp_path: Path) -> None:
    source = read_source(python("open('ran', 'w')"))
    for options in ({"allow_commands": False}, {"trusted": False}):
        with pytest.raises(SecretError):
            fetcher(tmp_path, **options).fetch(source)
    assert not (tmp_path / "ran").exists()


def test_no_shell_reads_the_words_of_a_command(tmp_path: Path) -> None:
    words = [sys.executable, "-c", "import sys; print(sys.argv[1])", "$(touch ran); `x` *"]
    found = fetcher(tmp_path).fetch(read_source({"command": words}))
    assert (found.reveal(), (tmp_path / "ran").exists()) == (words[3], False)


@pytest.mark.parametrize("armored", [False, True])
def test_what_age_encrypted_is_opened_with_the_identity(tmp_path: Path, armored: bool) -> None:
    import pyrage

    recipient = write_identity(tmp_path / "identity")
    text = encrypt(Secret("ünder lock"), [recipient])
    if armored:
        keys = [pyrage.x25519.Recipient.from_str(recipient)]
        text = pyrage.encrypt("ünder lock".encode(), keys, armored=True).decode()
    assert fetcher(tmp_path).fetch(read_source({"age": text})).reveal() == "ünder lock"


def test_a_command_that_never_stops_printing_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch, "OUTPUT_LIMIT", 100_000)
    source = read_source(python("while True: print('x' * 1000)"))
    with pytest.raises(SecretError, match="printed more than a secret"):
        fetcher(tmp_path).fetch(source)


def test_what_a_late_command_started_ends_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch, "PROGRAM_SECONDS", 3.0)
    pipe = tmp_path / "alive"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    code = "import os, sys, time; os.fork(); f = open(sys.argv[1], 'w'); time.sleep(60)"
    source = read_source({"command": [sys.executable, "-c", code, str(pipe)]})
    with pytest.raises(SecretUnavailableError, match="no answer within"):
        fetcher(tmp_path).fetch(source)
    # An end to read is there only once nobody holds the other side any more.
    assert select.select([reader], [], [], 20)[0]
    assert os.read(reader, 1) == b""
    os.close(reader)


def run_age(*words: str, text: str) -> bytes:
    found = shutil.which("age")
    if found is None:
        pytest.skip("the program age is not installed")
    done = subprocess.run([found, *words], input=text.encode(), capture_output=True, check=True)
    return done.stdout


@pytest.mark.parametrize("flags", [("--armor",), ()])
def test_what_the_program_age_encrypted_is_opened(tmp_path: Path, flags: tuple[str, ...]) -> None:
    recipient = write_identity(tmp_path / "identity")
    content = run_age(*flags, "--recipient", recipient, text="ünder lock\n")
    text = content.decode() if flags else base64.b64encode(content).decode()
    assert fetcher(tmp_path).fetch(read_source({"age": text})).reveal() == "ünder lock"


def test_the_program_age_opens_what_was_encrypted_here(tmp_path: Path) -> None:
    recipient = write_identity(tmp_path / "identity")
    (tmp_path / "file").write_bytes(base64.b64decode(encrypt(Secret("ünder lock"), [recipient])))
    words = ("--decrypt", "--identity", str(tmp_path / "identity"), str(tmp_path / "file"))
    assert run_age(*words, text="").decode() == "ünder lock"


def test_an_identity_in_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    recipient = write_identity(tmp_path / "other")
    write_identity(tmp_path / "identity")
    environ = {"FSGITOPS_AGE_IDENTITY": (tmp_path / "other").read_text()}
    source = read_source({"age": encrypt(Secret("x"), [recipient])})
    assert fetcher(tmp_path, environ).fetch(source).reveal() == "x"
    with pytest.raises(SecretUnavailableError, match="no age identity at hand opens it"):
        fetcher(tmp_path).fetch(source)


def test_an_identity_that_others_may_read_is_refused(tmp_path: Path) -> None:
    write_identity(tmp_path / "identity")
    (tmp_path / "identity").chmod(0o644)
    with pytest.raises(SecretError, match="chmod 600"):
        load_identities({}, tmp_path / "identity")


def test_a_malformed_identity_is_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(SecretError) as caught:
        load_identities({"FSGITOPS_AGE_IDENTITY": "AGE-SECRET-KEY-1BROKEN"}, tmp_path)
    assert "BROKEN" not in str(caught.value)


@given(st.text(max_size=60) | st.binary(max_size=60).map(lambda data: data.decode("latin-1")))
def test_nothing_but_an_age_file_is_a_ciphertext(text: str) -> None:
    assert read_ciphertext(text) is None


@pytest.mark.parametrize(
    ("key", "found"),
    [("a.b", "x"), ("list.1", "2")],
)
def test_a_dotted_key_leads_to_a_text(key: str, found: str) -> None:
    values = json.loads('{"a": {"b": "x"}, "list": ["1", "2"]}')
    assert pick_value(values, key, "here").reveal() == found


@pytest.mark.parametrize("key", ["a", "a.c", "list.9", "list.x", "list.²", "yes", "none", "a.b.c"])
def test_a_key_that_leads_to_no_text_is_told(key: str) -> None:
    values = json.loads('{"a": {"b": "x"}, "list": ["1"], "yes": true, "none": null}')
    with pytest.raises(SecretError, match="here"):
        pick_value(values, key, "here")


@pytest.mark.parametrize("value", ["a\nb", "a\0b", "a\x7f", "\udc80"])
def test_what_is_not_one_line_of_text_is_no_secret(tmp_path: Path, value: str) -> None:
    with pytest.raises(SecretError) as caught:
        fetcher(tmp_path, {"ONE": value}).fetch(read_source({"env": "ONE"}))
    assert not isinstance(caught.value, SecretUnavailableError)


def test_a_byte_order_mark_is_no_part_of_a_secret(tmp_path: Path) -> None:
    place = tmp_path / "pin"
    place.write_bytes(b"\xef\xbb\xbf739184\r\n")
    place.chmod(0o600)
    source = read_source({"file": "pin"})
    assert source is not None
    assert fetcher(tmp_path).fetch(source).reveal() == "739184"


def test_a_file_that_is_a_pipe_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    with pytest.raises(SecretError, match="plain file"):
        fetcher(tmp_path).fetch(read_source({"file": "pipe"}))


@pytest.mark.parametrize("link", ["../out", "/etc/hostname"])
def test_a_relative_path_never_leaves_the_root_by_a_link(tmp_path: Path, link: str) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "out").write_text("x")
    (root / "inner").symlink_to(link)
    with pytest.raises(SecretError, match="leaves the project"):
        fetcher(root).fetch(read_source({"file": "inner"}))
    with pytest.raises(SecretError, match="leaves the project"):
        fetcher(root).fetch(read_source({"sops": "inner", "key": "a"}))


@pytest.mark.parametrize("kind", ["env", "file", "sops", "age", "command", "plaintext"])
def test_the_esl_password_stands_wherever_a_secret_may(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    from fsgitops.live.connect import read_password
    from fsgitops.workspace.open import open_workspace

    (tmp_path / "secret").write_text("esl-word")
    (tmp_path / "secret").chmod(0o600)
    write_sops_file(tmp_path / "secret.yaml", "a: esl-word\n", monkeypatch)
    monkeypatch.setenv("ONE", "esl-word")
    monkeypatch.delenv("FSGITOPS_ESL_PASSWORD", raising=False)
    monkeypatch.delenv("FS_ESL_PASSWORD", raising=False)
    recipient = write_identity(tmp_path / ".fsgitops/age-identity")
    sources: dict[str, Any] = {
        "env": {"env": "ONE"},
        "file": {"file": "secret"},
        "sops": {"sops": "secret.yaml", "key": "a"},
        "age": {"age": encrypt(Secret("esl-word"), [recipient])},
        "command": python("print('esl-word')"),
        "plaintext": {"plaintext": True, "value": "esl-word"},
    }
    target = {"conf_dir": "c", "domain": "d.example", "esl": {"password": sources[kind]}}
    text = json.dumps({"secrets": {"allow_commands": True}, "targets": {"prod": target}})
    (tmp_path / "fsgitops.yaml").write_text(text)
    workspace = open_workspace(tmp_path, "prod")
    assert read_password(workspace.target, tmp_path) == "esl-word"


@pytest.mark.parametrize(
    "password",
    ["hunter2", {"plaintext": "maybe", "value": "hunter2"}, ["hunter2"], {"x": "hunter2"}],
)
def test_an_esl_password_that_is_none_is_found_and_not_shown(
    tmp_path: Path, password: object
) -> None:
    from fsgitops.errors import DesiredInvalidError
    from fsgitops.workspace.open import open_workspace

    target = {"conf_dir": "c", "domain": "d.example", "esl": {"password": password}}
    (tmp_path / "fsgitops.yaml").write_text(json.dumps({"targets": {"prod": target}}))
    with pytest.raises(DesiredInvalidError) as caught:
        open_workspace(tmp_path, "prod")
    assert "hunter2" not in str(caught.value)
