"""Workflow commands: the exact line, and never a command that a value wrote."""

from __future__ import annotations

import re

from builders import plan
from hostile_review import big_review, reviews, simple_review
from hypothesis import given

from fsgitops.findings import Finding, Position, Severity
from fsgitops.model.plan import Hazard
from fsgitops.model.review import Review
from fsgitops.steps.render_github import render_github

_COMMAND = re.compile(
    r"::(error|warning|notice) (?:file=([^:,\n]*),line=\d+,col=\d+,)?title=[^:,\n]*::[^\n]*"
)


def test_an_error_is_told_on_its_own_file_line_and_column() -> None:
    place = Position("desired/a.yaml", 3, 7)
    review = Review("validate", "1 error", (Finding("r", Severity.ERROR, place, "bad", "fix"),))
    told = "::error file=desired/a.yaml,line=3,col=7,title=fsgitops%3A r::bad%0Afix\n"
    assert render_github(review) == told


def test_a_project_below_the_top_of_the_repository_is_found_by_its_prefix() -> None:
    assert "file=pbx/desired/agents.yaml,line=7," in render_github(simple_review(prefix="pbx"))


def test_a_percent_sign_and_the_separators_of_properties_are_escaped() -> None:
    finding = Finding("r", Severity.ERROR, Position("a,b:c%.yaml"), "100%")
    told = render_github(Review("validate", "", (finding,)))
    assert "file=a%2Cb%3Ac%25.yaml,line=1" in told
    assert told.endswith("::100%25\n")


def test_a_change_is_a_notice_where_its_resource_is_declared() -> None:
    told = render_github(simple_review())
    assert (
        "::notice file=desired/agents.yaml,line=4,col=5,title=fsgitops%3A update agent 1020::"
        in told
    )
    assert 'toll_allow: "local" -> "local,domestic"' in told


def test_a_deletion_names_no_line_because_something_else_stands_there_now() -> None:
    told = render_github(simple_review())
    assert "::notice title=fsgitops%3A delete agent 1021::delete agent 1021\n" in told


def test_what_is_in_the_way_is_an_error_on_the_resource_that_belongs_there() -> None:
    made = plan(hazards=(Hazard("foreign-file", "x.xml", "stands there"),))
    told = render_github(Review("plan for t", "s", (), made, sources={"x.xml": "a.yaml:2:3"}))
    assert told.startswith("::error file=a.yaml,line=2,col=3,title=fsgitops%3A foreign-file::")


def test_of_many_changes_ten_notices_are_told_with_the_count_of_the_others() -> None:
    notices = [
        line for line in render_github(big_review()).splitlines() if line.startswith("::notice")
    ]
    assert len(notices) == 10
    assert "and 9,993 more changes" in notices[-2]


@given(reviews())
def test_every_line_is_one_whole_command_whatever_the_values_hold(review: Review) -> None:
    told = render_github(review)
    assert told == "" or told.endswith("\n")
    for line in told.split("\n")[:-1]:
        assert _COMMAND.fullmatch(line), line
        assert line.isprintable()


@given(reviews())
def test_there_is_one_command_for_each_finding_and_each_hazard(review: Review) -> None:
    lines = render_github(review).split("\n")
    errors = sum(line.startswith("::error ") for line in lines)
    hazards = len(review.plan.hazards) if review.plan else 0
    assert errors == sum(item.severity is Severity.ERROR for item in review.findings) + hazards
