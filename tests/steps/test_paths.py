"""No declared value, template name or domain ever decides where a file goes."""

from __future__ import annotations

import re

from builders import desired, noun, unchecked
from compiling import compile_desired
from hypothesis import given, settings
from hypothesis import strategies as st

from fsgitops.model.draft import Templates
from fsgitops.model.live import is_safe_path
from fsgitops.steps.read_templates import read_templates

PATHS = re.compile(
    r"directory/default/[0-9]{4,6}\.xml|dialplan/public/inbound_[0-9]{3,15}\.xml"
    r"|dialplan/default/10_fsgitops_agents\.xml|dialplan/fsgitops_transfer\.xml",
    re.ASCII,
)
BUILT_IN = read_templates(None)[0]

pieces = st.sampled_from(
    [
        "..",
        "/",
        "\\",
        "\0",
        "\n",
        "~",
        "%2e",
        ".",
        "1020",
        "+1949",
        "a",
        "$${x}",
        "\N{ARABIC-INDIC DIGIT THREE}",
        "\N{FULLWIDTH DIGIT ONE}",
    ]
)
hostile = st.text(max_size=12) | st.lists(pieces, max_size=6).map("".join)


def expect_inside(declared, domain: str = "pbx.example.com", templates=BUILT_IN) -> None:
    compiled, _ = compile_desired(declared, domain=domain, templates=templates)
    for path in compiled.files:
        assert PATHS.fullmatch(path)
        assert is_safe_path(path)


@settings(deadline=None)
@given(hostile, hostile, hostile)
def test_no_extension_or_context_or_group_names_a_path(extension, context, group) -> None:
    agent = unchecked(
        "agent",
        extension=extension,
        name="x",
        context=context,
        groups=(group,),
        toll_allow=(group,),
        variables={},
        voicemail={"enabled": False},
        password_version=1,
    )
    expect_inside(desired(agent))


@settings(deadline=None)
@given(hostile, hostile)
def test_no_did_or_destination_names_a_path(did, destination) -> None:
    route = unchecked("did", did_number=did, destination_extension=destination)
    expect_inside(desired(route))


@settings(deadline=None)
@given(hostile)
def test_no_domain_names_a_path(domain) -> None:
    expect_inside(desired(noun("agent", extension="1020", name="x")), domain=domain)


@settings(deadline=None)
@given(hostile.map(lambda name: name.replace("\0", "").replace("/", "")))
def test_no_template_name_names_a_path(name) -> None:
    """A template is named by its file, so that NUL and `/` are not in its name."""
    sources = {**BUILT_IN.sources, name: next(iter(BUILT_IN.sources.values()))}
    files = {**BUILT_IN.files, name: name}
    expect_inside(
        desired(noun("agent", extension="1020", name="x")), templates=Templates(sources, files)
    )


def test_the_property_would_notice_a_path() -> None:
    compiled, findings = compile_desired(desired(noun("agent", extension="1020", name="x")))
    assert findings == []
    assert sorted(compiled.files) == [
        "dialplan/default/10_fsgitops_agents.xml",
        "dialplan/fsgitops_transfer.xml",
        "directory/default/1020.xml",
    ]
