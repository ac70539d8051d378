"""`fsgitops history` and `fsgitops show`: what every apply left behind."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fsgitops.live.revisions import Kept
    from fsgitops.model.revision import RevisionChange


def history_to_json(revisions: list[Kept]) -> dict[str, Any]:
    """Return the list of revisions (docs/json.md)."""
    return {
        "format": "fsgitops-history",
        "version": 1,
        "revisions": [_revision_to_json(kept) for kept in revisions],
    }


def revision_to_json(kept: Kept, changes: list[RevisionChange]) -> dict[str, Any]:
    """Return one revision with its changes (docs/json.md). It holds no secret."""
    shown = [{k: v for k, v in item.to_json().items() if k != "entry_before"} for item in changes]
    return {
        "format": "fsgitops-revision",
        **_revision_to_json(kept),
        "version": 1,
        "changes": shown,
    }


def _revision_to_json(kept: Kept) -> dict[str, Any]:
    return {"revision": kept.number, **asdict(kept.revision)}
