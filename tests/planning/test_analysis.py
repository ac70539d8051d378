"""What the rules of the dialplan find is told by the plan that brings it in, and counted else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from existing_site import existing_site, put

if TYPE_CHECKING:
    from project import Project

SPY = """\
<extension name="spy">
<condition field="destination_number" expression="^779$">
<action application="{}" data="{}"/>
</condition>
</extension>
"""
TRUNK = """\
<include>
<gateway name="trunk">
<param name="proxy" value="sip.example.com"/>
<param name="register" value="false"/>
</gateway>
</include>
"""
TEMPLATE = """\
<include>
<extension name="inbound_{{{{ digits }}}}">
<condition field="destination_number" expression="{{{{ expression }}}}">
<action application="export" data="force_transfer_context=fsgitops_transfer"/>
<action application="{}" data="{}"/>
<action application="transfer" data="{{{{ destination }}}} XML {{{{ context }}}}"/>
</condition>
</extension>
</include>
"""


@pytest.fixture
def site(project: Project) -> Project:
    return existing_site(project)


def test_an_error_that_a_plan_brings_in_stops_it(site: Project) -> None:
    site.write("templates/did_route.xml.j2", TEMPLATE.format("execute_extension", "1 XML gone"))
    told = 'sends calls to the context "gone", which is not there'
    out = site.run("plan").out
    assert told in out
    assert "In the way" in out
    ran = site.run("apply", "--yes")
    assert (ran.code, "[missing-context]" in ran.err) == (4, True)


def test_a_template_that_lets_strangers_dial_out_stops_the_plan(site: Project) -> None:
    put(site, "sip_profiles/external/trunk.xml", TRUNK)
    text = TEMPLATE.format("bridge", "sofia/gateway/trunk/${destination_number}")
    template = site.write("templates/did_route.xml.j2", text)
    assert "warning: desired/routes.yaml:2:5: a stranger who dials" in site.run("plan").out
    template.write_text(text.replace('"{{ expression }}"', '"^{{ digits }}([0-9]+)$"'))
    told = 'a stranger who dials "194954313330" has the switch dial "194954313330" over the gateway'
    assert told in site.run("plan").out
    ran = site.run("apply", "--yes")
    assert (ran.code, "[toll-fraud]" in ran.err) == (4, True)


def test_of_what_is_alike_one_stands_for_all(site: Project) -> None:
    site.write("templates/did_route.xml.j2", TEMPLATE.format("execute_extension", "1 XML gone"))
    numbers = "".join(
        f"  - {{did_number: +1949543{at}, destination_extension: 1020}}\n"
        for at in range(2000, 2050)
    )
    site.write("desired/more.yaml", f"did_routes:\n{numbers}")
    assert site.run("plan", "--full").out.count("[missing-context]") == 1


def test_a_warning_that_a_plan_brings_in_is_shown_once(site: Project) -> None:
    site.write("templates/did_route.xml.j2", TEMPLATE.format("eavesdrop", "all"))
    assert "will not be routed: listens in on all" in site.run("plan").out
    settings = site.root / "fsgitops.yaml"
    settings.write_text(settings.read_text() + "rules: {lost-call: off}\n")
    ran = site.run("apply", "--yes")
    assert ran.code == 0, ran.err
    told = '  warning: desired/routes.yaml:2:5: the extension "inbound_19495431333" listens in'
    assert told in ran.out
    assert "warning: " not in site.run("plan").out
    agents = site.root / "desired/agents.yaml"
    agents.write_text(agents.read_text().replace("Alice", "Anna"))
    assert "warning: the dialplan already has 1 finding" in site.run("plan").out


def test_what_stands_in_hand_written_files_is_counted_and_stops_nothing(site: Project) -> None:
    put(site, "dialplan/default/50_spy.xml", SPY.format("eavesdrop", "all"))
    lost = SPY.format("transfer", "1 XML gone").replace("779", "778")
    put(site, "dialplan/default/51_gone.xml", lost)
    ran = site.run("apply", "--yes")
    assert ran.code == 0, ran.err
    told = "the dialplan already has 2 findings, 1 error among them: see `fsgitops lint --dialplan`"
    assert told in ran.out
    assert "eavesdrop" not in ran.out


def test_a_rule_that_is_off_is_neither_told_nor_counted(site: Project) -> None:
    put(site, "dialplan/default/50_spy.xml", SPY.format("eavesdrop", "all"))
    settings = site.root / "fsgitops.yaml"
    settings.write_text(settings.read_text() + "rules: {listening-in: off}\n")
    assert "warning: " not in site.run("plan").out


def test_a_silence_on_the_line_of_a_resource_holds_for_its_files(site: Project) -> None:
    site.write("templates/did_route.xml.j2", TEMPLATE.format("eavesdrop", "all"))
    routes = site.root / "desired/routes.yaml"
    because = "  # fsgitops: ignore[listening-in] because the number is for supervisors\n"
    routes.write_text(routes.read_text().rstrip("\n") + because)
    assert "warning: " not in site.run("plan").out
