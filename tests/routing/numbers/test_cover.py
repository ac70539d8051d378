"""Extensions that earlier ones cover are found, and only those."""

import re
from itertools import product
from xml.sax.saxutils import quoteattr

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsgitops.routing.numbers.cover import find_covered
from fsgitops.routing.tree import Element, parse


def _context(*extensions: str) -> Element:
    rows = "\n".join(
        f'<extension name="{at}">{text}</extension>' for at, text in enumerate(extensions)
    )
    return parse(f'<context name="default">{rows}</context>'.encode())


def _dialled(expression: str, more: str = "", inside: str = "") -> str:
    return (
        f'<condition field="destination_number" expression={quoteattr(expression)}{more}>'
        f'<action application="answer"/>{inside}</condition>'
    )


def _names(*extensions: str) -> dict[str, list[str]]:
    return {
        item.extension.attributes["name"]: [by.attributes["name"] for by in item.by]
        for item in find_covered(_context(*extensions))
    }


def test_an_extension_is_covered_by_several_that_share_its_numbers() -> None:
    found = _names(
        _dialled("^20[0-4]$"), _dialled("^30"), _dialled("^20[5-9]$"), _dialled(r"^20\d$")
    )
    assert found == {"3": ["0", "2"]}


def test_a_catch_all_covers_ten_thousand_dids() -> None:
    dids = [_dialled(rf"^(\+?1{number})$") for number in range(10_000)]
    assert len(_names(_dialled("^(.*)$"), *dids)) == 10_000


def test_the_same_did_twice_is_covered_by_the_first() -> None:
    assert _names(_dialled(r"^(\+?1202|202)$"), _dialled("^(202)$")) == {"1": ["0"]}


@pytest.mark.parametrize(
    "first",
    [
        _dialled("^9", ' break="never"'),
        _dialled("^9", ' hour="9-17"'),
        '<condition field="caller_id_number" expression="^1$"/>' + _dialled("^9"),
        _dialled("^(?=9)"),
        _dialled("^9${x}"),
        _dialled("^9", inside='<condition field="username" expression="^1$"/>'),
    ],
)
def test_what_may_let_a_number_pass_covers_nothing(first: str) -> None:
    assert _names(first, _dialled("^911$")) == {}


def test_an_extension_that_goes_on_covers_nothing() -> None:
    text = f'<extension name="a" continue="true">{_dialled("^9")}</extension>'
    rest = f'<extension name="b">{_dialled("^911$")}</extension>'
    assert find_covered(parse(f'<context name="c">{text}{rest}</context>'.encode())) == []


def test_an_anti_action_is_not_covered_with_its_condition() -> None:
    other = (
        '<condition field="destination_number" expression="^911$"><anti-action '
        'application="hangup"/></condition>'
    )
    assert _names(_dialled("^9"), other) == {}


def test_rules_of_a_condition_are_joined() -> None:
    rules = (
        '<condition regex="any"><regex field="destination_number" expression="^1$"/>'
        '<regex field="destination_number" expression="^2$"/><action application="answer"/>'
        "</condition>"
    )
    assert _names(rules, _dialled("^[12]$")) == {"1": ["0"]}
    assert _names(rules.replace("any", "all"), _dialled("^[12]$")) == {"0": []}


_parts = st.sampled_from(["1", "2", "[12]", r"\d", ".*", "1?", "(1|2)", ""])
_expressions = st.builds("^{}{}{}{}".format, _parts, _parts, _parts, st.sampled_from(["", "$"]))


@given(st.lists(_expressions, min_size=2, max_size=6))
@settings(max_examples=60, deadline=None)
def test_what_is_covered_takes_no_number_of_up_to_four_characters(expressions: list[str]) -> None:
    covered = _names(*map(_dialled, expressions))
    numbers = ["".join(text) for size in range(5) for text in product("123x", repeat=size)]
    first = {
        next((at for at, item in enumerate(expressions) if re.search(item, number)), None)
        for number in numbers
    }
    reached = {str(at) for at in first}
    # The expressions tell numbers apart by three characters at most, so four of them show it all.
    assert covered.keys() == {str(at) for at in range(len(expressions))} - reached
