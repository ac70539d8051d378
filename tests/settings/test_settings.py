"""fsgitops.yaml and the environment."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsgitops.errors import DesiredInvalidError, UsageError
from fsgitops.findings import Position
from fsgitops.kinds import BUILT_IN
from fsgitops.secret.source import read_source
from fsgitops.settings import build_settings
from fsgitops.settings.target import Environment, read_environment, select_target

PROD = {"conf_dir": "/etc/freeswitch", "domain": "pbx.example.com"}
ROOT = Path("/project")
SECTIONS = ("agents", "did_routes")


def locate(path, *, key=False):
    return Position("fsgitops.yaml", len(path), 2 if key else 1)


def build(data, **environ):
    return build_settings(data, locate, Environment.model_construct(**environ), SECTIONS)


def refused(data):
    with pytest.raises(DesiredInvalidError) as caught:
        build(data)
    return caught.value.findings


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch):
    import os

    for name in list(os.environ):
        if name.startswith(("FSGITOPS_", "FS_", "DEFAULT_CALLER_")):
            monkeypatch.delenv(name)


def target(data, name=None):
    environment = read_environment()
    return select_target(
        build_settings(data, locate, environment, SECTIONS), name, ROOT, environment
    )


def test_an_empty_file_has_every_default():
    settings = build({})
    assert (settings.desired, settings.templates, settings.targets) == ("desired", "templates", {})


def test_a_password_comes_from_the_environment_or_a_file():
    esl = [{"password": {"env": "NAME"}}, {"password": {"file": "secret"}}]
    found = [
        build({"targets": {"prod": {**PROD, "esl": each}}}).targets["prod"].esl.password
        for each in esl
    ]
    assert found == [read_source({"env": "NAME"}), read_source({"file": "secret"})]


def test_a_password_in_plain_text_is_one_finding_that_does_not_repeat_it():
    [finding] = refused({"targets": {"prod": {**PROD, "esl": {"password": "hunter2"}}}})
    assert finding.rule == "plaintext-secret"
    assert "hunter2" not in str(finding)


def test_an_unknown_key_is_placed_at_the_key_with_a_suggestion():
    [finding] = refused({"targets": {"prod": {**PROD, "esl": {"hots": "x"}}}})
    assert finding.position == Position("fsgitops.yaml", 4, 2)
    assert "`host`" in finding.hint


def test_every_finding_of_the_settings_comes_at_once():
    assert len(refused({"default_region": "usa", "rules": {"x": "maybe"}, "nonsense": "1"})) == 3


def test_the_sandbox_cannot_be_declared():
    [finding] = refused({"targets": {"sandbox": PROD}})
    assert "built in" in finding.message


def test_the_sandbox_is_the_default_target():
    assert target({"targets": {"prod": PROD}}).simulated


def test_the_environment_names_the_target(monkeypatch):
    monkeypatch.setenv("FSGITOPS_TARGET", "prod")
    assert target({"targets": {"prod": PROD}}).name == "prod"


def test_an_option_wins_over_the_environment(monkeypatch):
    monkeypatch.setenv("FSGITOPS_TARGET", "prod")
    assert target({"targets": {"prod": PROD}}, "sandbox").simulated


@pytest.mark.parametrize(
    ("host", "port"), [("FSGITOPS_ESL_HOST", "FSGITOPS_ESL_PORT"), ("FS_HOST", "FS_ESL_PORT")]
)
def test_both_families_of_names_move_the_event_socket(monkeypatch, host, port):
    monkeypatch.setenv(host, "192.0.2.9")
    monkeypatch.setenv(port, "18443")
    esl = target({"targets": {"prod": PROD}}, "prod").esl
    assert (esl.host, esl.port) == ("192.0.2.9", 18443)


def test_our_own_names_win_over_the_older_ones(monkeypatch):
    monkeypatch.setenv("FS_HOST", "192.0.2.1")
    monkeypatch.setenv("FSGITOPS_ESL_HOST", "192.0.2.2")
    assert target({"targets": {"prod": PROD}}, "prod").esl.host == "192.0.2.2"


def test_the_environment_never_moves_the_sandbox(monkeypatch):
    monkeypatch.setenv("FS_HOST", "192.0.2.1")
    monkeypatch.setenv("FSGITOPS_CONF_DIR", "/etc/freeswitch")
    sandbox = target({})
    assert (sandbox.esl.host, sandbox.conf_dir.is_relative_to(ROOT)) == ("127.0.0.1", True)


@pytest.mark.parametrize("name", ["FSGITOPS_DEFAULT_CALLER_ID", "DEFAULT_CALLER_ID"])
def test_the_environment_gives_the_default_caller_id(monkeypatch, name):
    monkeypatch.setenv(name, "+19495431333")
    assert (
        build_settings({}, locate, read_environment(), SECTIONS).default_caller_id == "+19495431333"
    )


@pytest.mark.parametrize("field", ["project", "desired", "templates", "key_file"])
def test_the_environment_overrides_the_file(monkeypatch, field):
    monkeypatch.setenv(f"FSGITOPS_{field.upper()}", "other")
    settings = build_settings({field: "declared"}, locate, read_environment(), SECTIONS)
    assert getattr(settings, field) == "other"


def test_a_password_in_the_environment_is_never_shown(monkeypatch):
    monkeypatch.setenv("FS_ESL_PASSWORD", "hunter2")
    found = target({"targets": {"prod": PROD}}, "prod")
    assert found.esl_password is not None
    assert "hunter2" not in repr(found) + str(found) + str(asdict(found))


def test_a_port_that_is_not_a_number_is_wrong_usage(monkeypatch):
    monkeypatch.setenv("FS_ESL_PORT", "abc")
    with pytest.raises(UsageError, match="PORT"):
        read_environment()


def test_a_relative_conf_dir_is_below_the_project():
    found = target({"targets": {"prod": {**PROD, "conf_dir": "conf"}}}, "prod")
    assert (found.conf_dir, found.state_dir) == (ROOT / "conf", ROOT / "conf/.fsgitops")


@pytest.mark.parametrize("domain", ["a b", "x;y", "${domain}", "a_b", "-x", "x..y", "a/b", ""])
def test_a_domain_is_a_host_name_or_an_address(domain):
    assert refused({"targets": {"prod": {**PROD, "domain": domain}}})


@given(
    data=st.recursive(
        st.none() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["targets", "project", "esl", "password", "rules", "defaults", "x"]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    ).filter(lambda value: isinstance(value, dict))
)
def test_no_data_raises_anything_but_findings(data):
    try:
        build(data)
    except DesiredInvalidError as problem:
        assert problem.findings


def test_a_malformed_environment_variable_is_named_as_the_user_wrote_it(monkeypatch):
    monkeypatch.setenv("FSGITOPS_DOMAIN", "a b")
    with pytest.raises(UsageError, match="variable FSGITOPS_DOMAIN: expected"):
        read_environment()


def _paths(schema, path=()):
    """Yield the path of every setting that holds a value, with a name where users choose one."""
    for name, inner in schema.get("properties", {}).items():
        yield from _below(inner, (*path, name))
    for inner in schema.get("patternProperties", {}).values():
        if inner.get("properties"):
            yield from _below(inner, (*path, "prod"))


def _below(schema, path):
    inside = list(_paths(schema, path))
    yield from inside or [path]
    for part in [schema.get("items") or {}, *schema.get("anyOf", ())]:
        yield from _paths(part, path) if part.get("properties") else ()


def _place(path, value):
    for name in reversed(path):
        value = {name: value}
    return value


def _every_setting():
    from fsgitops.commands.schema import settings_schema

    return [path for path in _paths(settings_schema(BUILT_IN)) if path[:1] != ("defaults",)]


@pytest.mark.parametrize("path", _every_setting(), ids=".".join)
def test_what_is_wrong_with_a_setting_is_said_in_words(path):
    wrong = ["\x01 ^", "", " ", -1, 10**20, 1.5, [], {}, True, None, float("nan"), [[]], {"a": []}]
    for value in wrong:
        try:
            build(_place(path, value))
        except DesiredInvalidError as problem:
            told = " ".join(f"{item.message} {item.hint}" for item in problem.findings)
            told = told.replace(repr(value), "")
            assert "Input" not in told
            assert "valid" not in told
            assert "matches" not in told
            assert "[A-Z" not in told
            assert "expected" in told or "Write {env: NAME}" in told or "unknown key" in told


@pytest.mark.parametrize("domain", ["a b", "-x"])
def test_a_wrong_domain_and_region_are_told_with_an_example(domain):
    found = refused({"default_region": "usa", "targets": {"prod": {**PROD, "domain": domain}}})
    assert [item.message for item in found] == [
        "`default_region`: found 'usa', expected a country's two capital letters, such as US",
        f"`targets.prod.domain`: found {domain!r}, expected a host name or an IPv4 address,"
        " such as pbx.example.com",
    ]


@pytest.mark.parametrize(
    ("name", "words"), [("FSGITOPS_DOMAIN", "a host name"), ("FSGITOPS_DEFAULT_REGION", "US")]
)
def test_a_malformed_environment_variable_is_told_in_words(monkeypatch, name, words):
    monkeypatch.setenv(name, "^")
    with pytest.raises(UsageError, match=words) as caught:
        read_environment()
    assert "[A-Z" not in str(caught.value)


@pytest.mark.parametrize(
    "data",
    [
        {"cdr": {"http_credential": "operator:hunter2"}},
        {"cdr": {"http_credential": {"env": "operator:hunter2"}}},
        {"cdr": {"http_credential": ["hunter2"]}},
        {"targets": {"prod": {**PROD, "esl": {"password": ["hunter2"]}}}},
    ],
)
def test_no_finding_repeats_a_secret(data):
    assert "hunter2" not in "".join(str(item) for item in refused(data))


def test_an_unknown_section_of_defaults_is_found_with_all_that_is_wrong():
    found = refused({"defaults": {"agnets": {}, "agents": {}, "did_routes": 5}, "nothing": 1})
    assert [(item.message, item.hint) for item in found] == [
        ("unknown key `agnets`", "Did you mean `agents`?"),
        ("`defaults.did_routes`: found 5, expected a mapping", ""),
        ("unknown key `nothing`", "Did you mean `notify`?"),
    ]


def test_a_number_below_the_event_socket_is_told_and_a_text_is_not():
    def told(port: object) -> str:
        [item] = refused({"targets": {"prod": {**PROD, "esl": {"port": port}}}})
        return item.message

    assert told(99999) == "`targets.prod.esl.port`: found 99999, expected at most 65535"
    assert "hunter2" not in told("hunter2")
