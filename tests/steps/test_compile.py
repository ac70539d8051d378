from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fsgitops
from fsgitops.findings import Position, Severity
from fsgitops.model.compiled import UNKNOWN, Settled
from fsgitops.model.desired import Agent, Desired, DidRoute, Voicemail
from fsgitops.model.resource import Kind, Resource
from fsgitops.model.templates import Templates
from fsgitops.routing.fragment import flatten_fragment, read_items
from fsgitops.secret import ProjectKey, a1_hash, derive_sip_password, derive_voicemail_pin
from fsgitops.steps.compile import compile_config
from fsgitops.steps.compile.source import DECIDING
from fsgitops.steps.read_templates import packaged_templates, read_templates

KEY = ProjectKey(bytes(range(32)))
DOMAIN = "pbx.example.com"
GOLDEN = Path(__file__).resolve().parent.parent / "golden" / "compile"
PACKAGED, _ = read_templates(None)
PATH = "directory/default/1020.xml"
AGENT = (packaged_templates() / "agent.xml.j2").read_text()
ROUTE = (packaged_templates() / "did_route.xml.j2").read_text()
DIALPLAN = "dialplan/default/10_fsgitops_agents.xml"


def with_templates(**changed):
    sources = dict(PACKAGED.sources)
    for name, text in changed.items():
        sources[f"{name}.xml.j2"] = text
    return Templates(sources)


def agent(**fields):
    """An agent as its checks would refuse it too: what is compiled here must defend itself."""
    return Agent.model_construct(**{"extension": "1020", "name": "Ada", **fields})


def compiled(*agents, routes=(), key=KEY, templates=PACKAGED, domain=DOMAIN, **more):
    desired = Desired(tuple(agents), tuple(routes), more.pop("sources", {}))
    return compile_config(desired, domain=domain, templates=templates, key=key, **more)


def one_user(*agents, **more):
    config, findings = compiled(*agents, **more)
    assert findings == []
    return ElementTree.fromstring(config.files[PATH].content).find("user")


def values(user, box, tag):
    return {item.get("name"): item.get("value") for item in user.find(box).findall(tag)}


@pytest.mark.parametrize("case", sorted(path.name for path in GOLDEN.iterdir()))
def test_golden(case):
    folder = GOLDEN / case
    declared = json.loads((folder / "desired.json").read_text())
    config, findings = compiled(
        *(Agent(**item) for item in declared.get("agents", ())),
        routes=[DidRoute(**item) for item in declared.get("did_routes", ())],
        key=KEY if declared.get("key", True) else None,
        **declared.get("settings", {}),
    )
    assert findings == []
    expected = folder / "expected"
    there = {str(path.relative_to(expected)): path for path in expected.rglob("*.xml")}
    assert {path: file.content.decode() for path, file in config.files.items()} == {
        path: file.read_text() for path, file in there.items()
    }


def test_the_same_input_gives_the_same_bytes_in_any_order():
    agents = [agent(extension=f"10{n}", name=str(n)) for n in range(20, 40)]
    forward, _ = compiled(*agents)
    backward, _ = compiled(*reversed(agents))
    assert forward.files == backward.files
    assert list(forward.files) == sorted(backward.files)


def test_the_hashes_are_those_of_the_derived_secrets():
    params = values(one_user(agent(voicemail=Voicemail())), "params", "param")
    password = derive_sip_password(KEY, "1020", DOMAIN, 1)
    pin = derive_voicemail_pin(KEY, "1020", DOMAIN, 1)
    assert params["a1-hash"] == a1_hash("1020", DOMAIN, password).reveal()
    assert params["vm-a1-hash"] == a1_hash("1020", DOMAIN, pin).reveal()


def test_neither_password_nor_pin_is_in_any_file():
    config, _ = compiled(agent(voicemail=Voicemail(pin="739182")))
    everything = b"".join(file.content for file in config.files.values())
    assert derive_sip_password(KEY, "1020", DOMAIN, 1).reveal().encode() not in everything
    assert b"739182" not in everything


