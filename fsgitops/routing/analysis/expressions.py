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
    from fsgitops.routing.tree import Element


def is_refused(test: Element) -> bool:
    """Tell whether PCRE2 refuses the expression of a `<condition>` or a `<regex>`."""
    text = expression_of(test)
    return not (text.startswith("_") or needs_expansion(text) or is_valid(text))


def find_invalid(outline: Outline) -> Iterator[Found]:
    """Yield the expressions that FreeSWITCH only logs, and matches nothing with."""
    for extension in outline.extensions:
        for test in list_tests(extension.element):
            if not is_refused(test):
                continue
            yield Found(
                "invalid-expression", test.line,
                f"{quote_value(expression_of(test))} is no regular expression: FreeSWITCH logs "
                f"that, and the condition never holds",
                "Correct it; pcre2test says what is wrong.",
                extension,
            )  # fmt: skip
