"""Tests stand in rooms of the code's names, and go through the doors that these have."""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

TESTS = Path(__file__).resolve().parents[1]
PACKAGE = TESTS.parent / "fsgitops"
ROOMS = {"contract", "docs", "freeswitch", "laws", "pipelines"}
"""Rooms of tests alone: what a real switch does, what pages say, what holds everywhere."""
FOREIGN = {"os._exit", "context._protected_args"}
"""Names of the standard library, and of click, which has no public one for what is left over."""


NAMED_TUPLE = {"_replace", "_asdict", "_fields", "_make"}


def test_tests_stand_in_rooms_of_the_names_that_the_code_has() -> None:
    tests = [path.relative_to(TESTS) for path in TESTS.rglob("test_*.py")]
    folders = {str(path.parent) for path in tests if path.parent != Path()}
    assert {name for name in folders if not is_room(name)} == ROOMS
    loose = {path.stem.removeprefix("test_") for path in tests if path.parent == Path()}
    assert {name for name in loose if not is_room(name)} == set()


def is_room(name: str) -> bool:
    return (PACKAGE / name).is_dir() or (PACKAGE / f"{name}.py").exists()


def is_private(name: str) -> bool:
    private = name.startswith("_") and not name.endswith("__") and name != "_"
    return private and name not in NAMED_TUPLE


def private_names(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield each private name of something else that is imported, read, set or patched."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("fsgitops"):
            words = [*(node.module or "").split("."), *(alias.name for alias in node.names)]
            yield from ((node.lineno, word) for word in words if is_private(word))
        elif isinstance(node, ast.Attribute) and is_private(node.attr):
            text = ast.unparse(node)
            own = ast.unparse(node.value) in ("self", "cls", "super()")
            if not own and text not in FOREIGN:
                yield node.lineno, text
        elif isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in PATCHES:
            for given in node.args[:2]:
                text = given.value if isinstance(given, ast.Constant) else None
                if isinstance(text, str) and any(is_private(word) for word in text.split(".")):
                    yield node.lineno, text


PATCHES = {"setattr", "delattr", "getattr", "setitem", "patch", "object", "fall_once"}


@pytest.mark.parametrize("path", sorted(TESTS.rglob("*.py")), ids=lambda path: path.name)
def test_no_test_reaches_for_a_private_name(path: Path) -> None:
    assert list(private_names(ast.parse(path.read_text(encoding="utf-8")))) == []


@pytest.mark.parametrize(
    "text",
    [
        "from fsgitops.routing.glob import _matcher",
        "from fsgitops.cdr._inner import x",
        "session._wire",
        "monkeypatch.setattr(module, '_LIMIT', 1)",
        "monkeypatch.setattr('fsgitops.a._b', 1)",
        "mock.patch('fsgitops.a._b')",
    ],
)
def test_each_way_to_a_private_name_is_seen(text: str) -> None:
    assert list(private_names(ast.parse(text)))


def test_what_is_a_tests_own_is_not_private_to_it() -> None:
    text = "self._x\ncls._y\nsuper()._z\n_ = x.__class__\nfrom hypothesis import _x"
    assert list(private_names(ast.parse(text))) == []


def test_no_bench_takes_the_name_of_a_module_that_it_imports() -> None:
    """A script's folder comes first where Python looks: `numbers.py` there stops `fractions`."""
    named = {path.stem for path in (TESTS.parent / "bench").glob("*.py")}
    assert named & sys.stdlib_module_names == set()
