"""A plan as a JSON object and back: `docs/json.md` describes the shape."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from functools import lru_cache
from itertools import islice
from json.encoder import encode_basestring_ascii as quote
from typing import TYPE_CHECKING, Any

from fsgitops.model.created import Created
from fsgitops.model.impact import Impact
from fsgitops.model.plan import (
    PLAN_VERSION,
    Action,
    Activity,
    AttributeChange,
    Change,
    Danger,
    Hazard,
    Need,
    Plan,
    ReloadStep,
    ResourceActivity,
)
from fsgitops.model.resource import Resource
from fsgitops.model.task import find_tasks
from fsgitops.model.verdict import Tests, Verdict
from fsgitops.schema_parts import json_values

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_PLAIN = (
    "project", "target", "conf_dir", "domain", "unchanged", "unmanaged", "commit", "dirty",
    "live_digest", "fingerprint", "unknown_secrets", "simulated",
)  # fmt: skip
_ADDED = ("partial", "left_out", "kick_rotated")
"""What the first plans of this version did not have yet."""
_TOGETHER = 256
"""Changes that are hashed at once."""


def plan_to_json(plan: Plan) -> dict[str, Any]:
    """Return the plan as plain JSON values. It holds no secret."""
    plan = seal_plan(plan)
    return {
        **_without_lists(plan),
        "tasks": json_values(find_tasks(plan)),
        "changes": json_values(plan.changes),
    }


def fingerprint_plan(plan: Plan) -> str:
    """Return a short hash of the whole plan.

    The fingerprint itself is left out, and so is what is true only now (what the switch said of
    the agents, which permissions are given, and which expectations hold) and what is told of the
    rest in sentences. A plan has none until somebody asks: of 100,000 creations, it takes longer
    than to compare them.
    """
    state = hashlib.sha256()
    texts = encode_plan(replace(plan, fingerprint="", needs=(), activity=None, tests=None))
    while several := "".join(islice(texts, _TOGETHER)):
        state.update(several.encode())
    return state.hexdigest()[:16]


def seal_plan(plan: Plan) -> Plan:
    """Return the plan with its fingerprint."""
    return plan if plan.fingerprint else replace(plan, fingerprint=fingerprint_plan(plan))


def encode_plan(plan: Plan) -> Iterator[str]:
    """Yield what `json.dumps` makes of a plan without its tasks, change by change.

    The keys are sorted, and there are no blanks.
    """
    said = {name: _dump(value) for name, value in _without_lists(plan).items()}
    before = "{"
    for name in sorted((*said, "changes")):
        yield f'{before}"{name}":'
        before = ","
        yield from (said[name],) if name in said else _encode_changes(plan.changes)
    yield "}"


def _encode_changes(changes: Sequence[Change]) -> Iterator[str]:
    before = "["
    for change in changes:
        attributes = change.attributes
        if isinstance(attributes, Created):
            yield before + _encode_created(change, attributes.encode())
        else:
            yield before + _dump(json_values(change))
        before = ","
    yield "]" if changes else "[]"


def _encode_created(change: Change, attributes: str) -> str:
    """Return the same of a creation, ten times faster: of 100,000, that would be felt."""
    renamed = change.renamed_from or change.renamed_to
    return (
        f'{{"action":"{change.action.value}","after_digest":{quote(change.after_digest)},'
        f'"attributes":{attributes},"before_digest":{quote(change.before_digest)},'
        f'"dangers":{_encode_dangers(change.dangers)},'
        f'"drifted":{"true" if change.drifted else "false"},"path":{quote(change.path)},'
        f'"renamed_from":{_encode_value(change.renamed_from) if renamed else "null"},'
        f'"renamed_to":{_encode_value(change.renamed_to) if renamed else "null"},'
        f'"resource":{quote(str(change.resource))},"source":{quote(change.source)}}}'
    )


@lru_cache(maxsize=64)
def _encode_dangers(dangers: tuple[Danger, ...]) -> str:
    return _dump([danger.value for danger in dangers])


@lru_cache(maxsize=4096)
def _encode_value(value: object) -> str:
    return _dump(json_values(value))


_dump = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode


def _without_lists(plan: Plan) -> dict[str, Any]:
    activity = plan.activity
    return {
        "format": "fsgitops-plan",
        "version": PLAN_VERSION,
        **{name: getattr(plan, name) for name in _PLAIN},
        "summary": {
            **{action.value: plan.count(action) for action in Action},
            "rename": plan.renames,
        },
        "partial": plan.partial,
        "only": list(plan.only),
        "exclude": list(plan.exclude),
        "left_out": plan.left_out,
        "kick_rotated": plan.kick_rotated,
        "unloaded": json_values(plan.unloaded),
        "needs": json_values(plan.needs),
        "activity": activity
        and {"problem": activity.problem, "agents": json_values(activity.resources)},
        "reloads": json_values(plan.reloads),
        "warnings": list(plan.warnings),
        "hazards": json_values(plan.hazards),
        # Plans of earlier releases have none, and go on having their fingerprint.
        **({} if plan.impact is None else {"impact": json_values(plan.impact)}),
        **({} if plan.tests is None else {"tests": json_values(plan.tests)}),
    }


def plan_from_json(data: Any) -> Plan:
    """Return the plan that `plan_to_json` wrote. Raises ValueError for anything else."""
    try:
        if data["format"] != "fsgitops-plan" or data["version"] != PLAN_VERSION:
            raise ValueError(f"expected a saved plan of version {PLAN_VERSION}")
        return Plan(
            **{name: data[name] for name in _PLAIN},
            **{name: data[name] for name in _ADDED if name in data},
            changes=tuple(map(_change_from_json, data["changes"])),
            reloads=tuple(ReloadStep(**item) for item in data["reloads"]),
            warnings=tuple(data.get("warnings", ())),
            hazards=tuple(Hazard(**item) for item in data["hazards"]),
            only=tuple(data.get("only", ())),
            exclude=tuple(data.get("exclude", ())),
            unloaded=tuple(map(_change_from_json, data.get("unloaded", ()))),
            needs=tuple(Need(**item) for item in data.get("needs", ())),
            activity=_activity_from_json(data.get("activity")),
            impact=None if data.get("impact") is None else Impact.from_json(data["impact"]),
            tests=_tests_from_json(data.get("tests")),
        )
    except (KeyError, TypeError, AttributeError) as problem:
        raise ValueError(f"not a saved plan: {problem}") from None


def _activity_from_json(data: Any) -> Activity | None:
    if data is None:
        return None
    agents = (
        ResourceActivity(Resource.parse(item["resource"]), item["registrations"], item["calls"])
        for item in data["agents"]
    )
    return Activity(tuple(agents), data["problem"])


def _tests_from_json(data: Any) -> Tests | None:
    if data is None:
        return None
    failing = (Verdict(**{**item, "assumed": tuple(item["assumed"])}) for item in data["failing"])
    return Tests(data["held"], tuple(failing))


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
        dangers=tuple(Danger(item) for item in data.get("dangers", ())),
        renamed_from=_resource(data.get("renamed_from")),
        renamed_to=_resource(data.get("renamed_to")),
    )


def _resource(text: str | None) -> Resource | None:
    return Resource.parse(text) if text else None
