from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from builders import noun
from compiling import (
    AGENT,
    PACKAGED,
    PATH,
    ROUTE,
    agent,
    compiled,
    one_user,
    values,
    with_templates,
)
from jinja2.parser import Parser

from fsgitops.findings import Position, Severity
from fsgitops.model.draft import Templates
from fsgitops.model.resource import Resource
from fsgitops.steps.compile.program import Programs
from fsgitops.steps.read_templates import packaged_templates, read_templates


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (AGENT.replace("{{ value }}", "{{ value|safe }}"), "safe"),
        (AGENT.replace("{{ value }}", "{% autoescape 0 %}{{ value }}{% endautoescape %}"), "escap"),
        (AGENT.replace("{{ value }}", "{{ ''.__class__ }}"), "__class__"),
        (AGENT.replace("{{ value }}", "{{ ''['__class__'] }}"), "__class__"),
        (AGENT.replace("{{ value }}", "{{ ''|attr('__class__') }}"), "attr"),
        (AGENT.replace("{{ value }}", "{{ value|random }}"), "random"),
        (AGENT.replace("{{ value }}", "{{ value|tojson }}"), "tojson"),
        (AGENT.replace("{{ value }}", "{{ valeu }}"), "valeu"),
        (AGENT.replace("{{ value }}", "{{ user.secret_params }}"), "secret_params"),
        (AGENT.replace("{{ value }}", "{{ 1 // 0 }}"), "division"),
        (AGENT.replace("{{ value }}", "{% for x in y %}"), "endfor|Unexpected|end of template"),
        (AGENT.replace("{{ value }}", "{% include '/etc/passwd' %}"), "passwd"),
        (AGENT.replace("{{ value }}", "{% import 'os' as os %}"), "os"),
        (AGENT.replace("{{ value }}", "{{ lipsum() }}"), "lipsum"),
        (AGENT.replace("{{ value }}", "{{ self.__init__ }}"), "__init__"),
        (AGENT.replace("{{ value }}", "fixed"), "user.params once"),
        (AGENT.replace("{{ value }}", "{{ value|upper }}"), "user.params once"),
        (AGENT.replace("{{ value }}", "{{ value }}{{ value }}"), "user.params once"),
        (AGENT.replace("in user.variables|items", "in {}|items"), "user.variables once"),
        (AGENT.replace("<params>", "<params><!-- {{ user.id }} -->"), "a comment"),
        (AGENT.replace("<params>", "<params>{{ user.id }}"), "text of an element"),
        (AGENT.replace("<params>", "<params><x{{ user.id }}/>"), "name of an element"),
        (AGENT.replace("<params>", "<params><x a{{ user.id }}='1'/>"), "name of an attribute"),
        (AGENT.replace("</user>", "</user><user id='9'/>"), "exactly one <user"),
        (AGENT.replace('id="{{ user.id }}"', 'id="1"'), "exactly one <user"),
        (AGENT.replace("<params>", "<params><param name='A1-HASH' value=''/>"), "user.params once"),
        (AGENT.replace("</user>", "<params/></user>"), "exactly one <params>"),
        (AGENT.replace("</user>", ""), "mismatched"),
        (AGENT.replace("<include>\n", "<include>"), "<params>|exactly|XML"),
        (AGENT.replace("<params>", "<params>\n<X-PRE-PROCESS cmd='exec' data='id'/>"), "directive"),
        (AGENT + "fsgitopsneutral1z", "stands for values"),
    ],
)  # fmt: skip
def test_a_template_that_is_not_usable_is_one_finding_that_names_it(text, reason):
    config, findings = compiled(
        agent(), agent(extension="1021"), templates=with_templates(agent=text)
    )
    assert not any(path.startswith("directory") for path in config.files)
    assert {item.position.file for item in findings} == {"templates/agent.xml.j2"}
    assert any(re.search(reason, item.message) for item in findings), findings


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("\n\n{{ 1|safe }}", 3),
        ("\n{{ ''.__class__ }}", 2),
        ("{# #}\n\n\n{{ missing }}", 4),
        ("\n{% if %}", 2),
    ],
)
def test_a_finding_about_a_template_has_its_line(text, line):
    _, findings = compiled(agent(), templates=with_templates(agent=text))
    assert [item.position for item in findings] == [Position("templates/agent.xml.j2", line)]


