"""What becomes of a resource of a project's own kind: a proved dialplan file, or a finding."""

from __future__ import annotations

import pytest
from builders import desired, noun
from compiling import compile_desired, settle, with_templates
from hypothesis import given, settings
from hypothesis import strategies as st
from own_kinds import DECLARED, PATH, SCHEMA, TEMPLATE, changed, kind_of, kinds_with, read

from fsgitops.kinds import BUILT_IN
from fsgitops.kinds.own import OwnKind, faults_of, taken_words
from fsgitops.model.compiled import UNKNOWN
from fsgitops.model.desired import Desired
from fsgitops.model.kind import Kinds
from fsgitops.model.noun import make_noun
from fsgitops.routing.fragment import flatten_fragment, read_items

GOOD = {"name": "warehouse", "extension": "7001", "members": ("1020", "1021")}
AGENTS = [noun("agent", extension=name, name="x") for name in ("1020", "1021")]


@pytest.fixture(scope="module")
def paging(tmp_path_factory):
    return kind_of(tmp_path_factory.mktemp("kind"))


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    return read(tmp_path_factory.mktemp("own"), SCHEMA)[0]


@pytest.mark.parametrize("field", ["members", "beep", "nobody", "pin"])
def test_what_is_dialled_is_a_field_that_is_a_text(own, field):
    assert [name for name, _ in faults_of(DECLARED._replace(dialled=field), own)] == ["dialled"]


def compiled(kind, *groups, template=TEMPLATE, **more):
    of = desired(*AGENTS)
    nouns = {**of.nouns, kind.word: {one.name: one for one in groups}}
    templates = with_templates(paging_group=template)
    return compile_desired(Desired(nouns), kinds=kinds_with(kind), templates=templates, **more)


def group(kind, **fields):
    return kind.noun.model_validate({**GOOD, **fields})


def test_a_resource_becomes_its_file(paging):
    one = group(paging, greeting="Halle Süd", hours=[{"days": "mo-fr", "note": "open"}])
    config, findings = compiled(paging, one)
    assert findings == []
    said = flatten_fragment(config.files[PATH].content)
    password = said.pop("paging_group_warehouse/action 2 set")
    assert password.startswith("paging_password=")
    assert said == {
        "paging_group_warehouse": "extension",
        "paging_group_warehouse/destination_number": "^(7001|paging_warehouse)$",
        "paging_group_warehouse/action 1 set": "call_timeout=20",
        "paging_group_warehouse/action 3 set": "effective_caller_id_name=Halle Süd",
        "paging_group_warehouse/action 4 log": "INFO mo-fr open",
        "paging_group_warehouse/action 5 conference_set_auto_outcall": "user/1020@pbx.example.com",
        "paging_group_warehouse/action 6 conference_set_auto_outcall": "user/1021@pbx.example.com",
        "paging_group_warehouse/action 7 conference": "page_warehouse@default+flags{mute}",
    }


def test_a_template_may_decide_on_choices_and_on_what_is_left_out(paging):
    config, findings = compiled(paging, group(paging, mode="two-way", beep="true"))
    assert findings == []
    text = config.files[PATH].content.decode()
    assert ("tone_stream" in text, "mute" in text, "effective_caller" in text) == (
        True,
        False,
        False,
    )


def test_its_secret_is_where_the_spans_say_and_unknown_without_a_key(paging):
    file = compiled(paging, group(paging))[0].files[PATH]
    [(start, end)] = file.secret_spans
    assert len(file.content[start:end]) == 24
    assert file.content[:start].endswith(b"paging_password=")
    other = compiled(paging, group(paging), key=None)[0].files[PATH]
    assert other.unknown
    assert other.content[slice(*other.secret_spans[0])] == UNKNOWN.encode()


