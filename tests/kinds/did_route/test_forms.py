"""In which forms a DID route takes its number, and what happens where two numbers look alike."""

from __future__ import annotations

import re

import pytest
from builders import noun
from compiling import agent, compiled
from hypothesis import given
from hypothesis import strategies as st

from fsgitops.kinds.did_route.forms import choose_forms
from fsgitops.model.kind import Site
from fsgitops.phone import is_number_expression, national_form, number_expression

US, GB = "+19495431333", "+442071838750"
SYDNEY, NANTES = "+61290001234", "+33290001234"


def route(number, **fields):
    return noun("did", did_number=number, destination_extension="1020", **fields)


def taken(*numbers, forms=("digits", "national"), agents=(), region=None, prefixes=()):
    dialled = {one.extension: one for one in agents}
    dialled |= {number[1:]: route(number) for number in numbers}
    site = Site(did_forms=forms, default_region=region, dialled=dialled, did_prefixes=prefixes)
    chosen = choose_forms(dict.fromkeys(numbers, ()), site)
    return {number: chosen[number].expression for number in numbers}


def matching(expressions, dialled):
    return [number for number, text in expressions.items() if re.search(text, dialled)]


@pytest.mark.parametrize(
    ("number", "national"),
    [
        (US, "9495431333"), (GB, "02071838750"), ("+61290001234", "0290001234"),
        ("+4930123456", "030123456"), ("+390612345678", "0612345678"), ("+80012345678", None),
        ("+100", None), ("+29022722", "22722"),
    ],
)  # fmt: skip
def test_a_national_form_is_the_digits_that_people_dial_at_home(number, national):
    assert national_form(number) == national


@pytest.mark.parametrize("dialled", ["+19495431333", "19495431333", "9495431333"])
def test_a_number_is_taken_in_all_three_forms_unless_told_otherwise(dialled):
    assert matching(taken(US), dialled) == [US]


@pytest.mark.parametrize(
    ("forms", "expected"),
    [
        ((), r"^(\+19495431333)$"), (("digits",), r"^(\+?19495431333)$"),
        (("national",), r"^(\+19495431333|9495431333)$"),
        (("digits", "national"), r"^(\+?19495431333|9495431333)$"),
    ],
)  # fmt: skip
def test_only_the_forms_that_the_carriers_send_are_taken(forms, expected):
    assert taken(US, forms=forms) == {US: expected}
    assert is_number_expression(expected, US[1:])


def test_what_is_another_number_without_its_plus_leads_to_that_number():
    # The ten digits of the first, dialled at home, are the second without its plus sign.
    ours, theirs = "+14420718387", "+4420718387"
    expressions = taken(ours, theirs)
    assert matching(expressions, "4420718387") == [theirs]
    assert matching(expressions, "14420718387") == [ours]


def test_an_extension_is_no_form_of_a_number():
    expressions = taken("+29022722", agents=[agent(extension="22722")])
    assert matching(expressions, "22722") == []


def test_a_form_that_two_countries_share_belongs_to_the_region_at_home_or_to_nobody():
    assert national_form(SYDNEY) == national_form(NANTES) == "0290001234"
    assert matching(taken(SYDNEY, NANTES), "0290001234") == []
    assert matching(taken(SYDNEY, NANTES, region="AU"), "0290001234") == [SYDNEY]
    assert matching(taken(SYDNEY, NANTES, region="US"), "0290001234") == []


def test_a_form_that_is_left_out_is_a_warning_and_an_error_where_it_was_asked_for():
    _, [second, first] = compiled(routes=[route(SYDNEY), route(NANTES)])
    assert {first.severity.value, second.severity.value} == {"warning"}
    assert (
        f"a call to 0290001234 is not routed: the national form of this number is did {NANTES}"
        in (first.message)
    )
    _, findings = compiled(routes=[route(SYDNEY), route(NANTES)], did_forms=("national",))
    assert [item.severity.value for item in findings] == ["error", "error"]
    _, findings = compiled(routes=[route(SYDNEY), route(NANTES)], did_forms=("digits",))
    assert findings == []


def test_a_disabled_number_takes_no_form_away():
    config, findings = compiled(routes=[route(SYDNEY), route(NANTES, enabled=False)])
    assert findings == []
    file = config.files["dialplan/public/inbound_61290001234.xml"]
    assert b"|0290001234)" in file.content


NUMBERS = st.from_regex(r"\A\+(1[2-9][0-9]{9}|44[0-9]{9,10}|39[0-9]{8,10}|[2-9][0-9]{6,12})\Z")


@given(st.sets(NUMBERS, min_size=1, max_size=12), st.sampled_from([None, "US", "GB", "IT"]))
def test_whatever_is_dialled_leads_to_one_number_at_most(numbers, region):
    expressions = taken(*sorted(numbers), region=region)
    for number in numbers:
        assert matching(expressions, number) == [number]
        assert matching(expressions, number[1:]) == [number]
        national = national_form(number)
        assert national is None or len(matching(expressions, national)) <= 1


@given(st.from_regex(r"\A[0-9]{3,15}\Z"), st.text())
def test_only_our_expressions_are_taken_for_ours(digits, text):
    assert is_number_expression(number_expression(digits), digits)
    assert is_number_expression(text, digits) == (
        re.fullmatch(rf"\^\(\\\+\??{digits}(\|([A-Za-z0-9_-]|\\\.)+)*\)\$", text) is not None
    )


def test_a_number_behind_a_prefix_is_taken_unless_that_is_somebody_elses():
    assert matching(taken(US, prefixes=("00",)), "0019495431333") == [US]
    # +4 420718387 behind the prefix 1 would be the first number without its plus sign.
    ours, theirs = "+14420718387", "+4420718387"
    expressions = taken(ours, theirs, prefixes=("1",))
    assert matching(expressions, "14420718387") == [ours]
    _, [finding] = compiled(
        routes=[route(ours), route(theirs)], did_prefixes=("1",), did_forms=("digits",)
    )
    assert f"a call to 14420718387 is not routed: this form of the number is did {ours}" in (
        finding.message
    )
