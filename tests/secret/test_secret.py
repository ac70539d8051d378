from __future__ import annotations

import base64
import copy
import json
import os
import pickle
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsgitops.errors import SecretError
from fsgitops.secret.fetch import resolve_env_secret, resolve_file_secret
from fsgitops.secret.key import (
    ProjectKey,
    a1_hash,
    derive_sip_password,
    derive_voicemail_pin,
    is_weak_pin,
    keyed_digest,
    load_key,
    new_key,
    write_key_file,
)
from fsgitops.secret.value import Secret

KEY = ProjectKey(bytes(range(32)))
OTHER = ProjectKey(bytes(range(1, 33)))
TEXT = base64.b64encode(bytes(range(32))).decode()
HIDDEN = "correct horse battery staple"

extensions = st.from_regex(r"[0-9]{4,6}", fullmatch=True)
domains = st.from_regex(r"[a-z][a-z0-9.]{0,20}", fullmatch=True)
versions = st.integers(1, 10_000)


@pytest.mark.parametrize(
    "show", [str, repr, "{}".format, "{:>40}".format, "%s".__mod__, lambda secret: f"{secret!r}"]
)
def test_a_secret_never_prints(show):
    assert HIDDEN not in show(Secret(HIDDEN))
    assert "***" in show(Secret(HIDDEN))


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_secret_is_not_pickled(protocol):
    with pytest.raises(TypeError):
        pickle.dumps(Secret(HIDDEN), protocol)


def test_a_secret_is_not_json():
    with pytest.raises(TypeError):
        json.dumps({"password": Secret(HIDDEN)})


def test_a_secret_is_not_json_by_its_attributes_either():
    with pytest.raises(TypeError):
        vars(Secret(HIDDEN))


def test_copies_of_a_secret_are_the_secret_itself():
    secret = Secret(HIDDEN)
    assert copy.copy(secret) is secret
    assert copy.deepcopy([secret])[0] is secret


def test_a_secret_in_an_error_message_stays_hidden():
    with pytest.raises(ValueError) as caught:
        raise ValueError("wrong", Secret(HIDDEN))
    assert HIDDEN not in str(caught.value)


def test_a_secret_does_not_change():
    secret = Secret(HIDDEN)
    for name in (*Secret.__slots__, "other"):
        with pytest.raises(AttributeError):
            setattr(secret, name, "x")
        with pytest.raises(AttributeError):
            delattr(secret, name)
    assert secret.reveal() == HIDDEN


def test_a_secret_has_no_hash():
    with pytest.raises(TypeError):
        hash(Secret(HIDDEN))


def test_equal_secrets_are_equal_and_a_text_is_not_a_secret():
    assert Secret("ä") == Secret("ä")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"


@pytest.mark.parametrize(
    ("extension", "domain", "version", "password", "pin"),
    [
        ("1020", "pbx.example.com", 1, "H1WOMmitGTf25vh8ip7j8rmD", "684614"),
        ("1020", "pbx.example.com", 2, "B3IvZ1Amb5bJIV0C756L6mmz", "219549"),
        ("0100", "192.0.2.10", 1, "4vpvTLmunYS1o2Viwlpq451T", "906375"),
        ("999999", "a", 7, "dl4yNf6Lva9vXgUJ3h6oDmDr", "607967"),
    ],
)
def test_the_same_key_gives_the_same_password_for_ever(extension, domain, version, password, pin):
    assert derive_sip_password(KEY, extension, domain, version).reveal() == password
    assert derive_voicemail_pin(KEY, extension, domain, version).reveal() == pin


def test_the_password_is_the_one_that_rfc_5869_gives():
    """The same construction, written again with nothing but HMAC."""
    import hashlib
    import hmac

    def expand(key, info, length):
        block, out, count = b"", b"", 0
        while len(out) < length:
            count += 1
            block = hmac.new(key, block + info + bytes([count]), hashlib.sha256).digest()
            out += block
        return out[:length]

    root = hmac.new(b"fsgitops project key", bytes(range(32)), hashlib.sha256).digest()
    sip = expand(root, b"sip password", 32)
    parts = [b"1020", b"pbx.example.com", b"1"]
    info = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    stream = expand(sip, info + (0).to_bytes(4, "big"), 64)
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    expected = "".join(letters[byte % 62] for byte in stream if byte < 248)[:24]
    assert derive_sip_password(KEY, "1020", "pbx.example.com", 1).reveal() == expected


