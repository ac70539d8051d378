"""Toll classes: words of `toll_allow` that allow no more than they say."""

from __future__ import annotations

import re

import pytest
from builders import desired, noun
from hypothesis import given
from hypothesis import strategies as st

from fsgitops.kinds import BUILT_IN
from fsgitops.kinds.agent.rules import TOLL_CLASSES as KNOWN
from fsgitops.kinds.agent.rules import check_toll_classes
from fsgitops.model.rule import Breach


def breaches(*words: str) -> list[Breach]:
    state = desired(noun("agent", extension="1020", name="A", toll_allow=words))
    return list(check_toll_classes(state, BUILT_IN))


@pytest.mark.parametrize(
    ("word", "named"),
    [
        ("no-international", "international"), ("nonlocal", "local"), ("local-only", "local"),
        ("inter", "international"), ("l", "domestic|local|international"),
    ],
)  # fmt: skip
def test_a_word_that_allows_another_class_is_found(word: str, named: str) -> None:
    [breach] = breaches("domestic", word)
    assert breach.path == ("toll_allow", 1)
    assert re.search(f"`(?:{named})`", breach.message)
    assert breach.hint


@pytest.mark.parametrize("words", [KNOWN, ("eu", "mobile"), ("Local",), ()])
def test_words_that_are_apart_pass(words: tuple[str, ...]) -> None:
    assert breaches(*words) == []


def test_a_word_that_holds_another_agents_class_is_found() -> None:
    agents = (
        noun("agent", extension="1020", name="A", toll_allow=("eu",)),
        noun("agent", extension="1021", name="B", toll_allow=("non-eu",)),
    )
    [breach] = check_toll_classes(desired(*agents), BUILT_IN)
    assert (breach.resource.name, "`eu`" in breach.message) == ("1021", True)


WORDS = st.lists(st.text("elocat-", min_size=1, max_size=8) | st.sampled_from(KNOWN), max_size=5)


@given(WORDS)
def test_what_passes_matches_no_class_that_it_does_not_name(words: list[str]) -> None:
    if not breaches(*words):
        held = ",".join(words)
        assert {known for known in KNOWN if re.search(known, held)} == set(words) & set(KNOWN)
