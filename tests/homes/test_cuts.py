"""Elements that are cut out of a text say what they say where the whole of it is parsed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsgitops.errors import SwitchProtocolError
from fsgitops.homes.compare import Held, read_said
from fsgitops.homes.dialplan import DIALPLAN
from fsgitops.homes.directory import DIRECTORY
from fsgitops.routing import cuts
from fsgitops.routing.cuts import Element, cut_elements
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


def element(text: str, key: str = "id") -> Mapping[str, str]:
    (run,) = cut_elements(text.encode(), text[1:].partition(" ")[0], key).runs
    return run.elements[0][2]


def test_two_elements_are_the_same_however_they_are_printed() -> None:
    one = element(USER.format("1", "x"))
    other = element('<user id="1"><params><param name="a" value="x"></param></params></user>')
    assert isinstance(one, Element)
    assert one.is_same(other)


@pytest.mark.parametrize(
    "text",
    [
        USER.format("1", "y"),
        USER.format("2", "x"),
        USER.format("1", "x").replace("params", "variables"),
        USER.format("1", "x").replace('name="a"', 'name="a" more="x"'),
        USER.format("1", "x").replace("param ", "params "),
        USER.format("1", "x").replace("</params>", "</params>words"),
    ],
)
def test_elements_that_differ_are_not_the_same(text: str) -> None:
    one = element(USER.format("1", "x"))
    assert isinstance(one, Element)
    assert not one.is_same(element(text))


def test_nearly_all_of_a_large_text_is_cut_out() -> None:
    users = "\n".join(USER.format(number, "x") for number in range(1000))
    found = cut_elements(f"<users>{users}</users>".encode(), "user", "id")
    assert found.rest == b'<users><user id="fsgitopscut0z"/></users>'
    assert [one.name for _, _, one in found.runs[0].elements] == [str(n) for n in range(1000)]


def test_openings_without_an_end_are_passed_in_one_look() -> None:
    text = b'<user id="' * 200_000
    assert cut_elements(text, "user", "id").rest == text
