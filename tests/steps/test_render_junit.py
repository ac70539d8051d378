"""JUnit XML that a pipeline reads, whatever the values hold."""

from __future__ import annotations

from xml.etree import ElementTree

from hostile_review import big_review, reviews, simple_review
from hypothesis import given

from fsgitops.findings import Finding, Position, Severity
from fsgitops.model.review import Review
from fsgitops.steps.render_junit import render_junit


def _parse(review: Review) -> ElementTree.Element:
    return ElementTree.fromstring(render_junit(review).encode())


def test_an_error_is_a_failure_that_names_its_place() -> None:
    finding = Finding("r", Severity.ERROR, Position("a.yaml", 3, 7), "bad", "fix it")
    root = _parse(Review("validate", "", (finding,)))
    (case,) = root.iter("testcase")
    failure = case.find("failure")
    assert failure is not None
    assert failure.text == "a.yaml:3:7: error: bad\nfix it"
    assert (case.get("file"), case.get("line")) == ("a.yaml", "3")


def test_a_warning_fails_nothing() -> None:
    root = _parse(simple_review())
    assert (root.get("failures"), len(list(root.iter("failure")))) == ("0", 0)


def test_without_findings_one_case_passes() -> None:
    root = _parse(Review("validate", ""))
    assert [case.get("name") for case in root.iter("testcase")] == ["what is declared is valid"]


def test_each_change_is_a_case_with_its_differences() -> None:
    text = render_junit(simple_review())
    assert 'name="update agent 1020"' in text
    assert "toll_allow: &quot;local&quot; -&gt; &quot;local,domestic&quot;" in text


def test_ten_thousand_changes_are_ten_thousand_cases_and_the_summary() -> None:
    suite = _parse(big_review()).findall("testsuite")[1]
    names = [case.get("name", "") for case in suite]
    assert len([name for name in names if not name.startswith("For people to do")]) == 10_001


@given(reviews())
def test_the_document_is_well_formed_and_its_counts_are_true(review: Review) -> None:
    root = _parse(review)
    assert {item.tag for item in root.iter()} <= {
        "testsuites", "testsuite", "testcase", "failure", "system-out",
    }  # fmt: skip
    assert root.get("tests") == str(len(list(root.iter("testcase"))))
    assert root.get("failures") == str(len(list(root.iter("failure"))))
    for suite in root:
        assert suite.get("tests") == str(len(list(suite.iter("testcase"))))
