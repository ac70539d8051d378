"""A caller ID number is one of ours: a declared DID, or an extension."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsgitops.model.resource import Kind
from fsgitops.rules.breach import Breach, agent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsgitops.model.desired import Desired


def check(desired: Desired) -> Iterator[Breach]:
    """Yield every number that is shown to others and not declared, once with its users."""
    owned = {item.did_number for item in desired.did_routes}
    owned |= {name for kind, name in desired.rejected if kind is Kind.DID_ROUTE}
    extensions = {item.extension for item in desired.agents}
    users: dict[str, list[str]] = {}
    for item in desired.agents:
        number = item.caller_id_number
        if number and number not in owned and number not in extensions:
            users.setdefault(number, []).append(item.extension)
    for number, found in users.items():
        others = f" (and {len(found) - 1} more agents)" if len(found) > 1 else ""
        is_number = number.startswith("+")
        yield Breach(
            agent(found[0]),
            ("caller_id_number",),
            f"agent {found[0]}{others} shows the caller ID number {number}, not a declared "
            + ("DID" if is_number else "extension"),
            "Declare a route for it, or show a number that is yours: carriers block calls that "
            "show somebody else's.",
        )
