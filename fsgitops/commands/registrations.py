"""`fsgitops registrations`: every phone that is registered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fsgitops.live.connect import connect_target

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fsgitops.switch.replies import Registration
    from fsgitops.workspace.open import Workspace


def run_registrations(workspace: Workspace) -> tuple[Registration, ...]:
    """Return who is registered at the target's SIP profile, by user. Raises SwitchError."""
    target = workspace.target
    with connect_target(target, workspace.root) as switch:
        found = switch.registrations(target.profile)
    return tuple(sorted(found, key=lambda item: (item.user, item.domain, item.call_id)))


def registration_to_json(item: Registration) -> dict[str, Any]:
    """Return JSON values (docs/json.md). `expires` is in seconds from now."""
    return {
        "user": item.user,
        "domain": item.domain,
        "contact": item.contact,
        "user_agent": item.agent,
        "status": item.status,
        "expires": item.expires,
        "network_ip": item.network_ip,
        "network_port": item.network_port,
        "call_id": item.call_id,
    }


def registrations_to_json(items: Iterable[Registration]) -> dict[str, Any]:
    """Return JSON values (docs/json.md)."""
    return {
        "format": "fsgitops-registrations",
        "version": 1,
        "registrations": [registration_to_json(item) for item in items],
    }
