from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from fsgitops.routing.fragment import FragmentError, flatten_fragment, preprocess_lines, read_items

USER = b"""<include>
  <user id="1020">
    <params>
      <param name="a1-hash" value="0123"/>
    </params>
    <variables>
      <variable name="effective_caller_id_name" value="A &amp; B"/>
    </variables>
  </user>
</include>
"""
ROUTE = rb"""<include>
  <extension name="inbound_19495431333">
    <condition field="destination_number" expression="^(\+?19495431333)$">
      <action application="set" data="domain_name=pbx.example.com"/>
      <action application="transfer" data="1020 XML default"/>
    </condition>
  </extension>
</include>
"""


def test_a_user_is_told_by_parameter_and_variable():
    assert flatten_fragment(USER) == {
        "user": "1020",
        "param a1-hash": "0123",
        "variable effective_caller_id_name": "A & B",
    }


def test_a_route_is_told_by_condition_and_action():
    assert flatten_fragment(ROUTE) == {
        "inbound_19495431333": "extension",
        "inbound_19495431333/destination_number": r"^(\+?19495431333)$",
        "inbound_19495431333/action 1 set": "domain_name=pbx.example.com",
        "inbound_19495431333/action 2 transfer": "1020 XML default",
    }


@pytest.mark.parametrize(
    "content",
    [
        USER.replace(b"  ", b"\t"),
        USER.replace(b'name="a1-hash" value="0123"', b"value='0123'   name='a1-hash' "),
        USER.replace(b"<params>", b"<params><!-- a comment -->"),
        USER.replace(b"<include>\n", b'<?xml version="1.0"?>\n<include>\n'),
        USER.replace(b"\n", b"\r\n"),
        USER.replace(b'value="0123"/>', b'value="0123"></param>'),
        USER.replace(b"A &amp; B", b"&#65; &#38; B"),
        USER.replace(b"<include>\n", b"").replace(b"</include>\n", b""),
        USER.replace(b"\n", b"\n\n"),
    ],
)
def test_how_it_is_written_makes_no_difference(content):
    assert flatten_fragment(content) == flatten_fragment(USER)


@pytest.mark.parametrize(
    ("found", "instead"),
    [
        (b"0123", b"0124"), (b"A &amp; B", b"A &amp;  B"), (b'"1020"', b'"1021"'),
        (b'name="a1-hash"', b'name="password"'), (b"<params>", b"<params>text"),
        (b'value="0123"', b'value="0123" reverse="x"'), (b"variables>", b"params>"),
        (b"  </user>", b"  </user><user id='1021'/>"),
        (b"<params>", b"<params><param name='a1-hash' value='9'/>"),
        (b"<user ", b"<X-PRE-PROCESS cmd='include' data='x'/>\n<user "),
    ],
)  # fmt: skip
def test_what_it_says_makes_a_difference(found, instead):
    assert found in USER
    assert flatten_fragment(USER.replace(found, instead)) != flatten_fragment(USER)


def test_what_stands_on_the_line_of_include_is_dropped():
    one_line = b'<include><user id="1021"></user></include>\n'
    assert flatten_fragment(one_line) == {}


def test_a_tag_on_the_line_of_include_breaks_the_rest():
    with pytest.raises(FragmentError) as caught:
        flatten_fragment(USER.replace(b"<include>\n", b"<include>"))
    assert caught.value.line == 8


def test_include_after_a_variable_on_its_line_is_not_seen():
    # The search for it ends where the preprocessor cut the line at the variable's brace.
    with pytest.raises(FragmentError):
        flatten_fragment(b'<a b="$${c}"/></include>\n')


def test_a_value_that_holds_a_directive_loses_its_line():
    content = USER.replace(b"A &amp; B", b"x-PRE-process")
    assert flatten_fragment(content) == {"user": "1020", "param a1-hash": "0123"}


def test_directives_are_told_and_not_parsed():
    content = b'<X-PRE-PROCESS cmd="set" data="a=b"/>\n<!--#set "c=d"-->\n'
    assert flatten_fragment(content) == {
        "X-PRE-PROCESS 1": "set a=b",
        "X-PRE-PROCESS 2": 'set "c=d"',
    }


