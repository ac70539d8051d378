"""What is asked of expectations alone: that they expect something that can be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fsgitops.expectation.noun import Expectation
from fsgitops.findings import Severity, quote_value
from fsgitops.model.reading import resource_of
from fsgitops.model.resource import Resource
from fsgitops.model.rule import Breach, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsgitops.expectation.noun import Outcome
    from fsgitops.model.desired import Desired
    from fsgitops.model.document import Path
    from fsgitops.model.kind import Kinds

CLAIMS: Final = ("rings", "reaches", "leaves_message", "plays", "hangs_up")


def claims_of(test: Expectation) -> Iterator[tuple[Path, Expectation | Outcome]]:
    """Yield what is expected first, and then what follows where nobody answers, with its path."""
    yield (), test
    for at, outcome in enumerate(test.then):
        yield ("then", at), outcome


def check_claims(desired: Desired, _kinds: Kinds) -> Iterator[Breach]:
    """Yield whatever expects nothing, and callers that cannot be."""
    for test in desired.of(Expectation):
        for path, outcome in claims_of(test):
            if all(getattr(outcome, claim) is None for claim in CLAIMS):
                message = "nothing is expected here"
                hint = f"Say one of {', '.join(CLAIMS)}."
                yield Breach(resource_of(test), path, message, hint)
        if test.agent is not None and test.context is not None:
            message = "`as` and `context` exclude each other: an agent calls in its own context"
            yield Breach(resource_of(test), ("context",), message, "Remove one of the two.")


def check_goals(desired: Desired, kinds: Kinds) -> Iterator[Breach]:
    """Yield every goal that no call can reach."""
    from fsgitops.model.trace import GOALS  # every plan reads this table, few ask this rule

    for test in desired.of(Expectation):
        for path, outcome in claims_of(test):
            if outcome.reaches is None:
                continue
            word, _, name = outcome.reaches.partition("/")
            kind = kinds.get(word)
            known = kind is not None and kind.reach is not None
            if word in GOALS or (known and desired.get(Resource(word, name)) is not None):
                continue
            if known:
                message = f"no {word} is called {quote_value(name)}"
                hint = "Declare it, or correct the name."
            else:
                leading = [other.word for other in kinds.values() if other.reach is not None]
                message = f"no call reaches a {quote_value(word)}"
                hint = f"Known: {', '.join((*GOALS, *leading))}."
            yield Breach(resource_of(test), (*path, "reaches"), message, hint)


RULES: Final = (
    Rule(
        "idle-expectation",
        Severity.ERROR,
        check_claims,
        "An expectation says what a call does that can be.",
    ),
    Rule(
        "unknown-goal",
        Severity.ERROR,
        check_goals,
        "What a call is expected to reach is declared, or is known to FreeSWITCH.",
        whole=True,
    ),
)
