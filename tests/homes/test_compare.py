"""What a file says, beside what a switch holds of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsgitops.homes.compare import Globals, Held, Said, compare_said, find_differences, read_said
from fsgitops.homes.dialplan import DIALPLAN
from fsgitops.homes.directory import DIRECTORY

USER = """<include>
<user id="1020">
<params>{params}</params>
<variables>{variables}</variables>
</user>
</include>
"""
INCLUDE = '\n<X-PRE-PROCESS cmd="include" data="more.xml"/>\n'


EXPAND = Globals(lambda name: f"[{name}]").expand


def differences(said: dict[str, str], held: dict[str, str]) -> list[tuple[str, ...]]:
    return list(find_differences(said, held, EXPAND))


def test_both_directions_are_compared() -> None:
    said = {"a": "1", "b": "2", "c": "3"}
    held = {"a": "1", "b": "5", "d": "4"}
    assert differences(said, held) == [("b", "2", "5"), ("c", "3", None), ("d", None, "4")]


def test_a_global_variable_is_what_the_switch_says() -> None:
    assert differences({"a": "x$${y}z"}, {"a": "x[y]z"}) == []


def test_each_global_variable_is_asked_for_once() -> None:
    asked: list[str] = []
    names = Globals(lambda name: asked.append(name))
    assert [names.expand("$${a}$${b}"), names.expand("$${a}-"), asked] == ["", "-", ["a", "b"]]


def test_a_name_with_braces_is_expanded_as_the_preprocessor_does() -> None:
    assert EXPAND("$${a{b}}-$${c") == "[a{b}]-$${c"


def test_a_name_that_no_command_can_ask_for_is_nothing() -> None:
    def refuse(name: str) -> str:
        raise ValueError(name)

    assert Globals(refuse).expand("<$${a b}>") == "<>"


def users(*users: str) -> Held:
    return Held(DIRECTORY, f'<domain name="d"><users>{"".join(users)}</users></domain>'.encode())


def extensions(*names: str) -> Held:
    inside = "".join(EXTENSION.format(name=name) for name in names)
    return Held(DIALPLAN, f'<context name="own">{inside}</context>'.encode())


def compare(said: Said, held: Held) -> dict[str, list[str] | None]:
    return {
        name: None if found is None else [one.name for one in found]
        for name, found in compare_said(said, held, EXPAND)
    }


EXTENSION = '<extension name="{name}"><condition field="f" expression="{name}"/></extension>'


def test_what_an_include_brings_in_is_not_missed_and_not_unexpected() -> None:
    said = read_said(DIRECTORY, USER.format(params=INCLUDE, variables="").encode())
    assert said == ({"1020": {"user": "1020"}}, {}, False)
    held = users('<user id="1020"><params><param name="more" value="1"/></params></user>')
    assert compare(said, held) == {"1020": []}


def test_each_user_of_a_file_is_compared_by_its_name() -> None:
    one = '<user id="{}"><params><param name="p" value="{}"/></params></user>'
    said = read_said(DIRECTORY, (one.format("1", "a") + one.format("2", "b")).encode())
    held = users(one.format("2", "c"), one.format("1", "a"))
    assert compare(said, held) == {"1": [], "2": ["param p"]}
    assert compare(said, users(one.format("2", "b"))) == {"1": None, "2": []}


def test_each_extension_of_a_file_is_compared_by_its_name() -> None:
    said = read_said(DIALPLAN, (EXTENSION * 2).format(name="a").replace('"a"', '"b"', 2).encode())
    assert compare(said, extensions("other", "a", "b")) == {"a": [], "b": []}
    assert compare(said, extensions("b")) == {"a": None, "b": []}


def test_the_context_that_a_file_holds_has_to_be_of_that_name() -> None:
    text = f'<context name="own">{EXTENSION.format(name="a")}</context>'
    assert compare(read_said(DIALPLAN, text.encode()), extensions("a")) == {"a": []}
    renamed = text.replace('"own"', '"another"')
    found = compare(read_said(DIALPLAN, renamed.encode()), extensions("a"))
    assert found == {"a": [], "": ["context another"]}


@pytest.mark.parametrize("line", ["set", "exec-set"])
def test_a_line_that_sets_a_variable_brings_nothing_in(line: str) -> None:
    text = f'\n<X-PRE-PROCESS cmd="{line}" data="a=b"/>\n'
    assert read_said(DIRECTORY, USER.format(params=text, variables="").encode()).whole


NAMES = st.from_regex(r"[a-z][a-z_-]{0,8}", fullmatch=True)
VALUES = st.text(
    st.characters(min_codepoint=32, max_codepoint=0x2FF, exclude_characters='<&"')
).filter(
    lambda value: "x-pre-process" not in value.lower()  # a line that the preprocessor takes
)


@given(st.lists(st.tuples(NAMES, VALUES), max_size=5), st.sampled_from(["", "<other/>", "words"]))
def test_a_user_reads_the_same_in_a_file_and_in_the_answer_of_a_switch(
    pairs: list[tuple[str, str]], odd: str
) -> None:
    params = "".join(f'<param name="{name}" value="{value}"/>' for name, value in pairs)
    content = USER.format(params=params + odd, variables=odd)
    user = content.replace("<include>\n", "").replace("</include>\n", "")
    assert users(user).get("1020") == read_said(DIRECTORY, content.encode()).elements["1020"]
