"""What a webhook is told."""

from __future__ import annotations

import json

from hostile_review import texts
from hypothesis import given

from fsgitops.model.applied import Notice
from fsgitops.steps.render_notice import SHOWN_MESSAGE, render_notice, render_slack_notice

APPLIED = Notice("demo", "prod", "applied", 0, "applied: 1 created", commit="0123456789abcdef")


def test_slack_is_told_in_one_text() -> None:
    told = render_slack_notice(APPLIED)
    assert told["text"].replace("\u200b", "") == (
        ":white_check_mark: *demo* on *prod*: applied: 1 created\ncommit 0123456789ab"
    )


def test_the_plain_shape_has_every_field() -> None:
    told = render_notice(APPLIED)
    assert (told["format"], told["version"], told["outcome"]) == ("fsgitops-notice", 1, "applied")
    assert (told["exit_code"], told["project"], told["target"]) == (0, "demo", "prod")


def test_a_long_message_is_cut() -> None:
    notice = Notice("p", "t", "failed", 1, "failed", "x" * 100_000)
    assert len(render_notice(notice)["message"]) == SHOWN_MESSAGE
    assert len(render_slack_notice(notice)["text"]) < SHOWN_MESSAGE * 2


def test_a_simulation_says_that_it_is_one() -> None:
    notice = Notice("p", "sandbox", "applied", 0, "applied", simulated=True)
    assert "simulation" in render_slack_notice(notice)["text"]


@given(texts)
def test_nothing_in_a_slack_text_mentions_anybody_or_is_a_link(text: str) -> None:
    notice = Notice(text, text, "failed", 1, text, text, text)
    told = render_slack_notice(notice)["text"]
    assert "<" not in told
    for mention in ("@everyone", "@octocat", "https://", "](", "```"):
        assert mention not in told
    json.dumps(render_notice(notice)).encode()
