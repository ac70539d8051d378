"""What an apply would do: every change, every reload step, and what stands in the way."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fsgitops.model.resource import Kind, Resource

PLAN_VERSION = 1

_SECRET_NAME = re.compile(
    r"(^|/)(user \d+/)?(param|variable) \"?[\w .:-]*"
    r"(a1-hash|passw|secret|token|-pass\b|_pin\b|auth-key)",
    re.IGNORECASE,
)


@lru_cache(maxsize=4096)
def is_secret_attribute(name: str) -> bool:
    """Tell whether an attribute, named as `flatten_fragment` names it, holds a secret."""
    return _SECRET_NAME.search(name) is not None


class Action(StrEnum):
    """What happens to a resource."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class AttributeChange:
    """One attribute, before and after. A secret's values are never held, only that they differ."""

    name: str
    before: str | None
    after: str | None
    secret: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """One resource and its file. `drifted`: somebody else changed the file since the last apply.

    The digests are keyed with the project key (empty where there is none, or no file).
    """

    action: Action
    resource: Resource
    path: str
    attributes: tuple[AttributeChange, ...] = ()
    drifted: bool = False
    source: str = ""
    before_digest: str = ""
    after_digest: str = ""


@dataclass(frozen=True, slots=True)
class ReloadStep:
    """One command for the switch, in order, and why it is needed."""

    command: str
    because: str


@dataclass(frozen=True, slots=True)
class Hazard:
    """Something that stops the plan until a person has looked: never followed, never replaced."""

    rule: str
    path: str
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """The whole plan. `fingerprint` ties an apply to it; `live_digest` to what it was made from.

    `unknown_secrets` says that no key was at hand: such a plan can be read but not applied.
    """

    project: str
    target: str
    conf_dir: str
    domain: str
    changes: tuple[Change, ...] = ()
    reloads: tuple[ReloadStep, ...] = ()
    hazards: tuple[Hazard, ...] = ()
    warnings: tuple[str, ...] = ()
    unchanged: int = 0
    unmanaged: int = 0
    commit: str = ""
    dirty: bool = False
    live_digest: str = ""
    fingerprint: str = ""
    unknown_secrets: bool = False
    simulated: bool = field(default=False)

    def count(self, action: Action) -> int:
        """Return how many changes are of this action."""
        return sum(1 for change in self.changes if change.action is action)

    def names(self, action: Action, kind: Kind) -> list[str]:
        """Return the names of the resources of one kind that this action happens to."""
        return [
            change.resource.name
            for change in self.changes
            if change.action is action and change.resource.kind is kind
        ]
