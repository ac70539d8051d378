"""A toll class is no part of another one: dialplans look for it anywhere in the list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fsgitops.findings import quote_value
from fsgitops.rules.breach import Breach, agent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsgitops.model.desired import Desired

KNOWN: Final = ("domestic", "international", "local", "premium", "satellite")


def check(desired: Desired) -> Iterator[Breach]:
    """Yield every word of `toll_allow` that holds another one, or is held by a known one.

    The stock dialplan tests `field="${toll_allow}" expression="international"`, which matches
    `no-international` as well.
    """
    used = {word for item in desired.agents for word in item.toll_allow}
    classes = used.union(KNOWN)
    reasons = {word: reason for word in used if (reason := _problem(word, classes))}
    if not reasons:
        return
    for item in desired.agents:
        for index, word in enumerate(item.toll_allow):
            if word in reasons:
                yield Breach(agent(item.extension), ("toll_allow", index), *reasons[word])


def _problem(word: str, classes: set[str]) -> tuple[str, str] | None:
    if word in KNOWN or not word:
        return None
    hint = "No toll class forbids calls: leave out what the agent may not call."
    inner = next((part for part in _parts(word) if part in classes), None)
    if inner is not None:
        return (
            f"the toll class {quote_value(word)} also allows `{inner}`, because it contains that "
            f"word",
            hint,
        )
    outer = next((known for known in KNOWN if word in known), None)
    if outer is not None:
        message = f"an agent with `{outer}` also has the toll class {quote_value(word)}, a part "
        "of that word"
        return message, "Choose a word that is no part of another."
    return None


def _parts(word: str) -> Iterator[str]:
    """Yield every part of a word but the word; words are at most 64 letters, others are refused."""
    word = word[:64]
    for start in range(len(word)):
        for end in range(start + 1, len(word) + 1):
            if end - start < len(word):
                yield word[start:end]
