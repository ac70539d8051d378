"""Hints about unknown keys lead somewhere: to a key that is known there, or to the right list."""

from __future__ import annotations

import re

import pytest
from made_up import KINDS

from fsgitops.kinds import BUILT_IN
from fsgitops.kinds.agent.noun import Agent, Voicemail
from fsgitops.kinds.did_route.noun import DidRoute
from fsgitops.model.noun import Noun, Part
from fsgitops.steps.load.events import parse_document
from fsgitops.steps.resolve import resolve_desired

NOUNS: dict[str, type[Noun | Part]] = {"agent": Agent, "route": DidRoute, "voicemail": Voicemail}
ALL = [(kind, name) for kind, noun in NOUNS.items() for name in noun.slips]
TEXTS = {
    "agent": "agents: [{{extension: 1020, name: A, {key}: x}}]\n",
    "route": "did_routes: [{{did_number: +19495431333, destination_extension: 1020, {key}: x}}]\n",
    "voicemail": "agents: [{{extension: 1020, name: A, voicemail: {{{key}: x}}}}]\n",
}


def hint_for(kind: str, key: str) -> str:
    document, _ = parse_document("a.yaml", TEXTS[kind].format(key=key).encode())
    assert document is not None
    _, findings = resolve_desired([document], BUILT_IN)
    [finding] = [item for item in findings if item.rule == "unknown-field"]
    return finding.hint


@pytest.mark.parametrize(("kind", "name"), ALL)
def test_a_key_that_is_meant_is_known_there(kind: str, name: str) -> None:
    assert name not in NOUNS[kind].model_fields
    hint = hint_for(kind, name)
    for meant in re.findall(r"Did you mean `(\w+)`", hint):
        assert meant in NOUNS[kind].model_fields


@pytest.mark.parametrize("name", ["did", "dids", "did_number", "destination_extension"])
def test_a_number_in_an_agent_leads_to_the_routes(name: str) -> None:
    hint = hint_for("agent", name)
    assert "`did_routes: [{did_number: +19495431333, destination_extension: 1020}]`" in hint
    example = re.search(r"`(did_routes: .*?)`", hint)
    assert example
    document, findings = parse_document("b.yaml", example[1].encode())
    assert document is not None
    assert findings == []
    assert [item.did_number for item in resolve_desired([document], BUILT_IN)[0].of(DidRoute)] == [
        "+19495431333"
    ]


@pytest.mark.parametrize(
    ("item", "message", "column"),
    [
        ("members: [1x]", '`members.agent` is "1x"; expected digits only', 27),
        (
            "members: [{agent: 1020, x: 1}]",
            'the key "x" is not known for the `members` of queues',
            41,
        ),
        ("members: [{note: x}]", "this queue has no `agent`", 3),
        ("strategy: none", '`strategy` is "none"; expected one of fifo, random', 27),
        ("fallback: 1", '`fallback` is "1"; expected digits only', 27),
        (
            "fallback: queue/n t",
            '`fallback` is "queue/n t"; expected KIND/NAME of something that rings',
            27,
        ),
        ("logins: {a: {user: u, password: x y}}", "", 0),
    ],
)
def test_what_is_wrong_inside_a_list_of_parts_is_told_at_its_place(
    item: str, message: str, column: int
) -> None:
    document, _ = parse_document("a.yaml", f"queues:\n- {{name: sales, {item}}}\n".encode())
    assert document is not None
    _, findings = resolve_desired([document], KINDS)
    assert [(found.message, found.position.column) for found in findings] == (
        [(message, column)] if message else []
    )
