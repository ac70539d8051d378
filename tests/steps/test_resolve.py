"""Promises of steps/resolve: defaults, numbers, words for true and false, and wrong values."""

from __future__ import annotations

import tracemalloc
from typing import Any

import pytest
from builders import document, noun
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from fsgitops.findings import Finding, Position
from fsgitops.kinds import BUILT_IN
from fsgitops.kinds.agent.noun import Agent
from fsgitops.kinds.did_route.noun import DidRoute
from fsgitops.model.desired import Desired
from fsgitops.model.document import Document
from fsgitops.model.resource import Resource
from fsgitops.secret.source import read_source
from fsgitops.steps.resolve import resolve_desired


def resolve(text: str, **options: Any) -> tuple[Desired, list[Finding]]:
    return resolve_desired([document(text)], BUILT_IN, **options)


def agent(fields: str, **options: Any) -> Any:
    text = f"agents:\n- {{extension: 1020, name: Ann{', ' + fields if fields else ''}}}\n"
    desired, findings = resolve(text, **options)
    assert findings == []
    return desired.of(Agent)[0]


def fault(fields: str) -> Finding:
    _, findings = resolve(f"agents:\n- {{extension: 1020, name: Ann, {fields}}}\n")
    assert len(findings) == 1, findings
    return findings[0]


def route_number(number: str, region: str | None = None) -> str:
    text = f"did_routes: [{{did_number: '{number}', destination_extension: 1020}}]\n"
    desired, findings = resolve(text, default_region=region)
    assert findings == []
    return desired.of(DidRoute)[0].did_number


def test_an_agent_needs_only_an_extension_and_a_name() -> None:
    assert agent("") == noun("agent", extension="1020", name="Ann")


def test_a_thousand_agents_and_routes_take_less_than_two_megabytes() -> None:
    items = [
        {"extension": str(at), "name": f"Agent {at}", "groups": ["agents", "sales"],
         "voicemail": {"enabled": "true"}, "variables": {"site_department": "d1"}}
        for at in range(1000, 2000)
    ]  # fmt: skip
    routes = [
        {"did_number": f"+1949543{at}", "destination_extension": str(at)}
        for at in range(1000, 2000)
    ]
    data: Any = {"agents": items, "did_routes": routes}
    read = Document("a.yaml", data, b"")
    resolve_desired([read], BUILT_IN)  # what is made once, is made now
    tracemalloc.start()
    try:
        desired, findings = resolve_desired([read], BUILT_IN)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (findings, len(desired.of(Agent))) == ([], 1000)
    assert held < 2_000_000


def test_what_is_declared_is_what_its_fields_say_however_it_is_kept() -> None:
    fields = {"name": "Ann", "groups": "a, b", "voicemail": {"email": "a@example.com"}}
    inner = "groups: 'a, b', voicemail: {email: a@example.com}"
    made = agent(inner)
    assert made == Agent.model_validate({"extension": "1020", **fields})
    assert made.model_copy(update={"name": "Bea"}).name == "Bea"
    assert made.name == "Ann"
    with pytest.raises(ValidationError):
        made.name = "Bea"


def test_an_extension_keeps_its_leading_zero() -> None:
    desired, _ = resolve("agents: [{extension: 0100, name: no}]\n")
    assert (desired.of(Agent)[0].extension, desired.of(Agent)[0].name) == ("0100", "no")


@pytest.mark.parametrize(
    ("word", "value"), [("true", True), ("True", True), ("FALSE", False), ("false", False)]
)
def test_true_and_false_are_read_in_their_yaml_spellings(word: str, value: bool) -> None:
    assert agent(f"enabled: {word}").enabled is value


@pytest.mark.parametrize("word", ["yes", "no", "on", "off", "1", "0", "y", "tRUE", "t"])
def test_other_words_are_neither_true_nor_false(word: str) -> None:
    finding = fault(f"webrtc: {word}")
    assert (finding.rule, finding.position.line) == ("invalid-value", 2)
    assert "expected true or false" in finding.message


