"""Regular expressions as the dialplan runs them."""

from __future__ import annotations

import pytest

from fsgitops.routing.pattern import is_valid, match_groups


@pytest.mark.parametrize(
    ("field", "expression", "groups"),
    [
        ("+15550100001", r"^(\+?15550100001)$", ("+15550100001", "+15550100001")),
        ("123", "2", ("2",)),
        ("123", "^2", None),
        ("ABC", "/b/i", ("B",)),
        ("ABC", "/b", None),
        ("12", "^(1)?(x)?", ("1", "1", "")),
        ("x", "^(", None),
    ],
)
def test_an_expression_matches_as_in_freeswitch(
    field: str, expression: str, groups: tuple[str, ...] | None
) -> None:
    assert match_groups(field, expression) == groups


def test_an_expression_that_explodes_matches_nothing() -> None:
    assert match_groups("a" * 64 + "b", "^(a+)+$") is None


def test_only_a_sound_expression_is_valid() -> None:
    assert is_valid("^(123)$")
    assert not is_valid("^(123$")
