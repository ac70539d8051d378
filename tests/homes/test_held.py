"""What the switch answers to xml_locate, element by element."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsgitops.errors import SwitchProtocolError
from fsgitops.homes.compare import Held
from fsgitops.homes.dialplan import DIALPLAN
from fsgitops.homes.directory import DIRECTORY

if TYPE_CHECKING:
    from fsgitops.homes.home import Flat


def read(answer: bytes) -> dict[str, Flat | None]:
    held = Held(DIRECTORY, answer)
    return {name: held.get(name) for name in held.names()}


def domain(inner: str) -> bytes:
    return f'<domain name="d">{inner}</domain>'.encode()


def user(extension: str, name: str = "Ada", kind: str = "") -> str:
    return (
        f'<user id="{extension}"{kind}><params><param name="a1-hash" value="h"></param></params>'
        f'<variables><variable name="name" value="{name}"></variable></variables></user>'
    )


def group(*lists: str) -> str:
    return (
        "<groups><group>"
        + "".join(f"<users>{each}</users>" for each in lists)
        + "</group></groups>"
    )


def test_a_user_of_a_group_has_its_parameters_and_variables():
    found = read(domain(group(user("1020"))))["1020"]
    assert found == {"user": "1020", "param a1-hash": "h", "variable name": "Ada"}


def test_what_a_user_inherits_is_not_its_own():
    above = '<params><param name="dial-string" value="x"></param></params>'
    found = read(domain(above + group(user("1020"))))["1020"]
    assert found
    assert "param dial-string" not in found


def test_only_the_first_list_of_a_group_is_searched():
    assert set(read(domain(group(user("1020"), user("1021"))))) == {"1020"}


def test_the_first_of_two_users_of_one_number_counts():
    found = read(domain(group(user("1020", "Ada") + user("1020", "Eve"))))
    assert found["1020"] == {"user": "1020", "param a1-hash": "h", "variable name": "Ada"}


def test_a_pointer_that_comes_first_hides_the_user():
    pointer = '<user id="1020" type="pointer"></user>'
    found = read(domain(group(pointer + user("1020"))))
    assert found["1020"] == {"user": "1020", "user@type": "pointer"}


def test_both_values_of_one_name_are_told():
    twice = user("1020").replace(
        "</variables>", '<variable name="name" value="Eve"></variable></variables>'
    )
    found = read(domain(group(twice)))["1020"]
    assert found
    assert (found["variable name"], found["variable name #2"]) == ("Ada", "Eve")


def test_an_extension_reads_as_the_file_that_it_came_from():
    answer = (
        b'<context name="public"><extension name="inbound_1"><condition field="destination_number"'
        b' expression="^1$"><action application="transfer" data="1020 XML default"></action>'
        b"</condition></extension></context>"
    )
    assert Held(DIALPLAN, answer).get("inbound_1") == {
        "inbound_1": "extension",
        "inbound_1/destination_number": "^1$",
        "inbound_1/action 1 transfer": "1020 XML default",
    }


def test_a_context_that_is_not_loaded_holds_nothing():
    assert Held(DIALPLAN, None).get("inbound_1") is None


@given(st.binary(max_size=200))
def test_no_answer_raises_anything_but_a_protocol_error(answer: bytes):
    with contextlib.suppress(SwitchProtocolError):
        read(answer)


def test_a_document_type_is_refused_before_its_entities_can_do_anything():
    bomb = b'<!DOCTYPE d [<!ENTITY a "boom">]><domain><user id="&a;"/></domain>'
    with pytest.raises(SwitchProtocolError, match="document type"):
        read(bomb)


def test_an_answer_that_is_not_xml_is_a_protocol_error():
    with pytest.raises(SwitchProtocolError, match="not XML"):
        read(b"-ERR")


@pytest.mark.parametrize("kind", ["", ' type="x"', " alias='1'"])
def test_what_looks_like_a_line_of_the_preprocessor_is_held_all_the_same(kind: str):
    found = read(domain(group(user("1020", "X-PRE-PROCESS", kind))))["1020"]
    assert found
    assert found["variable name"] == "X-PRE-PROCESS"
