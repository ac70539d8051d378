"""Threads that are looked after: one that dies begins again, and one that stands still is told."""

from __future__ import annotations

import logging
import threading
import time
import traceback
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from fsgitops.cdr.log import say

if TYPE_CHECKING:
    from fsgitops.cdr.metrics import Metrics
    from fsgitops.cdr.options import RunOptions

_FIRST_WAIT, _MAX_WAIT = 0.1, 30.0


class Worker(ABC):
    """A part of the sidecar whose loop, `_run`, has a thread of its own, until it returns.

    A fault in the loop is told, and it begins again. It says `beat` while it works, and `turned`
    when a whole turn went well. Without a beat for `patience` seconds it counts as standing still:
    that cannot be mended from outside, so `/healthz` tells it.
    """

    def __init__(self, name: str, options: RunOptions, metrics: Metrics, patience: float) -> None:
        self.name = name
        self.options = options
        self.metrics = metrics
        self.patience = patience
        self._stop = threading.Event()
        self._fault = ""
        self._wait = _FIRST_WAIT
        self._beat: float | None = None
        self._thread = threading.Thread(target=self._live, name=f"cdr-{name}", daemon=True)

    @abstractmethod
    def _run(self) -> None:
        """Do the work until `_stop` is set."""

    def start(self) -> None:
        """Begin."""
        self.beat()
        self._thread.start()

    def stop(self) -> None:
        """End, once what is in hand is handed on, as far as that can be."""
        self._stop.set()

    def join(self, seconds: float) -> bool:
        """Wait for the end until nothing moves for so long; tell whether it came."""
        began = time.monotonic()
        while self.alive:
            left = max(self._beat or began, began) + seconds - time.monotonic()
            if left <= 0:
                return False
            self._thread.join(left)
        return True

    @property
    def alive(self) -> bool:
        """Whether the thread is there."""
        return self._thread.is_alive()

    def beat(self) -> None:
        """Say that the loop is at work, and does not stand still."""
        self._beat = time.monotonic()

    def turned(self) -> None:
        """Say that one turn of the loop went well: a fault before it is over."""
        self.beat()
        self._fault, self._wait = "", _FIRST_WAIT

    def trouble(self) -> str | None:
        """Return what is wrong with the thread; None for nothing."""
        if self._beat is None:
            return None
        if not self.alive and not self._stop.is_set():
            return "ended: start the sidecar again"
        if self._fault:
            return f"stopped by a fault, restarting: {self._fault}"
        still = time.monotonic() - self._beat
        return f"has stood still for {still:.0f} s" if still > self.patience else None

    def _live(self) -> None:
        while True:
            try:
                self._run()
            except BaseException as problem:  # gevent's time-out is no Exception
                frame = traceback.extract_tb(problem.__traceback__)[-1]
                self._fault = f"{problem!r:.300} ({frame.name}, line {frame.lineno})"
                self.metrics.errors.labels(self.name).inc()
                say(logging.ERROR, "a thread failed", thread=self.name, why=self._fault)
            else:
                return
            if self._stop.wait(self._wait):
                return
            self._wait = min(self._wait * 2, _MAX_WAIT)
            self.beat()
