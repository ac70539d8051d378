"""Elements made again from their flattened attributes."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from fsgitops.routing.directory import serialise
from fsgitops.routing.fragment import CLOSE, OPEN, flatten_fragment
from fsgitops.routing.rebuild import rebuild
from fsgitops.routing.tree import Element

WORDS = st.text(st.sampled_from('ab1/ @"x'), max_size=6)
LINES = st.sampled_from((
    "user", "param a", "variable b", "one", "one@continue", "one/destination_number",
    "one/action 1 set", 'one/condition 2 "${a}"', "one/condition 2/action 1 log", "one/condition 3",
    "one/condition 2/anti-action 1 hangup", "context x", "two",
))  # fmt: skip


def flatten(elements: list[Element]) -> dict[str, str]:
    return dict(flatten_fragment(OPEN + b"".join(map(serialise, elements)) + CLOSE))


def test_an_extension_is_made_again_with_its_conditions_and_actions() -> None:
    content = (
        OPEN
        + (
            b'<extension name="a" continue="true"><condition field="destination_number" '
            b'expression="^1$"/><condition field="${x}" expression="y"><action application="set" '
            b'data="a=1"/><anti-action application="answer"/></condition></extension>\n'
        )
        + CLOSE
    )
    attributes = flatten_fragment(content)
    made = rebuild(attributes)
    assert made is not None
    assert flatten(made) == dict(attributes)
    assert [item.name for item in made[0].children] == ["condition", "condition"]


@settings(deadline=None)
@given(st.dictionaries(st.one_of(LINES, WORDS), WORDS, max_size=6))
def test_whatever_is_made_has_the_attributes_that_it_was_made_of(
    attributes: dict[str, str],
) -> None:
    made = rebuild(attributes)
    framed = {key: value for key, value in attributes.items() if value not in ("group", "context")}
    assert made is None or flatten(made) == framed
