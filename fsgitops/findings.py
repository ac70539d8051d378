"""A finding: one thing that a check has to say about one place in the desired state."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from fsgitops.visible import make_visible


class Severity(StrEnum):
    """How much a finding weighs: an error stops everything after it."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in a file that a user wrote. Lines and columns count from 1."""

    file: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found, what was expected (`message`), and what to do about it (`hint`)."""

    rule: str
    severity: Severity
    position: Position
    message: str
    hint: str = ""

    def __str__(self) -> str:
        text = f"{self.position}: {self.severity}: {self.message} [{self.rule}]"
        return f"{text}\n    {self.hint}" if self.hint else text


def error(rule: str, position: Position, message: str, hint: str = "") -> Finding:
    """Return a finding that makes the desired state invalid."""
    return Finding(rule, Severity.ERROR, position, message, hint)


def warning(rule: str, position: Position, message: str, hint: str = "") -> Finding:
    """Return a finding that is shown and stops nothing."""
    return Finding(rule, Severity.WARNING, position, message, hint)


def quote_value(text: str, limit: int = 60) -> str:
    """Return `text` in quotes, cut to `limit` characters, what cannot be printed escaped."""
    cut = text if len(text) <= limit else text[: limit - 1] + "…"
    return f'"{make_visible(cut)}"'


def sort_findings(findings: list[Finding]) -> list[Finding]:
    """Return the findings in the order of the files, lines and columns they speak of."""
    return sorted(findings, key=lambda item: (item.position, item.rule, item.message))


def has_errors(findings: list[Finding]) -> bool:
    """Tell whether any finding is an error."""
    return any(item.severity is Severity.ERROR for item in findings)
