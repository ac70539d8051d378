from __future__ import annotations

import json
import re

import pytest
from builders import desired, noun, unchecked
from compiling import (
    DIALPLAN,
    DOMAIN,
    GOLDEN,
    KEY,
    PATH,
    agent,
    compile_desired,
    compiled,
    one_user,
    values,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from fsgitops.findings import Position, Severity
from fsgitops.homes.pieces import list_records
from fsgitops.kinds import BUILT_IN
from fsgitops.kinds.agent.user import encode_caller_name
from fsgitops.model.compiled import UNKNOWN
from fsgitops.model.desired import Desired
from fsgitops.model.live import ManifestEntry
from fsgitops.model.resource import Resource
from fsgitops.routing.fragment import flatten_fragment, read_items
from fsgitops.secret.key import a1_hash, derive_sip_password, derive_voicemail_pin


@pytest.mark.parametrize("case", sorted(path.name for path in GOLDEN.iterdir()))
def test_golden(case):
    folder = GOLDEN / case
    declared = json.loads((folder / "desired.json").read_text())
    config, findings = compiled(
        *(
            noun(word, **item)
            for word, kind in BUILT_IN.items()
            for item in declared.get(kind.section, ())
        ),
        key=KEY if declared.get("key", True) else None,
        **{
            name.replace("default_caller", "caller"): value
            for name, value in declared.get("settings", {}).items()
        },
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
    params = values(one_user(agent(voicemail={})), "params", "param")
    password = derive_sip_password(KEY, "1020", DOMAIN, 1)
    pin = derive_voicemail_pin(KEY, "1020", DOMAIN, 1)
    assert params["a1-hash"] == a1_hash("1020", DOMAIN, password).reveal()
    assert params["vm-a1-hash"] == a1_hash("1020", DOMAIN, pin).reveal()


def test_neither_password_nor_pin_is_in_any_file():
    config, _ = compiled(agent(voicemail={"pin": "739182"}))
    everything = b"".join(file.content for file in config.files.values())
    assert derive_sip_password(KEY, "1020", DOMAIN, 1).reveal().encode() not in everything
    assert b"739182" not in everything


def test_raising_the_version_changes_the_password_and_nothing_else():
    before, after = (
        flatten_fragment(compiled(agent(password_version=n))[0].files[PATH].content) for n in (1, 2)
    )
    assert {name for name in before if before[name] != after[name]} == {"param a1-hash"}


def test_secret_spans_are_exactly_the_hashes():
    file = compiled(agent(voicemail={}))[0].files[PATH]
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
    one = agent(password={"env": "X"}, voicemail={"pin": {"env": "Y"}})
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
        ({}, {"caller_id": "+1", "caller_name": "Us"}, "Us", "+1"),
        (
            {"caller_id_name": "Me", "caller_id_number": "+2"},
            {"caller_id": "+1", "caller_name": "Us"},
            "Me",
            "+2",
        ),
    ],
)
def test_who_is_shown_outside(fields, defaults, name, number):
    shown = values(one_user(agent(**fields), **defaults), "variables", "variable")
    assert (shown["outbound_caller_id_name"], shown["outbound_caller_id_number"]) == (name, number)


def test_a_variable_that_the_project_declares_as_its_own_is_written():
    subject = agent(variables={"Department": "sales"})
    config, findings = compile_desired(desired(subject, own_variables=frozenset({"department"})))
    assert findings == []
    assert b'name="Department" value="sales"' in config.files[PATH].content
    assert "does not know the variable" in compiled(subject)[1][0].message


def test_what_was_written_before_is_judged_again_with_todays_names():
    subject = agent(variables={"Department": "sales"})
    own = desired(subject, own_variables=frozenset({"department"}))
    before, _ = compile_desired(own)
    settled = {
        path: ManifestEntry(file.sha256, list_records(file)) for path, file in before.files.items()
    }
    again, findings = compile_desired(desired(subject), settled=settled)
    assert PATH not in again.files
    assert [item.severity for item in findings] == [Severity.ERROR]


def test_what_is_disabled_has_no_file():
    route = noun("did", did_number="+19495431333", destination_extension="1020", enabled=False)
    config, findings = compiled(agent(enabled=False), routes=[route])
    assert (dict(config.files), findings) == ({}, [])


def test_the_agents_dialplan_does_not_depend_on_which_agents_there_are():
    first = compiled(agent())[0].files[DIALPLAN]
    second = compiled(agent(extension="200000", voicemail={}))[0].files[DIALPLAN]
    assert first == second


def test_only_digits_reach_the_directory_look_up():
    items, _ = read_items(compiled(agent())[0].files[DIALPLAN].content)
    fields = [items[at + 1] for at, item in enumerate(items) if item == "field"]
    assert fields[0::2] == ["destination_number"] * 4
    assert all(field.startswith("${user_data(") for field in fields[1::2])
    expressions = [items[at + 1] for at, item in enumerate(items) if item == "expression"]
    assert set(expressions[0::2]) == {r"^[0-9]{4,6}\z"}


def test_every_dialplan_file_closes_its_legs_and_brings_the_context_along():
    route = noun("did", did_number="+19495431333", destination_extension="1020")
    files = compiled(agent(), routes=[route])[0].files
    for path in (DIALPLAN, "dialplan/public/inbound_19495431333.xml"):
        for closing in (
            b'"export" data="force_transfer_context=fsgitops_transfer"',
            b'"export" data="nolocal:outbound_redirect_fatal=true"',
            b'"execute_extension" data="fsgitops_closed XML fsgitops_transfer"',
        ):
            assert closing in files[path].content
    assert "dialplan/fsgitops_transfer.xml" in compiled(routes=[route])[0].files


