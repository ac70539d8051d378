"""What is asked of DID routes alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fsgitops.findings import Severity
from fsgitops.kinds.did_route.noun import DidRoute
from fsgitops.model.reading import resource_of
from fsgitops.model.rule import Breach, Rule
from fsgitops.phone import is_assignable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsgitops.model.desired import Desired
    from fsgitops.model.kind import Kinds


def check_assigned(desired: Desired, _kinds: Kinds) -> Iterator[Breach]:
    """Yield every DID of the right length that its country does not give out."""
    for route in desired.of(DidRoute):
        if not is_assignable(route.did_number):
            yield Breach(
                resource_of(route),
                ("did_number",),
                f"{route.did_number} is not in use in the numbering plan of its country",
                "Check the area code for a slip.",
            )


RULES: Final = (
    Rule(
        "unassigned-number",
        Severity.WARNING,
        check_assigned,
        "A DID is a number that its country's numbering plan knows.",
    ),
)
