"""Sets of numbers are written as people write them."""

import pytest

from fsgitops.routing.numbers.automaton import Store
from fsgitops.routing.numbers.search import Searches
from fsgitops.routing.numbers.shown import show_numbers

ALL = r"^[0-9a-z+*#]+\z"


@pytest.mark.parametrize(
    ("expression", "taken", "known", "shown", "count"),
    [
        (r"^10[01]\d$", "^$", (), "1000-1019", 20),
        ("^911$", "^$", (), "911", 1),
        (r"^\+?1949$", "^$", (), "1949, +1949", 2),
        (r"^9\d{10}$", "^$", (), "9xxxxxxxxxx", 10**10),
        (r"^[2-9]\d\d[13]$", r"^2", (), "[3-9]xx[13]", 1400),
        (r"^\*8\d{6}$", "^$", (), "*8xxxxxx", 10**6),
        (r"^9(\d+)$", "^$", (r"^9(\d+)$",), r"^9(\d+)$", None),
        (r"^9(\d+)$", "^911$", (r"^9(\d+)$",), r"what is left of ^9(\d+)$", None),
        (r"^9(\d+)$", "^911$", ("^(?=9)",), "any other number", None),
        (r"^\d[13579]{3}$", "^$", (), "x[13579][13579][13579]", 1250),
    ],
)
def test_numbers_are_ranges_patterns_or_an_expression(
    expression: str, taken: str, known: tuple[str, ...], shown: str, count: int | None
) -> None:
    searches = Searches(Store())
    store = searches.store
    dialled = searches.matching(ALL)
    numbers = store.both(searches.matching(expression), dialled)
    numbers = store.without(numbers, searches.matching(taken))
    assert show_numbers(searches, dialled, numbers, known) == (shown, count)


def test_many_single_numbers_are_not_all_listed() -> None:
    searches = Searches(Store())
    numbers = searches.store.texts(str(number * 7919).encode() for number in range(1, 60))
    shown, count = show_numbers(searches, searches.matching(ALL), numbers, ())
    assert (count, shown.endswith(" and 55 more")) == (59, True)
