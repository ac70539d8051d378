"""A public number leads to one place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsgitops.rules.breach import Breach

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsgitops.model.desired import Desired


def check(desired: Desired) -> Iterator[Breach]:
    """Yield every declaration of a number after its first, however it is written."""
    for resource, place in desired.repeats:
        if resource.kind == "did":
            first = desired.sources[resource]
            yield Breach(
                resource,
                ("did_number",),
                f"the number {resource.name} already has a route, at {first}",
                "Remove one of the two routes; a call can only go to one of them.",
                place=place,
            )
