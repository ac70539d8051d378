"""Expressions that PCRE2 refuses, and those that a caller can make slow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsgitops.findings import quote_value
from fsgitops.routing.analysis.found import Found
from fsgitops.routing.analysis.outline import expression_of, list_tests
from fsgitops.routing.call.words import needs_expansion
from fsgitops.routing.pattern import is_valid

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsgitops.routing.analysis.outline import Outline


def find_invalid(outline: Outline) -> Iterator[Found]:
    """Yield the expressions that FreeSWITCH only logs, and matches nothing with."""
    for extension in outline.extensions:
        for test in list_tests(extension.element):
            expression = expression_of(test)
            if expression.startswith("_") or needs_expansion(expression) or is_valid(expression):
                continue
            yield Found(
                "invalid-expression", test.line,
                f"{quote_value(expression)} is no regular expression: FreeSWITCH logs that, and "
                f"the condition never holds",
                "Correct it; pcre2test says what is wrong.",
                extension,
            )  # fmt: skip