@pytest.mark.parametrize(
    "text",
    [
        AGENT.replace("{{ value }}", "{{ 'x' if value == 'Ada' else value }}"),
        AGENT.replace("</params>", "</params>{% if user.id == '1020' %}<gateways/>{% endif %}"),
        AGENT.replace("{{ value }}", "{{ value|replace('Ada', 'Eve') }}"),
    ],
)
def test_a_template_that_decides_on_values_is_a_finding_at_the_agent(text):
    source = Position("desired/a.yaml", 7, 3)
    config, findings = compiled(
        agent(),
        templates=with_templates(agent=text),
        sources={Resource("agent", "1020"): source},
    )
    assert PATH not in config.files
    assert [item.position for item in findings] == [source]
    assert "templates/agent.xml.j2" in findings[0].message


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (ROUTE.replace("{{ destination }} XML", "9999 XML"), "transfers"),
        (ROUTE.replace("inbound_{{ digits }}", "inbound"), "exactly one <extension"),
        (ROUTE.replace("{{ expression }}", "^[0-9]*$"), "compares"),
    ],
)
def test_a_route_template_must_route(text, reason):
    route = noun("did", did_number="+19495431333", destination_extension="1020")
    _, findings = compiled(routes=[route], templates=with_templates(did_route=text))
    assert [reason in item.message for item in findings if item.severity.value == "error"] == [True]


@pytest.mark.parametrize(
    "text", ["", "<include>\n</include>\n", "<include>\n<extension/>\n</include>\n"]
)
def test_a_dialplan_template_must_be_a_dialplan(text):
    _, findings = compiled(agent(), templates=with_templates(agents_dialplan=text))
    assert len(findings) == 1


def test_a_missing_template_is_a_finding():
    sources = {name: text for name, text in PACKAGED.sources.items() if "did" not in name}
    route = noun("did", did_number="+19495431333", destination_extension="1020")
    _, findings = compiled(agent(), routes=[route], templates=Templates(sources))
    missing = [item for item in findings if item.severity is Severity.ERROR]
    assert [item.position.file for item in missing] == ["templates/did_route.xml.j2"]


def test_a_template_may_add_what_is_its_own():
    text = AGENT.replace(
        "<params>",
        '<!-- ours -->\n    <params>\n      <param name="sip-force-expires" value="600"/>',
    )
    user = one_user(agent(), templates=with_templates(agent=text))
    assert values(user, "params", "param")["sip-force-expires"] == "600"


def test_a_template_may_include_another_one_of_its_folder():
    sources = {
        **PACKAGED.sources,
        "agent.xml.j2": AGENT.replace("<params>", "<params>\n{% include 'more.xml.j2' %}\n"),
        "more.xml.j2": '<param name="sip-force-expires" value="600"/>',
    }
    user = one_user(agent(), templates=Templates(sources))
    assert values(user, "params", "param")["sip-force-expires"] == "600"


def test_an_expression_that_freeswitch_cannot_compile_is_a_finding():
    text = ROUTE.replace("{{ expression }}", "({{ expression }}")
    assert text != ROUTE
    route = noun("did", did_number="+19495431333", destination_extension="1020")
    _, findings = compiled(agent(), routes=(route,), templates=with_templates(did_route=text))
    assert any("is not a regular expression" in finding.message for finding in findings)


def test_an_own_template_that_ignores_the_forms_is_used_and_told():
    text = ROUTE.replace("{{ expression }}", r"^(\+?{{ digits }})$")
    route = noun("did", did_number="+19495431333", destination_extension="1020")
    config, [finding] = compiled(routes=[route], templates=with_templates(did_route=text))
    assert b"^(\\+?19495431333)$" in config.files["dialplan/public/inbound_19495431333.xml"].content
    assert (finding.severity.value, finding.position.file) == (
        "warning", "templates/did_route.xml.j2",
    )  # fmt: skip
    assert "national" in finding.message


# What was proved before


def test_without_a_folder_the_packaged_templates_are_read(tmp_path):
    for folder in (None, tmp_path / "absent"):
        templates, findings = read_templates(folder)
        assert findings == []
        packaged = {path.name: path.read_text() for path in packaged_templates().iterdir()}
        assert templates.sources == packaged
        assert {"agent.xml.j2", "did_route.xml.j2"} <= packaged.keys()


