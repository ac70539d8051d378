"""Telephone numbers: their forms, and what a call costs, seen from a region."""

from __future__ import annotations

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsgitops.phone import national_form, normalise_number, toll_class


@given(
    st.sampled_from(range(200, 1000)),
    st.integers(0, 9_999_999),
    st.sampled_from((None, "US", "DE", "IT", "JM", "AU")),
)
def test_north_american_numbers_have_the_forms_that_phonenumbers_gives_them(
    area: int, line: int, region: str | None
) -> None:
    text = f"+1{area}{line:07d}"
    read = phonenumbers.parse(text, region)
    assert phonenumbers.is_possible_number_with_reason(read) == 0
    forms = phonenumbers.PhoneNumberFormat
    written = phonenumbers.format_number(read, forms.NATIONAL)
    assert national_form(text) == phonenumbers.normalize_digits_only(written)
    assert normalise_number(f" {text} ", region) == phonenumbers.format_number(read, forms.E164)


@pytest.mark.parametrize(
    ("number", "region", "expected"),
    [
        ("+12025550123", "US", "domestic"), ("+18005551234", "US", "domestic"),
        ("+18005551234", "CA", "domestic"), ("+442071838750", "GB", "domestic"),
        ("+18765551234", "US", "international"), ("+12423221234", "US", "international"),
        ("+17874001234", "US", "international"), ("+14165550123", "US", "international"),
        ("+441534123456", "GB", "international"), ("+447797712345", "GB", "international"),
        ("+441534123456", "JE", "domestic"), ("+12025550123", None, "international"),
        ("+19005551234", "US", "premium"), ("+447011234567", "GB", "premium"),
        ("+979123456789", "US", "premium"), ("+870773111632", "US", "satellite"),
        ("+881612345678", "DE", "satellite"), ("+88216123456", None, "satellite"),
        ("+19995551234", "US", "international"), ("+0", "US", "international"),
    ],
)  # fmt: skip
def test_a_number_is_domestic_where_its_own_plan_has_it(
    number: str, region: str | None, expected: str
) -> None:
    assert toll_class(number, region) == expected
