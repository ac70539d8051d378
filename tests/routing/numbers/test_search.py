"""Expressions as sets of texts hold and make the same as PCRE2, text by text."""

from itertools import product

import pytest
from hypothesis import example, given, reject, settings
from hypothesis import strategies as st

from fsgitops.routing.numbers.automaton import EVERYTHING, NOTHING, Store
from fsgitops.routing.numbers.expression import NotRegularError
from fsgitops.routing.numbers.search import Searches
from fsgitops.routing.pattern import TooManyStepsError, search_bytes

SHORT = [bytes(text) for size in range(4) for text in product(b"12a+", repeat=size)]
TEXTS = [*SHORT, b"121212", b"+11a", *(text + b"\n" for text in SHORT[:21]), b"1\n2", b"\n\n"]

_atoms = st.sampled_from(
    ["1", "2", "a", r"\+", "[12]", "[^1]", "[a1-2]", r"\d", r"\D", ".", "(?i:A)", "[[:digit:]]"]
)
_repeats = st.sampled_from(["", "", "", "*", "+", "?", "{2}", "{1,2}", "{0,1}", "*?", "??"])


def _grow(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    row = st.lists(st.builds("{}{}".format, inner, _repeats), max_size=3).map("".join)
    choice = st.lists(row, min_size=1, max_size=3).map("|".join)
    return st.builds("{}{})".format, st.sampled_from(["(", "(", "(?:"]), choice)


_groups = st.recursive(_atoms, _grow, max_leaves=6)
_expressions = st.builds(
    "{}{}{}".format,
    st.sampled_from(["", "^"]),
    st.lists(st.builds("{}{}".format, _groups, _repeats), max_size=3).map("".join),
    st.sampled_from(["", "$", r"\z", r"\Z"]),
)


def _search(text: bytes, expression: str) -> tuple[bytes | None, ...] | None:
    """Search as FreeSWITCH does; expressions that PCRE2 gives up on are left out."""
    try:
        return search_bytes(text, expression.encode())
    except TooManyStepsError:
        reject()


@given(_expressions)
@example("^(1|2$)a?$")
@settings(max_examples=150, deadline=None)
def test_a_set_holds_the_texts_that_pcre2_matches_and_no_others(expression: str) -> None:
    store = Store()
    found = Searches(store).matching(expression)
    for text in TEXTS:
        matched = _search(text, expression) is not None
        assert store.holds(found, text) is matched, (expression, text)


_pieces = st.sampled_from([(0,), (1,), (2,), (b"1", 1), (1, b"2", 2), (b"+", 1, b"a")])


@given(_expressions, _pieces, st.frozensets(st.sampled_from(SHORT), max_size=20), st.booleans())
@example("^(1?)(1*)$", (1, b"2", 2), frozenset((b"121",)), False)
@example("1?(1+?)1*", (1,), frozenset((b"1",)), True)
@settings(max_examples=200, deadline=None)
def test_what_captures_make_is_what_pcre2_captures(
    expression: str, pieces: tuple[bytes | int, ...], wanted: frozenset[bytes], inverse: bool
) -> None:
    store = Store()
    target = store.texts(wanted)
    target = store.opposite(target) if inverse else target
    try:
        found = Searches(store).making(expression, pieces, target)
    except NotRegularError:
        return
    for text in SHORT:
        groups = _search(text, expression)
        made = b"".join(
            piece
            if isinstance(piece, bytes)
            else (groups[piece] or b"")
            if groups and piece < len(groups)
            else b""
            for piece in pieces
        )
        wished = groups is not None and store.holds(target, made)
        assert store.holds(found, text) is wished, (expression, pieces, text)


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("^(?!911)(.*)$", "looks ahead"),
        (r"^(\d)\1$", "refers back"),
        (r"^\b911", r"has \b"),
        ("^9++", "possessive"),
        ("^(?>9)", "atomic"),
        ("(?<=9)1", "looks behind"),
    ],
)
def test_what_is_not_regular_is_refused_with_the_reason(expression: str, why: str) -> None:
    with pytest.raises(NotRegularError, match=why.replace("\\", "\\\\")):
        Searches(Store()).matching(expression)


def test_an_expression_that_pcre2_refuses_matches_nothing() -> None:
    assert Searches(Store()).matching("^(9") == NOTHING


def test_options_between_slashes_and_patterns_of_asterisk_are_read() -> None:
    store = Store()
    searches = Searches(store)
    assert store.holds(searches.matching("/^ab$/i"), b"AB")
    assert store.holds(searches.matching("_NXX"), b"211")
    assert not store.holds(searches.matching("_NXX"), b"111")


@given(
    st.frozensets(st.binary(max_size=3), max_size=6),
    st.frozensets(st.binary(max_size=3), max_size=6),
)
def test_sets_are_joined_cut_and_counted_as_sets_of_texts_are(
    one: frozenset[bytes], other: frozenset[bytes]
) -> None:
    store = Store()
    a, b = store.texts(one), store.texts(other)
    for made, expected in (
        (store.both(a, b), one & other),
        (store.either(a, b), one | other),
        (store.without(a, b), one - other),
    ):
        assert set(store.walk(made)) == expected
        assert store.count(made) == len(expected)
        assert store.same(made, store.texts(expected))
    assert store.either(a, store.opposite(a)) == EVERYTHING


def test_the_shortest_text_is_the_one_that_people_would_dial() -> None:
    store = Store()
    searches = Searches(store)
    assert store.shortest(searches.matching(r"^\+?[a-z1]{2,}$")) == b"11"
    assert store.shortest(NOTHING) is None
    assert store.count(searches.matching("^9")) is None
