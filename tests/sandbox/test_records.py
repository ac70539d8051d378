"""What the embedded switch keeps of users and extensions, against the whole tree of the text."""

from __future__ import annotations

import tempfile
import tracemalloc
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_esl import PlainEsl

from fsgitops.routing.directory import Directory, locate, serialise
from fsgitops.routing.preprocess import load_merged
from fsgitops.routing.tree import Element, XmlSyntaxError, parse
from fsgitops.sandbox.loaded import SwitchMemory
from fsgitops.sandbox.switch import EmbeddedSwitch

if TYPE_CHECKING:
    from collections.abc import Iterable

DOMAIN = "sandbox.example"
ROOT = (
    '<document>\n<section name="directory"><domain name="{domain}">\n'
    '<X-PRE-PROCESS cmd="include" data="users/*.xml"/>\n</domain></section>\n'
    '<section name="dialplan"><context name="public">\n'
    '<X-PRE-PROCESS cmd="include" data="routes/*.xml"/>\n</context></section>\n</document>\n'
)
USER = """\
  <user id="{0}" number-alias="9{0}">
    <params>
      <param name="password" value="{1}"/>
    </params>
    <variables>
      <variable name="agent_name" value="{1}"/>
    </variables>
  </user>
"""
ROUTE = '<extension name="{0}">\n<condition field="destination_number"/>\n</extension>\n'
PLACES = (
    ("root",),
    ("directory",),
    ("directory", "domain", "name", DOMAIN),
    ("directory", "domain", "name", "elsewhere"),
    ("dialplan", "context", "name", "public"),
)


def write_conf(folder: Path, users: Iterable[str | bytes], routes: Iterable[str] = ()) -> Path:
    (folder / "users").mkdir(parents=True)
    (folder / "routes").mkdir()
    (folder / "freeswitch.xml").write_text(ROOT.format(domain=DOMAIN))
    for number, text in enumerate(users):
        data = text if isinstance(text, bytes) else text.encode()
        (folder / f"users/{number:05}.xml").write_bytes(b"<include>\n" + data + b"\n</include>\n")
    for number, text in enumerate(routes):
        (folder / f"routes/{number:05}.xml").write_text(text)
    return folder


def load(conf: Path) -> SwitchMemory:
    memory = SwitchMemory(conf)
    assert memory.reload() == "Success"
    return memory


def whole(memory: SwitchMemory) -> Element:
    """Return the tree of all that the switch reads, nothing of it kept any other way."""
    return parse(load_merged(memory.conf_dir, memory.variables).text)


def check_replies(memory: SwitchMemory, users: Iterable[str]) -> None:
    """Hold every reply against one that is made from the whole tree."""
    root = whole(memory)
    for place in PLACES:
        found = root if place == ("root",) else locate(root, *place)
        wanted = None if found is None else serialise(found).decode("utf-8", "surrogateescape")
        said = memory.locate(*place)
        assert (None if said is None else str(said)) == wanted
    directory = Directory(root)
    for name in users:
        for key in ("id", "type"):
            ours, theirs = memory.find_user(key, name, DOMAIN), directory.user(name, DOMAIN, key)
            assert (ours is None) == (theirs is None)
            if ours is not None and theirs is not None:
                for attribute in ("id", "number-alias", "type"):
                    assert ours.attribute(attribute) == theirs.attribute(attribute)
                assert ours.value("params", "password") == theirs.value("params", "password")
                assert ours.element.text == theirs.element.text


VALUES = [
    "x", "", "a b", "O'Brien", "Zoë", "a &amp; b", "&#10;&#x9;", "&lt;&gt;", "<b>", "\t", "--",
    "-->", "]]>", "&", "&quot;", "<!-- x", "\udce9", "\u2028", "=", "a='b'", "/", "1\n2", "{0}",
    ' " b="c',
]  # fmt: skip


@pytest.mark.parametrize("value", VALUES)
def test_a_value_is_read_and_printed_as_from_the_whole_tree(tmp_path: Path, value: str) -> None:
    users = [USER.format(1000, "plain"), USER.format(1001, "@").replace("@", value)]
    texts = [text.encode("utf-8", "surrogateescape") for text in users]
    check_replies(load(write_conf(tmp_path / "conf", texts)), ["1000", "1001", "91001"])


