"""A review as GitLab's Code Quality report: what is wrong, and what people should know.

The latter are drift, what changes for callers, and what people have to do.
GitLab shows those that are new in a merge request. Two entries of one fingerprint count as one
there, so each has its own, made of what it says and where.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from fsgitops.findings import Severity
from fsgitops.model.review import list_calls, list_findings, list_tasks
from fsgitops.visible import make_visible

if TYPE_CHECKING:
    from fsgitops.findings import Finding
    from fsgitops.model.review import Review

_SEVERITIES = {Severity.ERROR: "major", Severity.WARNING: "minor", Severity.INFO: "info"}


def render_gitlab(review: Review) -> str:
    """Return the report: a JSON array, errors first."""
    told = (*list_findings(review), *list_calls(review), *list_tasks(review))
    entries = [_entry(review, item) for item in told]
    return json.dumps(entries, indent=1) + "\n"


def _entry(review: Review, finding: Finding) -> dict[str, Any]:
    place = finding.position
    path, rule = make_visible(review.locate(place.file)), make_visible(finding.rule)
    text = make_visible(finding.message)
    words = f"{path}\n{place.line}:{place.column}\n{rule}\n{text}"
    if finding.hint:
        text += f" ({make_visible(finding.hint)})"
    return {
        "description": text,
        "check_name": rule,
        "fingerprint": hashlib.sha256(words.encode()).hexdigest(),
        "severity": _SEVERITIES[finding.severity],
        "location": {"path": path, "lines": {"begin": place.line}},
    }
