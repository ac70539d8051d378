"""Each rule: what it finds, and what it lets pass."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import builders
import pytest
from builders import agent, desired, route, unchecked
from hypothesis import example, given
from hypothesis import strategies as st

from fsgitops.findings import Position
from fsgitops.kinds import BUILT_IN
from fsgitops.model.resource import Resource
from fsgitops.rules.table import all_rules
from fsgitops.rules.texts import is_safe, unsafe_reason

if TYPE_CHECKING:
    pass

RULES = all_rules(BUILT_IN)
breaches = partial(builders.breaches, RULES)


def test_every_rule_has_a_name_of_its_own_and_a_description() -> None:
    assert len({rule.name for rule in RULES}) == len(RULES)
    assert all(rule.description.endswith(".") for rule in RULES)


def test_a_sound_state_breaks_no_rule() -> None:
    state = desired(agent(caller_id_number="+19495431333"), route())
    assert [breach for rule in RULES for breach in rule.check(state, BUILT_IN)] == []


def test_a_declared_destination_is_known() -> None:
    assert breaches("unknown-destination", agent(), route()) == []


@pytest.mark.parametrize(
    ("declared", "typo"),
    [("1020", "1002"), ("1020", "1021"), ("1020", "10200"), ("10200", "1020"), ("1020", "1220")],
)
def test_an_unknown_destination_is_found_with_the_likely_one(declared: str, typo: str) -> None:
    [breach] = breaches("unknown-destination", agent(declared), route(typo))
    assert breach.path == ("destination_extension",)
    assert breach.hint == f"Did you mean {declared}?"


def test_a_destination_that_resembles_nothing_has_no_suggestion() -> None:
    [breach] = breaches("unknown-destination", agent(), route("7788"))
    assert "Did you mean" not in breach.hint


def test_an_agent_with_a_wrong_field_is_not_unknown() -> None:
    rejected = frozenset({Resource("agent", "1020")})
    assert breaches("unknown-destination", route(), rejected=rejected) == []


def test_a_disabled_destination_is_found() -> None:
    sources = {Resource("agent", "1020"): Position("a.yaml", 3, 5)}
    [breach] = breaches("disabled-destination", agent(enabled=False), route(), sources=sources)
    assert "a.yaml:3:5" in breach.message


def test_a_disabled_route_may_lead_to_a_disabled_agent() -> None:
    assert breaches("disabled-destination", agent(enabled=False), route(enabled=False)) == []


def test_a_number_that_nobody_declares_is_found_once_for_all_its_users() -> None:
    users = [agent(str(number), caller_id_number="+12025550123") for number in (1020, 1021, 1022)]
    found = breaches("caller-id-not-owned", *users)
    assert [breach.resource.name for breach in found] == ["1020", "1021", "1022"]
    assert {breach.group for breach in found} == {"+12025550123"}


def test_the_extension_of_an_agent_is_owned() -> None:
    assert breaches("caller-id-not-owned", agent(caller_id_number="1020")) == []


def test_an_extension_of_nobody_is_not_owned() -> None:
    [breach] = breaches("caller-id-not-owned", agent(caller_id_number="1099"))
    assert "declared extension" in breach.message


def test_two_resources_with_one_path_are_found() -> None:
    twins = [agent(), agent(name="Bob")]
    assert breaches("path-collision", *twins) == []  # one resource, whatever else it says
    odd = unchecked("did", did_number="X19495431333", destination_extension="1020")
    [breach] = breaches("path-collision", route(), odd)
    assert "dialplan/public/inbound_19495431333.xml" in breach.message


UNSAFE = [
    ("${system(id)}", "run commands"),
    ("$${domain}", "replaces"),
    ("`id`", "backtick"),
    ('<!"/><variable name="evil" value="1', "markup"),
    ("X-Pre-Process", "directive"),
    ("a\nb", "line break"),
    ("a\rb", "line break"),
    ("a\u2028b", "line break"),
    ("a\x07b", "U+0007"),
    ("a\tb", "U+0009"),
    ("a\ufffeb", "XML"),
]


@pytest.mark.parametrize(("text", "reason"), UNSAFE)
@pytest.mark.parametrize("field", ["name", "caller_id_name", "context"])
def test_an_unsafe_value_is_found_with_the_reason(field: str, text: str, reason: str) -> None:
    [breach] = breaches("unsafe-value", agent(**{field: text}))
    assert breach.path == (field,)
    assert reason in breach.message


def test_a_surrogate_is_found() -> None:
    half = unchecked("agent", extension="1020", name="a\ud800b")
    [breach] = breaches("unsafe-value", half)
    assert "XML" in breach.message


@pytest.mark.parametrize("field", ["groups", "toll_allow"])
def test_an_unsafe_item_of_a_list_is_found_at_its_index(field: str) -> None:
    [breach] = breaches("unsafe-value", agent(**{field: ("good", "${x}")}))
    assert breach.path == (field, 1)


def test_an_unsafe_description_is_found() -> None:
    [breach] = breaches("unsafe-value", route(description="a ${x}"))
    assert breach.path == ("description",)


def test_a_variable_may_be_exactly_one_global() -> None:
    assert breaches("unsafe-value", agent(variables={"a": "$${outbound_caller_id}"})) == []


@pytest.mark.parametrize("value", ["x$${a}", "$${a}x", "$${a}$${b}", "${a}", "$${a b}", "$${a}\n"])
def test_a_variable_may_hold_no_more_than_one_global(value: str) -> None:
    [breach] = breaches("unsafe-value", agent(variables={"a": value}))
    assert breach.path == ("variables", "a")


def test_dollars_and_markup_alone_are_safe() -> None:
    assert breaches("unsafe-value", agent(name="5 $ & <b> \"q\" 'é' {x} $5")) == []


@given(text=st.text(min_size=1, max_size=60).filter(lambda text: not text.isspace()))
def test_what_passes_can_be_written_as_xml_and_holds_no_expansion(text: str) -> None:
    if not breaches("unsafe-value", agent(name=text)):
        assert "${" not in text
        assert "`" not in text
        assert all(
            "\x20" <= char <= "\ud7ff" or "\ue000" <= char <= "\ufffd" or char > "\uffff"
            for char in text
        )


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"password": "hunter2-hunter2"}, ("password",)),
        ({"voicemail": {"pin": "826491"}}, ("voicemail", "pin")),
    ],
)
def test_a_secret_in_plain_text_is_found_and_not_shown(fields: Any, path: Any) -> None:
    [breach] = breaches("plaintext-secret", agent(**fields))
    assert breach.path == path
    assert "hunter2" not in breach.message + breach.hint
    assert "826491" not in breach.message + breach.hint


@pytest.mark.parametrize(
    "source",
    [
        {"plaintext": "true", "value": "hunter2"},
        {"env": "X"},
        {"file": "x"},
        {"sops": "x.yaml", "key": "a.b"},
        {"command": ["vault"]},
    ],
)
def test_a_named_or_marked_secret_is_no_plaintext(source: Any) -> None:
    assert breaches("plaintext-secret", agent(password=source)) == []


@given(
    st.text()
    | st.lists(st.sampled_from([*"aX$}{`<!\u017f\x85\ufffe", "${", "x-pre-process"])).map("".join)
)
@example("X-PRE-PROCE\u017fS")
def test_one_look_at_a_text_agrees_with_the_reason_that_is_told(text: str) -> None:
    assert is_safe(text) == (unsafe_reason(text) is None)


def test_a_directive_is_one_in_letters_that_freeswitch_compares() -> None:
    assert breaches("unsafe-value", agent(name="x-pre-proce\u017fs")) == []
