"""What a person asked of a plan beside the plan itself: which part, and with which permissions."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from fsgitops.model.plan import Action, Change, Danger, Hazard, Need, Plan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from fsgitops.model.compiled import CompiledConfig
    from fsgitops.model.kind import Kinds
    from fsgitops.model.live import LiveConfig
    from fsgitops.model.resource import Resource
    from fsgitops.settings.target import Target
    from fsgitops.steps.select import Selection
    from fsgitops.workspace.declare import Compilation


@dataclass(frozen=True, slots=True)
class Demands:
    """`--only`, `--exclude`, `--allow`, `--kick-rotated`, `--no-reload`."""

    only: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    allow: frozenset[str] = field(default_factory=frozenset)
    kick_rotated: bool = False
    reload: bool = True

    def of_saved(self, approved: Plan) -> Demands:
        """Return the demands that make the approved plan again, with the permissions given now.

        What the command line chooses beside a saved plan has to be what was approved.
        """
        return replace(
            self,
            only=self.only or approved.only,
            exclude=self.exclude or approved.exclude,
            kick_rotated=self.kick_rotated or approved.kick_rotated,
        )


def choose_changes(
    plan: Plan,
    compilation: Compilation,
    live: LiveConfig,
    demands: Demands,
    kinds: Kinds,
    digest: Callable[[bytes], str],
) -> tuple[Plan, CompiledConfig]:
    """Return the plan of what was asked for, and what it writes.

    Selected, nothing protected deleted, renames paired. Raises UsageError for a selector that names
    nothing.
    """
    from fsgitops.steps.protect import plan_protection, refuse_protected
    from fsgitops.steps.rename import pair_moves, pair_renames

    plan = plan_protection(plan, compilation.compiled, live, digest)
    plan = _select(plan, compilation, live, demands, kinds)
    plan = replace(plan, changes=pair_moves(plan, compilation.compiled, live))
    plan = refuse_protected(plan, live)
    plan = replace(plan, changes=pair_renames(plan.changes, live, kinds))
    foreign = any(entry.foreign for entry in live.manifest.entries.values())
    written = compilation.compiled
    hazards: list[Hazard] = []
    if plan.partial or foreign:
        from fsgitops.steps.keep import keep_unchosen, leave_foreign

        if plan.partial:
            written, hazards = keep_unchosen(written, live, plan.changes)
        if foreign:
            written, more = leave_foreign(written, live, plan.changes)
            hazards += more
    return replace(plan, hazards=(*plan.hazards, *hazards)), written


def count_cost(plan: Plan, live: LiveConfig, target: Target, *, kick_rotated: bool = False) -> Plan:
    """Return the plan with what each change can cost, and how the switch is told of all.

    What an earlier apply did not tell the switch is loaded with it.
    """
    from fsgitops.homes.reload import plan_reloads
    from fsgitops.live.connect import address_of
    from fsgitops.steps.needs import classify_changes
    from fsgitops.steps.plan.changes import find_unloaded

    changes = classify_changes(plan.changes)
    unloaded = classify_changes(
        find_unloaded(changes, live, lambda path: os.path.lexists(target.conf_dir / path))
    )
    reloads = plan_reloads(
        changes, address_of(target), kick_rotated=kick_rotated, unloaded=unloaded
    )
    return replace(
        plan, changes=changes, unloaded=unloaded, reloads=reloads, kick_rotated=kick_rotated
    )


def weigh_plan(
    plan: Plan,
    compilation: Compilation,
    live: LiveConfig,
    target: Target,
    demands: Demands,
    kinds: Kinds,
) -> Plan:
    """Return the plan with the permissions that it needs, each given or not."""
    from fsgitops.steps.needs import find_other_key

    compiled = compilation.compiled
    declared = _count(compiled.resources(), kinds)
    other = find_other_key(
        plan.changes, live.manifest.keys, compiled.keys, upcoming=compiled.upcoming_key
    )
    return weigh_changes(
        plan, live, target, demands, kinds, declared=1 if plan.partial else declared, others=other
    )


def weigh_changes(
    plan: Plan,
    live: LiveConfig,
    target: Target,
    demands: Demands,
    kinds: Kinds,
    *,
    declared: int,
    others: Iterable[Need] = (),
) -> Plan:
    """Do the same for a plan of any origin, where `declared` resources are wanted in all.

    `others` are permissions that it needs for what only its origin knows.
    """
    from fsgitops.steps.needs import find_dangers, find_failing, find_other_owner

    excess = _find_excess(plan, live, target, kinds, declared) if plan.changes else []
    needs = [
        *find_other_owner(plan, live.manifest),
        *excess,
        *others,
        *find_failing(plan),
        *(find_dangers(plan) if demands.reload else []),
    ]
    given = demands.allow.union(target.allow)
    return replace(
        plan, needs=tuple(replace(need, allowed=need.permission in given) for need in needs)
    )


def _find_excess(
    plan: Plan, live: LiveConfig, target: Target, kinds: Kinds, declared: int
) -> list[Need]:
    from fsgitops.model.plan import Limits
    from fsgitops.steps.needs import find_excess

    managed = _count((record.resource for record in live.manifest.records()), kinds)
    if not managed:
        return []
    changes = [
        effect
        for change in plan.changes
        if change.dangers != (Danger.NOTHING,)
        and (effect := change.effect)
        and (not change.moved or change.attributes)
    ]
    return find_excess(
        managed=managed,
        deletes=_count((i.resource for i in changes if i.action is Action.DELETE), kinds),
        updates=_count((i.resource for i in changes if i.action is Action.UPDATE), kinds),
        declared=declared,
        limits=Limits(**target.limits.said()),
    )


def _count(resources: Iterable[Resource], kinds: Kinds) -> int:
    """Count what a person declares; the files that follow from it are left out."""
    return sum(kinds.owner(resource) is None for resource in resources)


def _select(
    plan: Plan, compilation: Compilation, live: LiveConfig, demands: Demands, kinds: Kinds
) -> Plan:
    from fsgitops.model.review import source_file
    from fsgitops.steps.select import (
        Selection,
        check_selection,
        find_dangling,
        select_changes,
    )

    selection = Selection(kinds, demands.only, demands.exclude)
    if not selection:
        return plan
    desired = compilation.declared.desired
    known = {item.resource: source_file(item.source) for item in live.manifest.records()}
    known |= {
        part.resource: part.source.file
        for item in compilation.compiled.files.values()
        for part in item.parts
    }
    known |= {resource: position.file for resource, position in desired.sources.items()}
    check_selection(selection, known)
    managed = [record.resource for record in live.manifest.records()]
    kept, left = select_changes(plan.changes, selection, managed)
    return replace(
        plan,
        changes=tuple(kept),
        hazards=_select_hazards(plan.hazards, kept, known, compilation, live, selection),
        partial=True,
        only=demands.only,
        exclude=demands.exclude,
        left_out=len(plan.changes) - len(kept),
        warnings=(*plan.warnings, *find_dangling(desired, left)),
    )


def _select_hazards(
    hazards: Iterable[Hazard],
    kept: Iterable[Change],
    known: dict[Resource, str],
    compilation: Compilation,
    live: LiveConfig,
    selection: Selection,
) -> tuple[Hazard, ...]:
    """Leave out the hazards of what the plan does not touch."""
    files, entries = compilation.compiled.files, live.manifest.entries
    needed = {change.path for change in kept}
    selected: list[Hazard] = []
    for hazard in hazards:
        file, entry = files.get(hazard.path), entries.get(hazard.path)
        lying = file.parts if file else entry.records if entry else ()
        resources = [item.resource for item in lying]
        if (
            not resources
            or hazard.path in needed
            or any(
                selection.kinds.owner(item) or selection.selects(item, known.get(item, ""))
                for item in resources
            )
        ):
            selected.append(hazard)
    return tuple(selected)
