"""An extension belongs to one agent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsgitops.rules.breach import Breach

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsgitops.model.desired import Desired


def check(desired: Desired) -> Iterator[Breach]:
    """Yield every declaration of an extension after its first."""
    for resource, place in desired.repeats:
        if resource.kind == "agent":
            first = desired.sources[resource]
            yield Breach(
                resource,
                ("extension",),
                f"extension {resource.name} is already declared at {first}",
                "Give one of the two agents another extension, or remove it.",
                place=place,
            )
