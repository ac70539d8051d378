"""A comment that fits, and in which nothing that a user wrote acts."""

from __future__ import annotations

import html
import re

import builders
from hostile_review import big_review, reviews, simple_review
from hypothesis import given
from markdown_it import MarkdownIt

from fsgitops.findings import Finding, Position, Severity
from fsgitops.model.plan import Action, Hazard, Plan, ReloadStep
from fsgitops.model.review import Reached, Review
from fsgitops.steps.render_markdown import LIMIT, render_markdown

_OWN_HTML = re.compile(
    r"(<!-- fsgitops [A-Za-z0-9-]* -->|<details( open)?>"
    r"<summary>[\w ,():]*</summary>|</details>)\n?"
)
_OWN_TEXT = re.compile(
    r"(fsgitops: |Plan: [\w ,]*|"
    r"[\d,]+ managed files? unchanged, [\d,]+ unmanaged files? left alone\.|"
    r"Warning:|For people to do:| |and [\d,]+ more warnings|"
    r"Drift:| \d+ files? changed by somebody else since the last apply\.|Domain |, plan |\.|"
    r" because |In the way: resolve these before an apply\.|All of it: |"
    r"Where something is cut here, | shows all of it\.|)"
)


def test_the_summary_is_the_first_thing_to_read() -> None:
    lines = render_markdown(simple_review()).splitlines()
    assert lines[2] == "### fsgitops: `plan for prod`"
    assert lines[4] == "**Plan: 1 to create, 1 to change, 1 to delete**"


def test_the_first_line_tells_a_pipeline_which_comment_to_update() -> None:
    assert render_markdown(simple_review()).startswith("<!-- fsgitops plan-for-prod -->\n")


def test_each_action_is_folded_with_its_count() -> None:
    text = render_markdown(simple_review())
    for title in ("1 to delete", "1 to change", "1 to create"):
        assert f"<details><summary>{title}</summary>" in text


def test_a_difference_reads_as_one() -> None:
    text = render_markdown(simple_review())
    assert '-     toll_allow: "local"\n+     toll_allow: "local,domestic"' in text
    assert "!     a1-hash: (secret) -> (secret)" in text


def test_the_diagram_leads_from_each_changed_did_to_who_rings() -> None:
    text = render_markdown(simple_review())
    assert (
        '```mermaid\nflowchart LR\n  did0["#43;19495431333"] -->|create| to0["1020 Alice"]' in text
    )


def test_errors_are_shown_without_unfolding() -> None:
    finding = Finding("r", Severity.ERROR, Position("a.yaml", 3, 7), "bad", "fix")
    text = render_markdown(Review("validate", "1 error", (finding,)))
    assert "<details open><summary>1 error, 0 warnings</summary>" in text
    assert "- a.yaml:3:7: error: bad [r]\n      fix" in text


def test_ten_thousand_changes_and_findings_fit_and_the_whole_is_pointed_to() -> None:
    text = render_markdown(big_review())
    assert LIMIT - 2000 < len(text.encode()) <= LIMIT
    assert re.search(r"# and [\d,]+ more", text)


def test_the_pointer_is_a_link_where_it_is_a_url_and_code_otherwise() -> None:
    url = "https://ci.example/artifacts/1"
    assert f"All of it: <{url}>" in render_markdown(simple_review(full=url))
    assert "All of it: `plan.html`" in render_markdown(simple_review(full="plan.html"))


def test_what_is_said_of_the_size_is_what_github_takes() -> None:
    assert LIMIT < 65_536


def test_long_values_of_the_widest_characters_still_fit() -> None:
    wide = "\U0001f4a5" * 5000
    changes = tuple(
        builders.change("create", f"agent:{wide}", path=wide, source=wide) for _ in range(200)
    )
    findings = (Finding(wide, Severity.ERROR, Position(wide), wide, wide),) * 200
    steps = (ReloadStep(wide, wide),) * 50
    hazards = (Hazard(wide, wide, wide, wide),) * 50
    plan = Plan("p", "t", wide, wide, changes, steps, hazards, fingerprint=wide)
    reached = tuple(Reached(f"{at}{wide}", Action.CREATE, wide, f"{at}") for at in range(50))
    review = Review(
        wide,
        "Plan: many",
        findings,
        plan,
        warnings=(wide,) * 50,
        remarks=(wide,) * 50,
        reached=reached,
        full=wide,
    )
    assert len(render_markdown(review).encode()) <= LIMIT


@given(reviews())
def test_no_value_becomes_markup_a_mention_or_a_link(review: Review) -> None:
    text = render_markdown(review)
    assert len(text.encode()) <= LIMIT
    # GitHub leaves code alone, so a mention or a link can only be made outside of it.
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        if token.type == "html_block":
            assert _OWN_HTML.fullmatch(token.content), token.content
        if token.type == "fence":
            assert token.info in ("diff", "mermaid")
        assert token.type != "code_block"
        for child in token.children or ():
            assert child.type in {
                "text", "softbreak", "code_inline", "strong_open", "strong_close",
            }  # fmt: skip
            if child.type == "text":
                assert _OWN_TEXT.fullmatch(child.content), child.content


@given(reviews())
def test_a_label_of_the_diagram_is_letters_digits_and_numbers_of_characters(
    review: Review,
) -> None:
    for block in re.findall(r"```mermaid\n(.*?)\n```", render_markdown(review), re.DOTALL):
        for line in block.split("\n")[1:]:
            node = r'\["(?:\w| |#\d+;)*"\]'
            assert re.fullmatch(rf"  (?:did|resource)\d+{node} -->\|\w+\| to\d+{node}", line), line


def test_a_value_is_shown_as_it_was_written() -> None:
    change = builders.change("create", "agent:a|b`c<d>@e", source="s")
    review = simple_review(plan=builders.plan(change))
    assert "agent a|b`c<d>@e" in render_markdown(review)
    assert "&lt;" not in html.unescape(render_markdown(review))
