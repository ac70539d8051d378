"""A plan is encoded change by change exactly as `json.dumps` encodes it whole."""

from __future__ import annotations

import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from fsgitops.model.created import Created, Outline
from fsgitops.model.plan import Action, AttributeChange, Change, Danger, Plan
from fsgitops.model.plan_json import encode_plan, plan_to_json
from fsgitops.model.resource import Resource

_texts = st.text(max_size=12) | st.sampled_from([
    "a" * 32, "password=x", "0123456789abcdef0123456789abcdef", 'a"b\\c', "é\u2028", "",
    "\\u001f", "\\", "u001f", "\\+?1949",
])  # fmt: skip
_names = st.sampled_from([
    "user", "param a1-hash", "variable x", "inbound_1/action 1 set", "X-PRE-PROCESS 1", "X", "text",
]) | st.text(max_size=8)  # fmt: skip
_resources = st.builds(Resource, st.just("agent"), st.sampled_from(["1020", "+1", 'q"uoted']))
_said = st.lists(st.tuples(_names, _texts), max_size=5)


def _created(said: list[tuple[str, str]], outlined: int = 0) -> Created:
    """What says this, the first values of it known by their numbers."""
    known = [(key, number) for number, (key, _) in enumerate(said[:outlined])]
    values = [value for _, value in said[:outlined]]
    return Created(lambda *_: (Outline([*known, *said[outlined:]]), values), b"")


def _named(name: str, said: list[tuple[str, str]]) -> Created:
    """What says this of a resource that each key begins with."""
    known = [(f"{'/' * bool(key)}{key}", number) for number, (key, _) in enumerate(said, 1)]
    values = [name, *(value for _, value in said)]
    return Created(lambda *_: (Outline(known, named=True), values), b"")


_words = st.sampled_from(["e1", "+1949", "param", "X-PRE-PROCESS", "user", "my-variable", "a.B"])


_changes = st.builds(
    Change,
    st.sampled_from(Action),
    _resources,
    _texts,
    source=_texts,
    drifted=st.booleans(),
    before_digest=_texts,
    after_digest=_texts,
    dangers=st.lists(st.sampled_from(Danger), max_size=3).map(tuple),
    renamed_from=st.none() | _resources,
    renamed_to=st.none() | _resources,
    attributes=st.builds(_created, _said, st.integers(0, 5))
    | st.builds(_named, _words, _said)
    | st.lists(st.builds(AttributeChange, _names, _texts, _texts), max_size=3).map(tuple),
)


@given(st.lists(_changes, max_size=4).map(tuple))
def test_it_is_encoded_as_a_whole_is(changes: tuple[Change, ...]) -> None:
    plan = Plan("p", "t", "/conf", "pbx.example.com", changes, fingerprint="0" * 16)
    whole = plan_to_json(plan)
    del whole["tasks"]
    wanted = json.dumps(whole, sort_keys=True, separators=(",", ":"))
    assert "".join(encode_plan(plan)) == wanted


@given(_said)
def test_what_is_created_is_read_as_if_it_were_a_tuple(said: list[tuple[str, str]]) -> None:
    created = _created(said)
    change = Change(Action.CREATE, Resource("agent", "1"), "p", attributes=created)
    assert change == replace(change, attributes=tuple(created))
    assert len(created) == len(tuple(created))
    assert bool(created) == bool(said)
