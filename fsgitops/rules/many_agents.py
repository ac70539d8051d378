"""A domain stays small enough for a quick reload."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsgitops.rules.breach import Breach, agent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsgitops.model.desired import Desired

MANY = 20_000
"""So many users in one list reload in seconds; 100,000 were measured to take over a minute."""


def check(desired: Desired) -> Iterator[Breach]:
    """Yield one breach at the first enabled agent over the number that reloads quickly."""
    enabled = [item.extension for item in desired.agents if item.enabled]
    if len(enabled) > MANY:
        yield Breach(
            agent(enabled[MANY]),
            (),
            f"{len(enabled):,} agents are enabled; above {MANY:,}, the time of a reload grows with "
            "the square of their number",
            "Spread them over several targets, and expect reloads of a minute and more.",
        )
