"""What is asked of agents alone: names, PINs, passwords, and how many there are."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import builders
import pytest
from builders import agent

from fsgitops.kinds.agent.rules import MANY, RULES

if TYPE_CHECKING:
    pass


breaches = partial(builders.breaches, RULES)


@pytest.mark.parametrize(
    "name", ["toll_allow", "Toll_Allow", "fsgitops_agent", "callgroup", "media_webrtc"]
)
def test_a_reserved_variable_is_found_whatever_its_case(name: str) -> None:
    [breach] = breaches("variable-name", agent(variables={name: "x"}))
    assert (breach.path, breach.key) == (("variables", name), True)
    assert "reserved" in breach.message


@pytest.mark.parametrize("name", ["", "1a", "a b", "a:b", 'a"', "é", "a" * 65, "a\n"])
def test_a_malformed_variable_name_is_found(name: str) -> None:
    assert len(breaches("variable-name", agent(variables={name: "x"}))) == 1


def test_two_variables_that_differ_only_in_case_are_found() -> None:
    assert len(breaches("variable-name", agent(variables={"abc": "x", "ABC": "y"}))) == 1


@pytest.mark.parametrize(
    "pin", ["123", "12345678901", "12a4", "", "\uff11\uff12\uff13\uff14", "1234\n"]
)
def test_a_pin_that_cannot_be_dialled_is_found_and_not_shown(pin: str) -> None:
    [breach] = breaches("voicemail-pin", agent(voicemail={"pin": pin}))
    assert breach.path == ("voicemail", "pin")
    assert not pin or pin not in breach.message


def test_a_pin_is_never_the_extension() -> None:
    [breach] = breaches("voicemail-pin", agent(voicemail={"pin": "1020"}))
    assert "1020" not in breach.message


@pytest.mark.parametrize(
    "pin",
    ["1111", "0000", "1234", "9876", "8264", "73918", "111111", "567890", "987654", "102055",
     "121212", "390390"],
)  # fmt: skip
def test_a_pin_that_is_easy_to_guess_is_found_and_not_shown(pin: str) -> None:
    [breach] = breaches("weak-pin", agent(voicemail={"pin": pin}))
    assert pin not in breach.message + breach.hint


def test_a_good_pin_passes() -> None:
    state = agent(voicemail={"pin": "826491"})
    assert breaches("voicemail-pin", state) + breaches("weak-pin", state) == []


def test_a_pin_that_does_not_stand_in_the_yaml_is_not_judged_by_its_name() -> None:
    state = agent(voicemail={"pin": {"env": "PIN_1020"}})
    assert breaches("voicemail-pin", state) + breaches("weak-pin", state) == []


@pytest.mark.parametrize(
    "source",
    [
        "hunter2",
        {"env": "X"},
        {"file": "./secrets/x"},
        {"sops": "x.yaml", "key": "a"},
        {"command": ["vault", "x"]},
    ],
)
def test_a_password_that_two_agents_share_is_found_once_and_not_shown(source: Any) -> None:
    [breach] = breaches(
        "shared-password", agent("1020", password=source), agent("1021", password=source)
    )
    assert breach.resource.name == "1021"
    assert "1020" in breach.message
    assert "hunter2" not in breach.message + breach.hint


def test_passwords_of_different_places_are_not_shared() -> None:
    first, second = agent("1020", password={"env": "A"}), agent("1021", password={"env": "B"})
    assert breaches("shared-password", first, second, agent("1022"), agent("1023")) == []


@pytest.mark.parametrize("name", ["", "a,b", "a b", "-x", "a/b", "é"])
def test_a_group_is_a_plain_word(name: str) -> None:
    [breach] = breaches("name-pattern", agent(groups=(name,)))
    assert breach.path == ("groups", 0)


def test_a_context_is_a_plain_word() -> None:
    assert len(breaches("name-pattern", agent(context="a b"))) == 1


def test_many_enabled_agents_are_one_breach() -> None:
    crowd = [agent(str(100_000 + number)) for number in range(MANY + 2)]
    [breach] = breaches("many-agents", *crowd)
    assert breach.resource.name == str(100_000 + MANY)


def test_disabled_agents_do_not_count_as_many() -> None:
    crowd = [agent(str(100_000 + n), enabled=n > 5) for n in range(MANY + 2)]
    assert breaches("many-agents", *crowd) == []


def test_many_agents_are_none_too_many_in_the_layout_for_large_sites() -> None:
    crowd = [agent(str(100_000 + number)) for number in range(MANY + 2)]
    assert breaches("many-agents", *crowd, sharded=True) == []
