"""A destination that is written as a number is whoever is dialled by it."""

from __future__ import annotations

from typing import Any

import pytest
from made_up import KINDS, QUEUE

from fsgitops.kinds.did_route.noun import DidRoute
from fsgitops.model.desired import Desired
from fsgitops.rules.table import all_rules
from fsgitops.steps.load.events import parse_document
from fsgitops.steps.resolve import resolve_desired

AGENTS = "agents: [{extension: 1020, name: Ann}]\n"
QUEUES = "queues: [{name: sales, extension: 7001}, {name: night}]\n"


def resolve(text: str) -> Desired:
    document, findings = parse_document("desired/a.yaml", text.encode())
    assert document is not None
    desired, more = resolve_desired([document], KINDS)
    assert [*findings, *more] == []
    return desired


def lead(destination: str, others: str = AGENTS + QUEUES) -> str:
    """Return where a route leads that names this destination."""
    route = f'did_routes: [{{did_number: "+19495431333", destination_extension: {destination}}}]\n'
    return resolve(others + route).of(DidRoute)[0].destination_extension


@pytest.mark.parametrize(
    ("written", "read"),
    [("7001", "queue/sales"), ("1020", "1020"), ("7009", "7009"), ("queue/night", "queue/night")],
)
def test_a_number_that_only_another_kind_has_means_it(written: str, read: str) -> None:
    assert lead(written) == read


def test_an_agent_has_its_extension_whatever_else_has_it() -> None:
    assert lead("7001", QUEUES + "agents: [{extension: 7001, name: Ann}]\n") == "7001"


def test_what_is_no_destination_is_an_agent() -> None:
    text = AGENTS + "queues: [{name: sales, extension: 7001, members: [7001], fallback: 7001}]\n"
    (queue,) = resolve(text).of(QUEUE.noun)
    assert (queue.members[0].agent, queue.fallback) == ("7001", "queue/sales")


def found(text: str) -> list[Any]:
    [rule] = [rule for rule in all_rules(KINDS) if rule.name == "duplicate-number"]
    return list(rule.check(resolve(text), KINDS))


def test_two_kinds_have_no_number_in_common() -> None:
    [breach] = found(AGENTS + "queues: [{name: sales, extension: 1020}]\n")
    assert (breach.resource, breach.path) == (("queue", "sales"), ("extension",))
    assert breach.message == "agent:1020 has the number 1020 already"


def test_nor_do_two_of_a_kind() -> None:
    [breach] = found("queues: [{name: a, extension: 7001}, {name: b, extension: 7001}]\n")
    assert breach.message == "queue:a has the number 7001 already"


def test_what_leads_there_counts_too() -> None:
    [breach] = found('agents: [{extension: 1020, name: A}]\nqueues: [{name: "1020"}]\n')
    assert (breach.resource.name, breach.path) == ("1020", ("name",))


def test_numbers_that_differ_are_no_breach() -> None:
    assert found(AGENTS) == found(AGENTS + QUEUES) == []
