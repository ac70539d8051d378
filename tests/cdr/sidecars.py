"""A sidecar for tests: its options, and waiting for what it does."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path

from lakes import NOW_US
from replay_switch import renew

from fsgitops.cdr.flush import read_keys
from fsgitops.cdr.lake import open_lake
from fsgitops.cdr.options import RunOptions
from fsgitops.esl.session import connect_esl

_BOUND = 20.0


def options(folder: Path, **changes) -> RunOptions:
    (folder / "json").mkdir(exist_ok=True)
    settled = {"flush_seconds": 0.1, "poll_seconds": 0.02, "settle_seconds": 0.1} | changes
    return RunOptions(lake=str(folder / "lake"), spool=folder / "spool",
                      json_dir=folder / "json", **settled)  # fmt: skip


def reach(port: int) -> partial:
    """Return what connects to a replayed switch."""
    return partial(connect_esl, "127.0.0.1", port, "x")


def until(condition) -> None:
    deadline = time.monotonic() + _BOUND
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def counted(metric) -> float:
    """Return what a counter or a gauge of one value says."""
    (family,) = metric.collect()
    return family.samples[0].value


def uuids_in(folder: Path) -> list[str]:
    lake = open_lake(str(folder / "lake"), create=True)
    return sorted(key.split("\x1f")[1] for day in lake.days() for _, key in read_keys(lake, day))


def event(templates, number: int) -> dict:
    return renew(templates[number % len(templates)], number, NOW_US)


def write(folder: Path, name: str, body: bytes) -> Path:
    path = folder / "json" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(body)
    return path
