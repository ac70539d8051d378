"""Where hand-written configuration lets a call be moved with somebody else's toll."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from doctor_site import checks

from fsgitops.sandbox.skeleton import write_skeleton

if TYPE_CHECKING:
    from pathlib import Path

    from project import Project

GATEWAY = """\
<include>
<gateway name="trunk">
<param name="proxy" value="sip.example.com"/>
<param name="register" value="false"/>
<param name="context" value="{context}"/>
</gateway>
</include>
"""
EXTENSION = """\
<include>
<extension name="ring_hall">
<condition field="destination_number" expression="^7777$">
{closing}
<action application="bridge" data="user/1020@pbx.example.com"/>
</condition>
</extension>
</include>
"""
CLOSING = '<action application="export" data="force_transfer_context=fsgitops_transfer"/>'
TO_NOWHERE = '<action application="transfer" data="1 XML nowhere"/>'
ONE_WAY = '<param name="disable-transfer" value="true"/>'


@pytest.fixture
def site(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A conf directory in which no leg is open, and no switch that answers."""
    monkeypatch.setenv("FSGITOPS_ESL_PASSWORD", "own")
    monkeypatch.setenv("FSGITOPS_ESL_PORT", "1")
    write_skeleton(project.root / "conf", "pbx.example.com")
    path = project.root / "conf/sip_profiles/external.xml"
    path.write_text(path.read_text().replace("<settings>", f"<settings>\n{ONE_WAY}"))
    assert project.run("apply", "--yes", "--no-reload", "--target", "image").code == 0
    return project


def legs(project: Project) -> list[tuple[str, str]]:
    data = project.run("doctor", "--target", "image", "--json").json()
    found = [check for check in data["checks"] if check["name"] == "open-legs"]
    return [(check["health"], check["message"]) for check in found]


def told(project: Project) -> tuple[str, str]:
    (only,) = legs(project)
    return only


def test_closed_legs_are_told_as_good(site: Project) -> None:
    assert told(site) == ("ok", "no call leg was found that the other side could transfer")


def test_an_outside_profile_that_takes_refer_is_told(site: Project) -> None:
    path = site.root / "conf/sip_profiles/external.xml"
    path.write_text(path.read_text().replace(ONE_WAY, ""))
    health, message = told(site)
    assert (health, "the profile external takes REFER" in message) == ("warning", True)


@pytest.mark.parametrize(("context", "health"), [("default", "error"), ("public", "ok")])
def test_a_gateway_into_the_agents_context_is_an_error(
    site: Project, context: str, health: str
) -> None:
    site.write("conf/sip_profiles/external/trunk.xml", GATEWAY.format(context=context))
    assert told(site)[0] == health


def test_a_gateway_into_a_context_that_agents_declare_is_one_too(site: Project) -> None:
    site.write("conf/sip_profiles/external/trunk.xml", GATEWAY.format(context="sales"))
    path = site.root / "desired/agents.yaml"
    path.write_text(path.read_text().replace("name: Bob", "name: Bob, context: sales"))
    assert told(site)[0] == "error"


@pytest.mark.parametrize(("closing", "health"), [("", "warning"), (CLOSING, "ok")])
def test_an_extension_that_rings_phones_openly_is_told_with_its_place(
    site: Project, closing: str, health: str
) -> None:
    site.write("conf/dialplan/default/20_hall.xml", EXTENSION.format(closing=closing))
    found, message = told(site)
    assert found == health
    assert not closing or "ring_hall" not in message
    assert closing or "20_hall.xml:2:1: the extension ring_hall rings phones" in message


@pytest.mark.parametrize(
    "action",
    [
        '<condition field="source" expression="x">{}</condition>',
        '<condition field="source" expression="x"><anti-action {}</condition>',
    ],
)
def test_so_is_one_that_rings_them_in_a_nested_condition(site: Project, action: str) -> None:
    bridge = '<action application="bridge">user/1020@pbx.example.com</action>'
    if "anti-action" in action:
        bridge = bridge.removeprefix("<action ").replace("</action>", "</anti-action>")
    text = EXTENSION.format(closing=action.format(bridge))
    own = '<action application="bridge" data="user/1020@pbx.example.com"/>\n'
    assert own in text
    site.write("conf/dialplan/default/20_hall.xml", text.replace(own, ""))
    assert "20_hall.xml:2:1: the extension ring_hall rings phones" in told(site)[1]


def test_one_extension_that_goes_on_closes_all_behind_it(site: Project) -> None:
    site.write("conf/dialplan/default/20_hall.xml", EXTENSION.format(closing=""))
    all_calls = f'<extension name="a" continue="true">\n<condition>{CLOSING}</condition>\n'
    site.write("conf/dialplan/default/00_all.xml", f"{all_calls}</extension>\n")
    assert told(site)[0] == "ok"


def test_a_template_of_ones_own_that_closes_nothing_is_told(site: Project) -> None:
    site.write(
        "templates/did_route.xml.j2",
        '<include>\n<extension name="inbound_{{ digits }}">\n'
        '<condition field="destination_number" expression="{{ expression }}">\n'
        '<action application="transfer" data="{{ destination }} XML default"/>\n'
        "</condition>\n</extension>\n</include>\n",
    )
    health, message = told(site)
    assert (health, "closes no call leg" in message) == ("warning", True)


def test_phone_forwarding_without_manual_redirect_is_told(site: Project) -> None:
    path = site.root / "desired/agents.yaml"
    path.write_text(path.read_text().replace("name: Bob", "name: Bob, phone_forwarding: true"))
    health, message = told(site)
    assert (health, "phone_forwarding is declared" in message) == ("warning", True)


def test_the_stock_configuration_is_told_of_its_open_doors(
    project: Project, shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FSGITOPS_ESL_PASSWORD", "own")
    monkeypatch.setenv("FSGITOPS_ESL_PORT", "1")
    shutil.copytree(shared / "freeswitch-conf" / "vanilla", project.root / "conf")
    messages = " ".join(message for _, message in legs(project))
    assert "the profile external takes REFER" in messages
    assert "dialplan/default.xml:247:5: the extension Local_Extension rings phones" in messages
    assert "the profile internal takes REFER" not in messages


def test_what_else_the_rules_of_the_dialplan_find_is_counted(site: Project) -> None:
    check = checks(site)["dialplan"]
    assert (check["health"], check["message"]) == (
        "ok",
        "the rules of the dialplan find nothing else",
    )
    site.write("conf/dialplan/lost.xml", '<context name="lost">\n</context>\n')
    check = checks(site)["dialplan"]
    told = "the rules of the dialplan find 0 errors, 1 warning"
    assert (check["health"], check["message"]) == ("warning", told)
    site.write("conf/dialplan/default/20_to.xml", EXTENSION.format(closing=TO_NOWHERE))
    assert checks(site)["dialplan"]["health"] == "error"


def test_without_a_valid_desired_state_the_dialplan_is_not_judged(site: Project) -> None:
    site.write("desired/more.yaml", "agents: [{extension: 1020, name: Twice}]\n")
    assert checks(site)["dialplan"]["health"] == "skipped"
