"""One rendering: what a template is given, and how to prove what it makes of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fsgitops.errors import FsgitopsError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fsgitops.findings import Finding
    from fsgitops.routing.skeleton import Skeleton


class TemplateError(FsgitopsError):
    """A template cannot be used; carries the finding that says why."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.message)
        self.finding = finding


@dataclass(frozen=True, slots=True)
class Job:
    """One rendering: what the template is given, and how to prove what it makes of it.

    `values` are the values in the order of the made-up words in `neutral`; two jobs of the same
    `shape` differ in nothing else.
    """

    path: str
    shape: tuple[str, ...]
    values: Sequence[str]
    context: dict[str, Any]
    neutral: Callable[[], dict[str, Any]]
    prove: Callable[[Skeleton], list[str]]
