"""Resources that must not be deleted: marked in the YAML, remembered in the manifest."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from fsgitops.model.plan import Action, AttributeChange, Change, Hazard, Plan

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fsgitops.model.compiled import CompiledConfig
    from fsgitops.model.live import LiveConfig

RULE = "protected"


def refuse_protected(plan: Plan, live: LiveConfig) -> Plan:
    """Return the plan without deletions of what is protected, and a hazard for each of those."""
    kept: list[Change] = []
    hazards: list[Hazard] = []
    for change in plan.changes:
        entry = live.manifest.entries.get(change.path)
        if change.action is Action.DELETE and entry is not None and entry.protect:
            message = f"{change.resource} is protected, but is no longer declared"
            hint = "declare it with `protect: false`, apply, then delete it"
            hazards.append(Hazard(RULE, change.path, message, hint))
        else:
            kept.append(change)
    return replace(plan, changes=tuple(kept), hazards=(*plan.hazards, *hazards))


def plan_protection(
    changes: Sequence[Change],
    compiled: CompiledConfig,
    live: LiveConfig,
    hazards: Sequence[Hazard],
    digest: Callable[[bytes], str],
) -> list[Change]:
    """Return the changes, with those of the mark itself: they are kept in the manifest alone."""
    changed = {change.path: change for change in changes}
    blocked = {hazard.path for hazard in hazards}
    for path, file in compiled.files.items():
        entry = live.manifest.entries.get(path)
        marked = entry is not None and entry.protect
        if entry is None or file.part.protect == marked or path in blocked:
            continue
        mark = AttributeChange("protect", _word(marked), _word(file.part.protect))
        change = changed.get(path)
        if change is None:
            known = digest(live.files[path].sha256.encode())
            changed[path] = Change(
                Action.UPDATE, file.part.resource, path, (mark,), source=str(file.part.source),
                before_digest=known, after_digest=known,
            )  # fmt: skip
        elif change.action is Action.UPDATE:
            changed[path] = replace(change, attributes=(*change.attributes, mark))
    return sorted(changed.values(), key=lambda change: (change.resource, change.path))


def _word(protect: bool) -> str:
    return "true" if protect else "false"
