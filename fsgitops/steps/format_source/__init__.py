"""Write a YAML file in the one canonical way, and change nothing of what it says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsgitops.steps.format_source.fields import reorder_fields
from fsgitops.steps.format_source.scalars import requote_scalars, tidy_lines
from fsgitops.steps.format_source.tree import apply_edits, follow_places, move_tree, read_tree

if TYPE_CHECKING:
    from fsgitops.model.kind import Kinds

__all__ = ["format_text"]


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
    return reorder_fields(text, tree, kinds)
