"""No part of a call can be more than that part: not in a dial string, not in a command."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsgitops.sandbox.calls import split_words
from fsgitops.switch.calls import (
    NAME_LENGTH,
    Dial,
    ToExtension,
    ToNumber,
    originate_command,
    plain_name,
    transfer_command,
    uuid_word,
)

UUID = "4c02599d-865c-42fd-9045-079b692658b0"
GOOD: dict[str, Any] = {
    "uuid": UUID,
    "extension": "1020",
    "domain": "pbx.example.com",
    "number": "+18005551234",
    "gateway": "telnyx",
    "caller_number": "+19495431333",
    "caller_name": "Alice Example",
    "timeout": 30,
}
CLOSED = "force_transfer_context=fsgitops_transfer,outbound_redirect_fatal=true"
CLOSING = (
    "m:!:export:force_transfer_context=fsgitops_transfer!"
    "execute_extension:fsgitops_closed XML fsgitops_transfer"
)
HOSTILE = "!\n\r\t\0 ,;:'\"\\{}[]()<>&|^$%@/#=~`${}"
hostile = st.text(
    st.one_of(st.sampled_from(HOSTILE), st.characters(codec="utf-8")), min_size=1, max_size=30
)
spoiled = st.tuples(hostile, hostile).map(lambda two: f"{two[0]}1020{two[1]}")
PLAIN = {
    "uuid": r"[A-Za-z0-9][A-Za-z0-9._@-]*",
    "extension": r"[0-9]{4,6}",
    "domain": r"[A-Za-z0-9][A-Za-z0-9.-]*",
    "number": r"\+[0-9]+",
    "gateway": r"[A-Za-z0-9_][A-Za-z0-9_.-]*",
    "caller_number": r"\+[0-9]+",
    "mark": r"[A-Za-z0-9][A-Za-z0-9._@-]*",
    "caller_name": r"[^\W_]+([ .-]{1,2}[^\W_]+)*\.?",
}


def test_a_call_is_one_command_of_two_words() -> None:
    command = originate_command(Dial(**GOOD))
    assert split_words(command) == [
        "originate",
        f"{{{CLOSED},origination_uuid={UUID},origination_caller_id_number=+18005551234,"
        "origination_caller_id_name=+18005551234,originate_timeout=30,hangup_after_bridge=true}"
        "user/1020@pbx.example.com",
        f"{CLOSING}!bridge:{{{CLOSED},origination_caller_id_number=+19495431333,"
        "origination_caller_id_name=Alice Example}sofia/gateway/telnyx/+18005551234",
        "inline",
    ]


INSIDE = {**GOOD, "number": "group_sales", "gateway": None, "caller_number": "1020",
          "context": "default", "mark": UUID}  # fmt: skip


def test_what_is_dialled_in_a_context_is_told_who_calls_and_the_mark() -> None:
    onward = split_words(originate_command(Dial(**INSIDE)))[2]
    assert onward == (
        f"{CLOSING}!set:effective_caller_id_number=1020!set:effective_caller_id_name=Alice Example"
        f"!export:nolocal:fsgitops_far_leg={UUID}!transfer:group_sales XML default"
    )


@pytest.mark.parametrize("name", ["number", "context"])
@given(value=st.one_of(hostile, spoiled))
def test_no_place_adds_anything_to_the_command(name: str, value: str) -> None:
    try:
        command = originate_command(Dial(**{**INSIDE, name: value}))
    except ValueError:
        return
    assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", value)
    assert len(split_words(command)) == 4


@pytest.mark.parametrize("name", sorted(PLAIN))
@given(data=st.data())
def test_no_part_of_a_call_adds_anything_to_the_command(name: str, data: st.DataObject) -> None:
    value = data.draw(st.one_of(hostile, spoiled))
    try:
        command = originate_command(Dial(**{**GOOD, name: value}))
    except ValueError:
        return
    assert re.fullmatch(PLAIN[name], value)
    words = split_words(command)
    assert len(words) == 4
    assert command.count("{") == command.count("}") == 2
    assert words[2].count("!") == 3
    more = name == "mark"
    assert [word.count(",") for word in words] == [0, 6 + more, 3 + more, 0]
    assert not set(command) & set('\n\r\0"\\$|[]^;`')


@given(value=st.one_of(hostile, spoiled))
def test_no_destination_or_uuid_adds_anything_to_a_transfer(value: str) -> None:
    for build in (
        lambda: transfer_command(UUID, ToExtension(value, "default")),
        lambda: transfer_command(UUID, ToExtension("1020", value)),
        lambda: transfer_command(UUID, ToNumber(value, "telnyx", "+19495431333")),
        lambda: transfer_command(UUID, ToNumber("+18005551234", value, "+19495431333")),
        lambda: transfer_command(UUID, ToNumber("+18005551234", "telnyx", value)),
        lambda: transfer_command(value, ToExtension("1020", "default")),
    ):
        try:
            command = build()
        except ValueError:
            continue
        assert re.fullmatch(r"[A-Za-z0-9._@-]+", value) or re.fullmatch(r"\+[0-9]+", value)
        assert len(split_words(command)) in (4, 5)
        assert not set(command) & set('\n\r\0"\\$|[]^;`&()')
        assert command.count("'") in (0, 2)
        assert command.count("{") == command.count("}") <= 1
        assert command.count("!") in (0, 3)


@given(value=hostile)
def test_a_uuid_is_one_word(value: str) -> None:
    try:
        assert split_words(uuid_word(value)) == [value]
    except ValueError:
        return


@given(value=st.one_of(hostile, spoiled, st.text(max_size=200)))
def test_any_declared_name_becomes_one_that_can_be_shown(value: str) -> None:
    name = plain_name(value)
    assert len(name) <= NAME_LENGTH
    originate_command(Dial(**{**GOOD, "caller_name": name}))


@pytest.mark.parametrize(
    ("declared", "shown"),
    [
        ("Zoë O'Brien, {x}", "Zoë O Brien x"),
        ("Alice Example", "Alice Example"),
        ("Müller & Co. <sales>", "Müller Co sales"),
        ("${system(reboot)}", "system reboot"),
        ("!!!", ""),
    ],
)
def test_a_name_keeps_its_letters_and_loses_its_signs(declared: str, shown: str) -> None:
    assert plain_name(declared) == shown


def test_an_extension_is_called_at_the_domain_and_rings_as_long_as_the_agent() -> None:
    inside = {**GOOD, "number": "1021", "gateway": None, "caller_number": "1020", "mark": "m-1"}
    _, first, second, _ = split_words(originate_command(Dial(**inside)))
    assert first.endswith(
        "originate_timeout=30,hangup_after_bridge=true,fsgitops_agent_leg=m-1}"
        "user/1020@pbx.example.com"
    )
    assert second == (
        f"{CLOSING}!bridge:{{{CLOSED},origination_caller_id_number=1020,"
        "origination_caller_id_name=Alice Example,originate_timeout=30,fsgitops_far_leg=m-1}"
        "user/1021@pbx.example.com"
    )


@pytest.mark.parametrize("wrong", [{"number": "+18005551234"}, {"caller_number": "+18005551234"}])
def test_without_a_gateway_no_number_outside_is_called(wrong: dict[str, str]) -> None:
    inside = {**GOOD, "number": "1021", "gateway": None, "caller_number": "1020"}
    with pytest.raises(ValueError, match="extension"):
        originate_command(Dial(**inside | wrong))


def test_a_call_without_a_name_sets_none() -> None:
    command = originate_command(Dial(**{**GOOD, "caller_name": ""}))
    assert "name=," not in command
    assert command.count("origination_caller_id_name") == 1


def test_the_switch_chooses_the_uuid_where_none_is_given() -> None:
    assert "origination_uuid" not in originate_command(Dial(**{**GOOD, "uuid": None}))


@pytest.mark.parametrize("seconds", [0, -1, 601])
def test_a_phone_rings_for_a_bounded_time(seconds: int) -> None:
    with pytest.raises(ValueError, match="600 seconds"):
        originate_command(Dial(**{**GOOD, "timeout": seconds}))


def test_the_other_leg_is_asked_for_by_its_flag() -> None:
    command = transfer_command(UUID, ToExtension("1021", "default"), other_leg=True)
    assert command == f"uuid_transfer {UUID} -bleg 1021 XML default"
