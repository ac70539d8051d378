"""Contexts that are not there, and those that no call comes to."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from fsgitops.findings import quote_value
from fsgitops.routing.analysis.edges import Edge, follow_act
from fsgitops.routing.analysis.found import Found
from fsgitops.routing.analysis.outline import walk
from fsgitops.routing.call.world import GLOBAL_CONTEXT
from fsgitops.routing.places import is_served_elsewhere
from fsgitops.routing.tree import fold

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsgitops.routing.analysis.outline import Outline

_WORD: Final = re.compile(r"[^\s:;,|/='\"{}()\[\]<>]+")
SHOWN: Final = 8


def find_missing(outline: Outline) -> Iterator[Found]:
    """Yield what leads to a context that the dialplan does not have."""
    if GLOBAL_CONTEXT in outline.by_name:
        return
    sure = not is_served_elsewhere(outline.root, "dialplan")
    known = ", ".join([context.name for context in outline.contexts][:SHOWN]) or "none"
    hint = f"Add the context to dialplan/, or name one that is there: {known}."
    for extension in outline.extensions:
        for act in extension.acts:
            for edge in follow_act(act, outline):
                if isinstance(edge, Edge) and _is_missing(edge.context, outline):
                    told = (
                        "nothing is executed"
                        if act.application == "execute_extension"
                        else ("the call ends with NO_ROUTE_DESTINATION")
                    )
                    yield Found(
                        "missing-context", act.line,
                        f"the extension {quote_value(extension.name)} sends calls to the context "
                        f"{quote_value(edge.context)}, which is not there: {told}",
                        hint, extension, sure=sure,
                    )  # fmt: skip
    for door in outline.doors:
        if _is_missing(door.context, outline):
            told = f"the {door.name} sends calls to the context {quote_value(door.context)}"
            yield Found(
                "missing-context", door.line, f"{told}, which is not there", hint, sure=sure
            )
    for name, line in outline.user_contexts:
        if _is_missing(name, outline):
            told = f"`user_context` is {quote_value(name)}, which is not there: who calls with it "
            yield Found("missing-context", line, f"{told}reaches nobody", hint, sure=sure)


def _is_missing(name: str, outline: Outline) -> bool:
    return bool(name) and "$" not in name and fold(name) not in outline.by_name


def find_unentered(outline: Outline) -> Iterator[Found]:
    """Yield the contexts that no profile, gateway, user or extension names."""
    entered = list_entered(outline)
    for param in walk(outline.section("configuration"), "param"):
        if fold(param.attributes.get("name", "")).endswith("context"):
            entered.add(fold(param.attributes.get("value", "")))
    for context in outline.contexts:
        # A context of ours is entered by what is made with it.
        if context.line and not context.dead and fold(context.name) not in entered:
            yield Found(
                "unentered-context", context.line,
                f"no call enters the context {quote_value(context.name)}: no profile, gateway, "
                "user or extension of another context names it",
                "Remove it, or lead calls there.",
            )  # fmt: skip


def list_entered(outline: Outline) -> set[str]:
    """Return the contexts, folded, that calls may come to by doors, users, extensions and menus."""
    entered = {GLOBAL_CONTEXT, *(fold(door.context) for door in outline.doors)}
    entered |= {fold(name) for name in outline.starts}
    entered |= {fold(name) for name, _ in outline.user_contexts}
    for extension in outline.extensions:
        words = {fold(word) for act in extension.acts for word in _WORD.findall(act.data)}
        entered |= words - {fold(extension.context)}
    for menu in walk(outline.configuration("ivr.conf"), "menu"):
        for item in (menu, *menu.all("entry")):
            entered.update(map(fold, _WORD.findall(" ".join(item.attributes.values()))))
    return entered


def find_dead(outline: Outline) -> Iterator[Found]:
    """Yield the contexts that stand behind another one of their name."""
    for context in outline.contexts:
        if context.dead and context.line:
            yield Found(
                "unreachable-extension", context.line,
                f"FreeSWITCH never reads this context: an earlier one has the name "
                f"{quote_value(context.name)} as well",
                "Put its extensions into the earlier one, or rename it.",
            )  # fmt: skip
