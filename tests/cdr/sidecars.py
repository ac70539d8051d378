"""A sidecar for tests: its options, and waiting for what it does."""

from __future__ import annotations

import time
from pathlib import Path

from fsgitops.cdr.options import RunOptions

_BOUND = 20.0


def options(folder: Path, **changes) -> RunOptions:
    (folder / "json").mkdir(exist_ok=True)
    settled = {"flush_seconds": 0.1, "poll_seconds": 0.02, "settle_seconds": 0.1} | changes
    return RunOptions(lake=str(folder / "lake"), spool=folder / "spool",
                      json_dir=folder / "json", **settled)  # fmt: skip


def until(condition) -> None:
    deadline = time.monotonic() + _BOUND
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)
