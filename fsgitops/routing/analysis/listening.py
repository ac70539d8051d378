"""Extensions by which one caller gets into the calls of others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fsgitops.findings import quote_value
from fsgitops.routing.analysis.found import Found
from fsgitops.routing.analysis.outline import NUMBER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsgitops.routing.analysis.outline import Act, Outline

_DOES: Final = {
    "eavesdrop": "listens in on a call", "native_eavesdrop": "listens in on a call",
    "userspy": "listens in on each call of a user", "three_way": "joins a call of others",
    "intercept": "takes a call that rings elsewhere, or that is up",
}  # fmt: skip

_VERB: Final = {True: "matches", False: "does not match"}


def find_listening(outline: Outline) -> Iterator[Found]:
    """Yield the extensions that let whoever calls them into other calls."""
    for extension in outline.extensions:
        acts = [act for act in extension.acts if act.application in _DOES]
        for act in acts[:1]:
            yield Found(
                "listening-in", extension.line,
                f"the extension {quote_value(extension.name)} {_DOES[act.application]}: whoever "
                f"dials {_tell_number(act)} in the context {quote_value(extension.context)} can "
                f"do that{_tell_others(act)}, and nobody is told",
                "Remove it, or ask for a PIN or for a variable that only some users have.",
                extension,
            )  # fmt: skip


def _tell_number(act: Act) -> str:
    asked = [need.expression for need in act.needs if need.field in NUMBER and need.held]
    return quote_value(asked[0]) if asked else "any number"


def _tell_others(act: Act) -> str:
    others = [need for need in act.needs if need.field not in NUMBER]
    told = [f"{item.field} {_VERB[item.held]} {quote_value(item.expression)}" for item in others]
    return f" if {' and '.join(told)}" if told else ""
