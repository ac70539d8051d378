"""How calls to a number are compared, and what is kept of them."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from fsgitops.model.heard import Heard, Hearings
from fsgitops.model.resource import Resource
from fsgitops.planning.followed import compare_heard

WORDS = st.text(max_size=6)
WAYS = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xyz")), min_size=1, max_size=4)
HEARD = st.builds(
    Heard,
    WORDS,
    WORDS,
    WAYS.map(tuple),
    st.one_of(st.just(()), WAYS.map(tuple)),
    st.frozensets(WORDS, max_size=3),
)
RESOURCES = st.builds(Resource, st.sampled_from(("agent", "did")), st.text(min_size=1, max_size=6))


@settings(deadline=None)
@given(HEARD, HEARD)
def test_calls_differ_where_some_way_does_and_nowhere_else(before: Heard, after: Heard) -> None:
    same = before.ways == after.ways
    again = (before.whenever or before.ways) == (after.whenever or after.ways)
    found = compare_heard(before, after)
    assert (found is None) is (same and (again or before.whenever == after.whenever))


@settings(deadline=None)
@given(WORDS, WORDS, st.dictionaries(RESOURCES, HEARD, max_size=4))
def test_what_is_noted_of_calls_is_read_again(
    by_hand: str, managed: str, calls: dict[Resource, Heard]
) -> None:
    kept = Hearings(by_hand, managed, "1", calls)
    assert Hearings.decode(kept.encode()) == kept


@given(st.binary(max_size=80))
def test_anything_else_is_no_note(data: bytes) -> None:
    assert Hearings.decode(data) is None
