"""A route leads to an agent that is declared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsgitops.rules.breach import Breach, route

if TYPE_CHECKING:
    from collections.abc import Iterator, Set

    from fsgitops.model.desired import Desired


def check(desired: Desired) -> Iterator[Breach]:
    """Yield every route whose destination nobody declares."""
    known = {agent.extension for agent in desired.agents}
    # An agent with a wrong field is there, and has its finding; a second one would mislead.
    known |= {name for kind, name in desired.rejected if kind == "agent"}
    for item in desired.did_routes:
        wanted = item.destination_extension
        if wanted in known:
            continue
        near = _nearest(wanted, known)
        hint = f"Did you mean {near}?" if near else "Declare the agent, or correct the extension."
        yield Breach(
            route(item.did_number),
            ("destination_extension",),
            f"no agent has the extension {wanted}",
            hint,
        )


def _nearest(wanted: str, known: Set[str]) -> str | None:
    """Return a known extension that one slip of the finger turns into `wanted`."""
    swapped = [
        wanted[:at] + wanted[at + 1] + wanted[at] + wanted[at + 2 :]
        for at in range(len(wanted) - 1)
    ]
    changed = [
        wanted[:at] + digit + wanted[at + 1 :]
        for at in range(len(wanted))
        for digit in "0123456789"
    ]
    shorter = [wanted[:at] + wanted[at + 1 :] for at in range(len(wanted))]
    longer = [
        wanted[:at] + digit + wanted[at:] for at in range(len(wanted) + 1) for digit in "0123456789"
    ]
    # Looking up some 130 candidates stays cheap beside 100,000 agents; comparing all does not.
    return next((name for name in (*swapped, *changed, *shorter, *longer) if name in known), None)
