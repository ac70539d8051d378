"""What a rule finds in a dialplan."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from fsgitops.routing.analysis.outline import Extension


class Found(NamedTuple):
    """What was found, at a line of the merged text or, with `inside`, of that extension's file.

    `through` are the other extensions that it takes. Unless it is `sure`, it is a warning at most.
    """

    rule: str
    line: int
    message: str
    hint: str
    inside: Extension | None = None
    through: tuple[Extension, ...] = ()
    sure: bool = True
