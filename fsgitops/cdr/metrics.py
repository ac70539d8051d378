"""What the sidecar counts, for `/metrics` and `/healthz`."""

from __future__ import annotations

import threading
import time

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest


class Metrics:
    """One sidecar's counters. Safe to use from its threads."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.received = self._counter("received", "Records that came", "road")
        self.duplicates = self._counter("duplicates", "Records known already")
        self.spooled = self._counter("spooled", "Records synced in the spool")
        self.written = self._counter("written", "Records synced in the lake")
        self.parts = self._counter("parts", "Parquet parts written")
        self.errors = self._counter("errors", "Failures that are retried", "where")
        self.quarantined = self._counter("quarantined", "Things that were no record", "road")
        self.refused = self._counter("refused", "Records that the sender must keep", "road")
        self.removed = self._counter("json_files_removed", "JSON files removed")
        self.spool_rows = self._gauge("spool_rows", "Records that wait for the lake")
        self.spool_bytes = self._gauge("spool_bytes", "Their size")
        self.lag = self._gauge("lag_seconds", "Age of the oldest record that waits")
        self.connected = self._gauge("connected", "1 while events can come")
        self.deaf = self._counter("deaf_seconds", "Seconds without an event connection")
        self._lock = threading.Lock()
        self._troubles: dict[str, str] = {}
        self._deaf_mark: float | None = time.monotonic()

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"fsgitops_cdr_{name}", text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(f"fsgitops_cdr_{name}", text, registry=self.registry)

    def render(self) -> bytes:
        """Return everything in Prometheus' text format."""
        self.deaf_for()
        return generate_latest(self.registry)

    def deaf_for(self) -> float:
        """Add the time without a connection since the last call; return those seconds."""
        with self._lock:
            if self._deaf_mark is None:
                return 0.0
            now = time.monotonic()
            gone, self._deaf_mark = now - self._deaf_mark, now
            self.deaf.inc(gone)
            return gone

    @property
    def hearing(self) -> bool:
        """Whether events can come at present."""
        return self._deaf_mark is None

    def hear(self, *, connected: bool) -> None:
        """Note that the event connection began, or ended."""
        self.deaf_for()
        with self._lock:
            self._deaf_mark = None if connected else time.monotonic()
        self.connected.set(1 if connected else 0)

    def fail(self, where: str, text: str) -> None:
        """Note a failure that is being retried; `/healthz` tells until `recover`."""
        self.errors.labels(where).inc()
        with self._lock:
            self._troubles[where] = text

    def recover(self, where: str) -> bool:
        """Note that `where` works; tell whether it had failed before."""
        with self._lock:
            return self._troubles.pop(where, None) is not None

    def troubles(self) -> dict[str, str]:
        """Return what fails at present, by place."""
        with self._lock:
            return dict(self._troubles)
