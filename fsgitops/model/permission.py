"""What lifts one thing that a plan may not do (docs/limits.md)."""

from __future__ import annotations

PERMISSIONS = (
    "deletes", "updates", "empty", "key", "owner", "reload", "registration", "gateway-restart",
    "calls", "failing-tests",
)  # fmt: skip
