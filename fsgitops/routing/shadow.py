"""Which hand-written extensions take a number before the extensions of fsgitops see it."""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING

from fsgitops.errors import FsgitopsError
from fsgitops.routing.directory import find_context
from fsgitops.routing.pattern import match_groups
from fsgitops.routing.preprocess import load_merged
from fsgitops.routing.tree import Element, fold, parse

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

OURS = ("fsgitops_", "inbound_")
NO_NUMBER = "not-a-number"
"""What takes this takes everything: such extensions stand last, behind the folders of ours."""


class Dialplan:
    """The dialplan that stands on disk, read as FreeSWITCH reads it; empty where it cannot be."""

    def __init__(self, conf_dir: Path) -> None:
        self._root: Element | None = None
        try:
            self._root = parse(_dialplan_of(load_merged(conf_dir).text))
        except FsgitopsError:
            return

    def find_shadows(self, context: str, numbers: Iterable[Sequence[str]]) -> dict[str, str]:
        """Return the extension that takes each number, for those that one certainly takes.

        Each number comes in all the forms that it may be dialled in; the first is the key. An
        extension is certain where it asks for nothing but the number, and one that rings a
        `user/` is no shadow: Local_Extension of the stock dialplan serves 1000 to 1019 well.
        """
        found = find_context(self._root, context) if self._root else None
        takers = [
            (extension.attributes.get("name", "(no name)"), expressions)
            for extension in (_before_ours(found.all("extension")) if found else ())
            if (expressions := _certain(extension)) and not _takes(expressions, NO_NUMBER)
        ]
        shadows: dict[str, str] = {}
        for forms in numbers:
            for name, expressions in takers:
                if any(_takes(expressions, form) for form in forms):
                    shadows[forms[0]] = name
                    break
        return shadows


def _dialplan_of(text: bytes) -> bytes:
    """Return the dialplan section alone: parsing 10,000 users beside it takes half a second."""
    start = text.find(b'<section name="dialplan"')
    end = text.find(b"</section>", start)
    if not 0 <= start < end:
        return text
    return b"<document>" + text[start : end + len(b"</section>")] + b"</document>"


def _takes(expressions: Sequence[str], number: str) -> bool:
    return all(match_groups(number, expression) is not None for expression in expressions)


def _before_ours(extensions: Iterable[Element]) -> Iterable[Element]:
    return takewhile(
        lambda extension: not extension.attributes.get("name", "").startswith(OURS), extensions
    )


def _certain(extension: Element) -> list[str]:
    """Return the expressions that the number must match, none for an uncertain extension."""
    if fold(extension.attributes.get("continue", "")) == "true":
        return []
    conditions = extension.all("condition")
    if any(condition.attributes.get("field") != "destination_number" for condition in conditions):
        return []
    actions = [action for condition in conditions for action in condition.all("action")]
    if not actions or any("user/" in action.attributes.get("data", "") for action in actions):
        return []
    return [condition.attributes.get("expression", "") for condition in conditions]