def test_a_list_of_names_may_be_one_text_with_commas() -> None:
    assert agent("groups: 'sales, support'").groups == ("sales", "support")


def test_a_list_of_names_may_be_a_list() -> None:
    assert agent("toll_allow: [local]").toll_allow == ("local",)


def test_an_empty_list_stays_empty() -> None:
    assert agent("toll_allow: []").toll_allow == ()


def test_voicemail_may_be_just_true() -> None:
    assert agent("voicemail: true").voicemail.enabled is True


def test_a_voicemail_mapping_is_enabled_unless_it_says_otherwise() -> None:
    assert agent("voicemail: {email: a@example.com}").voicemail.enabled is True


def test_a_file_s_defaults_fill_in_what_is_left_out() -> None:
    text = "defaults: {agents: {context: sales}}\nagents: [{extension: 1020, name: A}]\n"
    desired, _ = resolve(text)
    assert desired.of(Agent)[0].context == "sales"


def test_a_file_s_defaults_win_over_the_project_s() -> None:
    text = "defaults: {agents: {context: sales}}\nagents: [{extension: 1020, name: A}]\n"
    desired, _ = resolve(text, defaults={"agents": {"context": "other", "webrtc": True}})
    assert (desired.of(Agent)[0].context, desired.of(Agent)[0].webrtc) == ("sales", True)


def test_an_item_wins_over_all_defaults() -> None:
    assert agent("context: own", defaults={"agents": {"context": "other"}}).context == "own"


def test_defaults_fill_in_below_variables_and_voicemail_too() -> None:
    defaults = {"agents": {"variables": {"a": "1", "b": "1"}, "voicemail": True}}
    made = agent("variables: {b: 2}, voicemail: {pin: 8642}", defaults=defaults)
    assert made.variables == {"a": "1", "b": "2"}
    assert (made.voicemail.enabled, made.voicemail.pin) == (True, read_source("8642"))


def test_defaults_of_one_file_do_not_reach_another() -> None:
    first = document("defaults: {agents: {context: x}}\n", "a.yaml")
    second = document("agents: [{extension: 1020, name: A}]\n", "b.yaml")
    desired, _ = resolve_desired([first, second], BUILT_IN)
    assert desired.of(Agent)[0].context == "default"


def test_a_bad_default_is_found_once_for_all_its_users() -> None:
    items = "".join(f"- {{extension: 10{n}, name: A}}\n" for n in range(20, 30))
    _, findings = resolve(f"defaults: {{agents: {{enabled: maybe}}}}\nagents:\n{items}")
    assert [finding.position for finding in findings] == [Position("a.yaml", 1, 30)]


def test_a_bad_default_of_the_project_is_found_in_its_own_file() -> None:
    settings_document = document("defaults:\n  agents:\n    enabled: maybe\n", "fsgitops.yaml")
    _, findings = resolve_desired(
        [document("agents: [{extension: 1020, name: A}, {extension: 1021, name: A}]\n")],
        BUILT_IN,
        defaults={"agents": {"enabled": "maybe"}},
        settings=settings_document,
    )
    assert [finding.position for finding in findings] == [Position("fsgitops.yaml", 3, 14)]


def test_an_unknown_project_default_is_found_once() -> None:
    items = "agents: [{extension: 1020, name: A}, {extension: 1021, name: A}]\n"
    desired, [finding] = resolve(items, defaults={"agents": {"contxt": "x"}, "did_routes": {}})
    assert finding.position == Position("fsgitops.yaml")
    assert finding.hint == "Did you mean `context`?"
    assert len(desired.of(Agent)) == 2


@pytest.mark.parametrize(
    "written", ["+19495431333", "+1 949 543 1333", "+1 (949) 543-1333", "+1.949.543.1333"]
)
def test_a_number_is_normalised_however_it_is_written(written: str) -> None:
    assert route_number(written) == "+19495431333"


