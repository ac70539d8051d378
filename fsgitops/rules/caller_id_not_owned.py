"""A caller ID number is one of ours: a declared DID, or an extension."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsgitops.rules.breach import Breach, agent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsgitops.model.desired import Desired


def check(desired: Desired) -> Iterator[Breach]:
    """Yield every agent that shows others a number that is not declared, grouped by number."""
    owned = {item.did_number for item in desired.did_routes}
    owned |= {name for kind, name in desired.rejected if kind == "did"}
    extensions = {item.extension for item in desired.agents}
    for item in desired.agents:
        number = item.caller_id_number
        if not number or number in owned or number in extensions:
            continue
        kind = "DID" if number.startswith("+") else "extension"
        yield Breach(
            agent(item.extension),
            ("caller_id_number",),
            f"agent {item.extension} shows the caller ID number {number}, not a declared {kind}",
            "Declare a route for it, or show a number that is yours: carriers block calls that "
            "show somebody else's.",
            group=number,
        )
