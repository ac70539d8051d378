"""Numbering plans: what is read of a number here is what phonenumbers says of it."""

from __future__ import annotations

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsgitops.phone import NumberError, is_assignable, national_form, normalise_number, region_of

REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)
CODES = sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE)
FORMS = phonenumbers.PhoneNumberFormat


def _examples() -> list[phonenumbers.PhoneNumber]:
    kinds = phonenumbers.PhoneNumberType.values()
    found = [
        *(
            phonenumbers.example_number_for_type(region, kind)
            for region in REGIONS
            for kind in kinds
        ),
        *(phonenumbers.example_number_for_non_geo_entity(code) for code in CODES),
    ]
    return [number for number in found if number is not None]


EXAMPLES = _examples()


def _beside(number: phonenumbers.PhoneNumber, at: int, digit: int) -> str:
    """Return a number in E.164 that differs from an example in a digit, or has one more."""
    text = phonenumbers.format_number(number, FORMS.E164)
    at = 1 + at % len(text)
    return f"{text[:at]}{digit}{text[at + 1 :]}"


near = st.builds(_beside, st.sampled_from(EXAMPLES), st.integers(0, 15), st.integers(0, 9))
anything = st.builds(
    "+{}{}".format, st.sampled_from(CODES), st.from_regex(r"[0-9]{3,12}", fullmatch=True)
)
e164 = st.one_of(near, anything).filter(lambda text: text[1] != "0" and len(text) < 17)


def _written(text: str, region: str | None) -> str | None:
    """Return the E.164 form as phonenumbers alone finds it, or None."""
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if phonenumbers.is_possible_number_with_reason(number):
        return None
    return str(phonenumbers.format_number(number, FORMS.E164))


def _normalised(text: str, region: str | None) -> str | None:
    try:
        return normalise_number(text, region)
    except NumberError:
        return None


def _compare(text: str, region: str | None = None) -> None:
    """Compare every answer about a number in E.164."""
    assert _normalised(text, region) == _written(text, region)
    try:
        number = phonenumbers.parse(text, None)
    except phonenumbers.NumberParseException:
        return
    home = phonenumbers.region_code_for_number(number)
    assert region_of(text) == (home if home != "001" else None)
    assert is_assignable(text) == phonenumbers.is_valid_number(number)
    whose = phonenumbers.region_code_for_country_code(number.country_code or 0)
    written = phonenumbers.format_number(number, FORMS.NATIONAL)
    told = whose != "001" and phonenumbers.is_possible_number(number)
    assert national_form(text) == (phonenumbers.normalize_digits_only(written) if told else None)


@settings(max_examples=60)
@given(e164, st.sampled_from([None, *REGIONS]))
def test_a_number_in_e164_means_what_phonenumbers_says(text: str, region: str | None) -> None:
    _compare(text, region)


def test_each_kind_of_number_of_each_region_means_what_phonenumbers_says() -> None:
    for number in EXAMPLES:
        _compare(str(phonenumbers.format_number(number, FORMS.E164)))


@settings(max_examples=150)
@given(
    near,
    st.sampled_from([FORMS.NATIONAL, FORMS.INTERNATIONAL, FORMS.E164]),
    st.sampled_from(REGIONS),
    st.booleans(),
)
def test_a_number_as_people_write_it_means_what_phonenumbers_says(
    text: str, form: int, other: str, at_home: bool
) -> None:
    try:
        number = phonenumbers.parse(text, None)
    except phonenumbers.NumberParseException:
        return
    region = (
        phonenumbers.region_code_for_country_code(number.country_code or 0) if at_home else other
    )
    if region in REGIONS:
        written = phonenumbers.format_number(number, form).replace(",", "").replace("*", "")
        assert _normalised(written, region) == _written(written, region)


@settings(max_examples=100)
@given(st.sampled_from(REGIONS), st.from_regex(r"[0-9(][0-9 ().\-/]{3,16}", fullmatch=True))
def test_a_national_number_means_what_phonenumbers_says(region: str, text: str) -> None:
    assert _normalised(text, region) == _written(text.strip(), region)


@pytest.mark.parametrize("text", ["+", "+(", "(", "+0", "+00", "+999", "+1", "(.) -/"])
def test_what_is_hardly_a_number_is_refused(text: str) -> None:
    with pytest.raises(NumberError):
        normalise_number(text, "US")
