"""Regular expressions as the dialplan runs them."""

from __future__ import annotations

import pcre2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsgitops.routing.pattern import is_valid, list_choices, match_groups, search_bytes


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


@given(
    st.lists(st.sampled_from((*"azAZ09_|-?*+()[{^$.", r"\+", r"\+?", r"\z"))).map("".join),
    st.sampled_from(("^({})$", r"^({})\z", "^({}", "({})$", "{}")),
)
def test_what_is_valid_is_what_pcre2_takes(text: str, around: str) -> None:
    expression = around.format(text)
    try:
        pcre2.compile(expression)
    except (pcre2.error, pcre2.LibraryError):
        assert not is_valid(expression)
    else:
        assert is_valid(expression)


@given(st.lists(st.sampled_from((*"azAZ09_|-", r"\+", r"\+?")), max_size=500))
def test_a_choice_of_texts_is_always_valid(texts: list[str]) -> None:
    for ending in ("$", r"\z"):
        pcre2.compile(expression := f"^({''.join(texts)}){ending}")
        assert is_valid(expression)


def test_only_a_sound_expression_is_valid() -> None:
    assert is_valid("^(123)$")
    assert not is_valid("^(123$")


CHOICE = st.lists(
    st.tuples(st.sampled_from(("", r"\+", r"\+?")), st.text("12ab-", min_size=1, max_size=3)),
    min_size=1,
    max_size=3,
)


@given(CHOICE, st.sampled_from(("$", r"\z")), st.text("+12ab-|", max_size=4), st.booleans())
def test_a_choice_of_texts_matches_just_these(
    choice: list[tuple[str, str]], end: str, text: str, bare: bool
) -> None:
    texts = "|".join(plus + word for plus, word in choice)
    expression = f"^{texts}{end}" if bare and len(choice) == 1 else f"^({texts}){end}"
    texts = list_choices(expression)
    assert texts is not None
    for item in (*texts, text):
        assert (search_bytes(item.encode(), expression.encode()) is not None) is (item in texts)


@pytest.mark.parametrize("expression", ["^(1.)$", "^(1|2", "1$", "^(1)$|2", "/^(1)$/i", "^()$"])
def test_what_is_more_than_a_choice_of_texts_is_none(expression: str) -> None:
    assert list_choices(expression) is None
