"""How much one plan may change, and the names of the permissions that lift what it may not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Permission = Literal[
    "deletes",
    "updates",
    "empty",
    "key",
    "owner",
    "reload",
    "registration",
    "gateway-restart",
    "calls",
]

PERMISSIONS: tuple[Permission, ...] = (
    "deletes", "updates", "empty", "key", "owner", "reload", "registration", "gateway-restart",
    "calls",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Limits:
    """The largest share of the managed resources that one plan may delete or update, in percent.

    Below `minimum` managed resources there is no limit.
    """

    deletes_percent: float = 30
    updates_percent: float = 50
    minimum: int = 10
