"""What an apply without a reload left behind: on the disk, and never told to the switch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsgitops.model.live import FileKind
from fsgitops.model.plan import Action, Change

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from fsgitops.model.live import LiveConfig


def find_unloaded(
    changes: Iterable[Change], live: LiveConfig, exists: Callable[[str], bool]
) -> tuple[Change, ...]:
    """Return what is to be loaded, and read back, beside these changes.

    Left out is what they change anyway, what drifted away since, and what was deleted and stands
    there again: somebody else declares it. `exists` tells whether a path has anything.
    """
    touched = {(change.path, change.resource) for change in changes}
    found: list[Change] = []
    there = {record.resource for record in live.manifest.records()}
    for path, resources in sorted(live.manifest.unloaded.items()):
        entry = live.manifest.entries.get(path)
        if live.files[path].kind is not FileKind.REGULAR if entry else exists(path):
            continue
        managed = {record.resource for record in entry.records} if entry else ()
        for resource in resources:
            action = Action.UPDATE if resource in managed else Action.DELETE
            moved = action is Action.DELETE and resource in there
            if (path, resource) not in touched and not moved:
                found.append(Change(action, resource, path))
    return tuple(found)
