"""A template that only puts values out is filled, not rendered: same bytes, same refusals."""

from __future__ import annotations

from contextlib import nullcontext
from unittest.mock import patch

import pytest
from compiling import AGENT, PATH, agent, compiled, with_templates
from hypothesis import given, settings
from hypothesis import strategies as st

from fsgitops.model.draft import Draft, DraftError, Global, Templates
from fsgitops.rules.texts import unsafe_reason
from fsgitops.steps.compile.program import Program, Programs, TemplateError

PIECES = (
    *("{{ name }}", "{{ box.k }}", "{{ box['k'] }}", "{{ words[0] }}", "{{ mode }}", "{{ 7 }}"),
    "{% for word in words %}{{ word }}{% if not loop.last %},{% endif %}{% endfor %}",
    "{% for key, value in box|items %}{{ loop.index }}{{ key }}={{ value }}{% endfor %}",
    "{% for item in parts if mode == 'a' %}{{ item.x }}{{ item['y'] }}{% else %}-{% endfor %}",
    "{% if other is defined %}{{ other }}{% else %}{{ name }}{% endif %}",
    "{{ name if mode == 'a' or other is undefined else box.k }}",
    "{% set kept = name %}{{ kept }}",
    "{% include 'more.xml.j2' %}",
    *("X-PRE-", "process", "a&amp;b", "${one}", "$1"),
)
DECIDING = ("{{ name[0] }}", "{{ name|upper }}", "{% if name > box.k %}x{% endif %}{{ name }}")
MORE = '{{ name }}{% for item in parts %}{% if mode == "b" %}{{ item.y }}{% endif %}{% endfor %}'

HOSTILE = st.sampled_from((
    *("", "X-PRE-", "process", "fsgitopsneutral0z", "{{ name }}", "{% if", "'\"&<>", "&amp;"),
    *("<include>", "-->", "]]>", "\u00e9\u2066\U0001fffe", " ", "?>", "\\z", "a" * 63, "b" * 64),
))  # fmt: skip
FIRST = 3
"""How often a template is rendered for a shape: with real values, made-up words, opaque ones."""
NAMES = st.sampled_from(("other", "fsgitopsneutral1z"))
LETTERS = st.characters(
    exclude_categories=("Cc", "Cs"), exclude_characters="\u2028\u2029\ufffe\uffff`"
)
TEXTS = HOSTILE | st.text(LETTERS, max_size=9).filter(lambda text: not unsafe_reason(text))


@st.composite
def drafts(draw: st.DrawFn) -> list[Draft]:
    """Some drafts of one shape."""
    count, length = draw(st.integers(2, 4)), draw(st.integers(1, 3))
    other, mode, key = draw(st.booleans()), draw(st.sampled_from("ab")), draw(NAMES)
    return [
        Draft(
            "directory/default/1.xml",
            "one.xml.j2",
            {
                "name": draw(TEXTS),
                "words": [draw(TEXTS) for _ in range(length)],
                "box": {"k": draw(TEXTS), key: draw(TEXTS)},
                "parts": [{"x": draw(TEXTS), "y": draw(TEXTS)} for _ in range(length)],
                "hash": draw(TEXTS),
                **({"other": draw(TEXTS)} if other else {}),
            },
            {"mode": mode},
            frozenset({("hash",)}),
        )
        for _ in range(count)
    ]


def draft_of(**values):
    given = {"name": "Ada", "box": {"k": "process"}, "hash": "0", **values}
    return Draft("directory/default/1.xml", "one.xml.j2", given, {}, frozenset({("hash",)}))


def source(pieces):
    lines = [f'<e{at} name="{text}"/>' for at, text in enumerate(pieces)]
    secret = '<param name="a1-hash" value="{{ hash }}"/>'
    return "\n".join(["<include>", *lines, secret, "</include>", ""])


