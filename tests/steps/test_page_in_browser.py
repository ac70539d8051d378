"""The page in a headless Chromium: quick, usable by keyboard, and without barriers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import builders
import pytest
from barriers import FIND_BARRIERS, FIND_CUT, axe_source
from browser import Browser
from hostile_review import HOSTILE, big_review, simple_review

from fsgitops.model.review import Contents, Review
from fsgitops.steps.render_html import render_html

if TYPE_CHECKING:
    from pathlib import Path

TAB = "\ue004"
ENTER = "\ue007"
ESCAPE = "\ue00c"

pytestmark = pytest.mark.xdist_group("browser")


def _open(browser: Browser, tmp_path: Path, review: Review) -> None:
    page = tmp_path / "plan.html"
    page.write_text(render_html(review), encoding="utf-8")
    browser.open(page)
    assert browser.log() == []


def _status(browser: Browser) -> object:
    return browser.run("return document.getElementById('status').textContent")


def _with_xml() -> Review:
    contents = Contents(
        ["<a>", "  <b/>", "  <same/>", "</a>"], ["<a>", "  <c/>", "  <same/>", "</a>"]
    )
    return simple_review(
        contents={("directory/default/1020.xml", builders.resource("agent:1020")): contents}
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_barrier_with_every_change_open(
    browser: Browser, tmp_path: Path, scheme: str
) -> None:
    _open(browser, tmp_path, _with_xml())
    browser.emulate(scheme)
    browser.run("document.getElementById('open').click()")
    found = browser.run_async(
        f"{axe_source()}; const done = arguments[0]; {FIND_BARRIERS}.then(done)"
    )
    assert found == []


def test_nothing_is_cut_at_390_pixels_with_every_change_open(
    browser: Browser, tmp_path: Path
) -> None:
    _open(browser, tmp_path, _with_xml())
    with browser.width(390):
        browser.run("document.getElementById('open').click()")
        browser.run_async("setTimeout(arguments[0])")
        assert browser.run("return innerWidth") == 390
        assert browser.run(f"return {FIND_CUT}") == []
        # What one searches with leaves the page to what one reads.
        assert browser.run("return getComputedStyle(document.forms[0]).position") == "static"


def test_ten_thousand_changes_open_and_filter_quickly(browser: Browser, tmp_path: Path) -> None:
    _open(browser, tmp_path, big_review())
    assert _status(browser) == "Showing 100 of 10,000 changes"
    took = browser.run(
        "const start = performance.now(); const search = document.getElementById('search');"
        "search.value = '19999'; search.dispatchEvent(new Event('input', {bubbles: true}));"
        "document.body.offsetHeight; return performance.now() - start"
    )
    assert _status(browser) == "Showing 1 of 1 changes"
    assert took < 1000
    loaded = browser.run("return performance.getEntriesByType('navigation')[0].loadEventEnd")
    assert loaded < 5000


def test_the_list_is_filtered_by_action_and_by_kind(browser: Browser, tmp_path: Path) -> None:
    _open(browser, tmp_path, simple_review())
    browser.run("document.querySelector('input[name=action][value=delete]').click()")
    assert _status(browser) == "Showing 2 of 2 changes"
    browser.run("document.querySelector('input[name=kind][value=agent]').click()")
    assert _status(browser) == "Showing 1 of 1 changes"
    browser.run("document.querySelector('input[name=kind][value=did]').click()")
    assert _status(browser) == "No change matches."


def test_differences_stand_side_by_side(browser: Browser, tmp_path: Path) -> None:
    _open(browser, tmp_path, _with_xml())
    browser.run("document.querySelector('#list details').open = true")
    rows = browser.run_async(
        "const done = arguments[0]; setTimeout(() => done(Array.from("
        "document.querySelectorAll('table.xml tbody tr'),"
        "row => Array.from(row.cells, cell => [cell.textContent, cell.className]))))"
    )
    assert rows[0] == [["  <a>", ""], ["  <a>", ""]]
    assert rows[1] == [["\u2212   <b/>", "gone"], ["+   <c/>", "came"]]
    assert rows[2:] == [[["    <same/>", ""]] * 2, [["  </a>", ""]] * 2]


def test_everything_is_reached_and_opened_by_keyboard(browser: Browser, tmp_path: Path) -> None:
    _open(browser, tmp_path, simple_review())
    browser.press("/")
    assert browser.run("return document.activeElement.id") == "search"
    browser.press("1", "0", "2", "1")
    assert _status(browser) == "Showing 1 of 1 changes"
    browser.press(ESCAPE)
    assert _status(browser) == "Showing 3 of 3 changes"
    names = []
    for _ in range(12):
        browser.press(TAB)
        names.append(browser.run("const e = document.activeElement; return e.name || e.tagName"))
        if names[-1] == "SUMMARY":
            break
    assert names == ["action", "action", "action", "kind", "kind", "drift", "BUTTON", "SUMMARY"]
    browser.press(ENTER)
    assert browser.run("return document.querySelector('#list details').open") is True


def test_more_changes_are_shown_on_demand_and_the_focus_goes_to_them(
    browser: Browser, tmp_path: Path
) -> None:
    _open(browser, tmp_path, big_review(250))
    browser.run("document.getElementById('more').click()")
    assert _status(browser) == "Showing 200 of 250 changes"
    place = (
        "return Array.from(document.querySelectorAll('summary')).indexOf(document.activeElement)"
    )
    assert browser.run(place) == 100


def test_hostile_values_are_only_text(browser: Browser, tmp_path: Path) -> None:
    hostile = "".join(HOSTILE)
    attribute = builders.attribute(hostile, hostile, hostile)
    change = builders.change("update", f"agent:{hostile}", attribute, path=hostile, drifted=True)
    plan = builders.plan(change, target=hostile, conf_dir=hostile, domain=hostile)
    contents = {(hostile, change.resource): Contents([hostile], [])}
    _open(browser, tmp_path, simple_review(title=hostile, plan=plan, contents=contents))
    browser.run("document.querySelector('#list details').open = true")
    found = browser.run(
        "return document.querySelectorAll('img, iframe, #list a, #list script').length"
    )
    assert found == 0
    assert browser.log() == []
