"""How large a plan may be without a word."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsgitops.model.plan import Limits
from fsgitops.steps.limits import find_excess


def permissions(*, managed=100, deletes=0, updates=0, declared=1, limits=None) -> list[str]:
    needs = find_excess(
        managed=managed,
        deletes=deletes,
        updates=updates,
        declared=declared,
        limits=limits or Limits(),
    )
    return [need.permission for need in needs]


@pytest.mark.parametrize(
    ("managed", "deletes", "updates", "expected"),
    [
        (100, 30, 50, []),
        (100, 31, 0, ["deletes"]),
        (100, 0, 51, ["updates"]),
        (100, 31, 51, ["deletes", "updates"]),
        (10, 4, 0, ["deletes"]),
        (9, 9, 9, []),
        (0, 0, 0, []),
    ],
)
def test_the_share_decides_once_there_are_enough(managed, deletes, updates, expected):
    assert permissions(managed=managed, deletes=deletes, updates=updates) == expected


def test_nothing_declared_needs_a_permission_however_little_is_managed():
    assert permissions(managed=1, deletes=1, declared=0) == ["empty"]


def test_nothing_declared_and_nothing_managed_is_fine():
    assert permissions(managed=0, declared=0) == []


def test_a_share_of_exactly_the_limit_is_allowed_whatever_floats_make_of_it():
    limits = Limits(deletes_percent=0.7, minimum=1)
    assert permissions(managed=1000, deletes=7, limits=limits) == []
    assert permissions(managed=1000, deletes=8, limits=limits) == ["deletes"]


def test_the_reason_tells_numbers_and_the_limit():
    (need,) = find_excess(managed=20, deletes=12, updates=0, declared=8, limits=Limits())
    assert need.because == (
        "12 of 20 managed resources would be deleted (60%), more than the 30% allowed"
    )


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.floats(0, 100), st.integers(0, 10**6))
def test_a_larger_plan_never_needs_less(managed, deletes, percent, more):
    limits = Limits(deletes_percent=percent, minimum=0)
    small = permissions(managed=managed, deletes=deletes, limits=limits)
    large = permissions(managed=managed, deletes=deletes + more, limits=limits)
    assert set(small) <= set(large)