SHAPES = {
    "attributes in single quotes": "<user id='1000' a='\"'><a b='c' d=\"e\"/></user>",
    "quotes in a text": '<user id="1000">say "hello" and "bye" <a b="c"/></user>',
    "quotes about a reference in a text": '<user id="1000">say "&#9;" <a b="c"/></user>',
    "a quote too many": '<user id="1000">5" wide</user>',
    "a quote as a reference in a text": '<user id="1000">&quot;<a b="c"/></user>',
    "the same attribute twice": '<user id="1000" id="1001"><a b="c"/></user>',
    "a comment": '<user id="1000"><!-- <a b="c"/> --><a b="d"/></user>',
    "a comment without quotes": '<user id="1000"><!-- x --><a b="d"/></user>',
    "a section of characters": '<user id="1000"><![CDATA[ a="b" ]]></user>',
    "no space between the elements": '<user id="1000"><a b="c"/><a b="d"/><e/></user>',
    "lines within a tag": '<user id="1000"\n  type="pointer"\n>\n<a\nb="c"/></user>',
    "a user in a user": '<user id="1000"><user id="1001"></user></user>',
    "a user in no element": '<user id="1000"/><user id="1001"></user><user id="1002"/>',
    "no attributes": "<user ></user>",
    "an extension in a user": '<user id="1000"><extension name="a"></extension></user>',
    "a user in an extension": '<extension name="a"><user id="1000"></user></extension>',
    "a text in it": '<user id="1000">a &amp; b<a b="c"/> d</user>',
    "carriage returns": '<user id="1000">\r\n<a b="c"/>\r</user>\r\n',
    "a user that any name finds": '<user id="1000" type="x"></user>',
    "a variable of the switch": '<user id="1000">\n<a b="$${domain}"/>\n</user>',
}


@pytest.mark.parametrize("text", SHAPES.values(), ids=SHAPES.keys())
def test_a_shape_is_read_and_printed_as_from_the_whole_tree(tmp_path: Path, text: str) -> None:
    users = [text, text.replace("1000", "1005"), USER.format(1006, "a")]
    routes = [ROUTE.format("a"), ROUTE.format("b"), "<!-- nothing -->"]
    memory = load(write_conf(tmp_path / "conf", users, routes))
    check_replies(memory, ["1000", "1001", "1002", "1005", "1006", "any"])


def test_what_stands_in_a_comment_is_not_there(tmp_path: Path) -> None:
    one, two = USER.format(1000, "a"), USER.format(1001, "b")
    memory = load(write_conf(tmp_path / "conf", [f"<!-- {one} -->\n{two}"]))
    assert memory.find_user("id", "1000", DOMAIN) is None
    check_replies(memory, ["1001"])


@pytest.mark.parametrize("bad", ["<user id='1'>\n</users>\n", "<!-- a -- b -->\n", "</domain>\n",
                                 '<!-- <user id="1"><a b="--"/></user> -->\n'])  # fmt: skip
def test_the_line_of_an_error_counts_all_that_stands_before_it(tmp_path: Path, bad: str) -> None:
    users = [USER.format(1000 + number, "a") for number in range(3)]
    memory = SwitchMemory(write_conf(tmp_path / "conf", [*users, bad]))
    with pytest.raises(XmlSyntaxError) as caught:
        whole(memory)
    assert memory.reload() == str(caught.value)
    assert caught.value.reported_line > 24


def test_a_reload_that_fails_leaves_what_was_loaded(tmp_path: Path) -> None:
    conf = write_conf(tmp_path / "conf", [USER.format(1000, "a")])
    memory = load(conf)
    (conf / "users/1.xml").write_text(USER.format(1001, "b") + "</a>\n")
    assert "error near line" in memory.reload()
    assert memory.find_user("id", "1000", DOMAIN) is not None
    assert memory.find_user("id", "1001", DOMAIN) is None


