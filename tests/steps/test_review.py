"""What every format shows alike: renames as one change, and warnings."""

from __future__ import annotations

import pytest
from builders import change, desired, noun, plan
from hostile_review import simple_review

from fsgitops.cli.outputs import FORMATS
from fsgitops.cli.review import render_review
from fsgitops.kinds import BUILT_IN
from fsgitops.model.plan import Action
from fsgitops.model.resource import Resource
from fsgitops.model.review import Reached, Review, find_reached, read_source

FORMER, NEXT = Resource("agent", "1020"), Resource("agent", "1030")
RENAMED = plan(
    change("delete", FORMER, source="a.yaml:1:1", renamed_to=NEXT),
    change("create", NEXT, source="a.yaml:1:1", renamed_from=FORMER),
)


def _render(name: str, review: Review) -> str:
    return render_review(name, review, dict)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("markdown", "! agent 1020 -> 1030  1030.xml"),
        ("github", "rename agent 1020 -> 1030"),
        ("junit", 'name="rename agent 1020 -&gt; 1030"'),
        ("html", '"1020 -\\u003e 1030"'),
    ],
)
def test_a_rename_is_one_change(name: str, told: str) -> None:
    text = _render(name, simple_review(plan=RENAMED))
    assert text.count(told) >= 1
    assert "delete agent 1020" not in text


def test_a_rename_is_counted_as_one_in_a_comment() -> None:
    text = _render("markdown", simple_review(plan=RENAMED))
    assert "<summary>1 to rename</summary>" in text
    assert "to create</summary>" not in text


@pytest.mark.parametrize(
    "name", [name for name in FORMATS if name in ("markdown", "html", "github")]
)
def test_a_warning_of_the_plan_is_told(name: str) -> None:
    warning = "Refused unless --allow calls is given"
    assert warning in _render(name, simple_review(warnings=(warning,)))


def test_a_changed_did_reaches_the_agent_that_is_declared_for_it() -> None:
    did = "+19495431333"
    declared = desired(
        noun("agent", extension="1020", name="Alice"),
        noun("did", did_number=did, destination_extension="1020"),
    )
    assert find_reached(plan(change("update", f"did:{did}")), declared, BUILT_IN) == (
        Reached(did, Action.UPDATE, "1020", "Alice"),
    )


def test_a_deleted_did_reaches_nobody() -> None:
    assert find_reached(plan(change("delete", "did:+1949")), desired(), BUILT_IN) == (
        Reached("+1949", Action.DELETE),
    )


@pytest.mark.parametrize(("name", "told"), [("+1949", "DID"), ("sales", "resource")])
def test_only_public_numbers_are_called_dids(name: str, told: str) -> None:
    review = simple_review(reached=(Reached(name, Action.CREATE, "1020", "Alice"),))
    assert f"What 1 changed {told} will reach" in _render("markdown", review)
    assert f"What the changed {told}s will reach" in _render("html", review)


def test_what_comes_of_a_packaged_template_has_no_place_in_the_repository() -> None:
    made = plan(change("create", "dialplan:agents", source="packaged:agents.xml.j2:1:1"))
    assert "packaged" not in _render("github", simple_review(plan=made, findings=()))


def test_a_place_is_read_back_from_its_text() -> None:
    place = read_source("a:b/c.yaml:12:3")
    assert place is not None
    assert (place.file, place.line, place.column) == ("a:b/c.yaml", 12, 3)
    assert read_source("nothing") is None