def test_raising_the_version_changes_the_password_and_nothing_else():
    before, after = (
        flatten_fragment(compiled(agent(password_version=n))[0].files[PATH].content) for n in (1, 2)
    )
    assert {name for name in before if before[name] != after[name]} == {"param a1-hash"}


def test_secret_spans_are_exactly_the_hashes():
    file = compiled(agent(voicemail=Voicemail()))[0].files[PATH]
    flat = flatten_fragment(file.content)
    found = [file.content[start:end].decode() for start, end in file.secret_spans]
    assert found == [flat["param a1-hash"], flat["param vm-a1-hash"]]


def test_without_a_key_the_secrets_are_unknown_and_the_rest_is_the_same():
    with_key = flatten_fragment(compiled(agent())[0].files[PATH].content)
    config, findings = compiled(agent(), key=None)
    file = config.files[PATH]
    assert findings == []
    assert file.unknown
    assert [file.content[start:end].decode() for start, end in file.secret_spans] == [UNKNOWN]
    assert flatten_fragment(file.content) == {**with_key, "param a1-hash": UNKNOWN}


def test_a_secret_that_stands_elsewhere_is_never_derived_in_its_place():
    one = agent(password={"env": "X"}, voicemail=Voicemail(pin={"env": "Y"}))
    flat = flatten_fragment(compiled(one)[0].files[PATH].content)
    assert (flat["param a1-hash"], flat["param vm-a1-hash"]) == (UNKNOWN, UNKNOWN)


def test_webrtc_variables_stand_only_where_webrtc_is_on():
    on = values(one_user(agent(webrtc=True)), "variables", "variable")
    off = values(one_user(agent()), "variables", "variable")
    assert {name: on[name] for name in on.keys() - off.keys()} == {
        "media_webrtc": "true",
        "rtp_secure_media": "true",
        "rtp_secure_media_inbound": "true",
        "rtp_secure_media_outbound": "true",
        "sip_secure_media": "true",
    }


def test_an_agent_without_voicemail_has_none():
    user = one_user(agent())
    assert values(user, "params", "param")["vm-enabled"] == "false"
    assert values(user, "variables", "variable")["fsgitops_voicemail"] == "false"


@pytest.mark.parametrize(
    ("fields", "defaults", "name", "number"),
    [
        ({}, {}, "$${outbound_caller_name}", "$${outbound_caller_id}"),
        ({}, {"default_caller_id": "+1", "default_caller_name": "Us"}, "Us", "+1"),
        (
            {"caller_id_name": "Me", "caller_id_number": "+2"},
            {"default_caller_id": "+1", "default_caller_name": "Us"},
            "Me",
            "+2",
        ),
    ],
)
def test_who_is_shown_outside(fields, defaults, name, number):
    shown = values(one_user(agent(**fields), **defaults), "variables", "variable")
    assert (shown["outbound_caller_id_name"], shown["outbound_caller_id_number"]) == (name, number)


def test_a_declared_variable_replaces_ours_whatever_its_case():
    shown = values(
        one_user(agent(variables={"CallGroup": "x"}, groups=("a",))), "variables", "variable"
    )
    assert shown["callgroup"] == "x"
    assert "CallGroup" not in shown


def test_what_is_disabled_has_no_file():
    route = DidRoute(did_number="+19495431333", destination_extension="1020", enabled=False)
    config, findings = compiled(agent(enabled=False), routes=[route])
    assert (dict(config.files), dict(config.users), dict(config.routes), findings) == (
        {},
        {},
        {},
        [],
    )


def test_the_agents_dialplan_does_not_depend_on_which_agents_there_are():
    first = compiled(agent())[0].files[DIALPLAN]
    second = compiled(agent(extension="200000", voicemail=Voicemail()))[0].files[DIALPLAN]
    assert first == second