@given(extensions, domains, versions)
def test_a_password_is_24_letters_and_digits(extension, domain, version):
    password = derive_sip_password(KEY, extension, domain, version).reveal()
    assert re.fullmatch(r"[A-Za-z0-9]{24}", password)


@given(extensions, domains, versions)
def test_a_pin_is_6_digits_that_nobody_guesses_first(extension, domain, version):
    pin = derive_voicemail_pin(KEY, extension, domain, version).reveal()
    assert re.fullmatch(r"[0-9]{6}", pin)
    assert not is_weak_pin(pin, extension)


@pytest.mark.parametrize(
    ("pin", "extension"),
    [
        ("000000", "1020"), ("121212", "1020"), ("123456", "1020"), ("890123", "1020"),
        ("654321", "1020"), ("210987", "1020"), ("102042", "1020"), ("991020", "1020"),
        ("123123", "4567"), ("313313", "4567"), ("445566", "445566"),
    ],
)  # fmt: skip
def test_weak_pins_are_known(pin, extension):
    assert is_weak_pin(pin, extension)


def test_every_letter_is_as_likely_as_any_other():
    counts = dict.fromkeys("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", 0)
    for number in range(4000):
        for letter in derive_sip_password(KEY, f"{number:04d}", "d", 1).reveal():
            counts[letter] += 1
    expected = 4000 * 24 / 62
    chi_square = sum((count - expected) ** 2 / expected for count in counts.values())
    assert chi_square < 120  # 61 degrees of freedom: p is about 1e-5


@pytest.mark.parametrize("derive", [derive_sip_password, derive_voicemail_pin])
def test_extension_domain_and_version_cannot_be_mistaken_for_one_another(derive):
    given_parts = [("1020", "1.example", 1), ("1020", "1.example", 11), ("10201", ".example", 1),
                   ("102", "01.example", 1), ("1020", "1.example1", 1)]  # fmt: skip
    found = {derive(KEY, *parts).reveal() for parts in given_parts}
    assert len(found) == len(given_parts)


def test_another_key_gives_another_password():
    first, second = (derive_sip_password(key, "1020", "d", 1) for key in (KEY, OTHER))
    assert first != second


def test_the_a1_hash_is_the_digest_of_sip():
    # The example of RFC 2617, section 3.5.
    assert (
        a1_hash("Mufasa", "testrealm@host.com", Secret("Circle Of Life")).reveal()
        == "939e7578ed9e3c518a452acee763bce9"
    )


def test_a_key_id_tells_keys_apart_and_says_nothing_else():
    assert re.fullmatch(r"[0-9a-f]{16}", KEY.id)
    assert KEY.id != OTHER.id
    assert bytes(range(32)).hex()[:16] not in KEY.id
    assert repr(KEY) == f"ProjectKey(id='{KEY.id}')"


def test_a_key_is_not_pickled():
    with pytest.raises(TypeError):
        pickle.dumps(KEY)


def test_a_keyed_digest_needs_the_key():
    assert keyed_digest(None, b"data") is None
    assert keyed_digest(KEY, b"data") != keyed_digest(OTHER, b"data")
    assert keyed_digest(KEY, b"data") == keyed_digest(KEY, b"data")
    assert keyed_digest(KEY, b"data") != keyed_digest(KEY, b"Data")


def test_new_keys_differ_and_load():
    first, second = new_key(), new_key()
    assert first != second
    assert load_key({"FSGITOPS_KEY": first}, None).id != load_key({"FSGITOPS_KEY": second}, None).id


def test_the_environment_wins_over_the_file(tmp_path):
    write_key_file(tmp_path / "key")
    assert load_key({"FSGITOPS_KEY": f" {TEXT}\n"}, tmp_path / "key").id == KEY.id


@pytest.mark.parametrize("environ", [{}, {"FSGITOPS_KEY": ""}, {"FSGITOPS_KEY": " \n"}])
def test_no_key_anywhere_is_no_key(environ, tmp_path):
    assert load_key(environ, None) is None
    assert load_key(environ, tmp_path / "absent") is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("not base64 !", "not base64"), (TEXT[:-4], "32 bytes"), (TEXT + "AAAA", "base64|32 bytes"),
        ("ä" * 43 + "=", "not base64"), (base64.b64encode(b"\0" * 32).decode(), "placeholder"),
    ],
)  # fmt: skip
def test_a_malformed_key_is_refused_without_showing_it(text, reason):
    with pytest.raises(SecretError, match=reason) as caught:
        load_key({"FSGITOPS_KEY": text}, None)
    assert text not in str(caught.value)


