"""A review as SARIF 2.1.0: findings, what is in the way, and drift.

A change is no defect, so changes are counted in the run's properties and are no results. Neither is
what people have to do, or what changes for callers: that stands in the run's notifications. Code
scanning takes 25,000 results of a run and shows 5,000 of them, so no more are written.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from fsgitops import __version__
from fsgitops.findings import Severity
from fsgitops.model.impact import HEADING as CALLERS
from fsgitops.model.plan import Action
from fsgitops.model.review import list_calls, list_findings, list_tasks
from fsgitops.model.task import HEADING
from fsgitops.visible import count_noun, make_visible

if TYPE_CHECKING:
    from fsgitops.findings import Finding
    from fsgitops.model.review import Review

SHOWN_RESULTS = 5000
SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"

_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_PLACEHOLDER = re.compile(r"\{([0-9]+)\}")


def render_sarif(review: Review) -> str:
    """Return the SARIF log as JSON text."""
    found = list_findings(review)
    shown, left = found[:SHOWN_RESULTS], len(found) - SHOWN_RESULTS
    rules = sorted({make_visible(item.rule) for item in shown})
    indices = {rule: index for index, rule in enumerate(rules)}
    driver = {
        "name": "fsgitops",
        "semanticVersion": __version__,
        "rules": [
            {"id": rule, "shortDescription": {"text": rule.replace("-", " ")}} for rule in rules
        ],
    }
    invocation: dict[str, Any] = {"executionSuccessful": True}
    notes = [
        {"level": "note", "message": {"text": _literal(make_visible(f"{HEADING}: {task.message}"))}}
        for task in list_tasks(review)
    ]
    notes += [
        {"level": "note", "message": {"text": _literal(make_visible(f"{CALLERS}: {call.message}"))}}
        for call in list_calls(review)
    ]
    if left > 0:
        text = f"{count_noun(left, 'result')} left out: a log holds {SHOWN_RESULTS:,}"
        notes.append({"level": "warning", "message": {"text": text}})
    if notes:
        invocation["toolExecutionNotifications"] = notes
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "invocations": [invocation],
        "results": [_result(review, item, indices) for item in shown],
        "properties": _properties(review),
    }
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=1) + "\n"


def _result(review: Review, finding: Finding, indices: dict[str, int]) -> dict[str, Any]:
    text = make_visible(finding.message)
    if finding.hint:
        text += f" ({make_visible(finding.hint)})"
    place, rule = finding.position, make_visible(finding.rule)
    uri = quote(review.locate(place.file).encode("utf-8", "surrogatepass"), safe="/")
    return {
        "ruleId": rule,
        "ruleIndex": indices[rule],
        "level": _LEVELS[finding.severity],
        "message": {"text": _literal(text)},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": uri, "uriBaseId": "%SRCROOT%"},
                    "region": {"startLine": place.line, "startColumn": place.column},
                }
            }
        ],
    }


def _literal(text: str) -> str:
    """Return the text without what a SARIF reader takes for a link or a placeholder.

    Few readers know the escapes that the standard has for these, so a space breaks them.
    """
    return _PLACEHOLDER.sub(r"{ \1 }", text.replace("](", "] ("))


def _properties(review: Review) -> dict[str, Any]:
    if review.plan is None:
        return {"summary": review.summary}
    counts = {action.value: review.plan.count(action) for action in Action}
    target = make_visible(review.plan.target)
    return {"summary": review.summary, "target": target, "changes": counts}
