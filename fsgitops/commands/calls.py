"""`fsgitops calls`: every call that is up, both legs joined."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fsgitops.live.calls import LiveCall, join_calls
from fsgitops.live.connect import connect_target
from fsgitops.live.roster import load_roster

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fsgitops.workspace.open import Workspace


def run_calls(workspace: Workspace) -> tuple[LiveCall, ...]:
    """Return the calls of the target's switch. Raises SwitchError, DesiredInvalidError."""
    roster = load_roster(workspace)
    with connect_target(workspace.target, workspace.root) as switch:
        return join_calls(switch.channels(), roster, workspace.target.domain)


def calls_to_json(calls: Iterable[LiveCall]) -> dict[str, Any]:
    """Return JSON values (docs/json.md)."""
    return {
        "format": "fsgitops-calls",
        "version": 1,
        "calls": [call.to_json() for call in calls],
    }
