"""A DID is a number that the numbering plan of its country knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsgitops.phone import is_assignable
from fsgitops.rules.breach import Breach, route

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsgitops.model.desired import Desired


def check(desired: Desired) -> Iterator[Breach]:
    """Yield every DID of the right length that its country does not give out."""
    for item in desired.did_routes:
        if not is_assignable(item.did_number):
            yield Breach(
                route(item.did_number),
                ("did_number",),
                f"{item.did_number} is not in use in the numbering plan of its country",
                "Check the area code for a slip.",
            )