def test_forwarding_by_the_phone_stands_in_the_directory_only_where_it_is_declared():
    assert "fsgitops_phone_forwarding" not in values(one_user(agent()), "variables", "variable")
    declared = values(one_user(agent(phone_forwarding=True)), "variables", "variable")
    assert declared["fsgitops_phone_forwarding"] == "true"


def test_sources_lead_back_to_the_yaml():
    source = Position("desired/a.yaml", 7, 3)
    config, _ = compiled(agent(), sources={Resource("agent", "1020"): source})
    assert config.files[PATH].part.source == source
    assert config.files[DIALPLAN].part.resource == Resource("dialplan", "agents")


# What cannot be written


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"name": "${system rm}"}, r"\$\{"), ({"name": "$${domain}"}, r"\$\{"),
        ({"name": "x-pre-PROCESS"}, "X-PRE-PROCESS"), ({"name": "a\nb"}, "line break"),
        ({"name": "a\0"}, "control"), ({"name": "\ufffe"}, "XML"), ({"name": "\ud800"}, "XML"),
        ({"name": "<!"}, "markup"), ({"name": UNKNOWN}, "known"),
        ({"context": "a${b}"}, "user_context"),
        ({"groups": ("a,b",)}, "groups"), ({"groups": ("$${a", "b}")}, "callgroup"),
        ({"toll_allow": ("a,b",)}, "toll_allow"),
        ({"variables": {"x": "${y}"}}, "'x'"), ({"variables": {"x": "$$${a}{b}"}}, "'x'"),
        ({"variables": {"x": "$${a b}"}}, "'x'"), ({"variables": {"a b": "1"}}, "name"),
        ({"variables": {'a"': "1"}}, "name"), ({"variables": {"": "1"}}, "name"),
        ({"variables": {"a": "1", "A": "2"}}, "case"),
        ({"variables": {"fsgitops_agent": "false"}}, "reserved"),
        ({"variables": {"Destination_Number": "1"}}, "reserved"),
        ({"variables": {"execute_on_answer": "system x"}}, "harmless"),
        ({"variables": {"api_hangup_hook": "system x"}}, "harmless"),
        ({"variables": {"nolocal:api_hangup_hook": "system x"}}, "not a name"),
        ({"variables": {"hold_music": "shell_stream:///bin/sh"}}, "not a sound"),
        ({"variables": {"vm_operator_extension": "'system:touch /tmp/x' inline"}}, "harmless"),
        ({"voicemail": {"email": "a@b.c;reboot"}}, "shell"),
        ({"voicemail": {"email": "-oX@b.c"}}, "shell"),
        ({"extension": "../../x"}, "digits"), ({"extension": "١٠٢٠"}, "digits"),
        ({"extension": "1020\n"}, "digits"),
    ],
)  # fmt: skip
def test_an_agent_that_must_not_be_written_is_a_finding_with_its_place(fields, reason):
    bad = agent(**fields)
    source = Position("desired/a.yaml", 7, 3)
    config, findings = compiled(bad, sources={Resource("agent", bad.extension): source})
    assert dict(config.files) == {}
    assert {(item.severity, item.position) for item in findings} == {(Severity.ERROR, source)}
    assert any(re.search(reason, item.message) for item in findings)


@pytest.mark.parametrize(
    "fields",
    [{"did_number": "19495431333"}, {"did_number": "+1/../x"}, {"did_number": "+1949543133\n"},
     {"destination_extension": "1020 XML public"}, {"destination_extension": ".*"}],
)  # fmt: skip
def test_a_route_that_must_not_be_written_is_a_finding(fields):
    route = unchecked(
        "did", **{"did_number": "+19495431333", "destination_extension": "1020", **fields}
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


def test_the_caller_id_is_checked_like_any_value():
    _, findings = compiled(agent(), caller_id="${x}", caller_name="<ok>")
    assert ["${x}" in item.message for item in findings] == [True]


def test_two_resources_of_one_file_are_a_finding():
    twins = Desired({"agent": {"1020": agent(), "1021": agent(name="Bob")}})
    config, findings = compile_desired(twins)
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


@settings(max_examples=60, deadline=None)
@given(texts, texts, texts, texts, st.booleans())
def test_any_text_comes_back_exactly_or_is_a_finding(name, caller, group, variable, known):
    subject = agent(
        name=name,
        caller_id_name=caller,
        groups=(group,),
        variables={"site_x": variable},
        webrtc=True,
    )
    config, findings = compiled(subject, key=KEY if known else None)
    if findings:
        assert PATH not in config.files
        return
    items, directives = read_items(config.files[PATH].content)
    neutral = (
        compiled(agent(name="n", groups=("g",), variables={"site_x": "v"}, webrtc=True), key=KEY)[0]
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
    assert flat["variable effective_caller_id_name"] == encode_caller_name(caller or name)
    assert flat["variable callgroup"] == group
    assert flat["variable site_x"] == variable


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=12), st.text(max_size=12))
def test_any_route_is_exactly_one_route_or_a_finding(did, destination):
    route = unchecked("did", did_number=did, destination_extension=destination, enabled=True)
    config, findings = compiled(routes=[route])
    assert bool(findings) != bool(config.files)


# Templates
