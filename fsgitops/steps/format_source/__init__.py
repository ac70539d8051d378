"""Write a YAML file in the one canonical way, and change nothing of what it says."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

from fsgitops.model.reading import merged_fields
from fsgitops.steps.format_source.scalars import requote_scalars, tidy_lines
from fsgitops.steps.format_source.tree import (
    Edit,
    apply_edits,
    follow_places,
    move_tree,
    read_tree,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from fsgitops.model.kind import Kinds
    from fsgitops.model.noun import Noun
    from fsgitops.steps.format_source.tree import Node


def format_text(text: str, kinds: Kinds) -> str:
    """Return `text` with fields in their order, scalars quoted alike and no stray white space.

    Every edit is made on the text itself, at the places that ruamel.yaml's parser names, so that
    comments, anchors, merge keys and block scalars stay as they are written. The text must be one
    that the loader took without a finding. A caller compares what the loader reads before and
    after: the edits are thought to be safe, and that proves it.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if text and not text.endswith("\n"):
        text += "\n"
    tree = read_tree(text)
    edits = [*requote_scalars(text, tree), *tidy_lines(text, tree)]
    if edits:
        text = apply_edits(text, edits)
        move_tree(tree, follow_places(edits))  # parsing it again would take far longer
    return _reorder_fields(text, tree, kinds)


class _Order(NamedTuple):
    """The fields of one mapping, and those of the mappings in it."""

    names: tuple[str, ...]
    below: Mapping[str, tuple[str, ...]]


def _order_of(noun: type[Noun]) -> _Order:
    parts = {name: part for name, part in merged_fields(noun).items() if part is not None}
    below = {name: ("<<", *part.model_fields) for name, part in parts.items()}
    return _Order(("<<", *noun.model_fields), below)


def _reorder_fields(text: str, top: Node | None, kinds: Kinds) -> str:
    """Return the text with the fields of every item in order, comments moved with their field.

    A comment on lines of its own belongs to the field below it. An item that sets an anchor keeps
    its order: what refers to the anchor must come after it.
    """
    if top is None or top.kind != "mapping":
        return text
    lines = _line_starts(text)
    edits: list[Edit] = []
    orders = {kind.section: _order_of(kind.noun) for kind in kinds.values()}
    for node, order in _items(top, orders):
        edits += _reorder(text, lines, node, order)
    return apply_edits(text, edits)


def _items(top: Node, orders: Mapping[str, _Order]) -> Iterator[tuple[Node, _Order]]:
    for key, value in top.pairs:
        if key.value in orders and value.kind == "sequence":
            for item in value.children:
                if item.kind == "mapping":
                    yield item, orders[key.value]
        elif key.value == "defaults" and value.kind == "mapping":
            for section, fields in value.pairs:
                if section.value in orders and fields.kind == "mapping":
                    yield fields, orders[section.value]


def _reorder(text: str, lines: list[int], node: Node, order: _Order) -> list[Edit]:
    """Return the edits of one mapping; those of mappings inside it are part of the moved text."""
    pairs = node.pairs
    if node.anchored and any(child.anchored for child in node.children):
        return []
    if node.flow:
        return _reorder_flow(text, pairs, order)
    edit = _reorder_block(text, lines, pairs, order)
    return [edit] if edit else []


def _in_order(pairs: list[tuple[Node, Node]], order: _Order) -> list[tuple[Node, Node]]:
    rank = {name: number for number, name in enumerate(order.names)}
    return sorted(pairs, key=lambda pair: rank.get(pair[0].value, len(rank)))


def _reorder_flow(text: str, pairs: list[tuple[Node, Node]], order: _Order) -> list[Edit]:
    if not pairs or pairs[0][0].line != pairs[-1][1].last_line:
        return []
    if any(value.empty for _, value in pairs):
        return []
    edits = []
    for (key, value), moved in zip(pairs, _in_order(pairs, order), strict=True):
        piece = _piece(text, *moved, order)
        if piece != text[key.start : value.end]:
            edits.append(Edit(key.start, value.end, piece))
    return edits


def _piece(text: str, key: Node, value: Node, order: _Order) -> str:
    """Return the text of one field, with a mapping below it in its order too."""
    names = order.below.get(key.value)
    piece = text[key.start : value.end]
    if names is None or value.kind != "mapping" or not value.flow:
        return piece
    edits = _reorder_flow(text, value.pairs, _Order(names, {}))
    return apply_edits(piece, [Edit(e.start - key.start, e.end - key.start, e.text) for e in edits])


def _reorder_block(
    text: str,
    lines: list[int],
    pairs: list[tuple[Node, Node]],
    order: _Order,
) -> Edit | None:
    if not pairs or not _stacked(pairs):
        return None
    column = pairs[0][0].column
    blocks: dict[int, tuple[str, str]] = {}
    first = start = pairs[0][0].line
    for key, value in pairs:
        end = key.line if value.empty else max(key.line, value.last_line)
        lead = text[lines[start] : lines[key.line]]
        head = lines[key.line] + column
        body = text[head : lines[end + 1]]
        if not value.empty and value.flow:
            body = _piece(text, key, value, order) + text[value.end : lines[end + 1]]
        blocks[key.start] = (lead, body if body.endswith("\n") else body + "\n")
        start = end + 1
    prefix = text[lines[first] : lines[first] + column]
    parts: list[str] = []
    wanted = _in_order(pairs, order)
    for number, (key, _) in enumerate(wanted):
        lead, body = blocks[key.start]
        if number == 0 and prefix.strip():
            lead = _indent(lead, len(prefix) - len(prefix.lstrip()))
        parts += (lead, prefix if number == 0 else " " * column, body)
    changed = "".join(parts)
    if wanted[0] is not pairs[0] and _is_silenced(text, lines, first):
        return None
    if changed == text[lines[first] : lines[start]]:
        return None
    return Edit(lines[first], lines[start], changed)


def _is_silenced(text: str, lines: list[int], first: int) -> bool:
    """Tell whether a comment above the line silences a rule on exactly this line."""
    for number in range(first - 1, -1, -1):
        line = text[lines[number] : lines[number + 1]].strip()
        if line and not line.startswith("#"):
            return False
        if "fsgitops:" in line:
            return True
    return False


def _indent(lead: str, width: int) -> str:
    """Return comment lines indented as the item that they now stand above."""
    lines = lead.split("\n")
    return "\n".join(" " * width + line.lstrip() if line.strip() else line for line in lines)


def _stacked(pairs: list[tuple[Node, Node]]) -> bool:
    """Tell whether every field stands on lines of its own, one below the other."""
    line = -1
    for key, value in pairs:
        if key.line <= line or key.column != pairs[0][0].column:
            return False
        line = key.line if value.empty else max(key.line, value.last_line)
    return True


def _line_starts(text: str) -> list[int]:
    starts = [0, *accumulate(len(line) + 1 for line in text.split("\n"))]
    return [*starts[:-1], len(text)]
