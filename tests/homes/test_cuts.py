"""Elements that are cut out of a text say what they say where the whole of it is parsed."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsgitops.errors import SwitchProtocolError
from fsgitops.homes.compare import Globals, Held, compare_said, read_said
from fsgitops.homes.dialplan import DIALPLAN
from fsgitops.homes.directory import DIRECTORY
from fsgitops.routing import cuts
from fsgitops.routing.cuts import Cuts, Cutting, cut_elements
from fsgitops.routing.fragment import FragmentError

if TYPE_CHECKING:
    from collections.abc import Callable

USER = '<user id="{}">\n <params>\n <param name="a" value="{}"/>\n</params></user>'
EXTENSION = '<extension name="{}"><condition field="f" expression="{}"/></extension>'
ODD = (
    "<!--", "-->", "<![CDATA[", "]]>", "\n", "<users>", "</users>", "<group>", "</group>",
    "<user id='7'>", '<user id="8" type="pointer"/>', "</user>", "<foo>", "</foo>", "words",
    '<user id="fsgitopscut0z"/>', '<param name="p" value="v"/>', "<?p ?>", "&lt;", "\r\n",
    '<X-PRE-PROCESS cmd="include" data="x"/>', '<context name="c">', "</context>", '"', "\0",
    '<user name="7"></user>', '<user id="9" id="9"></user>', "<extension name='x'>",
    "</extension>", "<include>",
)  # fmt: skip
VALUES = ("1", "2", "a&amp;b", "a>b", "'", "ü", "$${v}", "w0", "a\tb", "a&b", "\ufffe", "")
EXPAND = Globals({"v": "x", "quote": 'x" more="y'}.get).expand
TEXTS = st.lists(
    st.one_of(
        st.builds(USER.format, st.sampled_from(VALUES), st.sampled_from(VALUES)),
        st.builds(EXTENSION.format, st.sampled_from(VALUES), st.sampled_from(VALUES)),
        st.sampled_from(ODD),
    ),
    max_size=7,
).map("".join)


def uncut(read: Callable[[], Any]) -> Any:
    """Return what is read where nothing is cut out."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cuts, "LONGEST", 0)
        return read()


def attempt(read: Callable[[], Any]) -> Any:
    try:
        return read()
    except (FragmentError, SwitchProtocolError) as problem:
        return str(problem)


@pytest.mark.parametrize("home", [DIRECTORY, DIALPLAN])
@given(text=TEXTS)
def test_a_file_says_the_same_where_its_elements_are_cut_out(home: Any, text: str) -> None:
    def read() -> Any:
        said = read_said(home, text.encode("utf-8", "surrogatepass"))
        return [(name, dict(flat)) for name, flat in said.elements.items()], said.rest, said.whole

    assert attempt(read) == uncut(lambda: attempt(read))


@pytest.mark.parametrize(
    ("home", "around"),
    [
        (DIRECTORY, "<domain><groups><group><users>{}</users></group></groups></domain>"),
        (DIRECTORY, "<domain><users>{}</users></domain>"),
        (DIALPLAN, '<context name="c">{}</context>'),
    ],
)
@given(text=TEXTS.map(lambda text: re.sub("<X-PRE[^>]*>|\0", "", text)))
def test_a_switch_holds_the_same_where_its_elements_are_cut_out(
    home: Any, around: str, text: str
) -> None:
    def read() -> Any:
        held = Held(home, around.format(text).encode("utf-8", "surrogatepass"))
        found = {}
        for name in held.names():
            with suppress(FragmentError):
                found[name] = dict(held.get(name) or {})
        return found, held.rest

    assert attempt(read) == uncut(lambda: attempt(read))


@given(text=TEXTS, size=st.integers(1, 40), batch=st.integers(1, 200))
def test_a_text_that_comes_in_pieces_is_cut_as_the_whole_of_it(
    text: str, size: int, batch: int
) -> None:
    whole = text.encode("utf-8", "surrogatepass")

    def read(found: Cuts | None) -> object:
        runs = found.runs if found else ()
        named = [[(one.name, one.texts) for _, _, one in run.elements] for run in runs]
        return found and (found.rest, named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cuts, "BATCH", batch)
        cutting = Cutting("user", "id")
        for start in range(0, len(whole), size):
            cutting.feed(whole[start : start + size])
        found = cutting.finish()
    # One that could be taken for a mark of ours has to be seen whole.
    assert (found is None) == (b"fsgitopscut" in whole)
    assert found is None or read(found) == read(cut_elements(whole, "user", "id"))


def test_an_answer_that_was_cut_as_it_came_is_held_as_the_whole_of_it() -> None:
    users = "".join(USER.format(number, "x") for number in range(3))
    answer = f"<domain><users>{users}</users></domain>".encode()
    cutting = Cutting("user", "id")
    cutting.feed(answer)
    held, whole = Held.of_cuts(DIRECTORY, cutting.finish()), Held(DIRECTORY, answer)
    assert held
    assert {name: held.get(name) for name in held.names()} == {
        name: whole.get(name) for name in whole.names()
    }
    assert held.there and held.rest == whole.rest


@pytest.mark.parametrize(
    "odd", ["<!-- {} -->", "<user name='o'>{}</user>", "<x a='fsgitopscut0z'/>"]
)
def test_an_answer_with_users_where_none_are_found_has_to_be_seen_whole(odd: str) -> None:
    cutting = Cutting("user", "id")
    cutting.feed(f"<domain>{odd.format(USER.format(1, 'x'))}</domain>".encode())
    assert Held.of_cuts(DIRECTORY, cutting.finish()) is None


def is_same(text: str, held: str) -> bool:
    said = read_said(DIRECTORY, text.encode())
    there = Held(DIRECTORY, f"<domain>{held}</domain>".encode())
    compared = dict(compare_said(said, there, EXPAND))
    return compared == {"1": []}


def test_two_elements_are_the_same_however_they_are_printed(monkeypatch: Any) -> None:
    monkeypatch.setattr(cuts, "flatten_text", None)
    printed = '<user id="1"><params><param name="a" value="x"></param></params></user>'
    assert is_same(USER.format("1", "x"), printed)
    assert is_same(USER.format("1", "$${v}"), printed)


@pytest.mark.parametrize(
    "text",
    [
        USER.format("1", "y"),
        USER.format("1", "$${w}"),
        USER.format("1", "$${quote}"),
        USER.format("1", "x").replace("params", "variables"),
        USER.format("1", "x").replace('name="a"', 'name="a" more="x"'),
        USER.format("1", "x").replace("param ", "params "),
        USER.format("1", "x").replace("</params>", "</params>words"),
    ],
)
def test_elements_that_differ_are_not_the_same(text: str) -> None:
    assert not is_same(text, USER.format("1", "x"))
    if "$$" not in text:
        assert not is_same(USER.format("1", "x"), text)


def test_what_only_the_switch_holds_as_a_reference_is_a_difference() -> None:
    assert not is_same(USER.format("1", "$${v}"), USER.format("1", "$${v}"))


def test_nearly_all_of_a_large_text_is_cut_out() -> None:
    users = "\n".join(USER.format(number, "x") for number in range(1000))
    found = cut_elements(f"<users>{users}</users>".encode(), "user", "id")
    assert found.rest == b'<users><user id="fsgitopscut0z"/></users>'
    assert [one.name for _, _, one in found.runs[0].elements] == [str(n) for n in range(1000)]


def test_openings_without_an_end_are_passed_in_one_look() -> None:
    text = b'<user id="' * 200_000
    assert cut_elements(text, "user", "id").rest == text
