"""Extensions that no call gets to, whatever is dialled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsgitops.findings import quote_value
from fsgitops.routing.analysis.contexts import list_entered
from fsgitops.routing.analysis.expressions import is_refused
from fsgitops.routing.analysis.found import Found
from fsgitops.routing.analysis.outline import list_tests
from fsgitops.routing.numbers.cover import find_covered
from fsgitops.routing.tree import fold

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fsgitops.routing.analysis.outline import Extension, Outline


def find_shadowed(outline: Outline) -> Iterator[Found]:
    """Yield the extensions whose numbers are all taken before, and those that take none at all."""
    entered = list_entered(outline)
    for context in outline.contexts:
        if context.dead or fold(context.name) not in entered:
            continue
        known = {id(item.element): item for item in context.extensions}
        for covered in find_covered(context.element):
            extension = known[id(covered.extension)]
            if extension.resource:
                continue  # who takes a declared number is told by taken-number
            by = [known[id(item)] for item in covered.by]
            if by:
                yield _tell_shadowed(extension, by, outline)
            elif not any(map(is_refused, list_tests(extension.element))):
                yield Found(
                    "unreachable-extension", extension.line,
                    f"the extension {quote_value(extension.name)} never does anything: no number "
                    "meets all its conditions",
                    "Look at its conditions on destination_number: all of them have to hold.",
                    extension,
                )  # fmt: skip


def _tell_shadowed(extension: Extension, by: Sequence[Extension], outline: Outline) -> Found:
    names = [f"{quote_value(item.name)} ({outline.place(item)})" for item in by]
    return Found(
        "shadowed-extension", extension.line,
        f"the extension {quote_value(extension.name)} takes no call: each number that it could "
        f"take is taken before by {', '.join(names)}",
        "Put it before, or remove it.",
        extension,
        tuple(by),
    )  # fmt: skip
