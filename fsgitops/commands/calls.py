"""`fsgitops calls`, `hangup`, `registrations` and `kick`: what is up at the switch, and its end."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fsgitops.errors import NotThereError, SwitchError
from fsgitops.findings import has_errors
from fsgitops.homes.directory import flush_command
from fsgitops.homes.home import run_step
from fsgitops.kinds.agent.noun import Agent
from fsgitops.live.audit import audited
from fsgitops.live.calls import LiveCall, join_calls
from fsgitops.live.connect import address_of, connect_target
from fsgitops.live.roster import check_extension, check_uuid, load_roster, phones_of
from fsgitops.model.plan import ReloadStep
from fsgitops.workspace.declare import declare_desired

if TYPE_CHECKING:
    from fsgitops.settings.target import Target
    from fsgitops.switch.client import Switch
    from fsgitops.switch.replies import Registration
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


def run_registrations(workspace: Workspace) -> tuple[Registration, ...]:
    """Return who is registered at the target's SIP profile, by user. Raises SwitchError."""
    target = workspace.target
    with connect_target(target, workspace.root) as switch:
        found = switch.registrations(target.profile)
    return tuple(sorted(found, key=lambda item: (item.user, item.domain, item.call_id)))


_ATTEMPTS = 40
_PAUSE = 0.05


@dataclass(frozen=True, slots=True)
class Ended:
    """What an extension had: phones that were registered, and how many mod_verto sessions."""

    phones: tuple[Registration, ...] = ()
    sessions: int = 0


def run_kick(workspace: Workspace, extension: str) -> Ended:
    """End the registrations of an extension, declared or not, and write it down.

    A declared agent may have none. Raises UsageError, NotThereError for an extension that is
    neither declared nor registered, SwitchError.
    """
    with audited(workspace, "kick", extension) as details:
        check_extension(extension)
        with connect_target(workspace.target, workspace.root) as switch:
            ended = end_registrations(switch, workspace.target, extension)
        details["phones"] = str(len(ended.phones))
        if not (ended.phones or ended.sessions):
            _check_declared(workspace, extension)
    return ended


def _check_declared(workspace: Workspace, extension: str) -> None:
    """Raise NotThereError for an agent that is not declared, where that can be told."""
    declared = declare_desired(workspace)
    known = {agent.extension for agent in declared.desired.of(Agent)}
    if extension not in known and not has_errors(declared.findings):
        raise NotThereError(f"no agent {extension} is declared, and no phone is registered as it")


def end_registrations(switch: Switch, target: Target, extension: str) -> Ended:
    """End the registrations at a switch that is at hand, and see them gone.

    A phone that goes on running registers again when its time is up, or sooner. A mod_verto session
    can do nothing until it logs in again.
    """
    domain, profile = target.domain, target.profile
    # What registered before the extension had a user of another name is ended as well.
    users = {switch.find_login(check_extension(extension), domain), extension}
    sessions = 0
    for user in sorted(users):
        ended, refused = switch.end_verto_sessions(user, domain)
        sessions += ended
        if refused:
            raise SwitchError(f"the switch did not end a mod_verto session of user {user}")
    before = phones_of(switch.registrations(profile), users, domain)
    if not before:
        return Ended(sessions=sessions)
    for user in sorted({item.user for item in before}):
        run_step(switch, ReloadStep(flush_command(user, address_of(target)), "kicked"))
    call_ids = {item.call_id for item in before}
    for _ in range(_ATTEMPTS):
        # mod_sofia deletes through a queue, so the list lags behind.
        left = phones_of(switch.registrations(profile), users, domain)
        if not call_ids & {item.call_id for item in left}:
            return Ended(tuple(before), sessions)
        time.sleep(_PAUSE)
    raise SwitchError(
        f"extension {extension} is still registered, though the switch said it is not"
    )
