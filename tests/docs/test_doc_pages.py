"""The test of pages sees what a page gets wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from doc_pages import Step, compare, is_excerpt, learn_names, read_page

if TYPE_CHECKING:
    from pathlib import Path

AUDIT = '{"action": "dial", "uid": 7, "number": "+18005551234", "legs": [{"answered": true}]}\n'


@pytest.mark.parametrize(
    ("shown", "agrees"),
    [
        ('{"action": "dial"}', True),
        ('{"uid": 0}', True),
        ('{"legs": [{"answered": true}]}', True),
        ('{"answered": true}', True),
        ('{"number": "+1800…"}', True),
        ('{"action": "kick"}', False),
        ('{"uid": "0"}', False),
        ('{"legs": [{"answered": 1}]}', False),
        ('{"legs": [{"answered": true}, {"answered": true}]}', False),
        ('{"caller": "1020"}', False),
        ('{"action": "dial"}\n{"action": "kick"}', False),
    ],
)
def test_json_that_a_page_shows_is_a_part_of_what_a_command_says(shown: str, agrees: bool) -> None:
    step = Step(1, "shows", "fsgitops x", shown.split("\n"), kind="json")
    assert compare(step, AUDIT) is agrees


@pytest.mark.parametrize(
    ("shown", "agrees"),
    [
        (["one", "two 2026-11-23T16:32:51Z"], True),
        (["…", "two 2026-11-23T16:32:51Z"], True),
        (["one", "…"], True),
        (["o…e", "two …"], True),
        (["one"], False),
        (["two …", "one"], False),
        (["one", "two 2026-11-23T16:32:51Z", "three"], False),
        (["One", "…"], False),
    ],
)
def test_lines_that_a_page_shows_are_what_a_command_says(shown: list[str], agrees: bool) -> None:
    said = "one\ntwo 2020-01-01T00:00:00Z\n"
    assert compare(Step(1, "run", "fsgitops x", shown), said) is agrees


def test_a_uuid_of_a_page_means_the_one_of_this_run() -> None:
    page = "ade792b0-fae9-4052-bcc3-fc221032cc3d"
    run = "00000000-fae9-4052-bcc3-fc221032cc3d"
    step = Step(1, "run", "fsgitops dial 1020 1021", ["It rings.", page])
    assert learn_names(step, f"It rings.\n{run}\n") == {page: run}


def test_a_command_goes_on_in_an_open_quotation_and_behind_a_backslash(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```text\n$ fsgitops dial 1 '2\n3'\nno\n$ curl x \\\n  -d y\n{}\n```\n")
    steps = [(step.text, step.expected) for step in read_page(page).steps]
    assert steps == [("fsgitops dial 1 '2\n3'", ["no"]), ("curl x    -d y", ["{}"])]


def test_a_block_that_is_skipped_keeps_its_reason(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("<!-- example: skip because of this -->\n```text\n$ fsgitops plan\n```\n")
    (block,) = read_page(page).blocks
    assert (block.verb, block.why) == ("skip", "because of this")
    assert read_page(page).steps == []


@pytest.mark.parametrize(
    ("shown", "agrees"),
    [
        ("def one():\n    return 1\n", True),
        ("def one():\n…\nTWO = 2\n", True),
        ("    …\n    return 1\n…\n", True),
        ("TWO = 2\n…\ndef one():\n", False),
        ("def one():\n\nTWO = 2\n", False),
        ("return 1\n", False),
        ("TWO = 2\n…\nTWO = 2\n", False),
        ("TWO\n", False),
    ],
)
def test_an_excerpt_has_whole_lines_of_a_file_in_its_order(shown: str, agrees: bool) -> None:
    assert is_excerpt(shown, "def one():\n    return 1\n\nTWO = 2\n") is agrees
