"""A graph as Mermaid and DOT: no name in it is markup, or ends its label."""

from __future__ import annotations

import re
import shutil
import subprocess
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsgitops.commands.graph import draw_svg
from fsgitops.model.graph import KINDS, Edge, Graph, Node
from fsgitops.steps.render_graph import LARGE, render_dot, render_mermaid

HOSTILE = 'a"] --> x["<img src=y onerror=z>&quot;\\"`%%{init}\n]; } \u202e javascript:#34;'


def graph(*names: str, when: tuple[str, ...] = ()) -> Graph:
    nodes = tuple(
        Node(at, KINDS[at % len(KINDS)], name, place=name) for at, name in enumerate(names)
    )
    edges = tuple(Edge(at - 1, at, when) for at in range(1, len(names)))
    return Graph("disk", "", True, (), nodes, edges)


def test_every_kind_has_a_shape_and_each_condition_is_on_its_edge() -> None:
    lines = list(render_mermaid(graph(*KINDS, when=("nobody answers", "presses 1"))))
    assert lines[0] == "flowchart LR"
    assert len(lines) == 1 + len(KINDS) + len(KINDS) - 1
    assert lines[-1] == '  n11 -- "nobody answers or presses 1" --> n12'


def test_a_large_graph_asks_graphviz_for_a_quick_drawing() -> None:
    small, large = (
        "\n".join(render_dot(graph(*map(str, range(count))))) for count in (LARGE, LARGE + 1)
    )
    assert ("nslimit" in small, "nslimit" in large) == (False, True)


def test_a_label_lists_some_numbers_and_says_how_many_more() -> None:
    many = Node(0, "number", "1", numbers=("1", "2", "3", "4", "5"))
    made = Graph("disk", "", True, (), (many,), ())
    assert '"1, 2, 3 and 2 other numbers"' in "".join(render_mermaid(made))
    assert '"1, 2, 3 and 2 other numbers"' in "".join(render_dot(made))


@given(st.text(max_size=60))
@settings(max_examples=60, deadline=None)
def test_a_name_stays_in_its_quotes(name: str) -> None:
    for line in list(render_mermaid(graph(name, "x", when=(name,))))[1:]:
        assert "\n" not in line
        assert line.count('"') in (0, 2)
        assert not re.search(r'"[^"]*[<>`%{}\\\[\]&][^"]*"', line)
    for line in render_dot(graph(name, "x", when=(name,))):
        assert "\n" not in line
        assert re.sub(r'"(?:[^"\\]|\\["\\])*"', "", line).count('"') == 0


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")
def test_svg_shows_a_hostile_name_as_text_and_nothing_else() -> None:
    svg = draw_svg("\n".join(render_dot(graph(HOSTILE, "x", when=(HOSTILE,)))))
    root = ElementTree.fromstring(svg)
    names = {element.tag.partition("}")[2] for element in root.iter()}
    assert names <= {"svg", "g", "title", "polygon", "text", "path", "ellipse", "a", "polyline"}
    assert not any(name.endswith("href") for e in root.iter() for name in e.attrib)
    assert any("<img src=y" in (element.text or "") for element in root.iter())


def test_svg_without_graphviz_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    with pytest.raises(Exception, match="install the package `graphviz`, or take"):
        draw_svg("digraph {}")


def test_graphviz_that_does_not_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def wait(*_words: object, **_more: object) -> None:
        raise subprocess.TimeoutExpired("dot", 1)

    monkeypatch.setattr(shutil, "which", lambda _name: "/usr/bin/dot")
    monkeypatch.setattr(subprocess, "run", wait)
    with pytest.raises(Exception, match="has not drawn this in"):
        draw_svg("digraph {}")
