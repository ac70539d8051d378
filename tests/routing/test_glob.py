"""File name patterns, against the rules of `glob(3)`."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsgitops.routing.glob import UnreadableFolderError, find_files, glob_expression

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ["a.xml", "b.xml", "B.xml", "ab.xml", "[x].xml", ".h.xml", "c.txt", "é.xml", "sub/d.xml"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in NAMES:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    return tmp_path


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("*.xml", ["B.xml", "[x].xml", "a.xml", "ab.xml", "b.xml", "é.xml"]),
        ("?.xml", ["B.xml", "a.xml", "b.xml", "é.xml"]),
        ("[ab].xml", ["a.xml", "b.xml"]),
        ("[!ab].xml", ["B.xml", "é.xml"]),
        ("[^ab].xml", ["B.xml", "é.xml"]),
        ("[a-z].xml", ["a.xml", "b.xml"]),
        ("[[]x].xml", ["[x].xml"]),
        (r"\[x\].xml", ["[x].xml"]),
        (".*.xml", [".h.xml"]),
        ("**/*.xml", ["sub/d.xml"]),
        ("*/d.xml", ["sub/d.xml"]),
        ("sub/../a.xml", ["sub/../a.xml"]),
        ("none.xml", []),
        ("a.xml", ["a.xml"]),
        ("{a,b}.xml", []),
        ("", []),
    ],
)
def test_a_pattern_finds_what_glob_finds(folder: Path, pattern: str, found: list[str]) -> None:
    prefix = f"{folder}/"
    assert [path.removeprefix(prefix) for path in find_files(str(folder), pattern)] == found


def test_an_absolute_pattern_ignores_the_folder(folder: Path) -> None:
    assert find_files("/nowhere", f"{folder}/a.*") == [f"{folder}/a.xml"]


def test_a_folder_that_may_not_be_listed_stops_the_pattern(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: str) -> list[str]:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr("os.listdir", refuse)
    with pytest.raises(UnreadableFolderError, match="Permission denied"):
        find_files(str(folder), "*.xml")


def test_a_folder_that_is_missing_yields_nothing(folder: Path) -> None:
    assert find_files(str(folder), "missing/*.xml") == []


@given(st.text("ab*?", max_size=9), st.text("ab", max_size=9))
def test_a_pattern_of_many_stars_matches_what_fnmatch_matches(pattern: str, name: str) -> None:
    assert (glob_expression(pattern).fullmatch(name) is not None) == fnmatchcase(name, pattern)