def test_only_digits_reach_the_directory_look_up():
    items, _ = read_items(compiled(agent())[0].files[DIALPLAN].content)
    fields = [items[at + 1] for at, item in enumerate(items) if item == "field"]
    assert fields[0::2] == ["destination_number"] * 2
    assert all(field.startswith("${user_data(") for field in fields[1::2])
    expressions = [items[at + 1] for at, item in enumerate(items) if item == "expression"]
    assert set(expressions[0::2]) == {r"^[0-9]{4,6}\z"}


def test_sources_lead_back_to_the_yaml():
    source = Position("desired/a.yaml", 7, 3)
    config, _ = compiled(agent(), sources={Resource(Kind.AGENT, "1020"): source})
    assert config.files[PATH].source == source
    assert config.files[DIALPLAN].resource == Resource(Kind.DIALPLAN, "agents")


# What cannot be written


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"name": "${system rm}"}, r"\$\{"), ({"name": "$${domain}"}, r"\$\{"),
        ({"name": "x-pre-PROCESS"}, "X-PRE-PROCESS"), ({"name": "a\nb"}, "control"),
        ({"name": "a\0"}, "control"), ({"name": "\ufffe"}, "XML"), ({"name": "\ud800"}, "XML"),
        ({"name": "<!"}, "escaping"), ({"name": UNKNOWN}, "known"),
        ({"context": "a${b}"}, "user_context"),
        ({"groups": ("a,b",)}, "groups"), ({"groups": ("$${a", "b}")}, "callgroup"),
        ({"toll_allow": ("a,b",)}, "toll_allow"),
        ({"variables": {"x": "${y}"}}, "'x'"), ({"variables": {"x": "$$${a}{b}"}}, "'x'"),
        ({"variables": {"x": "$${a b}"}}, "'x'"), ({"variables": {"a b": "1"}}, "name"),
        ({"variables": {'a"': "1"}}, "name"), ({"variables": {"": "1"}}, "name"),
        ({"variables": {"a": "1", "A": "2"}}, "case"),
        ({"variables": {"fsgitops_agent": "false"}}, "relies"),
        ({"variables": {"Destination_Number": "1"}}, "relies"),
        ({"variables": {"execute_on_answer": "system x"}}, "run"),
        ({"variables": {"api_hangup_hook": "system x"}}, "run"),
        ({"variables": {"nolocal:api_hangup_hook": "system x"}}, "run|name"),
        ({"variables": {"hold_music": "shell_stream:///bin/sh"}}, "command"),
        ({"variables": {"bridge_pre_execute_bleg_app": "system"}}, "run"),
        ({"voicemail": Voicemail.model_construct(email="a@b.c;reboot")}, "shell"),
        ({"voicemail": Voicemail.model_construct(email="-oX@b.c")}, "shell"),
        ({"extension": "../../x"}, "digits"), ({"extension": "١٠٢٠"}, "digits"),
        ({"extension": "1020\n"}, "digits"),
    ],
)  # fmt: skip
def test_an_agent_that_must_not_be_written_is_a_finding_with_its_place(fields, reason):
    bad = agent(**fields)
    source = Position("desired/a.yaml", 7, 3)
    config, findings = compiled(bad, sources={Resource(Kind.AGENT, bad.extension): source})
    assert dict(config.files) == {}
    assert {(item.severity, item.position) for item in findings} == {(Severity.ERROR, source)}
    assert any(re.search(reason, item.message) for item in findings)


@pytest.mark.parametrize(
    "fields",
    [{"did_number": "19495431333"}, {"did_number": "+1/../x"}, {"did_number": "+1949543133\n"},
     {"destination_extension": "1020 XML public"}, {"destination_extension": ".*"}],
)  # fmt: skip
def test_a_route_that_must_not_be_written_is_a_finding(fields):
    route = DidRoute.model_construct(
        **{"did_number": "+19495431333", "destination_extension": "1020", **fields}
    )
    config, findings = compiled(routes=[route])
    assert dict(config.files) == {}
    assert len(findings) == 1


