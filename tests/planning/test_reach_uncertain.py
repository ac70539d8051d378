"""What only a call can tell, or what the files alone do not decide, is a warning of the plan."""

from __future__ import annotations

import pytest
from existing_site import CATCH_ALL, INBOUND, carrier, edit, existing_site, put
from project import Project


@pytest.fixture
def site(project: Project) -> Project:
    return existing_site(project)


def test_a_number_that_is_taken_in_some_calls_is_a_warning_and_is_applied(site: Project) -> None:
    text = CATCH_ALL.format(name="night", application="hangup")
    text = text.replace('"^(.*)$"', '"^1020$"').replace(
        "<condition ", '<condition hour="0-6"/><condition ', 1
    )
    put(site, "dialplan/default/00_night.xml", text)
    ran = site.run("apply", "--yes")
    assert ran.code == 0, ran.err
    assert "warning: agent 1020 may not ring when it is dialled: the extension `night`" in ran.out
    assert "[perhaps-taken-number]" in ran.out


def test_a_domain_of_which_only_the_switch_knows_a_part_may_be_the_targets(site: Project) -> None:
    edit(site, "directory/default.xml", "$${domain}", "$${hostname}.example.com")
    assert "In the way" not in site.run("plan").out


@pytest.mark.parametrize(
    "binding",
    [
        '<param name="gateway-url" value="http://x" bindings="directory|dialplan"/>',
        '<param name="xml-handler-bindings" value="dialplan"/>',
    ],
)
def test_where_a_module_answers_for_the_dialplan_nothing_is_certain(
    site: Project, binding: str
) -> None:
    text = f'<configuration name="xml_curl.conf"><bindings>{binding}</bindings></configuration>\n'
    put(site, "autoload_configs/xml_curl.conf.xml", text)
    agents = site.root / "desired/agents.yaml"
    agents.write_text(agents.read_text().replace("name: Bob", "name: Bob, context: team"))
    out = site.run("plan").out
    assert "In the way" not in out
    assert "warning: agent 1021 cannot call anybody" in out


def curl(site: Project, section: str) -> None:
    binding = f'<param name="gateway-url" value="http://x" bindings="{section}"/>'
    text = f'<configuration name="xml_curl.conf"><bindings>{binding}</bindings></configuration>\n'
    put(site, "autoload_configs/xml_curl.conf.xml", text)


def test_nor_is_it_certain_there_what_takes_a_number(site: Project) -> None:
    put(site, "dialplan/public/00_ivr.xml", CATCH_ALL.format(name="ivr", application="hangup"))
    curl(site, "dialplan")
    out = site.run("plan").out
    assert "In the way" not in out
    assert "warning: did +19495431333 may not be routed: the extension `ivr`" in out


def test_where_a_module_answers_for_the_profiles_no_context_is_certainly_unused(
    site: Project,
) -> None:
    carrier(site)
    curl(site, "configuration")
    out = site.run("plan").out
    assert "In the way" not in out
    assert "warning: did +19495431333 may not be called: the files name no profile" in out


@pytest.mark.parametrize("command", ["exec-set", "env-set"])
def test_a_context_that_only_the_switch_knows_may_be_any(site: Project, command: str) -> None:
    line = f'<X-PRE-PROCESS cmd="{command}" data="inbound=whatever"/>\n'
    for name in ("internal", "external"):
        file = site.conf / f"sip_profiles/{name}.xml"
        text = file.read_text().replace(INBOUND, INBOUND.replace("public", "$${inbound}"))
        file.write_text(line + text)
    out = site.run("plan").out
    assert "In the way" not in out
    assert "sends calls to a context that only the switch knows" in out


@pytest.mark.parametrize(
    ("application", "data", "certain"),
    [
        ("lua", "route.lua", False),
        ("socket", "127.0.0.1:8084 async full", False),
        ("transfer", "$1 XML ${sip_h_X-Tenant}", False),
        ("transfer", "$1 XML ${tenant}", True),
        ("transfer", "$1 XML other", True),
        ("transfer", "$1", True),
    ],
)
def test_a_script_or_a_header_of_the_call_may_send_it_on_to_any_context(
    site: Project, application: str, data: str, certain: bool
) -> None:
    carrier(site)
    modules = "autoload_configs/modules.conf.xml"
    edit(site, modules, "<modules>", '<modules>\n<load module="mod_lua"/>')
    action = f'<condition><action application="{application}" data="{data}"/></condition>'
    edit(site, "dialplan/from_carrier.xml", '<extension name="n">',
         f'<extension name="n">\n{action}')  # fmt: skip
    out = site.run("plan").out
    assert "[unused-context]" in out
    assert ("In the way" in out) is certain


def test_where_the_switch_executes_a_line_of_the_dialplan_nothing_is_certain(
    site: Project,
) -> None:
    put(site, "dialplan/zz.xml", '<X-PRE-PROCESS cmd="exec" data="contexts.sh"/>\n')
    agents = site.root / "desired/agents.yaml"
    agents.write_text(agents.read_text().replace("name: Bob", "name: Bob, context: team"))
    assert "In the way" not in site.run("plan").out


@pytest.mark.parametrize(("file", "level"), [("00.xml", "may"), ("zz.xml", "will")])
def test_what_is_executed_before_ours_may_let_a_number_through_and_what_comes_later_not(
    site: Project, file: str, level: str
) -> None:
    put(site, "dialplan/public/01_ivr.xml", CATCH_ALL.format(name="ivr", application="hangup"))
    put(site, f"dialplan/public/{file}", '<X-PRE-PROCESS cmd="exec" data="more.sh"/>\n')
    out = site.run("plan").out
    assert f"did +19495431333 {level} not be routed: the extension `ivr`" in out
    assert ("In the way" in out) is (level == "will")
