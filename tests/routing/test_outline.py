"""Flattening by shape gives what flattening by parsing gives, always."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsgitops.routing.fragment import FragmentError, flatten_fragment
from fsgitops.routing.outline import KEPT, Outlines

USER = """<include>
  <user id="{}">
    <params>
      <param name="password" value="{}"/>
    </params>
    <variables>
      <variable name="a" value="{}"/>
      <variable name="a" value="{}"/>
    </variables>
  </user>
</include>
"""

ROUTE = """<include>
  <extension name="{}">
    <condition field="destination_number" expression="{}">
      <action application="set" data="{}"/>
      <action application="transfer" data="{}"/>
    </condition>
  </extension>
</include>
"""

_pieces = st.sampled_from(
    [
        "<include>\n", "</include>\n", "<user", "<param", "<variable", "<a", "</a>", "<extension",
        "</extension>", "<action", ">", "/>", "\n", ' value="', ' id="', ' name="', ' data="', '"',
        "'", " value='", "<!-- ", " -->", "--", "x", "&amp;", "&", "<![CDATA[", "]]>", "$${x}",
        "<X-PRE-PROCESS cmd=\"set\" data=\"a=b\"/>", "\t", "fsgitopsoutline0z", "\x00", "<?", "é",
        "\ufffe",
    ]
)  # fmt: skip
_values = st.text(max_size=8) | st.sampled_from(["", "&quot;", "a--b", "$${x}", "</include>", "\n"])


def _flatten(outlines: Outlines, content: bytes) -> object:
    try:
        outline, values = outlines.read(content)
    except FragmentError:
        return "not XML"
    return outline.pairs(values)


def _parse(content: bytes) -> object:
    try:
        return list(flatten_fragment(content).items())
    except FragmentError:
        return "not XML"


@pytest.mark.parametrize("shape", [USER, ROUTE])
@given(st.lists(st.tuples(_values, _values, _values, _values), min_size=2, max_size=4))
def test_files_of_one_shape_read_as_if_each_were_parsed(
    shape: str, rows: list[tuple[str, ...]]
) -> None:
    outlines = Outlines()
    for row in rows:
        content = shape.format(*row).encode("utf-8", "surrogatepass")
        assert _flatten(outlines, content) == _parse(content)


@given(st.lists(_pieces, max_size=25), st.lists(st.tuples(_values, _values), max_size=3))
def test_any_text_reads_as_if_it_were_parsed(
    pieces: list[str], fillings: list[tuple[str, str]]
) -> None:
    outlines = Outlines()
    for one, other in [("v", "w"), *fillings]:
        filled = [{"x": one, "é": other}.get(piece, piece) for piece in pieces]
        content = "".join(filled).encode("utf-8", "surrogatepass")
        assert _flatten(outlines, content) == _parse(content)


@pytest.mark.parametrize(
    "text",
    [
        '<!-- value="{}" -->\n<a value="1"/>\n',
        '<a> value="{}"</a>\n',
        "<a b=' value=\"{}\"'/>\n",
        '<![CDATA[ value="{}"]]>\n',
        '<a value="{}" value="2"/>\n',
        '<a value="fsgitopsoutline0z" b="{}"/>\n',
    ],
)
def test_what_only_looks_like_a_value_is_parsed(text: str) -> None:
    outlines = Outlines()
    for value in ("plain", "a--b", "]]>", "'", "x"):
        content = text.format(value).encode()
        assert _flatten(outlines, content) == _parse(content)


def test_more_shapes_than_are_kept_read_right() -> None:
    outlines = Outlines()
    for number in range(KEPT + 10):
        content = f'<extension name="e{number}"><a value="{number}"/></extension>\n'.encode()
        assert _flatten(outlines, content) == _parse(content)