def test_a_template_of_ones_own_replaces_the_packaged_one(tmp_path):
    (tmp_path / "agent.xml.j2").write_text("mine")
    templates, _ = read_templates(tmp_path)
    assert templates.sources["agent.xml.j2"] == "mine"
    assert templates.file("agent.xml.j2") == str(tmp_path / "agent.xml.j2")
    assert templates.sources["did_route.xml.j2"] == ROUTE


def test_a_template_that_is_not_utf_8_is_a_finding_with_its_line(tmp_path):
    (tmp_path / "agent.xml.j2").write_bytes(b"a\nb\xff")
    _, findings = read_templates(tmp_path)
    assert [item.position for item in findings] == [Position(str(tmp_path / "agent.xml.j2"), 2)]


def test_a_template_outside_its_folder_is_a_finding(tmp_path):
    (tmp_path / "secret").write_text("x")
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "agent.xml.j2").symlink_to(tmp_path / "secret")
    templates, findings = read_templates(tmp_path / "templates")
    assert len(findings) == 1
    assert templates.sources["agent.xml.j2"] == AGENT


@pytest.mark.parametrize("make", [
    lambda path: path.mkdir(), lambda path: path.write_bytes(b"x" * 300_000),
    lambda path: path.symlink_to(path), lambda path: path.symlink_to("absent"),
])  # fmt: skip
def test_a_template_that_cannot_be_read_is_a_finding(tmp_path, make):
    make(tmp_path / "agent.xml.j2")
    _, findings = read_templates(tmp_path)
    assert [item.position.file for item in findings] == [str(tmp_path / "agent.xml.j2")]


def test_a_call_that_nobody_answers_ends_with_its_own_cause() -> None:
    template = (Path(__file__).parents[2] / "templates" / "agents_dialplan.xml.j2").read_text()
    without_voicemail = template.partition('<extension name="fsgitops_agent">')[2]
    bridged = without_voicemail.partition('application="bridge"')[2]
    assert '<action application="hangup" data="NO_ANSWER"/>' in bridged


def test_each_template_is_parsed_once_however_often_it_is_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parsed: list[str | None] = []

    class Counting(Parser):
        def __init__(self, environment: Any, source: str, *words: Any, **others: Any) -> None:
            super().__init__(environment, source, *words, **others)
            parsed.append(self.name)

    monkeypatch.setattr("jinja2.environment.Parser", Counting)
    packaged, _ = read_templates(None)
    sources = {name: f"{text}{{# of this test #}}" for name, text in packaged.sources.items()}
    templates = replace(packaged, sources=sources)
    for programs in (Programs(templates), Programs(templates)):
        assert all(programs.get(name) for name in [*templates.sources, *templates.sources])
    assert sorted(parsed) == sorted(templates.sources)


@pytest.mark.parametrize(
    ("around", "one", "other", "made"),
    [
        ("{one}{other}", "$", "{system}", "${"),
        ("{one}{other}", "<", "!--", "<!"),
        ("${one}-{other}", "{system}", "x", "${"),
        ("{one}{{system}}{other}", "$", "x", "${"),
        ("{one}${{hold_music}}{other}", "$", "x", "$${"),
        ("${one}{{system}}{other}", "", "x", "${"),
    ],
)
def test_values_make_nothing_where_they_meet_that_freeswitch_acts_on(around, one, other, made):
    holes = (f"{{{{ user.variables.site_{name} }}}}" for name in ("one", "other"))
    value = around.format(**dict(zip(("one", "other"), holes, strict=True)))
    text = AGENT.replace("<variables>", f'<variables>\n<variable name="site_x" value="{value}"/>')
    harmless = agent(variables={"site_one": "a", "site_other": "b"})
    acted_on = agent(extension="1021", variables={"site_one": one, "site_other": other})
    files, findings = compiled(harmless, acted_on, templates=with_templates(agent=text))
    assert [finding.message for finding in findings] == [
        f"agent:1021: agent.xml.j2 makes {made}, which FreeSWITCH acts on, where it puts values"
    ]
    assert PATH in files.files
