"""Telephone numbers: what a call costs, seen from a region."""

from __future__ import annotations

import pytest

from fsgitops.phone import toll_class


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
