"""A graph of calls as Mermaid, and in DOT, the language of Graphviz."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fsgitops.visible import count_noun, make_visible, quote_mermaid

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fsgitops.model.graph import Graph, Node

_LONG: Final = 70
_SHOWN: Final = 3
"""Numbers, or conditions, that a label lists."""
LARGE: Final = 500
"""Points from which on Graphviz is told not to look for the best drawing: it takes long."""
_SHAPES: Final = {
    "door": ('[/"{}"/]', "house"), "context": ('{{{{"{}"}}}}', "hexagon"),
    "number": ('(["{}"])', "oval"), "phone": ('["{}"]', "box"), "mailbox": ('[("{}")]', "cylinder"),
    "menu": ('{{"{}"}}', "diamond"), "gateway": ('[["{}"]]', "box3d"),
    "end": ('(("{}"))', "octagon"),
}  # fmt: skip
"""The shape of each kind of node, for Mermaid and for Graphviz."""
_OTHERS: Final = ('>"{}"]', "component")
_CALLED: Final = {"door": "", "number": "", "end": ""}
"""Kinds that speak for themselves; of the others the label names the kind."""


def render_mermaid(graph: Graph) -> Iterator[str]:
    """Yield the lines of a flow chart."""
    yield "flowchart LR"
    for node in graph.nodes:
        shape = _SHAPES.get(node.kind, _OTHERS)[0]
        yield f"  n{node.id}{shape.format(quote_mermaid(_label(node)))}"
    for edge in graph.edges:
        label = quote_mermaid(_tell(edge.when))
        arrow = f'-- "{label}" -->' if label else "-->"
        yield f"  n{edge.source} {arrow} n{edge.target}"


def render_dot(graph: Graph) -> Iterator[str]:
    """Yield the lines of a digraph. Graphviz shows a node's place beside the pointer."""
    yield "digraph calls {"
    yield '  graph [rankdir=LR, fontname="sans-serif"]'
    if len(graph.nodes) > LARGE:
        yield "  graph [nslimit=0.5, nslimit1=1, mclimit=0.1]"
    yield '  node [fontname="sans-serif", fontsize=11]'
    yield '  edge [fontname="sans-serif", fontsize=9]'
    for node in graph.nodes:
        shape = _SHAPES.get(node.kind, _OTHERS)[1]
        tip = _quote(node.place or _label(node))
        yield f"  n{node.id} [label={_quote(_label(node))}, shape={shape}, tooltip={tip}]"
    for edge in graph.edges:
        label = f" [label={_quote(_tell(edge.when))}]" if edge.when else ""
        yield f"  n{edge.source} -> n{edge.target}{label}"
    yield "}"


def _label(node: Node) -> str:
    if node.numbers:
        return _list(node.numbers, "number", ", ")
    named = _cut(node.name)
    if node.told:
        return node.told if node.told.endswith(f" {node.name}") else f"{node.told} ({named})"
    return f"{_CALLED.get(node.kind, node.kind)} {named}".strip()


def _tell(when: Sequence[str]) -> str:
    return _list([_cut(text) for text in when], "condition", " or ")


def _list(texts: Sequence[str], noun: str, between: str) -> str:
    shown = between.join(texts[:_SHOWN])
    more = len(texts) - _SHOWN
    return f"{shown} and {count_noun(more, f'other {noun}')}" if more > 0 else shown


def _cut(text: str) -> str:
    return text if len(text) <= _LONG else f"{text[: _LONG - 1]}…"


def _quote(text: str) -> str:
    """Return a text as a quoted string of DOT: no escape of its own, and no entity."""
    shown = make_visible(text).replace("&", "&amp;").replace("\\", "\\\\").replace('"', '\\"')
    return f'"{shown}"'
