"""References between any kinds: what is named is there, is on, and leads somewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from builders import desired, noun
from made_up import KINDS, QUEUE

from fsgitops.rules.table import all_rules

if TYPE_CHECKING:
    from fsgitops.model.rule import Breach

ALICE = noun("agent", extension="1020", name="Alice")


REACHED = ", ".join(f"`{word}`" for word, kind in KINDS.items() if kind.reach)


def queue(name: str, **fields: Any) -> Any:
    return QUEUE.noun.model_validate({"name": name, **fields})


def breaches(name: str, *nouns: Any) -> list[Breach]:
    [rule] = [rule for rule in all_rules(KINDS) if rule.name == name]
    return list(rule.check(desired(*nouns), KINDS))


def test_what_stands_in_a_list_of_parts_is_looked_for_too() -> None:
    [breach] = breaches("unknown-destination", ALICE, queue("sales", members=["1020", "1012"]))
    assert breach.path == ("members", 1, "agent")
    assert breach.message == "no agent has the extension 1012"


@pytest.mark.parametrize(
    ("fallback", "hint"),
    [
        ("queue/nigth", "Did you mean night?"),
        ("queue/nights", "Did you mean night?"),
        ("queue/other", "Declare the queue, or correct the name."),
        ("quueue/night", f"A call can be led to: {REACHED}."),
    ],
)
def test_a_name_with_a_kind_that_nobody_declares_is_found(fallback: str, hint: str) -> None:
    [breach] = breaches("unknown-destination", queue("sales", fallback=fallback), queue("night"))
    assert (breach.path, breach.hint) == (("fallback",), hint)


def test_no_call_is_led_to_what_does_not_ring() -> None:
    route = noun("did", did_number="+19495431333", destination_extension="1020")
    sales = queue("sales", fallback="did/+19495431333")
    [breach] = breaches("unknown-destination", ALICE, route, sales)
    assert breach.message == "no call can be led to DID route +19495431333"


def test_the_disabled_one_is_told_with_what_comes_of_it() -> None:
    off = noun("agent", extension="1020", name="Alice", enabled=False)
    [breach] = breaches("disabled-destination", off, queue("sales", manager="1020"))
    assert breach.message == "agent 1020 is disabled, so no one leads"
    assert breach.hint == "Enable the agent, disable the queue too, or send it elsewhere."


@pytest.mark.parametrize(
    ("fallbacks", "circle"),
    [
        ({"a": "queue/a"}, "queue:a -> queue:a"),
        ({"a": "queue/b", "b": "queue/a"}, "queue:a -> queue:b -> queue:a"),
        ({"a": "queue/b", "b": "queue/c", "c": "queue/b"}, "queue:b -> queue:c -> queue:b"),
    ],
)
def test_a_circle_is_found_once(fallbacks: dict[str, str], circle: str) -> None:
    queues = [queue(name, fallback=other) for name, other in fallbacks.items()]
    [breach] = breaches("circular-destination", *queues)
    assert circle in breach.message


@pytest.mark.parametrize(
    "nouns",
    [
        (queue("a", fallback="queue/b"), queue("b", fallback="1020")),
        (queue("a", fallback="queue/b"), queue("b")),
        (queue("a", fallback="queue/b"), queue("b", fallback="queue/a", enabled=False)),
    ],
)
def test_what_comes_to_an_end_is_no_circle(nouns: tuple[Any, ...]) -> None:
    assert breaches("circular-destination", ALICE, *nouns) == []


def test_a_name_that_is_declared_again_is_found_for_any_kind() -> None:
    names = [rule.name for rule in all_rules(KINDS)]
    assert {"duplicate-name", "duplicate-extension", "duplicate-did"} <= set(names)
    assert len(set(names)) == len(names)
