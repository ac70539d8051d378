"""The thread that empties the spool into the lake, by rows, bytes and age."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from typing import TYPE_CHECKING

from fsgitops.cdr.lake import open_lake
from fsgitops.cdr.log import say
from fsgitops.cdr.spool import Spool, SpoolError
from fsgitops.cdr.threads import WatchedThread
from fsgitops.errors import FsgitopsError

if TYPE_CHECKING:
    from fsgitops.cdr.flush import Flushed
    from fsgitops.cdr.ingest import Ingest
    from fsgitops.cdr.lake import Lake
    from fsgitops.cdr.metrics import Metrics
    from fsgitops.cdr.options import RunOptions

_TICK = 0.05
_MAX_WAIT = 60.0
_HOUSEKEEPING = 5.0
# A store that does not answer is given up after two minutes, file by file.
_PATIENCE = 900.0


class Flusher:
    """Moves rows to the lake; what fails is tried again, later and later, for ever."""

    def __init__(self, options: RunOptions, metrics: Metrics, ingest: Ingest) -> None:
        self._options = options
        self._metrics = metrics
        self._ingest = ingest
        self._stop = threading.Event()
        self._lake: Lake | None = None
        self.thread = WatchedThread("flusher", self._run, self._stop, metrics, _PATIENCE)

    def start(self) -> None:
        """Begin. The lake is made at once, so that readers find it before the first flush."""
        try:
            self._lake = open_lake(self._options.lake, create=True)
        except (FsgitopsError, OSError) as problem:
            self._fail(problem)
        self.thread.start()

    @property
    def alive(self) -> bool:
        """Whether the thread is there that moves rows to the lake."""
        return self.thread.alive

    def stop(self) -> None:
        """Flush what the spool holds, if the lake lets it, and end."""
        self._stop.set()

    def _run(self) -> None:
        wait, next_try, next_chores = 0.5, 0.0, 0.0
        # What a former run left is written at once, apart from what comes now (`freeze_all`).
        carried = self._ingest.pending_rows > 0
        while not self._stop.wait(_TICK):
            now = time.monotonic()
            self.thread.turned()
            self.observe(now)
            if now >= next_chores:
                next_chores = now + _HOUSEKEEPING
                self._keep_house()
            if now < next_try or not (carried or self._due(now)):
                continue
            if self._flush():
                wait, carried = 0.5, False
            elif self._stop.is_set():
                return  # It failed just now: the rows stay in the spool.
            else:
                next_try, wait = time.monotonic() + wait, min(wait * 2, _MAX_WAIT)
        self._flush()

    def _due(self, now: float) -> bool:
        ingest, options = self._ingest, self._options
        if ingest.pending_rows >= options.flush_rows or ingest.pending_bytes >= options.flush_bytes:
            return True
        return ingest.oldest is not None and now - ingest.oldest >= options.flush_seconds

    def observe(self, now: float) -> None:
        """Tell the metrics what waits to be written. `now` is monotonic seconds."""
        oldest = self._ingest.oldest
        self._metrics.spool_rows.set(self._ingest.pending_rows)
        self._metrics.spool_bytes.set(self._ingest.pending_bytes)
        self._metrics.lag.set(0.0 if oldest is None else now - oldest)

    def _flush(self) -> bool:
        """Empty the spool; tell whether it went well."""
        with self._ingest.rescue_lock:
            try:
                spool = Spool(self._options.spool)
            except SpoolError as problem:
                return self._fail(problem)
            flushed = False
            try:
                self._empty(spool)
                flushed = True
            except Exception as problem:  # a file that somebody else put there can hold anything
                return self._fail(problem)
            finally:
                self._settle(spool, flushed=flushed)
        if self._metrics.recover("lake"):
            say(logging.INFO, "the lake can be written again")
        return True

    def _empty(self, spool: Spool) -> None:
        from fsgitops.cdr.flush import flush_once

        if self._lake is None:
            self._lake = open_lake(self._options.lake, create=True)
        options = self._options
        while done := flush_once(spool, self._lake, options.flush_rows, options.flush_bytes):
            self._note(done)
            self.thread.beat()
            # Leave with the range half full: what came meanwhile waits for its own time.
            if done.rows + done.already_held < options.flush_rows and not self._stop.is_set():
                break

    def _note(self, done: Flushed) -> None:
        self._metrics.written.inc(done.rows)
        self._metrics.parts.inc(done.parts)
        self._metrics.duplicates.inc(done.already_held)
        say(logging.DEBUG, "written to the lake", **done._asdict())

    def _settle(self, spool: Spool, *, flushed: bool) -> None:
        try:
            self._ingest.settle(spool, flushed=flushed)
            spool.close()
        except sqlite3.Error as problem:
            self._fail(problem)

    def _fail(self, problem: Exception) -> bool:
        say(logging.ERROR, "the lake cannot be written: the spool keeps it", why=str(problem))
        self._metrics.fail("lake", str(problem))
        return False

    def _keep_house(self) -> None:
        """Note when events were last heard; forget keys older than the ledger keeps."""
        try:
            spool = Spool(self._options.spool)
            try:
                if self._metrics.hearing:
                    spool.write_meta("heard_us", str(time.time_ns() // 1000))
                hour = int(time.time()) // 3600 - self._options.ledger_days * 24
                spool.forget_before(hour // 24 * 24)
            finally:
                spool.close()
        except (SpoolError, sqlite3.Error) as problem:
            self._metrics.fail("spool", str(problem))
