"""Every way to have a dead number is a finding of the plan; what was proved is not proved again."""

from __future__ import annotations

import json

import pytest
from existing_site import CATCH_ALL, edit, existing_site, put
from project import Project

from fsgitops.planning import ahead

DID = "did +19495431333"
CALLS = ".fsgitops/calls.json"


@pytest.fixture
def site(project: Project) -> Project:
    return existing_site(project)


def hazards(site: Project) -> str:
    ran = site.run("plan")
    assert site.run("apply", "--yes").code == 4
    return ran.out


def test_a_did_whose_agent_the_dialplan_sends_elsewhere_names_what_takes_the_agents_number(
    site: Project,
) -> None:
    put(site, "dialplan/default/00_park.xml", CATCH_ALL.format(name="Park", application="park"))
    told = f"{DID} will not be routed: the extension `Park` (dialplan/default/00_park.xml:1) takes "
    assert f"{told}1020 first [taken-number]" in hazards(site)


def test_an_agent_whom_the_directory_cannot_ring_is_lost_and_so_is_the_did(site: Project) -> None:
    edit(site, "directory/default.xml", 'name="dial-string"', 'name="other-string"')
    agents = (site.root / "desired/agents.yaml").read_text()
    site.write("desired/agents.yaml", agents.replace(", voicemail: true", ""))
    out = hazards(site)
    assert "agent 1020, 1021 will not ring when it is dialled: the bridge fails with" in out
    assert (
        f"{DID} will not be routed: 1020 is dialled in the context default, and the bridge" in out
    )
    assert "[lost-call]" in out


def test_an_own_template_that_hangs_up_is_a_dead_did(site: Project) -> None:
    site.write(
        "templates/did_route.xml.j2",
        '<include>\n<extension name="inbound_{{ digits }}">\n<condition '
        'field="destination_number" expression="{{ expression }}">\n'
        '<action application="hangup" data="USER_BUSY"/>\n'
        '<action application="transfer" data="{{ destination }} XML {{ context }}"/>\n'
        "</condition>\n</extension>\n</include>\n",
    )
    assert f"{DID} will not be routed: hangup with USER_BUSY" in hazards(site)


def test_one_form_of_a_number_that_is_taken_is_a_warning(site: Project) -> None:
    text = CATCH_ALL.format(name="local", application="hangup").replace("^(.*)$", r"^9495431333$")
    put(site, "dialplan/public/00_local.xml", text)
    ran = site.run("apply", "--yes")
    assert ran.code == 0, ran.err
    assert "takes the number first, where it is dialled as 9495431333" in ran.out


def test_a_did_is_followed_again_when_its_agent_changes(site: Project) -> None:
    site.prepare("apply", "--yes")
    put(site, "dialplan/default/00_park.xml", CATCH_ALL.format(name="Park", application="park"))
    agents = (site.root / "desired/agents.yaml").read_text()
    site.write("desired/agents.yaml", agents.replace("Alice", "Anna"))
    out = site.run("plan").out
    assert "agent 1020 will not ring when it is dialled" in out
    assert f"warning: {DID} will not be routed" in out


def test_what_an_apply_knows_of_calls_is_not_followed_again(
    site: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert site.run("apply", "--yes").code == 0
    kept = json.loads((site.conf / CALLS).read_text())
    assert kept["astray"] == []

    def load(*_: object) -> None:
        raise AssertionError("no call is to be followed")

    monkeypatch.setattr(ahead, "load_planned", load)
    assert site.run("plan", "--no-cache").code == 0


def test_what_was_dead_at_the_last_apply_is_told_again_until_it_is_mended(site: Project) -> None:
    put(site, "dialplan/public/00_ivr.xml", CATCH_ALL.format(name="ivr", application="hangup"))
    settings = site.root / "fsgitops.yaml"
    settings.write_text(settings.read_text() + "rules: {taken-number: warning}\n")
    site.prepare("apply", "--yes")
    assert json.loads((site.conf / CALLS).read_text())["astray"] == ["did:+19495431333"]
    assert "[taken-number]" in site.run("plan").out
    (site.conf / "dialplan/public/00_ivr.xml").unlink()
    assert "[taken-number]" not in site.run("plan").out


@pytest.mark.parametrize("content", ["", "[]", '{"version": 2}', '{"version": 1, "astray": 3}'])
def test_what_was_kept_of_calls_may_be_anything(site: Project, content: str) -> None:
    site.prepare("apply", "--yes")
    (site.conf / CALLS).write_text(content)
    put(site, "dialplan/public/00_ivr.xml", CATCH_ALL.format(name="ivr", application="hangup"))
    assert f"warning: {DID} will not be routed" in site.run("plan").out


@pytest.mark.parametrize("module", ["mod_sofia", "mod_dialplan_xml", "mod_dptools"])
def test_a_number_is_lost_where_a_module_that_it_takes_is_not_loaded(
    site: Project, module: str
) -> None:
    listed = ("mod_sofia", "mod_dialplan_xml", "mod_dptools", "mod_commands", "mod_loopback")
    loads = "".join(f'<load module="{name}"/>\n' for name in listed if name != module)
    put(
        site,
        "autoload_configs/modules.conf.xml",
        f'<configuration name="modules.conf">\n<modules>\n{loads}</modules>\n</configuration>\n',
    )
    ran = site.run("plan")
    assert "did +19495431333 will not be" in ran.out
    assert "[lost-call]" in ran.out or "[taken-number]" in ran.out