@pytest.mark.parametrize(
    ("template", "told"),
    [
        (TEMPLATE.replace("paging_group_{{ name }}", "paging_group"), "exactly one <extension"),
        (TEMPLATE.replace("</include>", "<extension name='x'/>\n</include>"), "exactly one"),
        (TEMPLATE.replace("</include>", "<context name='x'/>\n</include>"), "exactly one"),
        (TEMPLATE.replace("|{{ reach }}", ""), "no condition compares with {{ reach }}"),
        (TEMPLATE.replace("({{ extension }}", "(({{ extension }}"), "not a regular expression"),
        (TEMPLATE.replace("paging_password={{ pin }}", "x={{ pin }}"), "whose value is shown"),
        (TEMPLATE.replace("{{ greeting }}", "{{ greeting|replace('a', 'b') }}"), "give back"),
        (TEMPLATE.replace("{% if beep %}", "{% if extension == '7001' %}"), "give back"),
        (TEMPLATE.replace("{{ timeout }}", "{{ timeuot }}"), "timeuot"),
        (TEMPLATE.replace("<include>", "<include>\n<X-PRE-PROCESS cmd='x'/>"), "directive"),
    ],
)  # fmt: skip
def test_a_template_is_proved_like_any_other(paging, template, told):
    config, findings = compiled(paging, group(paging, greeting="banana"), template=template)
    assert PATH not in config.files
    assert told in findings[0].message, findings


def free_number(folder):
    def free(schema):
        schema["properties"]["extension"] = {"type": "string"}

    return kind_of(folder, changed(free), DECLARED._replace(dialled="extension"))


@pytest.mark.parametrize(
    ("number", "told"),
    [
        ("*70", "is not a regular expression"), ("+1949", "is not a regular expression"),
        ("7*1", "matches \"7*1\", which is dialled"), ("102.", "is no number to dial"),
        ("70 1", "is no number to dial"),
    ],
)  # fmt: skip
def test_a_number_that_would_match_nothing_or_another_is_refused(tmp_path, number, told):
    kind = free_number(tmp_path)
    config, findings = compiled(kind, group(kind, extension=number))
    assert PATH not in config.files
    assert told in findings[0].message, findings


def test_a_template_may_take_a_number_with_a_star(tmp_path):
    kind = free_number(tmp_path)
    starred = TEMPLATE.replace("({{ extension }}", r"(\{{ extension }}")
    config, findings = compiled(kind, group(kind, extension="*70"), template=starred)
    assert findings == []
    assert rb"^(\*70|" in config.files[PATH].content


def compile_two(folder, template, field):
    """Compile one resource of a kind without a secret, and one of a kind whose `field` is one."""
    schemas = [
        {"properties": {"name": {"type": "string", "x-key": True}, field: said}}
        for said in ({"type": "string"}, {"type": "string", "x-secret": True})
    ]
    kinds = [
        kind_of(
            folder,
            {"type": "object", **schema},
            OwnKind(word, f"{word}s", {f"dialplan/default/{word}_{{name}}.xml": "both.xml.j2"}),
        )
        for word, schema in zip(("open", "closed"), schemas, strict=True)
    ]
    nouns = {
        "open": {"a": kinds[0].noun.model_validate({"name": "a", field: "x"})},
        "closed": {"b": kinds[1].noun.model_validate({"name": "b"})},
    }
    templates = with_templates(both=template)
    return compile_desired(
        Desired(nouns), kinds=Kinds((*BUILT_IN.values(), *kinds)), templates=templates
    )


def test_a_template_of_two_kinds_is_proved_for_each(tmp_path):
    template = """<include>
  <extension name="open_{{ name }}">
    <condition><action application="set" data="a_password={{ word }}"/></condition>
  </extension>
</include>
"""
    config, findings = compile_two(tmp_path, template, "word")
    assert 'exactly one <extension name="closed_{{ name }}">' in findings[0].message
    assert not any("closed" in path for path in config.files)


def test_what_follows_from_the_settings_is_compiled_again_when_they_change(paging, tmp_path):
    before, _ = compiled(paging, group(paging))
    known = settle(before)
    assert compiled(paging, group(paging), settled=known)[0].files[PATH].settled
    other = kind_of(tmp_path, declared=DECLARED._replace(reach="other_{name}"))
    again, findings = compiled(other, group(other), settled=known)
    assert findings == []
    assert b"other_warehouse" in again.files[PATH].content


