"""Findings and outcomes as JSON values: docs/json.md describes each shape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fsgitops.errors import DesiredInvalidError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fsgitops.errors import FsgitopsError
    from fsgitops.findings import Finding
    from fsgitops.model.applied import Applied


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


def applied_to_json(applied: Applied) -> dict[str, Any]:
    """Return what an apply did."""
    return {
        "format": "fsgitops-applied",
        "version": 1,
        "outcome": applied.outcome.name.lower(),
        "created": applied.created,
        "updated": applied.updated,
        "deleted": applied.deleted,
        "renamed": applied.renamed,
        "replies": [{"command": item.command, "reply": item.reply} for item in applied.replies],
        "agents_proved": applied.users_proved,
        "extensions_proved": applied.routes_proved,
        "agents_gone": applied.users_gone,
        "extensions_gone": applied.routes_gone,
        "registrations_ended": applied.registrations_ended,
        "registrations_kicked": applied.registrations_kicked,
        "verto_sessions_ended": applied.verto_sessions_ended,
        "notes": list(applied.notes),
    }


def error_to_json(problem: FsgitopsError) -> dict[str, Any]:
    """Return what a command ended on, with every finding."""
    findings = problem.findings if isinstance(problem, DesiredInvalidError) else []
    return {
        "format": "fsgitops-error",
        "version": 1,
        "error": type(problem).__name__.removesuffix("Error"),
        "exit_code": problem.exit_code,
        "message": str(problem),
        "findings": findings_to_json(findings),
    }
