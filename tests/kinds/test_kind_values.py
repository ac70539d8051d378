"""Hostile values in every kind: refused with their place, or unaltered in the attribute they go to.

Every place of a kind's example that takes a text is given hostile ones (tests/kind_examples.py).
None becomes markup, a path, a line of the preprocessor or code of the dialplan.
"""

from __future__ import annotations

import re
from itertools import count
from typing import TYPE_CHECKING, Any
from xml.parsers import expat

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kind_examples import EXAMPLES, Example, Place, put, text_at

from fsgitops.homes import home_of
from fsgitops.kinds.agent.user import encode_caller_name
from fsgitops.model.live import is_safe_path

if TYPE_CHECKING:
    from collections.abc import Mapping

    from project import Project

PLACES = [(example, place) for example in EXAMPLES for place in example.places()]
IDS = [f"{example.word}.{'.'.join(map(str, place))}" for example, place in PLACES]

PIECES = (
    "\n", "\r", "\t", "\x00", "\x1b[31m", "\u2028", "\u202e", "\ufeff", "\ud800", "\U0001f600",
    '"', "'", "<", ">", "&", "&#36;", "&amp;", "]]>", "<!--", "-->", '"/><user id="9"/>',
    "</include>", '<X-PRE-PROCESS cmd="exec" data="id"/>', '<!--#set "a=b"-->', "$${domain}", "$${",
    "${caller_id_name}", "${system(id)}", "$", "{", "}", "[", "]", "..", "../", "/", "\\", "~",
    "/etc/passwd", "%2e%2e/", ",", "|", ":_:", ";", "^", "^^:", "@", "@evil.example",
    " XML public", " inline", "x inline", "-oX", "`id`", "$(id)", "!", "#", "*", "?", " ", "1020",
    "0", "+1949", ".*", "(.*)", "a", "name", "system:id", "lua(x.lua)", "shell_stream://id",
    "nolocal:", "api_hangup_hook", "_", "\N{ARABIC-INDIC DIGIT THREE}",
)  # fmt: skip
"""What something on the way to a call takes for more than text."""

TEXTS = st.lists(st.sampled_from(PIECES), min_size=1, max_size=4).map("".join) | st.text(
    max_size=12
)


