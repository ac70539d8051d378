"""What the sidecar counts, for `/metrics` and `/healthz`."""

from __future__ import annotations

import threading
import time

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest


class Metrics:
    """One sidecar's counters. Safe to use from its threads."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.received = Counter(
            "fsgitops_cdr_received", "Records that came", ["road"], registry=registry
        )
        self.duplicates = Counter(
            "fsgitops_cdr_duplicates", "Records known already", registry=registry
        )
        self.spooled = Counter(
            "fsgitops_cdr_spooled", "Records synced in the spool", registry=registry
        )
        self.written = Counter(
            "fsgitops_cdr_written", "Records synced in the lake", registry=registry
        )
        self.parts = Counter("fsgitops_cdr_parts", "Parquet parts written", registry=registry)
        self.errors = Counter(
            "fsgitops_cdr_errors", "Failures that are retried", ["where"], registry=registry
        )
        self.quarantined = Counter(
            "fsgitops_cdr_quarantined", "Things that were no record", ["road"], registry=registry
        )
        self.refused = Counter(
            "fsgitops_cdr_refused", "Records that the sender must keep", ["road"], registry=registry
        )
        self.removed = Counter(
            "fsgitops_cdr_json_files_removed", "JSON files removed", registry=registry
        )
        self.spool_rows = Gauge(
            "fsgitops_cdr_spool_rows", "Records that wait for the lake", registry=registry
        )
        self.spool_bytes = Gauge("fsgitops_cdr_spool_bytes", "Their size", registry=registry)
        self.lag = Gauge(
            "fsgitops_cdr_lag_seconds", "Age of the oldest record that waits", registry=registry
        )
        self.connected = Gauge(
            "fsgitops_cdr_connected", "1 while events can come", registry=registry
        )
        self.deaf = Counter(
            "fsgitops_cdr_deaf_seconds", "Seconds without an event connection", registry=registry
        )
        self._lock = threading.Lock()
        self._troubles: dict[str, str] = {}
        self._deaf_mark: float | None = time.monotonic()

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
