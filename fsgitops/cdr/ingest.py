"""The way in: every road hands its rows to one writer, which groups them into synced commits."""

from __future__ import annotations

import logging
import queue
import sqlite3
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fsgitops.cdr.log import say
from fsgitops.cdr.quarantine import open_spool, rescue_spool
from fsgitops.cdr.spool import Spool, SpoolCorruptError, SpoolError, classify
from fsgitops.cdr.threads import Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from fsgitops.cdr.metrics import Metrics
    from fsgitops.cdr.options import RunOptions
    from fsgitops.cdr.quarantine import Quarantine
    from fsgitops.cdr.record import RecordBuilder, Row
    from fsgitops.cdr.spool import Added, JsonFile

_GROUP_ROWS = 5000
_MAX_WAIT = 10.0
PATIENCE = 120.0


@dataclass(slots=True)
class Submission:
    """Rows on their way into the spool. `done` is set once they are synced, or given up."""

    rows: Sequence[Row]
    files: Sequence[JsonFile] = ()
    done: threading.Event = field(default_factory=threading.Event)
    synced: bool = False


class Ingest(Worker):
    """The bounded queue, and the only thread that puts rows into the spool."""

    def __init__(self, options: RunOptions, metrics: Metrics) -> None:
        super().__init__("writer", options, metrics, PATIENCE)
        self._queue: queue.Queue[Submission] = queue.Queue()
        self._room = threading.Condition()
        self._queued_rows = 0
        self._in_hand: list[Submission] = []
        self._place: tuple[int, int] | None = None
        self.rescue_lock = threading.Lock()
        self.pending_rows = 0
        self.pending_bytes = 0
        self.oldest: float | None = None

    def submit(self, submission: Submission, timeout: float) -> bool:
        """Queue rows; wait up to `timeout` seconds for room. False: refused, the sender keeps it.

        This is the back-pressure: a full disk fills this queue, and then nobody reads on.
        """
        with self._room:
            if not self._room.wait_for(self._has_room, timeout) or self._stop.is_set():
                return False
            self._queued_rows += len(submission.rows)
        self._queue.put(submission)
        return True

    def _has_room(self) -> bool:
        return self._queued_rows < self.options.queue_rows or self._stop.is_set()

    def take_stock(self, spool: Spool, *, flushed: bool = True) -> None:
        """Count what waits in the spool for the lake; not `flushed`: it waits as long as before."""
        rows, size = spool.depth()
        with self._room:
            self.pending_rows, self.pending_bytes = rows, size
            if flushed:
                self.oldest = time.monotonic() if rows else None

    def _run(self) -> None:
        spool = self._open()
        while spool is not None:
            # What a fault interrupted comes first.
            group = self._in_hand = self._in_hand or self.gather()
            if group:
                spool = self._commit(spool, group)
                self._in_hand = []
                with self._room:
                    self._queued_rows -= sum(len(item.rows) for item in group)
                    self._room.notify_all()
            elif self._stop.is_set():
                spool.close()
                return
            self.turned()

    def _open(self) -> Spool | None:
        wait = 0.1
        while not self._stop.is_set():
            self.beat()
            try:
                spool = Spool(self.options.spool)
            except SpoolError as problem:
                self._fail(problem)
                self._stop.wait(wait)
                wait = min(wait * 2, _MAX_WAIT)
            else:
                self._place = _place_of(spool.path)
                return spool
        return None

    def gather(self) -> list[Submission]:
        """Return what has come in by now and is written together; empty where nothing has."""
        try:
            group = [self._queue.get(timeout=0.1)]
        except queue.Empty:
            return []
        rows = len(group[0].rows)
        deadline = time.monotonic() + self.options.commit_seconds
        while rows < _GROUP_ROWS and (left := deadline - time.monotonic()) > 0:
            try:
                group.append(self._queue.get(timeout=left))
            except queue.Empty:
                break
            rows += len(group[-1].rows)
        return group

    def _commit(self, spool: Spool, group: list[Submission]) -> Spool:
        rows = [row for item in group for row in item.rows]
        files = [file for item in group for file in item.files]
        wait = 0.1
        while True:
            try:
                self._check_bound()
                added = spool.add(rows, files)
                if self._place == _place_of(spool.path):
                    break
                # Somebody put another file there: what was written is in none that has a name.
                say(logging.ERROR, "the spool's file was replaced: opened again")
                spool = self._replace(spool, open_spool)
                continue
            except (sqlite3.Error, SpoolError) as problem:
                spool = self._handle(spool, problem)
            if self._stop.is_set() and wait > 1.0:
                say(logging.ERROR, "gave up writing to the spool while stopping", rows=len(rows))
                self._release(group, synced=False)
                return spool
            self._stop.wait(wait)
            self.beat()
            wait = min(wait * 2, _MAX_WAIT)
        self._note(added, rows)
        self._release(group, synced=True)
        return spool

    def _check_bound(self) -> None:
        if self.pending_bytes > self.options.max_spool_bytes:
            limit = self.options.max_spool_bytes
            raise SpoolError(f"the spool is full ({limit} bytes): is the lake writable?")

    def _handle(self, spool: Spool, problem: Exception) -> Spool:
        known = classify(problem, spool.path) if isinstance(problem, sqlite3.Error) else problem
        self._fail(known)
        if isinstance(known, SpoolCorruptError):
            return self._replace(spool, rescue_spool)
        if isinstance(problem, sqlite3.ProgrammingError):
            # A replacement that failed has left the connection closed.
            return self._replace(spool, open_spool)
        return spool

    def _replace(self, spool: Spool, make: Callable[[Path], Spool]) -> Spool:
        """Return a sound spool; the former one, closed, where the disk does not let us (yet)."""
        try:
            with self.rescue_lock:
                spool.close()
                fresh = make(self.options.spool)
                self._place = _place_of(fresh.path)
            self.take_stock(fresh)
        except (OSError, sqlite3.Error, SpoolError) as failure:
            self._fail(failure)
            return spool
        return fresh

    def _fail(self, problem: Exception) -> None:
        say(logging.ERROR, "the spool cannot be written: nothing is taken in", why=str(problem))
        self.metrics.fail("spool", str(problem))

    def _note(self, added: Added, rows: Sequence[Row]) -> None:
        metrics = self.metrics
        metrics.spooled.inc(added.fresh)
        metrics.duplicates.inc(added.duplicate)
        if metrics.recover("spool"):
            say(logging.INFO, "the spool can be written again")
        with self._room:
            self.pending_rows += added.fresh
            self.pending_bytes += sum(len(row.payload) for row in rows)
            if added.fresh and self.oldest is None:
                self.oldest = time.monotonic()

    def _release(self, group: list[Submission], *, synced: bool) -> None:
        for item in group:
            item.synced = synced
            item.done.set()


class Road(Worker):
    """A way by which records come in."""

    def __init__(
        self,
        name: str,
        ingest: Ingest,
        builder: RecordBuilder,
        quarantine: Quarantine,
        patience: float = PATIENCE,
    ) -> None:
        super().__init__(name, ingest.options, ingest.metrics, patience)
        self._ingest = ingest
        self._builder = builder
        self._quarantine = quarantine


def _place_of(path: Path) -> tuple[int, int] | None:
    """Return which file has a name at present; None for none."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino
