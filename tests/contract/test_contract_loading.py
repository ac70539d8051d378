"""What a switch makes of a conf directory. The same promises bind both switches."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from fsgitops.routing.directory import locate, serialise
from fsgitops.routing.merged import SourceLine
from fsgitops.routing.preprocess import load_merged
from fsgitops.routing.tree import XmlSyntaxError, parse

if TYPE_CHECKING:
    from conftest import Subject

SUCCESS = "+OK [Success]\n"
NO_REPLY = "-ERR no reply\n"


def param(name: str, value: str) -> str:
    return f'<param name="{name}" value="{value}"/>'


def variable(name: str, value: str) -> str:
    return f'<variable name="{name}" value="{value}"/>'


def test_a_user_is_there_after_a_reload_and_not_before(subject: Subject) -> None:
    subject.write_user("2001", param("password", "one"), variable("callgroup", "two"))
    assert subject.api(f"user_exists id 2001 {subject.domain}") == "false"
    assert subject.reload() == SUCCESS
    assert subject.api(f"user_exists id 2001 {subject.domain}") == "true"
    assert subject.user_data("2001", "param", "password") == "one"
    assert subject.user_data("2001", "var", "callgroup") == "two"
    assert subject.user_data("2001", "attr", "id") == "2001"


def test_what_a_user_does_not_have_is_no_reply(subject: Subject) -> None:
    subject.write_user("2001", param("empty", ""))
    subject.reload()
    assert subject.user_data("2001", "param", "nothing") == NO_REPLY
    assert subject.user_data("2001", "param", "empty") == NO_REPLY
    assert subject.user_data("2999", "param", "password") == NO_REPLY


def test_a_user_inherits_from_the_domain_what_it_lacks(subject: Subject) -> None:
    subject.write_user("2001")
    subject.write_user("2002", variables=variable("default_areacode", "own"))
    subject.reload()
    assert subject.user_data("2001", "var", "default_areacode") not in ("own", NO_REPLY)
    assert subject.user_data("2002", "var", "default_areacode") == "own"


def test_a_deleted_user_is_gone_after_a_reload(subject: Subject) -> None:
    path = subject.write_user("2001", param("password", "one"))
    subject.reload()
    path.unlink()
    assert subject.user_data("2001", "param", "password") == "one"
    assert subject.reload() == SUCCESS
    assert subject.user_data("2001", "param", "password") == NO_REPLY


def test_a_cached_user_outlives_a_reload_until_the_cache_is_flushed(subject: Subject) -> None:
    text = (
        '<include>\n<user id="4321" cacheable="{}"><variables>\n{}\n</variables></user>\n</include>'
    )
    one, two = ('<variable name="word" value="one"/>', '<variable name="word" value="two"/>')
    subject.api("xml_flush_cache")
    path = subject.write("directory/default/4321.xml", text.format("true", one))
    subject.reload()
    assert subject.user_data("4321", "var", "word") == "one"
    subject.write("directory/default/4321.xml", text.format("true", two))
    subject.reload()
    assert subject.user_data("4321", "var", "word") == "one"
    path.unlink()
    subject.reload()
    assert subject.api(f"user_exists id 4321 {subject.domain}") == "true"
    assert subject.api("xml_flush_cache") == "+OK cleared 1 entry\n"
    assert subject.api("xml_flush_cache") == "+OK cleared 0 entries\n"
    assert subject.api(f"user_exists id 4321 {subject.domain}") == "false"


def test_a_domain_is_there_or_not(subject: Subject) -> None:
    assert subject.api(f"domain_exists {subject.domain}") == "true"
    assert subject.api("domain_exists other.example") == "false"


def test_an_include_tag_takes_its_whole_line_with_it(subject: Subject) -> None:
    subject.write("directory/default/2001.xml", '<include><user id="2001"></user></include>\n')
    assert subject.reload() == SUCCESS
    assert subject.api(f"user_exists id 2001 {subject.domain}") == "false"


def test_an_include_that_cannot_be_read_is_skipped_in_silence(subject: Subject) -> None:
    path = subject.conf_dir / "directory/default/2001.xml"
    path.symlink_to("nowhere.xml")
    subject.written.append(path)
    subject.write_user("2002")
    assert subject.reload() == SUCCESS
    assert subject.api(f"user_exists id 2002 {subject.domain}") == "true"


def test_hidden_files_and_other_endings_are_not_included(subject: Subject) -> None:
    for name in (".2001.xml", "2001.xml.bak", "2001.XML"):
        subject.write(f"directory/default/{name}", '<user id="2001">\n</user>\n')
    assert subject.reload() == SUCCESS
    assert subject.api(f"user_exists id 2001 {subject.domain}") == "false"


def test_files_are_included_in_the_order_of_their_bytes(subject: Subject) -> None:
    for name in ("2001_b", "2001_B", "2001_a", "2001-z"):
        body = f'<user id="2001">\n<params>\n{param("who", name)}\n</params>\n</user>\n'
        subject.write(f"directory/default/{name}.xml", body)
    subject.reload()
    assert subject.user_data("2001", "param", "who") == "2001-z"


def test_a_global_variable_is_expanded_inside_an_attribute(subject: Subject) -> None:
    subject.write_user("2001", param("password", "a$${domain}b") + param("other", "${domain}"))
    subject.reload()
    assert subject.user_data("2001", "param", "password") == f"a{subject.domain}b"
    assert subject.user_data("2001", "param", "other") == "${domain}"


def test_an_unknown_global_variable_becomes_nothing(subject: Subject) -> None:
    subject.write_user("2001", param("password", "a$${no such name}b"))
    subject.reload()
    assert subject.user_data("2001", "param", "password") == "ab"


def test_a_variable_that_is_set_is_cleaned_of_references(subject: Subject) -> None:
    line = '<X-PRE-PROCESS cmd="set" data="sandbox_test = a${b}c"/>'
    subject.write("directory/default/2000.xml", f"<include>\n{line}\n</include>\n")
    subject.write_user("2001", param("password", "$${SANDBOX_test}"))
    subject.reload()
    assert subject.user_data("2001", "param", "password") == "a%{b}c"
    assert subject.api("global_getvar sandbox_test") == "a%{b}c"


def test_only_the_first_tag_of_a_line_is_looked_at(subject: Subject) -> None:
    tag = '<X-PRE-PROCESS cmd="set" data="sandbox_{}=seen"/>'
    lines = f"<X-PRE-PROCESS cmd='set'/>{tag.format('behind')}\n{tag.format('first')}"
    lines += f"{tag.format('second')}\n<x a='$${{a{{b}}<include>}}{tag.format('within')}'/>"
    subject.write("directory/default/2001.xml", f"<include>\n{lines}\n</include>\n")
    assert subject.reload() == SUCCESS
    names = ("behind", "first", "second", "within")
    set_ones = [name for name in names if subject.api(f"global_getvar sandbox_{name}") == "seen"]
    assert set_ones == ["first"]


def test_an_instruction_works_even_inside_a_comment(subject: Subject) -> None:
    line = '<!-- <X-PRE-PROCESS cmd="set" data="sandbox_comment=seen"/> -->'
    subject.write("directory/default/2001.xml", f"<include>\n{line}\n</include>\n")
    assert subject.reload() == SUCCESS
    assert subject.api("global_getvar sandbox_comment") == "seen"


@pytest.mark.parametrize(
    ("written", "held"),
    [
        ("a & b", "a & b"),
        ("a < b", "a < b"),
        ("a > b", "a > b"),
        ("a &amp; b", "a & b"),
        ("it&#39;s &#34;fine&#34;", 'it\'s "fine"'),
        ("&lt;&gt;&quot;&apos;&amp;lt;", "<>\"'&lt;"),
        ("&#xe9;&#233;&#x1F600;", "éé😀"),
        ("Zoë Ünïcode 漢字 🎉", "Zoë Ünïcode 漢字 🎉"),
        ("&unknown; &#0; &#zz; &", "&unknown; &#0; &#zz; &"),
        ("a\tb", "a b"),
        ("<!-- x -->", "<!-- x -->"),
        ("a <!-- b", "a <!-- b"),
        ("a -- b", "a -- b"),
        ("]]>", "]]>"),
    ],
)
def test_an_attribute_comes_back_as_it_was_meant(subject: Subject, written: str, held: str) -> None:
    subject.write_user("2001", param("password", written))
    assert subject.reload() == SUCCESS
    assert subject.user_data("2001", "param", "password") == held


def test_of_two_users_with_one_id_the_first_counts(subject: Subject) -> None:
    users = [
        f'<user id="2001">\n<params>\n{param("password", name)}\n</params>\n</user>'
        for name in ("first", "second")
    ]
    subject.write("directory/default/2001.xml", "\n".join(users))
    subject.reload()
    assert subject.user_data("2001", "param", "password") == "first"


def test_of_two_values_of_one_name_the_last_counts(subject: Subject) -> None:
    subject.write_user("2001", param("password", "first") + param("PASSWORD", "last"))
    subject.reload()
    assert subject.user_data("2001", "param", "password") == "last"


def test_of_two_attributes_of_one_name_the_first_counts(subject: Subject) -> None:
    subject.write_user("2001", '<param name="password" value="first" value="second"/>')
    subject.reload()
    assert subject.user_data("2001", "param", "password") == "first"


def test_a_user_is_also_found_by_its_number_alias(subject: Subject) -> None:
    body = f'<user id="2001" number-alias="92001">\n<params>\n{param("x", "y")}\n</params>\n</user>'
    subject.write("directory/default/2001.xml", body)
    subject.reload()
    assert subject.user_data("92001", "param", "x") == "y"
    assert subject.user_data("92001", "attr", "id") == "2001"


GROUPS = """<include>
<domain name="contract.example">
<groups>
<group name="a">
<users>
<user id="3001" type="pointer"/>
<user id="3002"/>
</users>
<users>
<user id="3003"/>
</users>
</group>
<group name="b">
<variables>
<variable name="from_group" value="b"/>
</variables>
<users>
<user id="3001"><params><param name="password" value="real"/></params></user>
<user id="3004"/>
</users>
</group>
</groups>
<users>
<user id="3005"/>
</users>
</domain>
<domain name="contract.example"><user id="3006"/></domain>
<domain name="typed.example">
<user id="3007" type="odd"/>
</domain>
</include>
"""


@pytest.mark.parametrize(
    ("user", "found"),
    [("3002", "true"), ("3003", "false"), ("3004", "true"), ("3005", "true"), ("3006", "false")],
)
def test_only_the_first_users_of_a_group_are_searched(
    subject: Subject, user: str, found: str
) -> None:
    subject.write("directory/contract.xml", GROUPS)
    assert subject.reload() == SUCCESS
    assert subject.api(f"user_exists id {user} contract.example") == found


def test_a_pointer_that_comes_first_hides_the_user(subject: Subject) -> None:
    subject.write("directory/contract.xml", GROUPS)
    subject.reload()
    assert subject.api("user_data 3001@contract.example param password") == NO_REPLY
    assert subject.api("user_data 3001@contract.example attr type") == "pointer"


def test_a_user_of_another_type_matches_every_name(subject: Subject) -> None:
    subject.write("directory/contract.xml", GROUPS)
    subject.reload()
    assert subject.api("user_data whoever@typed.example attr id") == "3007"


def test_a_user_inherits_from_its_own_group(subject: Subject) -> None:
    subject.write("directory/contract.xml", GROUPS)
    subject.reload()
    assert subject.api("user_data 3004@contract.example var from_group") == "b"
    assert subject.api("user_data 3002@contract.example var from_group") == NO_REPLY


def test_a_route_is_in_the_loaded_dialplan(subject: Subject) -> None:
    subject.write(
        "dialplan/public/inbound_15550100001.xml",
        '<include>\n<extension name="inbound_15550100001">\n'
        '<condition field="destination_number" expression="^(\\+?15550100001)$">\n'
        '<action application="transfer" data="2001 XML default"/>\n'
        "</condition>\n</extension>\n</include>\n",
    )
    assert subject.reload() == SUCCESS
    context = parse(subject.api("xml_locate dialplan context name public").encode())
    found = context.find("extension", "name", "inbound_15550100001")
    assert found is not None
    assert found.children[0].attributes["expression"] == "^(\\+?15550100001)$"


def test_an_invalid_regular_expression_is_accepted_in_silence(subject: Subject) -> None:
    subject.write(
        "dialplan/public/bad.xml",
        '<extension name="bad">\n<condition field="x" expression="^(123$"/>\n</extension>\n',
    )
    assert subject.reload() == SUCCESS


def test_xml_locate_prints_what_we_would_print(subject: Subject) -> None:
    subject.write_user(
        "2001", param("a", "x & y < z > é &#10; '&quot;'"), "text &amp; <b>more</b> é <c/>"
    )
    subject.write("directory/contract.xml", GROUPS)
    subject.reload()
    root = parse(load_merged(subject.conf_dir, subject.variables()).text)
    for domain in (subject.domain, "contract.example"):
        found = locate(root, "directory", "domain", "name", domain)
        assert found is not None
        asked = subject.api(f"xml_locate directory domain name {domain}")
        assert asked == serialise(found).decode()


BROKEN = [
    pytest.param("<user>\n</users>", "unexpected closing tag </users>", 2, id="closing"),
    pytest.param("</user>", "unexpected closing tag </user>", 1, id="nothing open"),
    pytest.param("\n<!-- a -- b -->", "unclosed <!--", 2, id="dashes in a comment"),
    pytest.param("\n\n<![CDATA[ x", "unclosed <![CDATA[", 3, id="open cdata"),
    pytest.param("<user id='1'\n>\n< /user>", "unexpected <", 3, id="stray bracket"),
    pytest.param(
        "<user\n  id='1'\n  a='b\nc'>\n</x>", "unexpected closing tag </x>", 5, id="drift"
    ),
    pytest.param("<user id\n='1'\n\n>\n</x>", "unexpected closing tag </x>", 5, id="drift of ="),
    pytest.param("<user>a &amp; b\n\n</x>", "unexpected closing tag </x>", 3, id="drift of text"),
    pytest.param("<user>a &lt; &amp;b\n\n</x>", "unexpected closing tag </x>", 3, id="drift, copy"),
    pytest.param("<user>a &quot;b\n\n</x>", "unexpected closing tag </x>", 3, id="drift of quot"),
    pytest.param("<user>&#65;\n\n</x>", "unexpected closing tag </x>", 3, id="drift of number"),
    pytest.param("<user>\r\n</x>", "unexpected closing tag </x>", 2, id="carriage return"),
]


@pytest.mark.parametrize(("broken", "message", "line"), BROKEN)
def test_a_broken_file_is_refused_and_its_line_found(
    subject: Subject, broken: str, message: str, line: int
) -> None:
    subject.write_user("2001", param("password", "before"))
    assert subject.reload() == SUCCESS
    subject.write_user("2001", param("password", "after"))
    subject.write("directory/default/2002.xml", f"<include>\n{broken}\n</include>\n")
    answer = subject.reload()
    told = re.fullmatch(r"\+OK \[\[error near line (\d+)\]: (.*)\]\n", answer)
    assert told is not None, answer
    assert told[2] == message
    merged = load_merged(subject.conf_dir, subject.variables())
    expected = SourceLine("directory/default/2002.xml", line + 1)
    assert merged.source_of_line(int(told[1])) == expected
    assert subject.user_data("2001", "param", "password") == "before"


@pytest.mark.parametrize(("broken", "message", "line"), BROKEN)
def test_our_parser_says_what_the_switch_says(
    subject: Subject, broken: str, message: str, line: int
) -> None:
    subject.write("directory/default/2002.xml", f"<include>\n{broken}\n</include>\n")
    answer = subject.reload()
    with pytest.raises(XmlSyntaxError) as caught:
        parse(load_merged(subject.conf_dir, subject.variables()).text)
    assert answer == f"+OK [{caught.value}]\n"


def test_a_tag_that_is_never_closed_is_reported_at_the_end(subject: Subject) -> None:
    subject.write("directory/default/2002.xml", '<user id="2002">\n')
    answer = subject.reload()
    assert "unexpected closing tag </users>" in answer


def test_a_root_file_that_is_missing_has_words_of_its_own(subject: Subject) -> None:
    root, away = subject.conf_dir / "freeswitch.xml", subject.conf_dir / "away"
    root.rename(away)
    try:
        assert subject.reload() == "+OK [Cannot Open log directory or XML Root!]\n"
    finally:
        away.rename(root)
