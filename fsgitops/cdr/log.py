"""Structured log lines: one JSON object, or one readable line, for each thing that happened."""

from __future__ import annotations

import json
import logging
import sys
from typing import Any

LOGGER = logging.getLogger("fsgitops.cdr")


class _JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **getattr(record, "facts", {}),
        }
        return json.dumps(line, default=str)


class _TextFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        facts = getattr(record, "facts", {})
        # ascii() keeps control characters that came from a caller out of the terminal.
        tail = "".join(
            f" {name}={ascii(value) if isinstance(value, str) else value}"
            for name, value in facts.items()
        )
        return f"{self.formatTime(record)} {record.levelname.lower()}: {record.getMessage()}{tail}"


def set_up_logging(form: str, *, verbose: bool = False) -> None:
    """Log to standard error, as `json` or `text`."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonFormatter() if form == "json" else _TextFormatter())
    LOGGER.handlers[:] = [handler]
    LOGGER.setLevel(logging.DEBUG if verbose else logging.INFO)
    LOGGER.propagate = False


def say(level: int, event: str, **facts: Any) -> None:
    """Log one thing that happened, with its facts. Facts hold no secrets and no callers' data."""
    LOGGER.log(level, event, extra={"facts": facts})
