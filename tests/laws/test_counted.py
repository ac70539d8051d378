"""No sentence counts a thing as `1 things`: numbers before nouns go through `count_noun`."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from fsgitops.visible import count_noun

SOURCES = Path(__file__).resolve().parents[2] / "fsgitops"
NOUNS = (
    "agents|routes|resources|files|errors|warnings|findings|changes|records|secrets|commands|days|"
    "hours|extensions|registrations|calls|revisions|creations|paths|others|sessions|events"
)
PLURAL = re.compile(rf" (?:[a-z]+ ){{0,3}}(?:{NOUNS})\b")
COUNTED = re.compile(r"len\(|count|sum\(|\b(?:number|total|left|more|rows|rest|size)\b")
ALWAYS_MANY = {
    ("findings.py", "count"),  # one has a branch of its own
    ("kinds/agent/rules.py", "len(enabled)"),  # over 20,000
}


def bare_counts(path: Path) -> list[tuple[str, str]]:
    name = path.relative_to(SOURCES).as_posix()
    return [
        (name, ast.unparse(value.value))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.JoinedStr)
        for value, text in zip(node.values, node.values[1:], strict=False)
        if isinstance(value, ast.FormattedValue)
        and isinstance(text, ast.Constant)
        and PLURAL.match(str(text.value))
        and COUNTED.search(ast.unparse(value.value))
        and "count_noun" not in ast.unparse(value.value)
    ]


def test_every_count_before_a_noun_knows_the_singular() -> None:
    found = {item for path in SOURCES.rglob("*.py") for item in bare_counts(path)}
    simulated = {item for item in found if item[0].startswith("sandbox/")}  # FreeSWITCH's own words
    assert found - simulated - ALWAYS_MANY == set()


@pytest.mark.parametrize(
    ("number", "noun", "said"),
    [(0, "file", "0 files"), (1, "more agent", "1 more agent"), (2, "entry", "2 entries"),
     (10_000, "file", "10,000 files")],
)  # fmt: skip
def test_a_count_is_said_with_its_noun(number: int, noun: str, said: str) -> None:
    assert count_noun(number, noun) == said
