"""What a file shows of itself: all but its secrets."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fsgitops.routing.recorded import show_compiled, show_masked

FILE = b"""<include>
  <!-- password: hunter2 -->
  <user id="1020">
    <params>
      <param name="a1-hash" value="hunter2"/>
      <param value="hunter2" name="vm-password" note="hunter2">hunter2</param>
    </params>
    <variables>
      <variable name="toll_allow" value="a &amp; &quot;b&quot; &lt;c"/>
    </variables>
  </user>
</include>
"""


def test_elements_stand_one_a_line_and_escaped_as_they_were() -> None:
    lines = show_masked(FILE)
    assert lines[0] == '<user id="1020">'
    assert '    <variable name="toll_allow" value="a &amp; &quot;b&quot; &lt;c"/>' in lines
    assert lines[-1] == "</user>"


def test_secrets_are_masked_by_name_wherever_they_stand() -> None:
    text = "\n".join(show_masked(FILE))
    assert "hunter2" not in text
    assert '<param name="a1-hash" value="(secret)"/>' in text


def test_an_attribute_whose_own_name_is_a_secrets_is_masked() -> None:
    assert show_masked(b'<gateway password="x"/>') == ['<gateway password="(secret)"/>']


def test_the_spans_of_a_compiled_file_are_masked_whatever_their_name() -> None:
    content = b'<include>\n<param name="x" value="hunter2"/>\n</include>\n'
    start = content.index(b"hunter2")
    shown = show_compiled(content, [(start, start + 7)])
    assert shown == ['<param name="x" value="(secret)"/>']


def test_a_file_that_is_not_xml_shows_nothing_of_itself() -> None:
    lines = show_masked(b'<include>\n<param name="password" value="hunter2">\n</include>\n')
    assert len(lines) == 1
    assert "hunter2" not in lines[0]


@given(st.binary(max_size=200) | st.text(alphabet='<>/="ab #!-?&;', max_size=60).map(str.encode))
def test_any_bytes_give_lines(content: bytes) -> None:
    assert isinstance(show_masked(content), list)


def test_what_looks_like_a_password_hash_is_masked_under_any_name() -> None:
    digest = "0123456789abcdef" * 2
    content = f'<param name="note" value="{digest}"/><a b="{digest}">{digest}</a>'
    assert digest not in "\n".join(show_masked(content.encode()))