@pytest.mark.parametrize(
    ("path", "template", "reach"),
    [
        ("vars.xml", "a.xml.j2", ""), ("dialplan/x.xml", "a.xml.j2", ""),
        ("directory/default/{name}.xml", "a.xml.j2", ""),
        ("dialplan/default/x.xml", "a.xml.j2", ""),
        ("dialplan/../{name}.xml", "a.xml.j2", ""), ("dialplan/{name}/x.xml", "a.xml.j2", ""),
        ("dialplan/default/{name}{name}.xml", "a.xml.j2", ""),
        ("/dialplan/default/{name}.xml", "a.xml.j2", ""),
        ("dialplan/default/{extension}.xml", "a.xml.j2", ""),
        ("dialplan/default/{name}.xml", "../a.xml.j2", ""),
        ("dialplan/default/{name}.xml", "a.xml.j2", "{name} XML public"),
        ("dialplan/default/{name}.xml", "a.xml.j2", "paging"),
        ("dialplan/default/{name}.xml", "a.xml.j2", "10.{name}"),
    ],
)  # fmt: skip
def test_files_stand_in_the_dialplan_alone_and_hold_the_key_alone(own, path, template, reach):
    kind = OwnKind("paging_group", "paging_groups", {path: template}, reach)
    assert len(list(faults_of(kind, own))) == 1


def test_a_context_has_one_file_at_most(own):
    two = dict.fromkeys(
        ("dialplan/default/a{name}.xml", "dialplan/default/b{name}.xml"), "a.xml.j2"
    )
    assert list(faults_of(DECLARED._replace(files=two), own))


def test_the_words_of_built_in_kinds_are_taken():
    assert {"agent", "agents", "did", "did_route", "did_routes", "dialplan"} <= taken_words(
        BUILT_IN
    )


any_text = st.text(st.characters(), max_size=30) | st.text("<>&\"'${}-!#?\n\t ,;|`x", max_size=20)
hostile = any_text | st.sampled_from([
    '"/></condition></extension><extension name="x"><condition>', "]]>", "<!--", "${system id}",
    "<X-PRE-PROCESS cmd='exec' data='x'/>", "1020@x,[a=b]sofia/external/9", "fsgitopsneutral0z",
    "{{ x }}", "&lt;", "`id`", "\u2028", UNKNOWN, "^.*$", "a XML public", "\\", "$${domain}",
])  # fmt: skip


@pytest.fixture(scope="module")
def permissive(tmp_path_factory):
    """A kind whose schema lets any text pass: what is left is the compiler's own defence."""

    def let_all_pass(schema):
        properties = schema["properties"]
        for text in (properties["greeting"], properties["members"]["items"]):
            text["pattern"] = "(?s)^.*$"
        properties["hours"]["items"]["properties"]["note"]["pattern"] = "(?s)^.*$"

    return kind_of(tmp_path_factory.mktemp("permissive"), changed(let_all_pass))


@settings(max_examples=40, deadline=None)
@given(hostile, hostile, hostile, st.lists(hostile, max_size=3), st.booleans())
def test_any_text_comes_back_exactly_or_is_refused(
    paging, permissive, name, greeting, note, members, strict
):
    kind = paging if strict else permissive
    name = name if strict else "warehouse"
    values = {**GOOD, "name": name, "greeting": greeting, "members": members,
              "hours": [{"days": "mo", "note": note}]}  # fmt: skip
    one, faults = make_noun(kind.noun, values)
    if faults:
        return
    config, findings = compiled(kind, one)
    path = f"dialplan/default/30_paging_{name}.xml"
    if findings:
        assert path not in config.files
        return
    said = flatten_fragment(config.files[path].content)
    assert read_items(config.files[path].content)[1] == ()
    assert said[f"paging_group_{name}"] == "extension"
    assert f"effective_caller_id_name={greeting}" in said.values()
    assert [value for value in said.values() if value.startswith("user/")] == [
        f"user/{member}@pbx.example.com" for member in members
    ]
