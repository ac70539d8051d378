"""Write a YAML file in the one canonical way, and change nothing of what it says."""

from __future__ import annotations

from fsgitops.steps.format_source.fields import reorder_fields
from fsgitops.steps.format_source.scalars import requote_scalars, tidy_lines
from fsgitops.steps.format_source.tree import read_tree

__all__ = ["format_text"]


def format_text(text: str) -> str:
    """Return `text` with fields in their order, scalars quoted alike and no stray white space.

    Every edit is made on the text itself, at the places that ruamel.yaml's parser names, so that
    comments, anchors, merge keys and block scalars stay as they are written. The text must be one
    that the loader took without a finding. A caller compares what the loader reads before and
    after: the edits are thought to be safe, and that proves it.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    tree = read_tree(text)
    for edit in (requote_scalars, reorder_fields, tidy_lines):
        edited = edit(text, tree)
        if edited != text and edit is not tidy_lines:
            tree = read_tree(edited)  # parsing takes long, so only where places have moved
        text = edited
    return text
