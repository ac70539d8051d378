"""A plan as a JSON object and back: `docs/schemas/plan.json` describes the shape."""

from __future__ import annotations

from typing import Any

from fsgitops.model.plan import (
    PLAN_VERSION,
    Action,
    AttributeChange,
    Change,
    Hazard,
    Plan,
    ReloadStep,
)
from fsgitops.model.resource import Resource

_PLAIN = (
    "project", "target", "conf_dir", "domain", "unchanged", "unmanaged", "commit", "dirty",
    "live_digest", "fingerprint", "unknown_secrets", "simulated",
)  # fmt: skip


def plan_to_json(plan: Plan) -> dict[str, Any]:
    """Return the plan as plain JSON values. It holds no secret."""
    return {
        "format": "fsgitops-plan",
        "version": PLAN_VERSION,
        **{name: getattr(plan, name) for name in _PLAIN},
        "summary": {action.value: plan.count(action) for action in Action},
        "changes": [_change_to_json(change) for change in plan.changes],
        "reloads": [{"command": step.command, "because": step.because} for step in plan.reloads],
        "warnings": list(plan.warnings),
        "hazards": [
            {"rule": item.rule, "path": item.path, "message": item.message, "hint": item.hint}
            for item in plan.hazards
        ],
    }


def plan_from_json(data: Any) -> Plan:
    """Return the plan that `plan_to_json` wrote. Raises ValueError for anything else."""
    try:
        if data["format"] != "fsgitops-plan" or data["version"] != PLAN_VERSION:
            raise ValueError(f"expected a saved plan of version {PLAN_VERSION}")
        return Plan(
            **{name: data[name] for name in _PLAIN},
            changes=tuple(_change_from_json(item) for item in data["changes"]),
            reloads=tuple(ReloadStep(**item) for item in data["reloads"]),
            warnings=tuple(data.get("warnings", ())),
            hazards=tuple(Hazard(**item) for item in data["hazards"]),
        )
    except (KeyError, TypeError, AttributeError) as problem:
        raise ValueError(f"not a saved plan: {problem}") from None


def _change_to_json(change: Change) -> dict[str, Any]:
    return {
        "action": change.action.value,
        "resource": str(change.resource),
        "path": change.path,
        "source": change.source,
        "drifted": change.drifted,
        "before_digest": change.before_digest,
        "after_digest": change.after_digest,
        "attributes": [
            {
                "name": item.name,
                "before": item.before,
                "after": item.after,
                "secret": item.secret,
            }
            for item in change.attributes
        ],
    }


def _change_from_json(data: Any) -> Change:
    return Change(
        action=Action(data["action"]),
        resource=Resource.parse(data["resource"]),
        path=data["path"],
        source=data["source"],
        drifted=data["drifted"],
        before_digest=data["before_digest"],
        after_digest=data["after_digest"],
        attributes=tuple(AttributeChange(**item) for item in data["attributes"]),
    )
