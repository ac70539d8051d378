"""Whether a plan touches what another project, or another target of this one, applied."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from fsgitops.model.live import Owner
from fsgitops.model.plan import Action, Need, Plan

if TYPE_CHECKING:
    from fsgitops.model.live import Manifest

PERMISSION = "owner"
_VERBS = {Action.CREATE: "added", Action.UPDATE: "changed", Action.DELETE: "deleted"}


def find_other_owner(plan: Plan, manifest: Manifest) -> list[Need]:
    """Return the permission that it takes to apply over what somebody else applied.

    What one project does not declare, its plan deletes: on the conf directory of another one, that
    is everything. A manifest of an earlier release names no owner; the next apply writes it.
    """
    here, owner = Owner(plan.project, plan.target), manifest.owner
    if owner in (None, here) or not manifest.entries or not (plan.changes or plan.unloaded):
        return []
    files = Counter(change.action for change in plan.changes)
    done = ", ".join(f"{files[action]} {verb}" for action, verb in _VERBS.items() if files[action])
    because = (
        f"{owner} applied what is live here, and this is {here}. Files: {done or 'none changed'}. "
        "Give each project a conf directory of its own, or allow this once: then this one owns it"
    )
    return [Need(PERMISSION, because)]
