"""The nodes of a YAML file with their places in the text, and edits of it: the home of ruamel."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

NodeKind = Literal["scalar", "mapping", "sequence", "alias"]


@dataclass(slots=True)
class Node:
    """One node: where its text begins and ends (characters), and on which lines (from 0).

    `anchored` says that an anchor is set at this node or below it.
    """

    kind: NodeKind
    start: int
    end: int
    line: int
    last_line: int
    column: int
    value: str = ""
    style: str = ""
    flow: bool = False
    plain: bool = True
    anchored: bool = False
    children: list[Node] = field(default_factory=list)

    @property
    def pairs(self) -> list[tuple[Node, Node]]:
        """Return the keys and values of a mapping."""
        return list(zip(self.children[::2], self.children[1::2], strict=True))

    @property
    def empty(self) -> bool:
        """Tell whether nothing is written here: the null of `key:`."""
        return self.kind == "scalar" and self.start == self.end


def read_tree(text: str) -> Node | None:
    """Return the top node of the one document that says something, or None.

    Raises ValueError for the few things that the loader takes and this parser does not, such as
    a tab behind a value.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError
    from ruamel.yaml.events import NodeEvent

    try:
        events = iter(YAML(typ="safe", pure=True).parse(text))
        for event in events:
            if isinstance(event, NodeEvent):
                node = _read_node(event, events)
                if not node.empty:
                    return node
    except YAMLError as problem:
        mark = getattr(problem, "problem_mark", None)
        where = f"line {mark.line + 1}: " if mark else ""
        raise ValueError(f"{where}{getattr(problem, 'problem', None) or problem}") from None
    return None


def move_tree(top: Node | None, follow: Callable[[int], int]) -> None:
    """Put every node where it is after edits that left each on its line and in its column."""
    pending = [top] if top is not None else []
    while pending:
        node = pending.pop()
        empty = node.empty
        node.end = follow(node.end)
        node.start = node.end if empty else follow(node.start)
        pending.extend(node.children)


def _read_node(event: Any, events: Any) -> Node:
    from ruamel.yaml.events import AliasEvent, MappingStartEvent, ScalarEvent

    start, end = event.start_mark, event.end_mark
    kind: NodeKind = "sequence"
    if isinstance(event, AliasEvent):
        kind = "alias"
    elif isinstance(event, ScalarEvent):
        kind = "scalar"
    elif isinstance(event, MappingStartEvent):
        kind = "mapping"
    node = Node(kind, start.index, end.index, start.line, end.line, start.column)
    if kind == "alias":
        return node
    node.anchored = event.anchor is not None
    node.plain = event.anchor is None and event.tag is None
    if kind == "scalar":
        node.value, node.style = event.value, event.style or ""
        if node.style in ("|", ">") and end.column == 0:
            node.last_line = max(start.line, end.line - 1)
        return node
    _read_children(node, event, events)
    return node


def _read_children(node: Node, event: Any, events: Any) -> None:
    from ruamel.yaml.events import CollectionEndEvent

    node.flow = bool(event.flow_style)
    for item in events:
        if isinstance(item, CollectionEndEvent):
            node.end, node.last_line = item.end_mark.index, item.end_mark.line
            break
        node.children.append(_read_node(item, events))
    if not node.flow:
        # The end of a block is where the next thing begins, comments behind it passed over.
        written = [child for child in node.children if not child.empty]
        node.last_line = max((child.last_line for child in written), default=node.line)
    node.anchored = node.anchored or any(child.anchored for child in node.children)


class Edit(NamedTuple):
    """What stands from `start` to `end` (characters) gives way to `text`."""

    start: int
    end: int
    text: str


def apply_edits(text: str, edits: Iterable[Edit]) -> str:
    """Return the text with all edits made. They must not overlap."""
    parts: list[str] = []
    position = 0
    for edit in sorted(edits):
        parts += (text[position : edit.start], edit.text)
        position = edit.end
    return "".join([*parts, text[position:]])


def follow_places(edits: Iterable[Edit]) -> Callable[[int], int]:
    """Return what tells where a place before the edits is after them.

    A place inside of what was replaced becomes the end of what stands there instead.
    """
    made = sorted(edits)
    ends = [edit.end for edit in made]
    grown = [0, *accumulate(len(edit.text) - (edit.end - edit.start) for edit in made)]

    def follow(place: int) -> int:
        number = bisect_right(ends, place)
        moved = place + grown[number]
        if number < len(made) and made[number].start < place:
            return made[number].start + grown[number] + len(made[number].text)
        return moved

    return follow
