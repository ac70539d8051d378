"""What a file says, beside what a switch holds of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsgitops.routing.held import Globals, Said, find_differences, read_said
from fsgitops.routing.loaded_users import flatten_users

USER = """<include>
<user id="1020">
<params>{params}</params>
<variables>{variables}</variables>
</user>
</include>
"""
INCLUDE = '\n<X-PRE-PROCESS cmd="include" data="more.xml"/>\n'


def differences(said: Said, held: dict[str, str]) -> list[tuple[str, str | None, str | None]]:
    return list(find_differences(said, held, Globals(lambda name: f"[{name}]").expand))


def test_both_directions_are_compared() -> None:
    said = Said({"a": "1", "b": "2", "c": "3"}, whole=True)
    held = {"a": "1", "b": "5", "d": "4"}
    assert differences(said, held) == [("b", "2", "5"), ("c", "3", None), ("d", None, "4")]


def test_a_global_variable_is_what_the_switch_says() -> None:
    assert differences(Said({"a": "x$${y}z"}, whole=True), {"a": "x[y]z"}) == []


def test_each_global_variable_is_asked_for_once() -> None:
    asked: list[str] = []
    names = Globals(lambda name: asked.append(name))
    assert [names.expand("$${a}$${b}"), names.expand("$${a}-"), asked] == ["", "-", ["a", "b"]]


def test_what_an_include_brings_in_is_not_missed_and_not_unexpected() -> None:
    said = read_said(USER.format(params=INCLUDE, variables="").encode())
    assert (said.whole, dict(said.values)) == (False, {"user": "1020"})
    assert differences(said, {"user": "1020", "param more": "1"}) == []


@pytest.mark.parametrize("line", ["set", "exec-set"])
def test_a_line_that_sets_a_variable_brings_nothing_in(line: str) -> None:
    text = f'\n<X-PRE-PROCESS cmd="{line}" data="a=b"/>\n'
    assert read_said(USER.format(params=text, variables="").encode()).whole


NAMES = st.from_regex(r"[a-z][a-z_-]{0,8}", fullmatch=True)
VALUES = st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF, exclude_characters='<&"'))


@given(st.lists(st.tuples(NAMES, VALUES), max_size=5), st.sampled_from(["", "<other/>", "words"]))
def test_a_user_reads_the_same_in_a_file_and_in_the_answer_of_a_switch(
    pairs: list[tuple[str, str]], odd: str
) -> None:
    params = "".join(f'<param name="{name}" value="{value}"/>' for name, value in pairs)
    content = USER.format(params=params + odd, variables=odd)
    user = content.replace("<include>\n", "").replace("</include>\n", "")
    answer = f'<domain name="d"><users>{user}</users></domain>'
    assert flatten_users(answer.encode()) == {"1020": read_said(content.encode()).values}