@settings(max_examples=80)
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_any_text_as_a_key_is_a_key_or_a_secret_error(text):
    try:
        key = load_key({"FSGITOPS_KEY": text}, None)
    except SecretError as problem:
        assert len(text.strip()) < 6 or text.strip() not in str(problem)
    else:
        assert key is None or isinstance(key, ProjectKey)


def test_a_key_file_is_created_private_and_reads_back(tmp_path):
    path = tmp_path / "folder" / "key"
    before = os.umask(0)
    try:
        key = write_key_file(path)
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o600
    assert load_key({}, path).id == key.id


def test_a_key_file_is_never_overwritten(tmp_path):
    path = tmp_path / "key"
    write_key_file(path)
    content = path.read_bytes()
    with pytest.raises(SecretError, match="never overwritten"):
        write_key_file(path)
    assert path.read_bytes() == content


def test_a_key_file_is_not_written_through_a_link(tmp_path):
    (tmp_path / "key").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SecretError):
        write_key_file(tmp_path / "key")
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660, 0o610])
def test_a_key_file_that_others_may_read_is_refused(tmp_path, mode):
    path = tmp_path / "key"
    write_key_file(path)
    path.chmod(mode)
    with pytest.raises(SecretError, match="chmod 600"):
        load_key({}, path)


def test_a_stricter_mode_is_fine(tmp_path):
    path = tmp_path / "key"
    key = write_key_file(path)
    path.chmod(0o400)
    assert load_key({}, path).id == key.id


def test_a_link_to_a_key_file_is_refused(tmp_path):
    write_key_file(tmp_path / "real")
    (tmp_path / "key").symlink_to(tmp_path / "real")
    with pytest.raises(SecretError, match="symbolic link"):
        load_key({}, tmp_path / "key")


@pytest.mark.parametrize("make", [Path.mkdir, lambda path: os.mkfifo(path, 0o600)])
def test_a_key_file_is_a_plain_file(tmp_path, make):
    make(tmp_path / "key")
    (tmp_path / "key").chmod(0o700)
    with pytest.raises(SecretError, match="key file"):
        load_key({}, tmp_path / "key")


def test_a_key_file_of_another_user_is_refused(tmp_path, monkeypatch):
    write_key_file(tmp_path / "key")
    someone_else = os.geteuid() + 1
    monkeypatch.setattr(os, "geteuid", lambda: someone_else)
    with pytest.raises(SecretError, match="another user"):
        load_key({}, tmp_path / "key")


def test_a_secret_from_the_environment():
    assert resolve_env_secret("ESL", {"ESL": HIDDEN}).reveal() == HIDDEN


@pytest.mark.parametrize("environ", [{}, {"ESL": ""}])
def test_a_missing_variable_is_named(environ):
    with pytest.raises(SecretError, match="ESL is not set"):
        resolve_env_secret("ESL", environ)


@pytest.mark.parametrize("value", ["a\nb", "a\rb", "a\0b", "\x7f"])
def test_a_secret_of_two_lines_is_refused_without_showing_it(value):
    with pytest.raises(SecretError, match="one line") as caught:
        resolve_env_secret("ESL", {"ESL": value})
    assert value not in str(caught.value)


def test_a_secret_from_a_file_without_its_newline(tmp_path):
    path = tmp_path / "esl"
    path.write_text(HIDDEN + "\n")
    path.chmod(0o640)
    assert resolve_file_secret(path).reveal() == HIDDEN


def test_a_secret_file_that_everybody_may_read_is_refused(tmp_path):
    path = tmp_path / "esl"
    path.write_text(HIDDEN)
    path.chmod(0o644)
    with pytest.raises(SecretError, match="chmod o-rwx") as caught:
        resolve_file_secret(path)
    assert HIDDEN not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe", b"a\nb\n"])
def test_a_secret_file_without_one_secret_in_it_is_refused(tmp_path, content):
    path = tmp_path / "esl"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(SecretError):
        resolve_file_secret(path)


@pytest.mark.parametrize("name", ["absent", "."])
def test_a_secret_file_that_is_none_is_refused(tmp_path, name):
    with pytest.raises(SecretError):
        resolve_file_secret(tmp_path / name)
