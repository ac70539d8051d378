"""What somebody else wrote is shown and does nothing, in text and in JSON alike."""

from __future__ import annotations

import ast
import json
from typing import TYPE_CHECKING

import pytest
from expressions import product_modules
from hypothesis import given
from hypothesis import strategies as st

from fsgitops.visible import make_lines_visible, make_visible, to_json

if TYPE_CHECKING:
    from project import Project

ANY = st.text(st.characters(codec="utf-16", categories=None), max_size=20) | st.text(
    'a\u202e\u2066\u200b\x1b\n\r\t\x00\u00a0\U000e0001"\\', max_size=8
)
VALUES = st.recursive(
    ANY | st.integers() | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY, inner, max_size=3),
    max_leaves=8,
)
TRICK = "Zoe \u202eecnanif\u202c\x1b[2J\u200b"


@given(VALUES, st.sampled_from([None, 1, 2]))
def test_json_shows_everything_and_is_the_same_value(value, indent) -> None:
    text = to_json(value, indent=indent)
    assert json.loads(text) == value
    assert all(line.isprintable() for line in text.split("\n"))
    assert indent or "\n" not in text


@given(ANY)
def test_text_shows_everything_on_one_line(text) -> None:
    assert make_visible(text).isprintable()
    assert all(line.isprintable() for line in make_lines_visible(text).split("\n"))


def test_half_a_character_is_shown() -> None:
    assert make_visible("a\udc80") == "a\\udc80"
    assert json.loads(to_json("a\udc80")) == "a\udc80"


@pytest.mark.parametrize(
    ("text", "shown"),
    [("Zo\u00eb \u4f60 \U0001f600", "Zo\u00eb \u4f60 \U0001f600"), ("\u202e", "\\u202e")],
)
def test_letters_stay_letters(text, shown) -> None:
    assert (make_visible(text), to_json(text)) == (shown, f'"{shown}"')


@pytest.mark.parametrize(
    "unseen", list("\u034f\u115f\u1160\u17b4\u180b\u180e\u3164\ufe0f\uffa0\u00ad\u2060\U000e0100")
)
def test_what_nobody_sees_is_shown_by_its_number(unseen) -> None:
    shown = unseen.encode("unicode_escape").decode()
    assert make_visible(f"Zo\u00eb{unseen}") == f"Zo\u00eb{shown}"
    assert unseen not in to_json(f"Zo\u00eb{unseen}")
    assert json.loads(to_json(unseen)) == unseen


# They are read by FreeSWITCH, by what speaks for it, or by YAML; nobody is shown them.
RAW_JSON = {"answers.py", "events.py", "session.py", "rotate.py", "visible.py"}


@pytest.mark.parametrize("path", product_modules(), ids=lambda path: path.stem)
def test_json_that_is_not_ascii_is_made_in_one_place(path) -> None:
    raw = [
        node
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.keyword) and node.arg == "ensure_ascii"
    ]
    assert not any(
        isinstance(word.value, ast.Constant) and word.value.value is False for word in raw
    ) or (path.name in RAW_JSON)


@pytest.mark.parametrize("path", product_modules(), ids=lambda path: path.stem)
def test_there_is_one_way_to_escape_text(path) -> None:
    """Nobody else puts a text together again from its characters by whether they can be printed."""
    own = {"visible.py", "scalars.py"}
    again = [
        node
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.GeneratorExp) and "isprintable" in ast.unparse(node.elt)
    ]
    assert not again or path.name in own


def test_a_word_of_the_command_line_does_nothing_when_it_is_wrong(project: Project) -> None:
    for words in (["--" + TRICK], ["plan", "--only", TRICK], ["show", TRICK], [TRICK]):
        ran = project.run(*words)
        assert ran.code != 0
        assert all(line.isprintable() for line in f"{ran.out}\n{ran.err}".split("\n"))


def test_the_sidecars_command_line_does_nothing_with_a_wrong_word_either(capfd) -> None:
    from fsgitops.cli.cdr import invoke

    for words in (["--" + TRICK], [TRICK], ["-C", TRICK, "files"], ["schema", TRICK]):
        assert invoke(words) != 0
        said = capfd.readouterr()
        assert all(line.isprintable() for line in f"{said.out}\n{said.err}".split("\n"))
