"""`fsgitops kick`: end the registrations of an extension."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from fsgitops.commands.audit import audited
from fsgitops.commands.connect import connect_target, prepare_conf_dir
from fsgitops.commands.operation import check_extension, phones_of
from fsgitops.errors import SwitchError

if TYPE_CHECKING:
    from fsgitops.commands.workspace import Workspace
    from fsgitops.settings import Target
    from fsgitops.switch.client import Registration, Switch

_ATTEMPTS = 40
_PAUSE = 0.05


def run_kick(workspace: Workspace, extension: str) -> tuple[Registration, ...]:
    """End the registrations of an extension, declared or not, and write it down.

    Returns the phones that were registered: none is fine. Raises UsageError, SwitchError.
    """
    with audited(workspace, "kick", extension) as details:
        check_extension(extension)
        prepare_conf_dir(workspace.target)
        with connect_target(workspace.target, workspace.root) as switch:
            ended = end_registrations(switch, workspace.target, extension)
        details["phones"] = str(len(ended))
    return ended


def end_registrations(switch: Switch, target: Target, extension: str) -> tuple[Registration, ...]:
    """End the registrations at a switch that is at hand, and see them gone.

    A phone that goes on running registers again when its time is up, or sooner. A mod_verto session
    can do nothing until it logs in again.
    """
    user, domain, profile = check_extension(extension), target.domain, target.profile
    if switch.end_verto_sessions(user, domain)[1]:
        raise SwitchError(f"the switch did not end a mod_verto session of extension {user}")
    before = phones_of(switch.registrations(profile), user, domain)
    if not before:
        return ()
    switch.flush_registrations(user, domain, profile)
    call_ids = {item.call_id for item in before}
    for _ in range(_ATTEMPTS):
        # mod_sofia deletes through a queue, so the list lags behind.
        left = phones_of(switch.registrations(profile), user, domain)
        if not call_ids & {item.call_id for item in left}:
            return tuple(before)
        time.sleep(_PAUSE)
    raise SwitchError(f"extension {user} is still registered, though the switch said it is not")
