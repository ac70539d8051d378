"""Many numbers against one expression: the short cuts find what asking each number finds."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from fsgitops.routing.pattern import Numbers, TooManyStepsError, has_match

DIALLED = st.lists(st.from_regex(r"\A\+?[0-9]{1,12}\Z"), min_size=1, max_size=12)
PIECES = st.sampled_from([
    "^", "$", "1", "0", "19", "(", ")", "|", "?", "*", "+", r"\+", r"\+?", r"\d", "[0-3]", "[^1]",
    "{2}", "{1,3}", ".", "(?:", "(?!1)", "(?=2)", r"\z", r"\A", r"\D", r"\s", r"\W", r"\b", "/",
    "i", "a", "[", "]", "++", "(?>", r"\n", "_", "(?i)", "(*ACCEPT)", "$|^", r"\Z", "[^0-9]",
    " ", "#",
])  # fmt: skip
EXPRESSIONS = st.lists(PIECES, max_size=8).map("".join)


def ask_each(numbers: list[str], expression: str) -> tuple[set[int], set[int]]:
    found, unknown = set(), set()
    for index, number in enumerate(numbers):
        try:
            if has_match(number, expression):
                found.add(index)
        except TooManyStepsError:
            unknown.add(index)
    return found, unknown


@given(DIALLED, EXPRESSIONS)
@settings(max_examples=60, deadline=None)
def test_the_short_cuts_find_what_asking_each_number_finds(
    numbers: list[str], expression: str
) -> None:
    known = Numbers(numbers)
    found = known.search(expression)
    assert found == ask_each(numbers, expression)


def test_a_prefix_leaves_out_no_number_with_a_plus_sign() -> None:
    numbers = ["19495431333", "+19495431333", "9495431333", "+1949", "2"]
    known = Numbers(numbers)
    for expression in (r"^\+?1949", r"^(\+?1949\d*)$", "^1949", r"^\+1949", r"^(1?9495431333)$"):
        assert known.search(expression)[0] == ask_each(numbers, expression)[0], expression


def test_an_expression_that_takes_forever_is_not_held_against_every_number() -> None:
    numbers = [f"{index:015d}{'1' * 25}" for index in range(2000)]
    _, unknown = Numbers(numbers).search(r"^(?:[0-9]+[0-9]*)+[0-9]*x$")
    assert len(unknown) in (0, len(numbers))
