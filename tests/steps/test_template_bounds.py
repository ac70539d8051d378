"""Whatever a template does, it ends soon and stays small: a budget of steps, not of seconds."""

from __future__ import annotations

import pytest
from compiling import AGENT, PATH, agent, compiled, with_templates

from fsgitops.model.draft import Templates
from fsgitops.steps.read_templates import read_templates

BIG = "{% for a in range(60000) %}"
DOUBLING = "{% set n = namespace(t='x') %}{% for a in range(64) %}{% set n.t = @ %}{% endfor %}"
MACRO = "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(60) }}"


@pytest.mark.parametrize(
    "text",
    [
        BIG * 3 + "{% endfor %}" * 3,
        "{% for a in range(10 ** 9) %}{% endfor %}",
        "{% for a in range(99999999) %}{% endfor %}",
        "{% for a in 'x' * 99999999 %}{% endfor %}",
        "{% for a in [1] * 60000 %}{% for b in [1] * 60000 %}{% endfor %}{% endfor %}",
        "{% for a in range(60000) if a is divisibleby(7) %}" + BIG + "{% endfor %}" * 2,
        "{% for a in [[1]] recursive %}{{ loop(range(60000)) }}{% endfor %}",
        "{% set x %}" + BIG * 2 + "long" * 50 + "{% endfor %}" * 2 + "{% endset %}{{ x|length }}",
        "{{ range(60000)|join('y' * 60000)|length }}",
        BIG + "{% set x = range(60000)|sum %}{% endfor %}",
        BIG + "{{ range(60000)|list|length }}{% endfor %}",
        "{{ 9 ** 9 ** 9 }}",
        "{{ '%999999999d' % 1 }}",
        "{{ '{:999999999}'.format(1) }}",
        "{{ '{:999999999}'['for' ~ 'mat'](1) }}",
        "{{ 'x'.ljust(999999999) }}",
        "{{ ('x' * 60000)|replace('x', 'y' * 60000)|length }}",
        DOUBLING.replace("@", "n.t ~ n.t"),
        DOUBLING.replace("@", "n.t + n.t"),
        DOUBLING.replace("@", "n.t * 2"),
        DOUBLING.replace("@", "(n.t, n.t)|join"),
        DOUBLING.replace("'x'", "2").replace("@", "n.t * n.t"),
        DOUBLING.replace("@", "[n.t, n.t]"),
        DOUBLING.replace("@", "(n.t, n.t)"),
        DOUBLING.replace("@", "{1: n.t, 2: n.t}"),
        DOUBLING.replace("@", "dict(a=n.t, b=n.t)"),
        DOUBLING.replace("@", "n.t.replace('x', 'x' * 9)"),
        "{{ ('x' * 60000).join(['y'] * 60000) }}",
        "{{ [namespace()]|join }}",
        "{{ namespace() }}",
        MACRO,
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{% include 'agent.xml.j2' %}",
    ],
)
def test_a_template_without_an_end_is_a_finding(text: str) -> None:
    config, findings = compiled(agent(), templates=with_templates(agent=AGENT + text))
    assert PATH not in config.files
    assert [item.position.file for item in findings] == ["templates/agent.xml.j2"]
    assert findings[0].hint


def test_includes_that_branch_without_an_end_are_a_finding() -> None:
    sources = dict(with_templates().sources)
    sources["agent.xml.j2"] = AGENT + "{% set n = 60 %}{% include 'b.xml.j2' %}"
    sources["b.xml.j2"] = (
        "{% if n %}{% set n = n - 1 %}" + "{% include 'b.xml.j2' %}" * 2 + "{% endif %}"
    )
    _, findings = compiled(agent(), templates=Templates(sources))
    assert [item.position.file for item in findings] == ["templates/agent.xml.j2"]


def test_a_finding_says_how_much_it_was() -> None:
    text = AGENT + "\n" + BIG * 2 + "{% endfor %}" * 2
    _, [finding] = compiled(agent(), templates=with_templates(agent=text))
    assert "takes more than 200,000 steps" in finding.message
    assert finding.position.line == AGENT.count("\n") + 2


def test_an_agent_with_all_its_variables_is_far_from_the_bound() -> None:
    many = agent(variables={f"site_{n}": "x" * 1024 for n in range(100)}, webrtc=True)
    loops = "{% for a, b in user.variables|items %}{% for c in range(4) %}{% endfor %}{% endfor %}"
    config, findings = compiled(many, templates=with_templates(agent=AGENT + loops))
    assert findings == []
    assert PATH in config.files


def test_every_file_has_the_whole_budget() -> None:
    agents = [agent(extension=str(number)) for number in range(1000, 1400)]
    config, findings = compiled(*agents, templates=read_templates(None)[0])
    assert (findings, len(config.files)) == ([], 402)
