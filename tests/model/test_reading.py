"""Promises of model/reading: what a mark says is found wherever it stands in a noun."""

from __future__ import annotations

import pytest
from builders import desired, noun
from hypothesis import given
from hypothesis import strategies as st
from made_up import KINDS, Login, Member, Queue

from fsgitops.kinds import BUILT_IN
from fsgitops.model.draft import Global
from fsgitops.model.fields import Hidden
from fsgitops.model.noun import make_noun
from fsgitops.model.plan import MASK
from fsgitops.model.reading import (
    called_references,
    expected,
    find_marked,
    is_hidden,
    joined_texts,
    key_field,
    name_of,
    references,
    resource_of,
    spots,
    stand_ins,
    texts,
)
from fsgitops.model.resource import Resource
from fsgitops.steps.format_source import format_text
from fsgitops.steps.policy.condition import values_of


def queue(**fields: object) -> Queue:
    return Queue.model_validate({"name": "sales", **fields})


FULL = queue(
    members=[{"agent": "1020", "note": "first"}, "1021"],
    logins={"north": {"user": "ann", "password": {"env": "NORTH"}}},
    tags="a, b",
    texts={"music": "$${hold_music}"},
    fallback="queue/night",
    manager="1022",
)


def test_the_field_with_the_mark_is_the_name() -> None:
    assert (key_field(Queue), name_of(FULL)) == ("name", "sales")
    assert str(resource_of(FULL)) == "queue:sales"


@pytest.mark.parametrize("word", BUILT_IN)
def test_a_noun_says_the_word_of_its_kind(word: str) -> None:
    assert BUILT_IN[word].noun.kind == word


def test_a_class_is_walked_once() -> None:
    assert spots(Queue) is spots(Queue)


def test_references_are_found_in_lists_of_parts_and_in_short_forms() -> None:
    assert [(item.path, str(item.resource)) for item in references(FULL)] == [
        (("members", 0, "agent"), "agent:1020"),
        (("members", 1, "agent"), "agent:1021"),
        (("fallback",), "queue:night"),
        (("manager",), "agent:1022"),
    ]


def test_a_name_without_a_kind_is_one_of_the_first() -> None:
    [reference] = references(queue(fallback="1020"))
    assert reference.resource == Resource("agent", "1020")


def test_what_a_policy_can_follow_is_one_resource_under_one_name() -> None:
    assert list(called_references(Queue)) == ["fallback", "boss"]


def test_secrets_are_found_in_the_parts_of_a_mapping() -> None:
    [(path, _, mark)] = find_marked(FULL, Hidden)
    assert (path, mark.said) == (("logins", "north", "password"), "queue password")


def test_every_text_is_found_with_the_names_of_entries() -> None:
    found = {item.path: item for item in texts(FULL) if not item.key}
    assert found["members", 0, "note"].text == "first"
    assert found["tags", 1].text == "b"
    assert isinstance(found["texts", "music"].text, Global)
    assert not isinstance(found["name",].text, Global)
    assert [item.path for item in texts(FULL) if item.key] == [
        ("logins", "north"), ("texts", "music"),
    ]  # fmt: skip


@given(st.text(max_size=8), st.lists(st.text(max_size=8)), st.dictionaries(st.text(), st.text()))
def test_no_text_is_missing_where_all_are_searched_as_one(
    note: str, tags: list[str], more: dict[str, str]
) -> None:
    member = Member.model_construct(agent="1020", note=note)
    login = Login.model_construct(user=note)
    made = queue().model_copy(
        update={
            "members": (member,),
            "tags": tuple(tags),
            "texts": more,
            "logins": dict.fromkeys(more, login),
        }
    )
    joined = joined_texts([made])
    assert all(item.text in joined for item in texts(made))


@pytest.mark.parametrize(
    ("path", "what"),
    [
        (("greeting",), "a greeting"),
        (("members", 3, "agent"), "digits only"),
        (("members", 3), "digits only or a mapping"),
        (("tags", 0), "a name"),
        (("tags",), "a list of names, at most 64"),
        (("enabled",), "true or false"),
        (("nothing",), "something else"),
    ],
)
def test_what_was_expected_is_said_by_the_field_or_what_is_around_it(
    path: tuple[str | int, ...], what: str
) -> None:
    assert expected(Queue, path).what == what


@pytest.mark.parametrize(
    ("word", "path", "hidden"),
    [
        ("agent", ("password",), True),
        ("agent", ("voicemail",), True),
        ("agent", ("voicemail", "enabled"), True),
        ("agent", ("voicemail", "email"), False),
        ("agent", ("name",), False),
        ("agent", ("nothing",), False),
        ("queue", ("logins", "north", "password"), True),
        ("queue", ("members", 0), False),
    ],
)
def test_what_may_be_a_secret_is_hidden(
    word: str, path: tuple[str | int, ...], hidden: bool
) -> None:
    assert is_hidden(KINDS[word].noun, path) is hidden


def test_only_a_required_text_that_leads_nowhere_is_stood_in_for() -> None:
    assert stand_ins(BUILT_IN["agent"].noun) == {"name": "-"}
    assert stand_ins(BUILT_IN["did"].noun) == {}
    assert stand_ins(Queue) == {}


def test_a_policy_sees_lists_of_parts_entries_and_what_is_referred_to() -> None:
    state = desired(FULL, noun("agent", extension="1022", name="Ann", password={"env": "X"}))
    values = values_of(FULL, state)
    assert values["members.agent"] == ("1020", "1021")
    assert values["logins.north.password"] == MASK
    assert values["tags"] == ("a", "b")
    assert (values["boss.name"], values["boss.password"]) == ("Ann", MASK)
    assert "fallback.name" not in values


def test_a_part_is_short_for_one_of_its_fields() -> None:
    assert queue(members=["1020"]).members == (Member(agent="1020"),)
    _, [fault] = make_noun(Queue, {"name": "sales", "members": ["no"]})
    assert fault.path == ("members", 0, "agent")


def test_fields_are_ordered_as_the_class_has_them() -> None:
    text = "queues:\n- enabled: true\n  name: sales\n"
    assert format_text(text, KINDS) == "queues:\n- name: sales\n  enabled: true\n"