def outcomes(text, made, *, always_render):
    """What becomes of each draft, and how often the template was rendered for that."""
    programs = Programs(Templates({"one.xml.j2": text, "more.xml.j2": MORE}))
    noticed = patch.object(Programs, "is_noticed", return_value=False)
    render = patch.object(Program, "render", autospec=True, side_effect=Program.render)
    found = []
    with noticed if always_render else nullcontext(), render as renderings:
        program = programs.get("one.xml.j2")
        for draft in made:
            try:
                found.append(program.run(draft, "kind", *draft.read()))
            except (DraftError, TemplateError) as problem:
                found.append(str(problem))
    return found, renderings.call_count


def findings_of(template, *agents):
    """What is said of agents, and that it is the same where each file is rendered."""
    templates = with_templates(agent=template)
    config, findings = compiled(*agents, templates=templates)
    with patch.object(Programs, "is_noticed", return_value=False):
        rendered, expected = compiled(*agents, templates=templates)
    assert (config.files, findings) == (rendered.files, expected)
    return config, [item.message for item in findings]


@settings(deadline=None)  # it compiles templates
@given(st.lists(st.lists(st.sampled_from(PIECES), max_size=4).map("".join), max_size=3), drafts())
def test_what_is_filled_is_what_would_be_rendered(pieces, made):
    filled, few = outcomes(source(pieces), made, always_render=False)
    rendered, _ = outcomes(source(pieces), made, always_render=True)
    assert filled == rendered
    plain = all(filled) and "fsgitopsneutral1z" not in made[0].values["box"]
    special = plain and any(b"x-pre-process" in item.content.lower() for item in filled)
    assert few == FIRST or not plain or special


@settings(deadline=None)  # it compiles templates
@given(st.lists(st.sampled_from(PIECES), max_size=3), st.sampled_from(DECIDING), drafts())
def test_a_template_that_decides_has_every_file_rendered(pieces, deciding, made):
    text = source([*pieces, deciding])
    found, count = outcomes(text, made, always_render=False)
    assert found == outcomes(text, made, always_render=True)[0]
    assert count >= len(made)


@pytest.mark.parametrize(
    "piece",
    [
        "{{ 'x' if value == 'Bob' else value }}",
        "{{ 'x' if 'Bob' == value else value }}",
        "{{ 'x' if 'ob' in value else value }}",
        "{{ 'x' if value in 'Bobby' and value|length == 3 else value }}",
        "{{ 'x' if value in ['Bob'] else value }}",
        "{{ 'x' if value in {'Bob': 1} else value }}",
        "{{ 'x' if {'Bob': 1}[value] is defined else value }}",
        "{{ 'x' if value > 'Boa' and value < 'Boc' else value }}",
        "{{ 'x' if not value < 'Bob' and value < 'Boc' else value }}",
        "{{ 'x' if value[0] == 'B' else value }}",
        "{{ 'x' if value.startswith('B') else value }}",
        "{{ 'x' if value|first == 'B' else value }}",
        "{{ 'x' if value|upper == 'BOB' else value }}",
        "{{ 'x' if value ~ '' == 'Bob' else value }}",
        "{{ 'x' if value is eq('Bob') else value }}",
        "{{ 'x' if value is in(['Bob']) else value }}",
        "{{ 'x' if user.variables.values()|list is eq('Bob') or value|e == 'Bob' else value }}",
        "{{ 'x' if (name, value) == ('effective_caller_id_name', 'Bob') else value }}",
        "{% set kept %}{{ value }}{% endset %}{{ 'x' if kept == 'Bob' else value }}",
        "{% macro put(it) %}{{ it }}{% endmacro %}{{ 'x' if put(value) == 'Bob' else value }}",
        "{% set kept %}{{ value }}{% endset %}{{ 'x' if kept == 'Bob' else kept }}",
        "{% macro put(it) %}{{ it }}{% endmacro %}"
        "{% set kept = put(value) %}{{ 'x' if kept == 'Bob' else kept }}",
        "{% for letter in value if letter == 'B' %}x{% else %}{{ value }}{% endfor %}",
        "{% for letter in value %}{{ letter if letter != 'B' else 'x' }}{% endfor %}",
        "{% with it = value %}{{ 'x' if it == 'Bob' else it }}{% endwith %}",
        "{% if loop.changed(value) and value == 'Bob' %}x{% else %}{{ value }}{% endif %}",
        "{{ 'x' if user.variables.effective_caller_id_name == value == 'Bob' else value }}",
        "{{ value|replace('Bob', 'Eve') }}",
        "{% include 'ring_group.xml.j2' if value == 'Bob' else 'no.xml.j2' ignore missing %}"
        "{{ value }}",
    ],
)
def test_a_template_that_decides_on_the_second_value_is_refused_as_ever(piece):
    config, told = findings_of(
        AGENT.replace("{{ value }}", piece), agent(), agent(extension="1021", name="Bob")
    )
    assert "directory/default/1021.xml" not in config.files
    assert (PATH in config.files, len(told)) == (True, 1)