class Site:
    """A project that is given one declaration after another."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._outputs = count()

    def declare(self, files: Mapping[str, str]) -> None:
        for path in (self.project.root / "desired").iterdir():
            path.unlink()
        for name, text in files.items():
            self.project.write(f"desired/{name}", text)

    def refused(self, files: Mapping[str, str]) -> set[str]:
        """Return the files in which something is refused; each time with its place."""
        self.declare(files)
        ran = self.project.run("validate", "--json")
        found = [item for item in ran.json()["findings"] if item["severity"] == "error"]
        assert (ran.code != 0) == bool(found)
        assert all(item["line"] >= 1 and item["column"] >= 1 for item in found), found
        assert all(item["message"] for item in found)
        return {item["file"].removeprefix("desired/") for item in found}

    def compile(self, files: Mapping[str, str]) -> dict[str, bytes]:
        self.declare(files)
        folder = self.project.root / "out" / str(next(self._outputs))
        ran = self.project.run("compile", "--output", str(folder))
        assert ran.code == 0, ran.err
        return self.project.tree(folder)


@pytest.fixture
def site(project: Project) -> Site:
    return Site(project)


def outline(content: bytes) -> tuple[list[tuple[str, ...]], list[str]]:
    """Return all of a file but the values of its attributes, and these in their order."""
    shape: list[tuple[str, ...]] = []
    values: list[str] = []

    def start(tag: str, attributes: list[str]) -> None:
        shape.append((tag, *attributes[::2]))
        values.extend(attributes[1::2])

    parser = expat.ParserCreate()
    parser.ordered_attributes = True
    parser.StartElementHandler = start
    parser.EndElementHandler = lambda tag: shape.append(("end", tag))
    parser.CommentHandler = lambda _: shape.append(("comment",))
    parser.ProcessingInstructionHandler = lambda *_: shape.append(("instruction",))
    parser.CharacterDataHandler = lambda text: shape.append(("text", text.strip()))
    parser.Parse(content, True)
    shape = [item for item in shape if item != ("text", "")]
    # FreeSWITCH reads its directives from the lines of a file, before any of it is XML.
    directives = re.findall(rb"<!--#?|<\s*/?\s*x-(?:pre-process|no-pre-process)", content, re.I)
    return [*shape, ("directives", *map(repr, directives)), (str(content.count(b"\n")),)], values


def is_value(got: str, neutral: str, before: str, text: str) -> bool:
    """Tell whether an attribute holds the text where the neutral one stood, and nothing else."""
    if got == neutral:
        return True
    if re.fullmatch(r"\+?[0-9]{3,15}", got):
        return True  # A number, which is written in one form.
    if re.fullmatch(r"[0-9a-f]{32}", got):
        return len(neutral) == len(got)  # A hash, of the user among others.
    numbered = re.compile(re.escape(before) + "[0-9]*")  # (`Example.named`)
    as_it_is = {
        filled
        for written in (
            text,
            encode_caller_name(text),
            text.replace(".", r"\."),
            text.removeprefix("agent/"),  # a destination, named with its kind
        )
        for filled in (
            neutral.replace(before, written),
            numbered.sub(written.replace("\\", r"\\"), neutral),
        )
    }
    runs = "${" in got and not re.fullmatch(r"\$\$\{\w+\}", got)
    return before in neutral and got in as_it_is and not runs


def check_batch(site: Site, example: Example, place: Place, texts: list[str]) -> None:
    before = text_at(example.subject, place)
    # With all the other fields, and with none: what one hides, the other shows.
    subjects = {
        f"{n}.yaml": example.least(values, str(place[0])) if n % 2 else values
        for n, values in enumerate(map(example.named, range(100, 100 + len(texts))))
    }
    shared = {"others.yaml": example.written(None)}
    files = {
        name: example.written(put(subject, place, text), alone=True)
        for (name, subject), text in zip(subjects.items(), texts, strict=True)
    }
    while files and (refused := site.refused({**shared, **files})):
        assert refused <= set(files), refused
        files = {name: text for name, text in files.items() if name not in refused}
    hostile = site.compile({**shared, **files})
    neutral = site.compile(
        {**shared, **{name: example.written(subjects[name], alone=True) for name in files}}
    )
    assert set(hostile) == set(neutral)
    accepted = [texts[int(name.split(".")[0])] for name in files]
    for path, content in hostile.items():
        shape, values = outline(content)
        plain_shape, plain = outline(neutral[path])
        assert shape == plain_shape, path
        for got, expected in zip(values, plain, strict=True):
            assert any(is_value(got, expected, before, text) for text in [before, *accepted]), (
                path, got, expected,
            )  # fmt: skip


@pytest.mark.parametrize(("example", "place"), PLACES, ids=IDS)
def test_a_hostile_text_is_refused_at_its_place_or_is_the_value_of_an_attribute(
    site: Site, example: Example, place: Place, sweeps: bool
) -> None:
    @settings(
        max_examples=10 if sweeps else 2,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(st.lists(TEXTS, min_size=20, max_size=40))
    def check(texts: list[str]) -> None:
        if in_path:
            check_names(site, example, place, texts)
        else:
            check_batch(site, example, place, texts)

    in_path = place == (example.key,) or (example.word, place) in IN_PATHS
    check()
    if not in_path:
        check_batch(site, example, place, list(PIECES))


IN_PATHS = {("gateway", ("profile",))}
"""What names a folder, beside the names of resources, which name files."""


def check_names(site: Site, example: Example, place: Place, texts: list[str]) -> None:
    """Check that no name leads out of the folders that files of ours stand in."""
    others = {str(values[example.key]) for values in example.declared[example.kind.section][1:]}
    files = {
        f"{n}.yaml": example.written(
            put(example.named(n) if place != (example.key,) else example.subject, place, text),
            alone=True,
        )
        for n, text in enumerate(dict.fromkeys([*texts, *PIECES]))
        if text not in others
    }
    shared = {"others.yaml": example.written(None)}
    while files and (refused := site.refused({**shared, **files})):
        assert refused <= set(files), refused
        files = {name: text for name, text in files.items() if name not in refused}
    for path in site.compile({**shared, **files}):
        assert is_safe_path(path)
        assert home_of(path)


@pytest.mark.parametrize("example", EXAMPLES, ids=[example.word for example in EXAMPLES])
def test_the_property_would_notice_a_value_that_is_altered_or_runs(example: Example) -> None:
    values: Any = [("a${b}", "a"), ("other", "a"), ("ab", "a")]
    assert not any(is_value(got, "Alice", "Alice", text) for got, text in values)
    assert outline(b'<a b="c"/>') != outline(b'<a b="c"/><!--#set-->')
