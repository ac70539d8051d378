"""Nasty files, loaded by a real FreeSWITCH and by us: the same text, the same verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fsgitops.routing.directory import locate, serialise
from fsgitops.routing.preprocess import load_merged
from fsgitops.routing.tree import XmlSyntaxError, parse

if TYPE_CHECKING:
    from conftest import Subject

PIECES = [
    "<include>", "</include>", "<?xml?>", "<?", "?>", "\n", "\n", "\n", "\r\n", "\r", " ", "\t",
    '<X-PRE-PROCESS cmd="set" data="fuzz=a$${domain}b"/>',
    '<x-pre-process CMD="SET" data="fuzz= ${x} "',
    '<X-PRE-PROCESS cmd="include" data="*.none"/>', "XX-PRE-PROCESS", "$${fuzz}", "$${domain}",
    "$${nothing}", "$${", "${x}", "}", "<!--#comment x", '<!--#set "fuzz=c"-->', "-->", "<!--",
    "<!-- x -->", "--", "<user", ">", "/>", "</user>", '<user id="fz">', "</users>", " a=", '"',
    "'", ' b="c"', "&amp;", "&", "&#10;", "&lt;", "&#x41;", "&#0;", "é", "漢", "text", "<![CDATA[",
    "]]>", "<p:q/>", "<1>", "< ", "=", "<u\n x='y\nz'\n w\n=\n'v'>", "</u>", "\x0b", "\x01",
    '<user id="ok"><params><param name="a" value="b &quot; c"/></params></user>',
]  # fmt: skip
TEXTS = st.lists(st.sampled_from(PIECES), max_size=24).map("".join)


@pytest.mark.freeswitch
@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(text=TEXTS)
def test_any_file_is_merged_and_judged_as_freeswitch_does(real: Subject, text: str) -> None:
    variables = real.variables()
    real.write("directory/default/2009.xml", text)
    try:
        answer = real.reload()
        assert real.fsxml is not None
        merged = load_merged(real.conf_dir, variables)
        assert merged.text == real.fsxml.read_bytes()
        try:
            root = parse(merged.text)
        except XmlSyntaxError as error:
            said = str(error).encode("utf-8", "surrogateescape")
            assert answer.encode("utf-8", "surrogateescape") == b"+OK [" + said + b"]\n"
        else:
            assert answer == "+OK [Success]\n"
            found = locate(root, "directory", "domain", "name", real.domain)
            assert found is not None
            answer = real.api(f"xml_locate directory domain name {real.domain}")
            asked = answer.encode("utf-8", "surrogateescape")
            if asked != serialise(found):
                # FreeSWITCH prints a repeated attribute without a value again; we do not.
                assert serialise(parse(asked)) == serialise(parse(serialise(found)))
    finally:
        real.clean()
        real.reload()
