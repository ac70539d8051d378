"""FreeSWITCH's view of XML, without a switch."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsgitops.routing.directory import serialise
from fsgitops.routing.tree import XmlSyntaxError, parse


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "[error near line 1]: root tag missing"),
        ("no tag\n", "[error near line 1]: root tag missing"),
        ("<a>\n", "[error near line 1]: unclosed tag <a>"),
        ("<a/>\n<b/>\n", "[error near line 2]: markup outside of root element"),
        ("<a>\n</b>\n", "[error near line 2]: unexpected closing tag </b>"),
        ("<a b='c>\n", "[error near line 1]: missing '"),
        ('<a b="c>\n', '[error near line 1]: missing "'),
        ("<a b/c>\n", "[error near line 1]: missing >"),
        ("<a>\n<!-- \n", "[error near line 2]: unclosed <!--"),
        ("<a>\n<![CDATA[ \n", "[error near line 2]: unclosed <![CDATA["),
        ("<a>\n<? \n", "[error near line 2]: unclosed <?"),
        ("<!DOCTYPE\n", "[error near line 1]: unclosed <!DOCTYPE"),
        ("<a>\n<1>\n", "[error near line 2]: unexpected <"),
        (f"<{'n' * 300}>\n", "[error near line 1]: unclosed tag <" + "n" * 92),
    ],
)
def test_what_is_refused_is_refused_in_its_words(text: str, message: str) -> None:
    with pytest.raises(XmlSyntaxError) as caught:
        parse(text.encode())
    assert str(caught.value) == message


def test_attributes_without_values_are_empty() -> None:
    assert parse(b"<a b c= d=e f='g'/>\n").attributes == {
        "b": "", "c": "", "d": "", "e": "", "f": "g",
    }  # fmt: skip


def test_text_around_children_is_kept_together() -> None:
    root = parse(b"<a>one<b/>two<!-- x -->three<![CDATA[<&>]]></a>\n")
    assert root.text == "onetwothree<&>"
    assert root.children[0].offset == 3


def test_a_document_type_is_skipped_with_its_entities() -> None:
    root = parse(b'<!DOCTYPE a [ <!ENTITY e "x"> ]>\n<a b="&e;"/>\n')
    assert root.attributes == {"b": "&e;"}


def test_every_element_knows_its_line() -> None:
    root = parse(b"\n<a>\n<b\n c='d'/><e/>\n<f/>\n</a>\n")
    assert [root.line, *(child.line for child in root.children)] == [2, 3, 4, 5]


def test_a_child_is_found_without_regard_to_case() -> None:
    root = parse(b"<a><b name='X'/><b name='x' n='2'/></a>\n")
    assert root.find("b", "name", "x") is root.children[0]
    assert root.find("b", "name", "y") is None


def test_a_deep_nest_is_read_and_written() -> None:
    depth = 2_000
    root = parse(b"<a>" * depth + b"</a>" * depth + b"\n")
    assert serialise(root).count(b"</a>") == depth


def test_reading_takes_time_in_proportion_to_size() -> None:
    def seconds(count: int) -> float:
        users = b"".join(b'<user id="%d"><p n="&amp;"/></user>\n' % n for n in range(count))
        start = time.process_time()
        parse(b"<users>\n" + users + b"</users>\n")
        return time.process_time() - start

    seconds(1000)
    assert seconds(40_000) < 40 * max(seconds(4_000), 0.005)


@given(st.text(alphabet="<>/ab=\"' \n\r&;#x1!-[]?DOCTYPE", max_size=80))
def test_any_text_is_read_or_refused_with_its_line(text: str) -> None:
    try:
        root = parse(text.encode())
    except XmlSyntaxError as error:
        assert 1 <= error.line <= text.count("\n") + 1
    else:
        serialise(root)


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=40))
def test_an_attribute_survives_being_written_and_read(value: str) -> None:
    escaped = value.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
    root = parse(f'<a><b c="{escaped}"/></a>\n'.encode())
    assert root.children[0].attributes["c"] == value
    if "<!" not in value:
        assert parse(serialise(root)).children[0].attributes["c"] == value
