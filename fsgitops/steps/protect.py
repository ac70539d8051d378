"""Resources that must not be deleted: marked in the YAML, remembered in the manifest."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from fsgitops.model.plan import Action, AttributeChange, Change, Hazard, Plan

if TYPE_CHECKING:
    from collections.abc import Callable

    from fsgitops.model.compiled import CompiledConfig
    from fsgitops.model.live import LiveConfig

RULE = "protected"


def refuse_protected(plan: Plan, live: LiveConfig) -> Plan:
    """Return the plan without deletions of what is protected, and a hazard for each of those."""
    deleted = {change.path for change in plan.changes if change.action is Action.DELETE}
    protected = {
        (path, record.resource)
        for path in deleted.intersection(live.manifest.entries)
        for record in live.manifest.entries[path].records
        if record.protect
    }
    made = {change.resource for change in plan.changes if change.action is Action.CREATE}
    kept: list[Change] = []
    hazards: list[Hazard] = []
    for change in plan.changes:
        deletes = change.action is Action.DELETE and change.resource not in made
        if deletes and (change.path, change.resource) in protected:
            message = f"{change.resource} is protected, but is no longer declared"
            hint = "declare it with `protect: false`, apply, then delete it"
            hazards.append(Hazard(RULE, change.path, message, hint))
        else:
            kept.append(change)
    return replace(plan, changes=tuple(kept), hazards=(*plan.hazards, *hazards))


def plan_protection(
    plan: Plan, compiled: CompiledConfig, live: LiveConfig, digest: Callable[[bytes], str]
) -> Plan:
    """Return the plan with the changes of the mark itself: they are kept in the manifest alone."""
    changed = {(change.path, change.resource): change for change in plan.changes}
    touched = {change.path for change in plan.changes}
    blocked = {hazard.path for hazard in plan.hazards}
    marked: set[str] = set()
    for path, file in compiled.files.items():
        entry = live.manifest.entries.get(path)
        if entry is None or path in blocked:
            continue
        [first, *others], part = entry.records, file.parts[0]
        if not others and len(file.parts) == 1 and part.protect == first.protect:
            continue  # as nearly every file is
        was = {record.resource: record.protect for record in entry.records}
        for part in file.parts:
            if was.get(part.resource, part.protect) == part.protect:
                continue
            at = path, part.resource
            before, after = (str(value).lower() for value in (not part.protect, part.protect))
            mark = AttributeChange("protect", before, after)
            change = changed.get(at)
            if change is None:
                known = digest(live.files[path].sha256.encode())
                changed[at] = Change(
                    Action.UPDATE, part.resource, path, str(part.source), before_digest=known,
                    after_digest=known, attributes=(mark,),
                )  # fmt: skip
                marked.add(path)
            elif change.action is Action.UPDATE:
                changed[at] = replace(change, attributes=(*change.attributes, mark))
    changes = sorted(changed.values(), key=lambda change: (change.resource, change.path))
    unchanged = plan.unchanged - len(marked - touched)
    return replace(plan, changes=tuple(changes), unchanged=unchanged)