def test_a_national_number_takes_the_default_region() -> None:
    assert route_number("020 7946 0123", "GB") == "+442079460123"


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("(949) 543-1333", "no region is set"),
        ("+1949543", "wrong length"),
        ("+999123456789", "country code"),
        ("1-800-FLOWERS", "not a telephone number"),
        ("+1949543\u0661\u0663\u0663\u0663", "not a telephone number"),
        ("+1 949 543 1333 x5", "not a telephone number"),
        ("", "not a telephone number"),
    ],
)
def test_a_number_that_cannot_be_dialled_is_refused_with_the_reason(
    written: str, reason: str
) -> None:
    text = f"did_routes:\n- did_number: '{written}'\n  destination_extension: 1020\n"
    desired, [finding] = resolve(text)
    assert reason in finding.message
    assert finding.position == Position("a.yaml", 2, 15)
    assert desired.of(DidRoute) == ()


def test_a_caller_id_number_is_normalised() -> None:
    assert agent("caller_id_number: +1 949 543 1333").caller_id_number == "+19495431333"


def test_a_wrong_caller_id_number_leaves_the_agent_without_one() -> None:
    desired, [finding] = resolve("agents: [{extension: 1020, name: A, caller_id_number: 12}]\n")
    assert finding.rule == "invalid-number"
    assert desired.of(Agent)[0].caller_id_number is None


def test_a_caller_id_number_may_be_an_extension() -> None:
    assert agent("caller_id_number: 0100").caller_id_number == "0100"


@pytest.mark.parametrize(
    "email",
    [
        "a@b",
        "a b@example.com",
        "a;id@example.com",
        "-f@example.com",
        "$(id)@example.com",
        "a@example.com|id",
        "`id`@example.com",
        "a@-x.com",
        "a'@example.com",
        "a@example.com\\n",
    ],
)
def test_an_email_that_a_shell_could_trip_over_is_refused(email: str) -> None:
    assert "shell" in fault(f'email: "{email}"').hint


def test_a_line_break_at_the_end_of_an_extension_is_refused() -> None:
    _, [finding] = resolve('agents: [{extension: "1020\\n", name: A}]\n')
    assert finding.rule == "invalid-value"


def test_an_email_with_a_plus_sign_is_fine() -> None:
    assert agent("email: ann.lee+pbx@mail.example.com").email == "ann.lee+pbx@mail.example.com"


@pytest.mark.parametrize("version", ["0", "-1", "1_000", "1.5", "x", "٣", "1000001"])
def test_a_password_version_is_a_whole_number_from_one(version: str) -> None:
    assert "whole number" in fault(f"password_version: {version}").message


def test_a_password_version_may_be_raised() -> None:
    assert agent("password_version: 2").password_version == 2


def test_an_unknown_key_is_found_at_the_key_with_a_suggestion() -> None:
    text = "agents:\n- extension: 1020\n  name: A\n  caller_id_numbr: 1\n"
    _, [finding] = resolve(text)
    assert finding.position == Position("a.yaml", 4, 3)
    assert finding.hint == "Did you mean `caller_id_number`?"


def test_an_unknown_top_level_key_is_found_with_a_suggestion() -> None:
    _, [finding] = resolve("agent: []\n")
    assert "`agents`" in finding.hint


def test_a_key_for_anchors_is_left_alone() -> None:
    assert resolve("x-anything: [1]\n")[1] == []


@pytest.mark.parametrize(
    "source",
    [
        "{env: 1X}",
        "{env: FSGITOPS_KEY}",
        "{env: A, file: b}",
        "{file: ../s3cret}",
        "{sops: x}",
        "{age: s3cret}",
        "{command: s3cret}",
        "{command: []}",
        "{plaintext: false, value: s3cret}",
        "{plaintext: s3cret, value: s3cret}",
        "{s3cret: s3cret}",
        "[s3cret]",
        "{}",
    ],
)
def test_what_is_no_source_of_a_secret_is_found_and_not_shown(source: str) -> None:
    finding = fault(f"password: {source}")
    assert finding.rule == "invalid-value"
    assert "s3cret" not in str(finding)