def test_an_instruction_that_is_not_carried_out_takes_its_whole_line():
    # FreeSWITCH looks for the first tag alone, and for no other on that line.
    line = 'X-PRE-PROCESS cmd=\'set\'/><X-PRE-PROCESS cmd="set" data="a=b"/>'
    assert preprocess_lines(f"<{line}\n".encode()) == (b"\n", (line,))


def test_the_search_for_include_goes_on_to_the_brace_that_closes_the_variable():
    assert preprocess_lines(b"$${a{b}<include>}</x>\n<y/>")[0] == b"\n<y/>"


def test_a_directive_comment_hides_the_lines_up_to_its_end():
    text, directives = preprocess_lines(b'<a/>\n<!--#set "c=d"\n<b/>\n--><c/>\n')
    assert text == b"<a/>\n\n\n<c/>\n"
    assert directives == ('set "c=d"',)


def test_two_users_in_one_file_are_told_apart():
    content = USER.replace(
        b"</include>",
        b'<user id="1021"><params><param name="a1-hash" value="9"/></params></user>\n</include>',
    )
    flat = flatten_fragment(content)
    assert flat["user 2"] == "1021"
    assert flat["user 2/param a1-hash"] == "9"
    assert flat["param a1-hash"] == "0123"


def test_later_conditions_and_repeated_names_are_numbered():
    content = b"""
      <extension name="x" continue="true">
        <condition field="a" expression="1" break="never">
          <action application="set" data="p"/>
        </condition>
        <condition field="${b c}" expression="2"><anti-action application="hangup"/></condition>
      </extension>
      <extension name="x"><condition><action application="answer"/></condition></extension>"""
    assert flatten_fragment(content) == {
        "x": "extension",
        "x@continue": "true",
        "x/a": "1",
        "x/a@break": "never",
        "x/action 1 set": "p",
        'x/condition 2 "${b c}"': "2",
        "x/condition 2/anti-action 1 hangup": "",
        "x #2": "extension",
        "x #2/always": "",
        "x #2/action 1 answer": "",
    }


@pytest.mark.parametrize(
    ("content", "line"),
    [(b"<a>\n<b>\n</a>", 3), (b"<a>\n", 2), (b"\n<a b='<!--'/>", 2), (b"\xff", 1),
     (b"</fragment>", 1), (b"</fragment>\n<fragment>", 2), (b"<!-- a -- b -->", 1),
     (b"<!DOCTYPE a>", 1), (b"&undefined;", 1)],
)  # fmt: skip
def test_what_is_not_xml_is_an_error_with_its_line(content, line):
    with pytest.raises(FragmentError) as caught:
        flatten_fragment(content)
    assert caught.value.line == line


@given(st.binary(max_size=200))
def test_any_bytes_are_flattened_or_refused(content):
    try:
        flat = flatten_fragment(content)
    except FragmentError as problem:
        assert problem.line >= 1
    else:
        assert all(isinstance(key, str) and isinstance(value, str) for key, value in flat.items())


@given(st.lists(st.sampled_from([
    b"<include>", b"</include>", b"<a>", b"</a>", b"<a b='c'/>", b"$${x}", b"<!--#", b"-->",
    b"\n", b"\r", b"text", b"<X-PRE-PROCESS cmd=\"set\" data=\"a=b\"/>", b"<?xml?>", b"<!-- c -->",
    b"<![CDATA[>]]>",
]), max_size=12))  # fmt: skip
def test_reading_a_file_keeps_its_lines_where_they_are(pieces):
    content = b"".join(pieces)
    text, _ = preprocess_lines(content)
    assert text.count(b"\n") == content.count(b"\n")


@given(
    st.text(st.characters(codec="utf-8", min_codepoint=32, exclude_characters="<&\x7f"), min_size=1)
)
def test_text_between_elements_is_kept_apart_from_tags(text):
    assume("x-pre-process" not in text.lower())
    items, _ = read_items(b"<a>" + text.encode() + b"</a>")
    inner = [] if text.isspace() else ["#text", text.strip()]
    assert items == ["<a", *inner, ">"]
