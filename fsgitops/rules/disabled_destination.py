"""A route that is on leads to an agent that is on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsgitops.rules.breach import Breach, agent, route

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsgitops.model.desired import Desired


def check(desired: Desired) -> Iterator[Breach]:
    """Yield every enabled route whose destination is a disabled agent."""
    disabled = {item.extension for item in desired.agents if not item.enabled}
    for item in desired.did_routes:
        if item.enabled and item.destination_extension in disabled:
            where = desired.sources.get(agent(item.destination_extension))
            yield Breach(
                route(item.did_number),
                ("destination_extension",),
                f"agent {item.destination_extension} is disabled"
                + (f" (it is declared at {where})" if where else "")
                + ", so nobody would answer this number",
                "Enable the agent, disable the route too, or send it elsewhere.",
            )
