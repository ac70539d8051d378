"""`fsgitops calls` and `hangup`: every call that is up, both legs joined, and the end of one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsgitops.errors import NotThereError
from fsgitops.live.audit import audited
from fsgitops.live.calls import LiveCall, join_calls
from fsgitops.live.connect import connect_target
from fsgitops.live.roster import check_uuid, load_roster

if TYPE_CHECKING:
    from fsgitops.switch.client import Switch
    from fsgitops.workspace.open import Workspace


def run_calls(workspace: Workspace) -> tuple[LiveCall, ...]:
    """Return the calls of the target's switch. Raises SwitchError, DesiredInvalidError."""
    roster = load_roster(workspace)
    with connect_target(workspace.target, workspace.root) as switch:
        return join_calls(switch.channels(), roster, workspace.target.domain)


def run_hangup(workspace: Workspace, uuid: str) -> None:
    """End the call that a leg belongs to, and write it down. Raises NotThereError, SwitchError."""
    with audited(workspace, "hangup", uuid):
        check_uuid(uuid)
        with connect_target(workspace.target, workspace.root) as switch:
            end_call(switch, uuid)


def end_call(switch: Switch, uuid: str) -> None:
    """End a call at a switch that is at hand. Raises NotThereError when there is none."""
    if not switch.hang_up(check_uuid(uuid)):
        raise NotThereError(f"no call {uuid}")