@pytest.mark.parametrize(
    "domain", ["", "a b", "a}", "$${domain}", "a\n", "-a", "a/b", "a)", "ä.de"]
)
def test_a_domain_that_is_none_is_a_finding(domain):
    config, findings = compiled(agent(), domain=domain)
    assert (dict(config.files), [item.position.file for item in findings]) == (
        {},
        ["fsgitops.yaml"],
    )


def test_the_default_caller_id_is_checked_like_any_value():
    _, findings = compiled(agent(), default_caller_id="${x}", default_caller_name="<ok>")
    assert ["${x}" in item.message for item in findings] == [True]


def test_two_resources_of_one_file_are_a_finding():
    config, findings = compiled(agent(), agent(name="Bob"))
    assert [item.rule for item in findings] == ["compile"]
    assert b"Ada" in config.files[PATH].content


def test_one_bad_agent_does_not_hide_another():
    _, findings = compiled(agent(name="${a}"), agent(extension="1021", name="${b}"))
    assert len(findings) == 2


def test_a_global_variable_passes_in_variables():
    user = one_user(agent(variables={"hold_music": "$${hold_music}"}))
    assert values(user, "variables", "variable")["hold_music"] == "$${hold_music}"


# Any text at all

any_text = st.text(st.characters(), max_size=40) | st.text(
    "<>&\"'${}-!#?\n\t x-PRE-process", max_size=25
)
hostile = st.sampled_from([
    '"/></variables></user><user id="9999"><params>', "]]>", "<!--", "-->", "<include>",
    "</include>", "<?xml?>", "&#36;{x}", "&lt;", "&", "'", '"', "\u2028", "\u0085", "\xa0",
    "{{ x }}", "{% raw %}", "<X-PRE-PROCESS cmd='exec' data='x'/>", "<!--#exec x-->", "\\", "`id`",
    "fsgitopsneutral0z", " leading", "trailing ", "", "%s", "\U0001f600",
])  # fmt: skip
texts = any_text | hostile | st.builds("".join, st.lists(hostile, max_size=3))


@settings(max_examples=300, deadline=None)
@given(texts, texts, texts, texts, st.booleans())
def test_any_text_comes_back_exactly_or_is_a_finding(name, caller, group, variable, known):
    subject = agent(
        name=name, caller_id_name=caller, groups=(group,), variables={"x": variable}, webrtc=True
    )
    config, findings = compiled(subject, key=KEY if known else None)
    if findings:
        assert PATH not in config.files
        return
    items, directives = read_items(config.files[PATH].content)
    neutral = (
        compiled(agent(name="n", groups=("g",), variables={"x": "v"}, webrtc=True), key=KEY)[0]
        .files[PATH]
        .content
    )
    assert directives == ()
    structure = [
        item for item in items if item[:1] in ("<", ">") or item in ("name", "value", "id")
    ]
    assert len(items) == len(read_items(neutral)[0])
    assert structure.count("<user") == 1
    flat = flatten_fragment(config.files[PATH].content)
    assert flat["user"] == "1020"
    assert flat["variable effective_caller_id_name"] == (caller or name)
    assert flat["variable callgroup"] == group
    assert flat["variable x"] == variable


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=12), st.text(max_size=12))
def test_any_route_is_exactly_one_route_or_a_finding(did, destination):
    route = DidRoute.model_construct(
        did_number=did, destination_extension=destination, enabled=True
    )
    config, findings = compiled(routes=[route])
    assert bool(findings) != bool(config.files)


# Templates


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
        sources={Resource(Kind.AGENT, "1020"): source},
    )
    assert PATH not in config.files
    assert [item.position for item in findings] == [source]
    assert "templates/agent.xml.j2" in findings[0].message


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (ROUTE.replace("{{ destination }} XML", "9999 XML"), "transfers"),
        (ROUTE.replace("inbound_{{ digits }}", "inbound"), "exactly one <extension"),
        (ROUTE.replace("{{ digits }})$", "[0-9]*)$"), "compares"),
    ],
)
def test_a_route_template_must_route(text, reason):
    route = DidRoute(did_number="+19495431333", destination_extension="1020")
    _, findings = compiled(routes=[route], templates=with_templates(did_route=text))
    assert [reason in item.message for item in findings] == [True]


