"""Drift: where what was applied, what stands on disk and what the switch holds are not the same."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fsgitops.model.resource import Resource

DRIFT_VERSION = 1


class DriftKind(StrEnum):
    """What happened to a managed resource."""

    EDITED = "edited"
    DELETED = "deleted"
    REPLACED = "replaced"
    NOT_LOADED = "not-loaded"
    LEFT_OVER = "left-over"


class Direction(StrEnum):
    """Which side has a thing: what is live (disk or switch), what was applied, or both, unlike."""

    ONLY_LIVE = "only-live"
    ONLY_DECLARED = "only-declared"
    BOTH_DIFFER = "both-differ"


@dataclass(frozen=True, slots=True)
class AttributeDrift:
    """One attribute as it was applied, as it stands on disk, and as the switch holds it.

    None is absent, or not known: `asked` tells whether the switch was asked for it. A secret's
    values are never held, only that they differ.
    """

    name: str
    direction: Direction
    declared: str | None
    disk: str | None
    loaded: str | None
    secret: bool = False
    asked: bool = True


@dataclass(frozen=True, slots=True)
class DriftItem:
    """One resource that drifted: in which ways, and in which of its attributes."""

    resource: Resource
    path: str
    kinds: tuple[DriftKind, ...]
    direction: Direction
    message: str
    attributes: tuple[AttributeDrift, ...] = ()


@dataclass(frozen=True, slots=True)
class DriftReport:
    """Everything that drifted. `problem` says why the switch could not be asked, if so.

    `asked` tells whether the switch's memory is part of the comparison; `ignored` counts the
    resources whose only drift is expected.
    """

    target: str
    conf_dir: str
    domain: str
    items: tuple[DriftItem, ...]
    managed: int
    ignored: int = 0
    asked: bool = False
    problem: str = ""
    notes: tuple[str, ...] = ()
    simulated: bool = False


def report_to_json(report: DriftReport) -> dict[str, Any]:
    """Return the report as plain JSON values (docs/json.md). It holds no secret."""
    return {
        "format": "fsgitops-drift",
        "version": DRIFT_VERSION,
        "target": report.target,
        "conf_dir": report.conf_dir,
        "domain": report.domain,
        "simulated": report.simulated,
        "managed": report.managed,
        "ignored": report.ignored,
        "switch_asked": report.asked,
        "switch_problem": report.problem,
        "notes": list(report.notes),
        "drift": [_item_to_json(item) for item in report.items],
    }


def _item_to_json(item: DriftItem) -> dict[str, Any]:
    return {
        "resource": str(item.resource),
        "path": item.path,
        "kinds": [kind.value for kind in item.kinds],
        "direction": item.direction.value,
        "message": item.message,
        "attributes": [
            {
                "name": attribute.name,
                "direction": attribute.direction.value,
                "declared": attribute.declared,
                "disk": attribute.disk,
                "loaded": attribute.loaded,
                "secret": attribute.secret,
            }
            for attribute in item.attributes
        ],
    }
