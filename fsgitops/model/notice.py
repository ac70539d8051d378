"""How an apply ended, for those who were not there."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Notice:
    """One apply: its outcome in a word, its exit code, and what it did or why it did not.

    `outcome` is one of applied, written, unchanged, refused, invalid, rolled-back,
    rollback-failed, failed and stopped. Neither text holds a secret.
    """

    project: str
    target: str
    outcome: str
    exit_code: int
    summary: str
    message: str = ""
    commit: str = ""
    dirty: bool = False
    simulated: bool = False
    created: int = 0
    updated: int = 0
    deleted: int = 0
