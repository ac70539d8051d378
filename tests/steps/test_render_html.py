"""The page, without a browser: self-contained, escaped, labelled."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from typing import Any

from builders import resource
from hostile_review import big_review, reviews, simple_review
from hypothesis import given

from fsgitops.model.review import Contents, Review
from fsgitops.steps.render_html import render_html

_VOID = {"meta", "input", "br"}


class _Page(HTMLParser):
    """Every element with its attributes and own text; complains about what is not closed."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, str] = {}
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in _VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open:
            self.texts[self._open[-1]] = self.texts.get(self._open[-1], "") + data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def _data(text: str) -> Any:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert found
    return json.loads(found[1])


def test_the_page_loads_nothing_and_allows_only_its_own_script_and_style() -> None:
    text = render_html(simple_review())
    page = _Page(text)
    assert not re.search(r'(src|href)="(?!#)', text)
    policy = next(item["content"] for item in page.all("meta") if "http-equiv" in item)
    assert policy is not None
    assert policy.startswith("default-src 'none'; ")
    (script,) = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy


def test_the_same_review_gives_the_same_bytes() -> None:
    assert render_html(simple_review()) == render_html(simple_review())


def test_a_change_holds_its_attributes_and_both_sides_of_its_xml() -> None:
    place = ("directory/default/1020.xml", resource("agent:1020"))
    contents = {place: Contents(["<a>", "<b>"], ["<a>", "<c>"])}
    data = _data(render_html(simple_review(contents=contents)))
    change = data["changes"][0]
    shown = [data["strings"][number] for number in change[6]]
    assert shown[:3] == ["toll_allow", '"local"', '"local,domestic"']
    assert shown[3:] == ["a1-hash", "(secret)", "(secret)"]
    assert [data["strings"][number] for number in change[8]] == ["<a>", "<c>"]


def test_a_string_is_written_once_however_often_it_stands() -> None:
    strings = _data(render_html(big_review(1000)))["strings"]
    assert len(strings) == len(set(strings))


def test_ten_thousand_changes_are_a_page_of_a_few_megabytes() -> None:
    assert len(render_html(big_review())) < 8_000_000


def test_every_control_has_a_label_and_the_page_its_landmarks_language_and_one_title() -> None:
    text = render_html(simple_review())
    page = _Page(text)
    assert page.all("html") == [{"lang": "en"}]
    assert [len(page.all(tag)) for tag in ("main", "h1", "title")] == [1, 1, 1]
    for box in page.all("input"):
        if "id" in box:
            assert f'<label for="{box["id"]}">' in text
        else:
            assert re.search(rf'<label><input[^>]*value="{box["value"]}"[^>]*> \S', text)
    ids = [item["id"] for _, item in page.elements if "id" in item]
    assert len(ids) == len(set(ids))


def test_the_colours_of_text_stand_out_from_their_ground_in_light_and_dark() -> None:
    style = _Page(render_html(simple_review())).texts["style"]
    schemes = re.findall(r"\{[^{}]*--ground:[^{}]*\}", style)
    assert len(schemes) == 3
    for scheme in schemes:
        colours = dict(re.findall(r"--([\w-]+): (#\w{6})", scheme))
        for name in ("text", "quiet", "link"):
            for ground in ("ground", "raised"):
                assert _contrast(colours[name], colours[ground]) >= 4.5, (name, ground)
        for name in ("create", "update", "delete"):
            assert _contrast(colours[name], colours[f"{name}-ground"]) >= 4.5, name


def _contrast(one: str, other: str) -> float:
    """Return the contrast ratio that WCAG 2 defines."""
    lights = sorted(map(_luminance, (one, other)))
    return (lights[1] + 0.05) / (lights[0] + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@given(reviews())
def test_no_value_adds_an_element_or_leaves_its_place(review: Review) -> None:
    text = render_html(review)
    page = _Page(text)
    assert {tag for tag, _ in page.elements} <= {
        "html", "head", "meta", "title", "style", "body", "a", "header", "div", "h1", "p", "button",
        "main", "ul", "li", "strong", "code", "section", "h2", "br", "noscript", "form", "label",
        "input", "fieldset", "legend", "span", "ol", "table", "thead", "tbody", "tr", "th", "td",
        "script",
    }  # fmt: skip
    assert len(page.all("script")) == 2
    assert not [name for _, item in page.elements for name in item if name.startswith("on")]
    assert all(item == {"class": "skip", "href": "#changes"} for item in page.all("a"))
    assert all(string.isprintable() for string in _data(text)["strings"])
