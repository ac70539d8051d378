"""What is read line by line is what the parser of YAML makes of it, or is left to that."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fsgitops.steps.load import plain
from fsgitops.steps.load.events import parse_document
from fsgitops.steps.load.plain import parse_file
from fsgitops.steps.load.source import check_source

TESTS = Path(__file__).resolve().parents[1]
ITEM = "  - extension: 1020\n    name: Ann # hers\n    groups: [office, a b]\n"


def compare(data: bytes) -> None:
    """Check that both give the same tree, places and findings."""
    if check_source("a.yaml", data) is None:
        known, findings = parse_document("a.yaml", data)
        found, others = parse_file("a.yaml", data)
        assert (found, others) == (known, findings)
        assert repr(found) == repr(known)  # the order of the keys too
        if found and known:
            assert found.item_positions == known.item_positions
            paths = [(key, 0) for key in found.data]
            assert [*map(found.position, paths)] == [*map(known.position, paths)]


LINES = st.builds(
    "{}{}{}{}{}".format,
    st.sampled_from(["", "  ", "    ", " ", "   "]),
    st.sampled_from(["", "- ", "-", "-  ", "- - ", "? "]),
    st.sampled_from(["", "a:", "b: ", "a-1: ", "agents:", "null: ", "<<: ", "x :", "'q': ", "é: "]),
    st.one_of(
        st.sampled_from([
            "1", "+49 30", "a b", "a: b", "a:b", "a #b", "a#b", "null", "~", "''", "'it''s'", '"a"',
            '"\\n"', "'a' b", "[a, b ]", "[ ]", "[a,]", "[a: b]", "[[a], b]", "{}",
            "{a: 1, b: x y}", "{a: 1, a: 2}", "{a: 'x, y', b: \"}\" }", "{a: b,}", "{a: }", "{a}",
            "{a: {b: c}}", "|",
            ">-", "&x 1", "*x", "!!str 1", "@a", "%a", "a, b", "[a", "a]", "http://x:1/#y", "-1",
            "- x", "é ü", "null ", "[null, é]", "{a: null }", "...", "---", "(x)", "a? b", "[a ?b]",
        ]),
        st.text("ab:#-'\"[]{},&*?|> 1é\u00a0", max_size=8),
    ),
    st.sampled_from(["", " ", " # c", "#c", "  #", "\t", "\r"]),
)  # fmt: skip


@given(st.lists(LINES, max_size=7).map("\n".join))
@example("---\nagents:\n- a: 1\n  b:\n  c:\n    d: 1\n- e: 1\nf:")
@example("a:\n  - b\n  - c: 1\n    d:\n    - e\n    - {f: g}\n  # end\nh: i\n")
@example("a:\n - b\n  - c\n")
@example("a: b\n  c\n")
@example("a: b\n\n\n---\nc: d\n")
@example("a:\n  b: 1\n c: 2\n")
@example(f"{'k' * 1025}: 1\n")
@example("- a: 1\n")
@example("a: 1\n- b\n")
@example("".join(f"{' ' * depth}a:\n" for depth in range(40)))
def test_what_is_read_line_by_line_is_what_the_parser_makes_of_it(text: str) -> None:
    compare(text.encode())


def test_a_long_file_is_what_the_parser_makes_of_it() -> None:
    compare(f"agents:\n{ITEM * 1500}x-end:\n  a: 1\n".encode())


FILES = [*TESTS.glob("**/desired/**/*.yaml"), *TESTS.parent.glob("desired/*.yaml")]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(TESTS.parent)))
def test_each_file_of_an_example_is_what_the_parser_makes_of_it(path: Path) -> None:
    compare(path.read_bytes())


@pytest.mark.parametrize("end", ["\n", ""])
@pytest.mark.parametrize("first", ["", "---\n", "# Ours.\n\n"])
def test_a_file_of_plain_lines_is_read_without_the_parser(
    end: str, first: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = f"{first}agents:\n{ITEM}    voicemail: {{enabled: true, email: a@example.com}}{end}"
    known, _ = parse_document("a.yaml", text.encode())
    monkeypatch.delattr("fsgitops.steps.load.events.parse_document")
    found, findings = plain.parse_file("a.yaml", text.encode())
    assert (found, findings) == (known, [])
