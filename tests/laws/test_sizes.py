"""What one has to read at once stays small: no file over 400 lines, no function over 40."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

SOURCES = Path(__file__).resolve().parents[2] / "fsgitops"
LINES = 400
FUNCTION_LINES = 40
LONGER = {
    "commands/apply.py:run_apply": 45,
}
"""Functions that are longer still. None of them grows, and no other one joins them."""


@cache
def list_functions() -> dict[str, int]:
    """Return the lines of each function, without its decorators."""
    return {
        f"{path.relative_to(SOURCES).as_posix()}:{node.name}": node.end_lineno - node.lineno + 1
        for path in SOURCES.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno - node.lineno >= FUNCTION_LINES
    }


def test_no_file_is_too_long() -> None:
    counted = {path: len(path.read_bytes().splitlines()) for path in SOURCES.rglob("*.py")}
    assert {str(path): lines for path, lines in counted.items() if lines > LINES} == {}


def test_no_function_is_too_long() -> None:
    longer = list_functions()
    grown = {name: lines for name, lines in longer.items() if lines > LONGER.get(name, 0)}
    assert grown == {}


def test_what_is_short_by_now_is_no_exception() -> None:
    assert set(LONGER) <= set(list_functions())
