"""How an API command's argument is split."""

from __future__ import annotations

import pytest

from fsgitops.sandbox.calls import split_words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a b  c", ["a", "b", "c"]),
        ("  a ", ["a"]),
        ("'a b' c", ["a b", "c"]),
        (r"a\'b c", ["a'b", "c"]),
        (r"a\sb", ["a b"]),
        ("it's b", ["it's b"]),
        ("", []),
    ],
)
def test_words_are_split_at_spaces_outside_quotes(text: str, words: list[str]) -> None:
    assert split_words(text) == words


def test_the_last_word_takes_the_rest() -> None:
    assert split_words("a b c d", 2) == ["a", "b c d"]
