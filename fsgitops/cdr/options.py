"""What `run` is told, from the settings' `cdr:` part and the command line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How a sidecar runs. Sizes are in bytes, times in seconds.

    An event is synced to the spool at most `commit_seconds` after the sidecar took it in, and is
    in the lake at most `flush_seconds` later, or as soon as `flush_rows` or `flush_bytes` wait.
    Above `max_spool_bytes` nothing more is taken in: the switch keeps it, on disk and in its
    event queue.
    """

    lake: str
    spool: Path
    json_dir: Path | None = None
    http: tuple[str, int] | None = None
    http_credential: str | None = None
    commit_seconds: float = 0.05
    flush_rows: int = 50_000
    flush_bytes: int = 64 * 1024 * 1024
    flush_seconds: float = 60.0
    max_spool_bytes: int = 4 * 1024 * 1024 * 1024
    queue_rows: int = 20_000
    remove_json: bool = False
    settle_seconds: float = 30.0
    poll_seconds: float = 1.0
    silence_seconds: float = 65.0
    ledger_days: int = 14
    variables: tuple[str, ...] = ()
    switch: str | None = None