@pytest.mark.parametrize(
    "text", ["", "<include>\n</include>\n", "<include>\n<extension/>\n</include>\n"]
)
def test_a_dialplan_template_must_be_a_dialplan(text):
    _, findings = compiled(agent(), templates=with_templates(agents_dialplan=text))
    assert len(findings) == 1


def test_a_missing_template_is_a_finding():
    sources = {name: text for name, text in PACKAGED.sources.items() if "did" not in name}
    _, findings = compiled(agent(), templates=Templates(sources))
    assert [item.position.file for item in findings] == ["templates/did_route.xml.j2"]


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
    text = ROUTE.replace("^(", "^((", 1)
    assert text != ROUTE
    route = DidRoute(did_number="+19495431333", destination_extension="1020")
    _, findings = compiled(agent(), routes=(route,), templates=with_templates(did_route=text))
    assert any("is not a regular expression" in finding.message for finding in findings)


# What was proved before


def settle(config):
    return {path: Settled(file.inputs, file.sha256) for path, file in config.files.items()}


def test_what_an_apply_proved_and_wrote_is_not_rendered_again():
    first, _ = compiled(agent(), agent(extension="1021"))
    second, findings = compiled(agent(), agent(extension="1021"), settled=settle(first))
    assert findings == []
    assert [file.settled for file in second.files.values()] == [True, True, True]
    assert [file.sha256 for file in second.files.values()] == [
        file.sha256 for file in first.files.values()
    ]


def test_what_changed_since_is_rendered_as_if_nothing_had_been_settled():
    first, _ = compiled(agent(), agent(extension="1021"))
    changed = (agent(name="Anna"), agent(extension="1021"))
    second, _ = compiled(*changed, settled=settle(first))
    assert second.files[PATH] == compiled(*changed)[0].files[PATH]


@pytest.mark.parametrize("name", DECIDING)
def test_every_source_that_decides_on_the_output_is_part_of_the_digest(name):
    assert (Path(fsgitops.__file__).parent / name).is_file()


def test_another_key_settles_nothing():
    first, _ = compiled(agent())
    other = ProjectKey(bytes(range(7, 39)))
    second, _ = compiled(agent(), key=other, settled=settle(first))
    assert not second.files[PATH].settled


def test_another_template_settles_nothing():
    first, _ = compiled(agent())
    text = AGENT.replace("<params>", '<params>\n      <param name="sip-force-expires" value="60"/>')
    second, _ = compiled(agent(), templates=with_templates(agent=text), settled=settle(first))
    assert b"sip-force-expires" in second.files[PATH].content


@pytest.mark.parametrize(
    "changed",
    [
        {"name": "Bob"}, {"variables": {"x": "y"}}, {"webrtc": True}, {"password_version": 2},
        {"voicemail": Voicemail()}, {"groups": ("a",)},
    ],
)  # fmt: skip
def test_the_digest_of_the_inputs_follows_every_declared_value(changed):
    assert (
        compiled(agent())[0].files[PATH].inputs != compiled(agent(**changed))[0].files[PATH].inputs
    )


@pytest.mark.parametrize(
    "changed",
    [{"key": None}, {"domain": "b.example"}, {"default_caller_id": "+1"},
     {"templates": with_templates(agent=AGENT + "\n")}],
)  # fmt: skip
def test_the_digest_of_the_inputs_follows_everything_else_too(changed):
    first, second = compiled(agent())[0], compiled(agent(), **changed)[0]
    assert first.files[PATH].inputs != second.files[PATH].inputs


# Reading the templates


def test_without_a_folder_the_packaged_templates_are_read(tmp_path):
    for folder in (None, tmp_path / "absent"):
        templates, findings = read_templates(folder)
        assert findings == []
        assert sorted(templates.sources) == [
            "agent.xml.j2",
            "agents_dialplan.xml.j2",
            "did_route.xml.j2",
        ]


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
