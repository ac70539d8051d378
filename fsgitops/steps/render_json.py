"""Outcomes as JSON values: docs/json.md describes each shape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fsgitops.model.applied import Applied


def applied_to_json(applied: Applied) -> dict[str, Any]:
    """Return what an apply did."""
    return {
        "format": "fsgitops-applied",
        "version": 1,
        "outcome": applied.outcome.name.lower(),
        "created": applied.created,
        "updated": applied.updated,
        "deleted": applied.deleted,
        "renamed": applied.renamed,
        "replies": [{"command": item.command, "reply": item.reply} for item in applied.replies],
        **applied.read_back.of_version_1(),
        "registrations_ended": applied.registrations_ended,
        "registrations_kicked": applied.registrations_kicked,
        "verto_sessions_ended": applied.verto_sessions_ended,
        "notes": list(applied.notes),
    }
