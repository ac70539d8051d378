"""What is no record is kept aside, never thrown away: bad documents, and a damaged spool."""

from __future__ import annotations

import hashlib
import logging
import re
import sqlite3
import time
from contextlib import closing
from typing import TYPE_CHECKING

import orjson

from fsgitops.cdr.log import say
from fsgitops.cdr.record import Row
from fsgitops.cdr.schema import PAYLOAD
from fsgitops.cdr.spool import ROADS, SPOOL_FILE, Spool, SpoolCorruptError
from fsgitops.durable import replace_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fsgitops.cdr.metrics import Metrics

_SOURCE = PAYLOAD.index("source")
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")
_SALVAGE_ROWS = 1000


class Quarantine:
    """A directory for what could not be read, with a bound on its size."""

    def __init__(self, folder: Path, max_bytes: int = 256 * 1024 * 1024) -> None:
        self.folder = folder
        self._max_bytes = max_bytes
        self._used: int | None = None

    def keep(self, name: str, body: bytes) -> Path | None:
        """Store a body, synced; return where. None when the quarantine is full.

        The same body is stored once. Raises OSError.
        """
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o750)
        digest = hashlib.sha256(body).hexdigest()[:16]
        path = self.folder / f"{digest}-{_UNSAFE.sub('_', name)[-80:]}"
        if path.exists():
            return path
        if self._used is None or self._used + len(body) > self._max_bytes:
            # Counted again when it seems full: somebody may have emptied it.
            self._used = sum(entry.stat().st_size for entry in self.folder.iterdir())
        if self._used + len(body) > self._max_bytes:
            return None
        replace_file(path, body, mode=0o640)
        self._used += len(body)
        return path

    def try_again(self, metrics: Metrics) -> None:
        """After a failure: see whether it takes something now, and tell the metrics."""
        probe = self.set_aside("probe", b"probe\n", metrics)
        if probe is not None:
            probe.unlink(missing_ok=True)

    def set_aside(self, name: str, body: bytes, metrics: Metrics) -> Path | None:
        """Store a body as `keep` does; None when that failed, which the metrics then tell."""
        try:
            kept = self.keep(name, body)
        except OSError as problem:
            metrics.fail("quarantine", f"{self.folder}: {problem.strerror}")
            return None
        if kept is None:
            metrics.fail("quarantine", f"{self.folder}: full: look at its files, and empty it")
        else:
            metrics.recover("quarantine")
        return kept


def open_spool(folder: Path) -> Spool:
    """Open a spool and look for damage; a damaged one is replaced, see `rescue_spool`."""
    try:
        return Spool(folder, check=True)
    except SpoolCorruptError:
        return rescue_spool(folder)


def rescue_spool(folder: Path) -> Spool:
    """Move a damaged spool aside, start a fresh one, save what can still be read.

    The ledger of the fresh one is empty: `flush` asks the lake about every day that began before,
    and the JSON directory is read again, so nothing is lost and nothing comes twice.
    """
    aside = folder / f"corrupt-{time.time_ns() // 1000}"
    aside.mkdir(mode=0o750)
    for suffix in ("", "-wal", "-shm"):
        path = folder / f"{SPOOL_FILE}{suffix}"
        if path.exists():
            path.rename(aside / path.name)
    spool = Spool(folder)
    saved = 0
    group: list[Row] = []
    for row in _readable(aside / SPOOL_FILE):
        group.append(row)
        if len(group) == _SALVAGE_ROWS:
            saved += spool.add(group).fresh
            group = []
    saved += spool.add(group).fresh
    say(
        logging.ERROR,
        "the spool was damaged: moved aside, a fresh one begun",
        moved_to=str(aside),
        rows_saved=saved,
    )
    return spool


def _readable(path: Path) -> Iterator[Row]:
    """Yield the rows of a damaged spool, from both ends towards the damage."""
    for order in ("ASC", "DESC"):
        try:
            with closing(sqlite3.connect(path)) as db:
                found = db.execute(f"SELECT hour, key, payload FROM record ORDER BY seq {order}")  # noqa: S608
                for hour, key, payload in found:
                    if row := _valid(hour, key, payload):
                        yield row
        except sqlite3.Error:
            continue
        return


def _valid(hour: object, key: object, payload: object) -> Row | None:
    if not isinstance(hour, int) or not isinstance(key, str) or not isinstance(payload, bytes):
        return None
    try:
        values = orjson.loads(payload)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(values, list) or len(values) != len(PAYLOAD) or key.count("\x1f") != 2:
        return None
    road = values[_SOURCE]
    return Row(hour, key, road, payload) if road in ROADS else None
