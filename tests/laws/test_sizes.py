"""What one has to read at once stays small: no file over 400 lines, no function over 40."""

from __future__ import annotations

import ast
from pathlib import Path

SOURCES = Path(__file__).resolve().parents[2] / "fsgitops"
LINES = 400
FUNCTION_LINES = 40


def long_functions(text: str) -> dict[str, int]:
    """Return the lines of each function that is too long; its decorators do not count."""
    return {
        node.name: node.end_lineno - node.lineno + 1
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno - node.lineno >= FUNCTION_LINES
    }


def test_nothing_is_too_long() -> None:
    texts = {path: path.read_text(encoding="utf-8") for path in SOURCES.rglob("*.py")}
    files = {path: lines for path, text in texts.items() if (lines := text.count("\n")) > LINES}
    functions = {path: found for path, text in texts.items() if (found := long_functions(text))}
    assert (files, functions) == ({}, {})


def test_a_function_of_a_line_more_is_told_by_name() -> None:
    text = "async def one():\n" + "    pass\n" * FUNCTION_LINES
    text += "def other():\n" + "    pass\n" * (FUNCTION_LINES - 1)
    assert long_functions(text) == {"one": FUNCTION_LINES + 1}