def test_a_wrong_pin_is_never_shown() -> None:
    finding = fault("voicemail: {pin: [97531]}")
    assert "97531" not in str(finding)


def test_a_missing_field_is_found_at_the_item() -> None:
    _, [finding] = resolve("agents:\n- extension: 1020\n")
    assert (finding.rule, finding.position) == ("missing-field", Position("a.yaml", 2, 3))


@pytest.mark.parametrize("text", ["agents: {a: b}\n", "did_routes: x\n", "defaults: [a]\n"])
def test_a_section_of_the_wrong_kind_is_one_finding(text: str) -> None:
    assert [finding.rule for finding in resolve(text)[1]] == ["section-kind"]


def test_an_empty_section_is_no_fault() -> None:
    assert resolve("agents:\ndid_routes: []\ndefaults:\n")[1] == []


def test_an_extension_cannot_have_a_default() -> None:
    _, [finding] = resolve("defaults: {agents: {extension: 1020}}\n")
    assert "cannot have a default" in finding.message


def test_all_faults_of_an_item_are_found_at_once() -> None:
    text = "agents:\n- {extension: 12x, name: '', email: x, enabled: maybe}\n"
    assert len(resolve(text)[1]) == 4


def test_what_is_declared_twice_is_kept_once_with_the_other_place() -> None:
    desired, findings = resolve(
        "agents:\n- {extension: 1020, name: A}\n- {extension: 1020, name: B}\n"
    )
    assert findings == []
    assert [item.name for item in desired.of(Agent)] == ["A"]
    assert desired.repeats == ((Resource("agent", "1020"), Position("a.yaml", 3, 3)),)


def test_a_faulty_item_is_kept_without_its_faults_and_named() -> None:
    desired, _ = resolve("agents: [{extension: 1020, name: A, enabled: maybe}]\n")
    assert desired.of(Agent) == (noun("agent", extension="1020", name="A"),)
    assert desired.rejected == {Resource("agent", "1020")}


def test_resources_are_sorted_and_know_their_source() -> None:
    desired, _ = resolve("agents:\n- {extension: 1021, name: B}\n- {extension: 1020, name: A}\n")
    assert [item.extension for item in desired.of(Agent)] == ["1020", "1021"]
    assert desired.sources[Resource("agent", "1020")] == Position("a.yaml", 3, 3)


def test_an_alias_of_a_whole_list_still_gives_places() -> None:
    text = "x-a: &a\n- {extension: 1020, name: A}\nagents: *a\n"
    desired, findings = resolve(text)
    assert findings == []
    assert desired.sources[Resource("agent", "1020")] == Position("a.yaml", 2, 3)


VALUES = st.recursive(
    st.none() | st.text(max_size=12) | st.sampled_from(["true", "1020", "+19495431333"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    [*BUILT_IN["agent"].noun.model_fields, "did_number", "destination_extension", "nope"]
)
ITEMS = st.dictionaries(FIELDS, VALUES, max_size=6) | VALUES


@settings(max_examples=80, deadline=None)
@given(
    data=st.dictionaries(
        st.sampled_from(["agents", "did_routes", "defaults", "x-a", "zzz"]),
        st.lists(ITEMS, max_size=3)
        | st.dictionaries(st.sampled_from(["agents", "did_routes", "q"]), ITEMS, max_size=2)
        | VALUES,
        max_size=4,
    )
)
def test_no_tree_of_values_makes_it_raise(data: dict[str, Any]) -> None:
    desired, findings = resolve_desired([Document("a.yaml", data, b"")], BUILT_IN)
    assert all(item.position.file == "a.yaml" for item in findings)
    assert len(desired.sources) == len(desired.of(Agent)) + len(desired.of(DidRoute))
