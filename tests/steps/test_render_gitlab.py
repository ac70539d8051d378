"""GitLab's Code Quality report, whatever the values hold."""

from __future__ import annotations

import json
from typing import Any

from builders import plan
from hostile_review import reviews, simple_review
from hypothesis import given

from fsgitops.findings import Finding, Position, Severity
from fsgitops.model.plan import Hazard
from fsgitops.model.review import Review
from fsgitops.steps.render_gitlab import render_gitlab


def _parse(review: Review) -> list[dict[str, Any]]:
    return list(json.loads(render_gitlab(review)))


def test_a_finding_is_told_with_its_rule_weight_and_line() -> None:
    finding = Finding("r", Severity.ERROR, Position("a.yaml", 3, 7), "bad", "fix it")
    (entry,) = _parse(Review("validate", "", (finding,), prefix="pbx"))
    assert entry["description"] == "bad (fix it)"
    assert (entry["check_name"], entry["severity"]) == ("r", "major")
    assert entry["location"] == {"path": "pbx/a.yaml", "lines": {"begin": 3}}


def test_errors_stand_before_warnings() -> None:
    place = Position("a.yaml", 1, 1)
    found = tuple(
        Finding("r", severity, place, str(severity))
        for severity in (Severity.INFO, Severity.WARNING, Severity.ERROR)
    )
    entries = _parse(Review("validate", "", found))
    assert [entry["severity"] for entry in entries] == ["major", "minor", "info"]


def test_two_findings_at_different_places_have_two_fingerprints() -> None:
    found = tuple(Finding("r", Severity.ERROR, Position("a.yaml", n, 1), "bad") for n in (1, 2))
    assert len({entry["fingerprint"] for entry in _parse(Review("validate", "", found))}) == 2


def test_what_is_in_the_way_is_an_error_and_a_change_is_none() -> None:
    drift, *tasks = _parse(simple_review(findings=()))
    assert {item["check_name"] for item in tasks} == {"for-people"}
    assert (drift["check_name"], drift["severity"]) == ("drift", "minor")
    made = plan(hazards=(Hazard("foreign-file", "x.xml", "in the way"),))
    (entry,) = _parse(Review("plan for t", "", (), made))
    assert (entry["check_name"], entry["severity"]) == ("foreign-file", "major")


@given(reviews())
def test_every_entry_has_what_gitlab_needs(review: Review) -> None:
    for entry in _parse(review):
        assert set(entry) == {"description", "check_name", "fingerprint", "severity", "location"}
        assert entry["severity"] in {"info", "minor", "major"}
        assert entry["location"]["lines"]["begin"] >= 1
        assert "\n" not in entry["description"] + entry["location"]["path"]
