"""A finding: one thing that a check has to say about one place in the desired state."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from fsgitops.visible import count_noun, make_visible

if TYPE_CHECKING:
    from collections.abc import Iterable


class Severity(StrEnum):
    """How much a finding weighs: an error stops everything after it."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Position(NamedTuple):
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
    group: str = field(default="", compare=False)
    """Findings of one rule with one group say the same of several resources."""

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
    return f'"{make_visible(text, limit)}"'


def fold_findings(findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings, each group as its first one, which says how many are like it."""
    folded: list[Finding] = []
    firsts: dict[tuple[str, str], int] = {}
    others: Counter[int] = Counter()
    for item in findings:
        if not item.group:
            folded.append(item)
            continue
        index = firsts.setdefault((item.rule, item.group), len(folded))
        if index == len(folded):
            folded.append(item)
        else:
            others[index] += 1
    for index, count in others.items():
        like = "1 more agent does" if count == 1 else f"{count:,} more agents do"
        folded[index] = replace(folded[index], message=f"{folded[index].message}; {like} too")
    return folded


def sort_findings(findings: list[Finding]) -> list[Finding]:
    """Return the findings in the order of the files, lines and columns they speak of."""
    return sorted(findings, key=lambda item: (item.position, item.rule, item.message))


def has_errors(findings: Iterable[Finding]) -> bool:
    """Tell whether any finding is an error."""
    return any(item.severity is Severity.ERROR for item in findings)


def count_findings(findings: Iterable[Finding]) -> str:
    """Return how many are errors and how many warnings, in words."""
    counts = Counter(item.severity for item in findings)
    errors, warnings = counts[Severity.ERROR], counts[Severity.WARNING]
    return f"{count_noun(errors, 'error')}, {count_noun(warnings, 'warning')}"


def findings_to_json(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """Return each finding as an object; lines and columns count from 1."""
    return [
        {
            "rule": item.rule,
            "severity": item.severity.value,
            "file": item.position.file,
            "line": item.position.line,
            "column": item.position.column,
            "message": item.message,
            "hint": item.hint,
        }
        for item in findings
    ]
