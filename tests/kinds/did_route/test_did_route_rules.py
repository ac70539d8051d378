"""What is asked of DID routes alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from builders import desired, noun

from fsgitops.kinds import BUILT_IN
from fsgitops.kinds.did_route.rules import RULES

if TYPE_CHECKING:
    from fsgitops.model.rule import Breach


def route(destination: str = "1020", number: str = "+19495431333", **fields: Any) -> Any:
    return noun("did", did_number=number, destination_extension=destination, **fields)


def breaches(name: str, *nouns: Any) -> list[Breach]:
    [rule] = [rule for rule in RULES if rule.name == name]
    return list(rule.check(desired(*nouns), BUILT_IN))


def test_a_number_outside_the_numbering_plan_is_found() -> None:
    assert len(breaches("unassigned-number", route(number="+15551234567"))) == 1
