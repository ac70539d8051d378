"""What a rule is, and what it says: which field of which resource breaks it, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fsgitops.findings import Position, Severity
    from fsgitops.model.document import Path
    from fsgitops.model.resource import Resource


class Breach(NamedTuple):
    """One breach of one rule. `path` leads to the field; empty, the whole resource is meant.

    `key` says that the field's name is at fault and not its value. `place` is given where the
    resource was declared more than once. Breaches of one rule with one `group` are told as one
    finding, once those that a comment silences are left out.
    """

    resource: Resource
    path: Path
    message: str
    hint: str = ""
    key: bool = False
    place: Position | None = None
    group: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """A check on all that is declared: `check(desired, kinds)` yields what breaks it.

    `fixed` rules protect the switch: nobody can turn them off.
    `whole` rules compare resources with each other, and mislead when some could not be read.
    `by_plan` rules are judged by the plan, which knows the conf directory; `check` finds nothing.
    """

    name: str
    severity: Severity
    check: Callable[..., Iterator[Breach]]
    description: str
    fixed: bool = False
    whole: bool = False
    by_plan: bool = False