@pytest.mark.parametrize(("piece", "value"), [
    ("{{ 'x' if box[name] is defined else name }}", "k"), ("{{ name or 'x' }}", ""),
])  # fmt: skip
def test_a_value_that_names_another_or_is_empty_decides_nothing(piece, value):
    made = [draft_of(name="Ada"), draft_of(name=value)]
    found, count = outcomes(source([piece]), made, always_render=False)
    assert ([item is None for item in found], count) == ([False, True], FIRST + 1)


def test_a_name_that_looks_like_a_made_up_word_is_no_value():
    made = [draft_of(box={"fsgitopsneutral1z": name}) for name in "ab"]
    text = source(["{% for key, value in box|items %}{{ key }}={{ value }}{% endfor %}"])
    assert outcomes(text, made, always_render=False)[0] == [None, None]


def test_a_template_that_decides_in_one_that_it_includes_is_refused_as_ever():
    sources = with_templates(
        agent=AGENT.replace("{{ value }}", "{% include 'more.xml.j2' %}"),
        more="{% set kept %}{{ value }}{% endset %}{{ 'x' if kept == 'Bob' else kept }}",
    )
    config, [finding] = compiled(agent(), agent(extension="1021", name="Bob"), templates=sources)
    assert PATH in config.files
    assert finding.message.startswith("agent:1021: templates/agent.xml.j2 does not give back")


def test_a_value_too_long_for_a_template_is_refused_as_ever():
    short, long = (draft_of(hash="x" * length) for length in (64_000, 66_000))
    for made in ([short, short], [short, long]):
        found = outcomes(source(["{{ name }}"]), made, always_render=False)[0]
        assert found == outcomes(source(["{{ name }}"]), made, always_render=True)[0]
    assert "longer than 65,536" in found[1]


def test_a_directive_put_together_from_two_values_is_refused():
    made = [draft_of(name="1"), draft_of(name="x-pre-")]
    found, _ = outcomes(source(["{{ name }}{{ box.k }}"]), made, always_render=False)
    assert [item is None for item in found] == [False, True]


def test_files_of_one_shape_are_rendered_no_oftener_than_the_first():
    agents = [agent(extension=str(number)) for number in range(1000, 1100)]
    render = patch.object(Program, "render", autospec=True, side_effect=Program.render)
    with render as renderings:
        config, findings = compiled(*agents)
    assert (findings, len(config.files)) == ([], 102)
    assert renderings.call_count == 3 * FIRST


def test_a_global_is_filled_in_as_it_is():
    made = [draft_of(name=Global("$${domain}")), draft_of(name=Global("$${other}"))]
    found, count = outcomes(source(["{{ name }}"]), made, always_render=False)
    assert [b'name="$${other}"' in item.content for item in found] == [False, True]
    assert count == FIRST
