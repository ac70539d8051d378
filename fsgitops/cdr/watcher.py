"""The durable road: the directory into which mod_json_cdr writes one file per leg.

The switch writes in place, so a file can be seen half-written: it is tried again until it has not
changed for `settle_seconds`, and then goes to the quarantine. A file is removed, when asked, only
after its record is synced in the lake.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
import time
from pathlib import Path
from typing import TYPE_CHECKING

from fsgitops.cdr.files import read_below, remove_below
from fsgitops.cdr.ingest import Road, Submission
from fsgitops.cdr.json_cdr import decode_document
from fsgitops.cdr.log import say
from fsgitops.cdr.record import MAX_EVENT, RecordError, UnplacedError
from fsgitops.cdr.spool import JsonFile, Spool, SpoolError, transaction
from fsgitops.visible import count_noun

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsgitops.cdr.ingest import Ingest
    from fsgitops.cdr.quarantine import Quarantine
    from fsgitops.cdr.record import RecordBuilder, Row

_GROUP = 200
_GROUP_BYTES = 64 * 1024 * 1024
MAX_FILE = MAX_EVENT
ROAD = "json directory"
"""What fails when no file can be read at all; "json" is what fails with single files."""
_DEPTH = 2
_MAX_WAIT = 30.0
LOOKED_AT_ONCE = 1000


def list_json_files(folder: Path, depth: int = _DEPTH) -> Iterator[os.DirEntry[str]]:
    """Yield the JSON files of a directory, and of the dated ones that `rotate` makes in it."""
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    if depth > 1:
                        yield from list_json_files(Path(entry.path), depth - 1)
                elif entry.name.endswith(".json") and entry.is_file(follow_symlinks=False):
                    yield entry
    except FileNotFoundError:
        return


class Watcher(Road):
    """Reads new files, hands on their records, and clears up behind the lake."""

    def __init__(self, ingest: Ingest, builder: RecordBuilder, quarantine: Quarantine) -> None:
        super().__init__("watcher", ingest, builder, quarantine)
        self._folder = self.options.json_dir or Path()
        self.unsettled: dict[str, tuple[int, int, float]] = {}
        self._looked_at = ""
        self._unread: dict[str, str] = {}
        self._told: dict[str, str] = {}

    def _run(self) -> None:
        wait = 0.0
        while not self._stop.wait(wait):
            began = time.thread_time()
            try:
                with contextlib.closing(Spool(self.options.spool)) as spool:
                    self.scan(spool)
                    if self.options.remove_json:
                        self._remove_synced(spool)
                    self.forget_gone(spool)
                self._tell_unread()
                self.metrics.recover(ROAD)
            except (OSError, SpoolError, sqlite3.Error) as problem:
                say(logging.ERROR, "the JSON directory was not read", why=str(problem))
                self.metrics.fail(ROAD, str(problem))
            self.turned()
            # A directory of a million kept files must not keep a core busy with listing it. Time
            # spent waiting for the disk does not count: after a stall there is much to catch up.
            busy = min(5 * (time.thread_time() - began), _MAX_WAIT)
            wait = max(self.options.poll_seconds, busy)

    def _tell_unread(self) -> None:
        """Note the files that this user may not read, or that the disk does not give."""
        if not self._unread:
            self.metrics.recover("json")
            return
        path, why = next(iter(self._unread.items()))
        self.metrics.fail(
            "json", f"{count_noun(len(self._unread), 'file')} not read, such as {path}: {why}"
        )
        if self._unread != self._told:
            say(logging.ERROR, "files not read", files=len(self._unread), such_as=path, why=why)
        self._told = dict(self._unread)

    def scan(self, spool: Spool) -> None:
        """Take in every file that is not known yet. Raises OSError and sqlite3.Error."""
        if not self._folder.is_dir():
            raise NotADirectoryError(f"{self._folder}: no such directory: expected mod_json_cdr's")
        self._unread.clear()
        group: list[str] = []
        for entry in list_json_files(self._folder):
            group.append(entry.path)
            if len(group) == _GROUP:
                self._take(spool, group)
                self.beat()
                group = []
            if self._stop.is_set():
                return
        self._take(spool, group)

    def _take(self, spool: Spool, paths: list[str]) -> None:
        marks = ",".join("?" * len(paths))
        known = {
            path
            for (path,) in spool.db.execute(
                f"SELECT path FROM json_file WHERE path IN ({marks})",  # noqa: S608
                paths,
            )
        }
        rows: list[Row] = []
        files: list[JsonFile] = []
        size = 0
        for path in paths:
            if path not in known and (found := self._read(path)):
                rows.append(found[0])
                files.append(found[1])
                size += len(found[0].payload)
            if size > _GROUP_BYTES:
                self._hand_on(Submission(rows, files))
                rows, files, size = [], [], 0
        if rows:
            self._hand_on(Submission(rows, files))

    def _hand_on(self, submission: Submission) -> None:
        self.metrics.received.labels("json").inc(len(submission.rows))
        while not self._ingest.submit(submission, timeout=0.5):
            self.beat()
            if self._stop.is_set():
                return
        while not submission.done.wait(0.5):
            self.beat()
            if self._stop.is_set():
                return

    def _read(self, path: str) -> tuple[Row, JsonFile] | None:
        """Return a file's record; None when there is none (yet)."""
        try:
            body, stat = read_below(self._folder, path, MAX_FILE)
        except FileNotFoundError:
            return None
        except OSError as problem:
            # One file of another owner must not hold up all the others.
            self._unread[path] = problem.strerror or str(problem)
            return None
        try:
            received = time.time_ns() // 1000
            row = self._builder.build(decode_document(body), "json", received)
        except RecordError as problem:
            self._wait_or_set_aside(path, stat, body, problem)
            return None
        self.unsettled.pop(path, None)
        return row, JsonFile(path, stat.st_size, stat.st_mtime_ns, row.hour, row.key)

    def _wait_or_set_aside(
        self, path: str, stat: os.stat_result, body: bytes, problem: RecordError
    ) -> None:
        state = (stat.st_size, stat.st_mtime_ns)
        before = self.unsettled.get(path)
        now = time.monotonic()
        if before is None or before[:2] != state:
            self.unsettled[path] = (*state, now)
            return
        if now - before[2] < self.options.settle_seconds:
            return
        if isinstance(problem, UnplacedError):
            # The file is the only place that has this call: it waits there until it can be read.
            self._unread[path] = str(problem)
            return
        kept = self._quarantine.set_aside(Path(path).name, body, self.metrics)
        if kept is None:
            return
        with contextlib.suppress(FileNotFoundError):
            if not remove_below(self._folder, path, stat.st_size, stat.st_mtime_ns):
                return
        del self.unsettled[path]
        self.metrics.quarantined.labels("json").inc()
        say(
            logging.WARNING,
            "not a record: put in quarantine",
            file=path,
            kept=str(kept),
            why=str(problem),
        )

    def _remove_synced(self, spool: Spool) -> None:
        """Remove the files whose records are synced in the lake, whichever road they took."""
        found = spool.db.execute(
            "SELECT f.path, f.size, f.mtime_ns FROM json_file f "
            "LEFT JOIN seen s ON s.hour = f.hour AND s.key = f.key "
            "WHERE s.seq IS NULL OR s.seq <= ? LIMIT 5000",
            (spool.flushed_seq(),),
        ).fetchall()
        for path, size, mtime_ns in found:
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                if remove_below(self._folder, path, size, mtime_ns):
                    self.metrics.removed.inc()
        if found:
            with transaction(spool.db):
                spool.db.executemany(
                    "DELETE FROM json_file WHERE path = ?", [(path,) for path, *_ in found]
                )

    def forget_gone(self, spool: Spool) -> None:
        """Forget files that are gone, or others by now, a thousand at a time, in turn.

        Without this the spool would grow with every call where `remove_json` is off, and a file
        that was written again under its name (by a switch that takes the Call-ID for the UUID,
        say) would never be read.
        """
        found = spool.db.execute(
            "SELECT path, size, mtime_ns FROM json_file WHERE path > ? ORDER BY path LIMIT ?",
            (self._looked_at, LOOKED_AT_ONCE),
        ).fetchall()
        self._looked_at = found[-1][0] if len(found) == LOOKED_AT_ONCE else ""
        gone = [(path,) for path, *state in found if state != _state_of(path)]
        if gone:
            with transaction(spool.db):
                spool.db.executemany("DELETE FROM json_file WHERE path = ?", gone)


def _state_of(path: str) -> list[int] | None:
    """Return a file's size and time, None for no file."""
    try:
        found = os.lstat(path)
    except OSError:
        return None
    return [found.st_size, found.st_mtime_ns]
