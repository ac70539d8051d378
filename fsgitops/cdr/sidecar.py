"""One sidecar: the roads in, the spool, the lake, and what it says about itself."""

from __future__ import annotations

import fcntl
import gc
import logging
import os
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from fsgitops.cdr.flush import Flusher
from fsgitops.cdr.identity import recognise_machine
from fsgitops.cdr.ingest import Ingest
from fsgitops.cdr.lake import show_url
from fsgitops.cdr.listener import Listener
from fsgitops.cdr.log import say
from fsgitops.cdr.metrics import Metrics
from fsgitops.cdr.quarantine import Quarantine, open_spool
from fsgitops.cdr.receiver import Receiver
from fsgitops.cdr.record import RecordBuilder
from fsgitops.cdr.spool import SpoolError
from fsgitops.cdr.watcher import ROAD, Watcher
from fsgitops.durable import ignore_folder
from fsgitops.settings.shapes import SETTINGS_FILE

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable
    from pathlib import Path

    from fsgitops.cdr.ingest import Road
    from fsgitops.cdr.options import RunOptions
    from fsgitops.esl.session import EslSession

# Troubles that a load balancer or a pager should know of; `esl` alone is covered by the JSON road.
_SICK = ("spool", "lake", "quarantine", ROAD)
# A thread that stands still must not keep the process from ending.
END_SECONDS = 10.0
_LAST_SYNC_SECONDS = 25.0
_LAST_FLUSH_SECONDS = 75.0


class Sidecar:
    """Start it, wait, stop it. One per spool."""

    def __init__(self, options: RunOptions, connect: Callable[[], EslSession] | None) -> None:
        """Lock and open the spool. `connect` None: no ESL, the other roads only.

        Raises SpoolError when another sidecar has the spool, OSError when the port is taken.
        """
        self.options = options
        self.metrics = Metrics()
        self._lock: int | None = _lock_spool(options.spool)
        spool = open_spool(options.spool)
        spool.freeze_all()
        recognise_machine(spool)
        builder = RecordBuilder(options.variables, options.switch)
        self._quarantine = quarantine = Quarantine(options.spool / "quarantine")
        self.ingest = Ingest(options, self.metrics)
        self.flusher = Flusher(options, self.metrics, self.ingest)
        shared = (self.ingest, builder, quarantine)
        heard = int(spool.read_meta("heard_us") or 0)
        self.listener = Listener(connect, *shared, heard_us=heard) if connect else None
        self.watcher = Watcher(*shared) if options.json_dir else None
        self.receiver = Receiver(options.http, *shared, self.health) if options.http else None
        roads = (self.listener, self.watcher, self.receiver)
        self._roads: list[Road] = [road for road in roads if road is not None]
        self._spool = spool

    def start(self) -> None:
        """Start every thread. Returns at once."""
        # What a former run left there is taken over.
        self.ingest.take_stock(self._spool)
        self._spool.close()
        for part in (self.ingest, self.flusher, *self._roads):
            part.start()
        say(
            logging.INFO,
            "started",
            lake=show_url(self.options.lake),
            spool=str(self.options.spool),
            waiting_rows=self.ingest.pending_rows,
        )

    def stop(self) -> bool:
        """Close the roads, sync the spool, flush it into the lake, end. Again, it does nothing.

        False: something stood still, and was not waited for.
        """
        for road in self._roads:
            road.stop()
        late = [road.name for road in self._roads if not road.join(END_SECONDS)]
        for part, seconds in (
            (self.ingest, _LAST_SYNC_SECONDS),
            (self.flusher, _LAST_FLUSH_SECONDS),
        ):
            part.stop()
            if not part.join(seconds):
                late.append(part.name)
        if self._lock is None:
            return True
        if late:
            say(logging.ERROR, "ended without waiting longer", still_at_work=", ".join(late))
        # Once only: by a second time its number can be that of another file.
        os.close(self._lock)
        self._lock = None
        say(logging.INFO, "stopped", waiting_rows=self.ingest.pending_rows)
        return not late

    def run(self, stop: threading.Event) -> bool:
        """Run until `stop` is set, then flush and end, as `stop` does."""
        try:
            self.start()
            stop.wait()
        finally:
            well = self.stop()
        return well

    def health(self) -> tuple[bool, dict[str, Any]]:
        """Tell whether all is well, with the facts."""
        if "quarantine" in self.metrics.troubles():
            self._quarantine.try_again(self.metrics)
        troubles = self.metrics.troubles()
        if not self.flusher.alive:
            troubles = {
                **troubles,
                "lake": "nothing moves records to the lake any more: restart the sidecar",
            }
        parts = (self.ingest, self.flusher, *self._roads)
        faults = {f"thread {p.name}": trouble for p in parts if (trouble := p.trouble())}
        troubles |= faults
        well = not faults and not any(where in troubles for where in _SICK)
        if "esl" in troubles and self.watcher is None:
            well = False
        return well, {
            "status": "ok" if well else "failing",
            "connected": self.metrics.hearing,
            "spool_rows": self.ingest.pending_rows,
            "spool_bytes": self.ingest.pending_bytes,
            "troubles": troubles,
        }


def tune_process() -> None:
    """Let Python's cycle collector run rarely: records are trees, and it costs a third of the time.

    For a process that does nothing but be a sidecar. Loads, before any call has to wait for it,
    what the first flush will need.
    """
    pa.array([""], pa.string())
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)


def _lock_spool(folder: Path) -> int:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o750)
        if not any((folder / name).exists() for name in (".git", SETTINGS_FILE)):
            ignore_folder(folder)
        handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    except OSError as problem:
        raise SpoolError(
            f"{folder}: {problem.strerror}: the spool needs a directory that this user may write"
        ) from problem
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        raise SpoolError(f"{folder}: another sidecar uses this spool") from None
    return handle