def test_several_hundred_users_of_one_file_are_found_and_printed(tmp_path: Path) -> None:
    names = [str(number) for number in range(1000, 1400)]
    users = ["".join(USER.format(name, f"of {name}") for name in names)]
    conf = write_conf(tmp_path / "conf", users, ["".join(map(ROUTE.format, names))])
    check_replies(load(conf), [names[0], names[-1], "91399", "1400"])


def test_a_large_reply_comes_whole_and_as_long_as_it_says(tmp_path: Path) -> None:
    users = [USER.format(number, "Zoë") for number in range(1000, 1500)]
    with (
        EmbeddedSwitch(write_conf(tmp_path / "conf", users), "x") as switch,
        PlainEsl.open(*switch.address, "x") as esl,
    ):
        found = locate(whole(switch.memory), "directory", "domain", "name", DOMAIN)
        assert found is not None
        assert esl.api(f"xml_locate directory domain name {DOMAIN}") == serialise(found).decode()
        assert esl.api("hostname") == "fsgitops-sandbox"


def test_a_user_is_kept_in_less_than_a_kilobyte(tmp_path: Path) -> None:
    conf = write_conf(tmp_path / "conf", [USER.format(n, f"of {n}") for n in range(1000, 2000)])
    tracemalloc.start()
    try:
        memory = load(conf)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert memory.find_user("id", "1999", DOMAIN) is not None
    assert held < 1_000 * 1_000


def test_what_did_not_change_is_held_once_while_it_is_reloaded(tmp_path: Path) -> None:
    users = [USER.format(n, f"of {n} " + "x" * 2000) for n in range(1000, 1500)]
    memory = load(write_conf(tmp_path / "conf", users))
    tracemalloc.start()
    try:
        assert memory.reload() == "Success"
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 500 * 2000


def test_much_space_between_users_is_printed_as_it_is(tmp_path: Path) -> None:
    users = [f"{USER.format(n, 'a')}{' ' * 400}\n\n" for n in range(1000, 1010)]
    spread = [*users, " " * 3000, *users[:2], "<!-- x -->", *users[2:4], "text", *users[4:]]
    check_replies(load(write_conf(tmp_path / "conf", spread)), ["1000", "1009"])


@pytest.mark.parametrize(
    "inside",
    ['<a b="c"/>' * 4000 + "x" * 20_000, '<a b="c">' * 4000 + "</a>" * 4000],
    ids=["text that is printed for each element", "elements thousands deep"],
)
def test_a_user_that_takes_gigabytes_to_print_is_loaded(tmp_path: Path, inside: str) -> None:
    conf = write_conf(tmp_path / "conf", [f'<user id="1000">{inside}</user>'])
    tracemalloc.start()
    try:
        memory = load(conf)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert memory.find_user("id", "1000", DOMAIN) is not None
    assert peak < 80_000_000


FRAGMENTS = st.sampled_from(
    ['<user id="1"', " >", ">", "/>", "</user>", '<extension name="e">', "</extension>", "\n", " ",
     '<a b="c"/>', "<a>", "</a>", '"', "'", " x=", "<!--", "-->", "<![CDATA[", "]]>", "&amp;", "&",
     "text", "<?", "\r", "é", '<user id="2"><a b="d"/></user>', "r\0", "<r\0", "0/>", "=",
     USER.format(7, "p"), "$${domain}"]
)  # fmt: skip
TEXTS = st.lists(
    st.one_of(FRAGMENTS, st.just(USER.format(8, "q")), st.just(ROUTE.format("f"))), max_size=14
).map("".join)


@settings(max_examples=60, deadline=None)
@given(texts=st.lists(TEXTS, min_size=1, max_size=3))
def test_any_text_is_answered_as_from_the_whole_tree(texts: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        memory = SwitchMemory(write_conf(Path(folder) / "conf", texts, [ROUTE.format("z")]))
        said = memory.reload()
        try:
            whole(memory)
        except XmlSyntaxError as error:
            assert said == str(error)
        else:
            assert said == "Success"
            check_replies(memory, ["1", "2", "7", "97", "8"])
