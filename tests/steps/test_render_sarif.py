"""SARIF 2.1.0 that a reader of it takes."""

from __future__ import annotations

import json
from typing import Any

from builders import plan
from hostile_review import big_review, reviews, simple_review
from hypothesis import given

from fsgitops.findings import Finding, Position, Severity
from fsgitops.model.plan import Hazard
from fsgitops.model.review import Review
from fsgitops.steps.render_sarif import SHOWN_RESULTS, render_sarif


def _run(review: Review) -> dict[str, Any]:
    log = json.loads(render_sarif(review))
    assert (log["version"], len(log["runs"])) == ("2.1.0", 1)
    run: dict[str, Any] = log["runs"][0]
    return run


def test_a_finding_is_a_result_at_its_line_and_column() -> None:
    run = _run(simple_review(plan=None))
    (result,) = run["results"]
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "desired/agents.yaml"
    assert place["region"] == {"startLine": 7, "startColumn": 9}
    assert (result["ruleId"], result["level"]) == ("weak-pin", "warning")


def test_a_file_name_becomes_a_uri() -> None:
    finding = Finding("r", Severity.ERROR, Position("a b#ü.yaml"), "m")
    run = _run(Review("validate", "", (finding,), prefix="pbx"))
    place = run["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "pbx/a%20b%23%C3%BC.yaml"


def test_a_change_is_no_result_but_drift_and_what_is_in_the_way_are() -> None:
    review = simple_review(findings=())
    assert [item["ruleId"] for item in _run(review)["results"]] == ["drift"]
    made = plan(hazards=(Hazard("foreign-file", "x.xml", "m"),))
    results = _run(Review("plan for t", "", (), made))["results"]
    assert [(item["ruleId"], item["level"]) for item in results] == [("foreign-file", "error")]


def test_the_changes_are_counted_in_the_properties_of_the_run() -> None:
    assert _run(simple_review())["properties"]["changes"] == {"create": 1, "update": 1, "delete": 1}


def test_no_more_results_are_written_than_code_scanning_shows_and_that_is_told() -> None:
    run = _run(big_review())
    assert len(run["results"]) == SHOWN_RESULTS
    *_, notification = run["invocations"][0]["toolExecutionNotifications"]
    assert "6,000 results left out" in notification["message"]["text"]


@given(reviews())
def test_every_result_names_its_rule_and_holds_no_link_or_placeholder(review: Review) -> None:
    text = render_sarif(review)
    assert text.isascii()
    run = json.loads(text)["runs"][0]
    rules = run["tool"]["driver"]["rules"]
    assert len({rule["id"] for rule in rules}) == len(rules)
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        message = result["message"]["text"]
        assert "](" not in message
        assert "{0}" not in message
        assert message.isprintable()
        region = result["locations"][0]["physicalLocation"]["region"]
        assert min(region.values()) >= 1
