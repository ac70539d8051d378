"""What no call would reach is an error of the plan, and nothing is applied."""

from __future__ import annotations

from pathlib import Path

import pytest
from existing_site import CATCH_ALL, INBOUND, carrier, edit, existing_site, put
from project import Project, Ran

AGENT_FILE = "directory/default/1020.xml"
IMAGE = """\
project: test
default_region: US
targets:
  image: {{conf_dir: {conf}, domain: sandbox.example, inbound_context: {context}}}
"""


@pytest.fixture
def site(project: Project) -> Project:
    return existing_site(project)


def refused(site: Project) -> Ran:
    """Plan, and show that an apply refuses and touches nothing."""
    before = site.tree()
    ran = site.run("plan", "--detailed-exitcode")
    assert ran.code == 2, ran.err
    assert site.run("apply", "--yes").code == 4
    assert site.tree() == before
    return ran


def test_a_plan_without_anything_in_the_way_says_nothing(site: Project) -> None:
    out = site.run("plan").out
    assert "In the way" not in out
    assert "warning" not in out


def test_an_extension_that_takes_every_did_first_is_an_error(site: Project) -> None:
    put(site, "dialplan/public/00_ivr.xml", CATCH_ALL.format(name="main_ivr", application="hangup"))
    out = refused(site).out
    assert (
        "did +19495431333 will not be routed: the extension `main_ivr` "
        "(dialplan/public/00_ivr.xml:1) takes the number first [taken-number]"
    ) in out


def test_an_extension_that_takes_every_agent_first_is_an_error(site: Project) -> None:
    put(site, "dialplan/default/00_park.xml", CATCH_ALL.format(name="Park", application="park"))
    out = refused(site).out
    assert "agent 1020, 1021 will not ring when it is dialled: the extension `Park`" in out


def test_what_is_in_the_way_of_another_resource_does_not_stop_this_one(site: Project) -> None:
    put(site, "dialplan/public/00_ivr.xml", CATCH_ALL.format(name="ivr", application="hangup"))
    ran = site.run("apply", "--yes", "--only", "agent:102*")
    assert ran.code == 0, ran.err


def test_what_was_applied_and_is_dead_since_is_a_warning_that_blocks_nothing(site: Project) -> None:
    assert site.run("apply", "--yes").code == 0
    put(site, "dialplan/public/00_ivr.xml", CATCH_ALL.format(name="ivr", application="hangup"))
    out = site.run("plan").out
    assert "warning: did +19495431333 will not be routed: the extension `ivr`" in out
    agents = site.root / "desired/agents.yaml"
    agents.write_text(agents.read_text().replace("Alice", "Anna"))
    assert site.run("apply", "--yes").code == 0


@pytest.mark.parametrize(("level", "code", "shown"), [("warning", 0, True), ("off", 0, False)])
def test_the_rule_has_a_level(site: Project, level: str, code: int, shown: bool) -> None:
    put(site, "dialplan/public/00_ivr.xml", CATCH_ALL.format(name="ivr", application="hangup"))
    settings = site.root / "fsgitops.yaml"
    settings.write_text(settings.read_text() + f"rules: {{taken-number: {level}}}\n")
    ran = site.run("apply", "--yes")
    assert (ran.code, "[taken-number]" in ran.out) == (code, shown), ran.err


def test_the_rule_is_silenced_on_the_line_of_the_resource(site: Project) -> None:
    put(site, "dialplan/public/00_ivr.xml", CATCH_ALL.format(name="ivr", application="hangup"))
    routes = site.root / "desired/routes.yaml"
    because = "  # fsgitops: ignore[taken-number] because the IVR rings 1020 at night\n"
    routes.write_text(routes.read_text().rstrip("\n") + because)
    ran = site.run("apply", "--yes")
    assert (ran.code, "taken-number" in ran.out + ran.err) == (0, False), ran.err


def test_an_apply_refuses_what_appeared_after_the_plan_was_shown(
    site: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody puts the extension there while the plan is read."""
    from fsgitops.cli import change

    def working(message: str):
        if message == "Applying":
            text = CATCH_ALL.format(name="ivr", application="hangup")
            put(site, "dialplan/public/00_ivr.xml", text)
        return before(message)

    before = change.working
    monkeypatch.setattr(change, "working", working)
    ran = site.run("apply", "--yes", "--no-reload")
    assert (ran.code, "[taken-number]" in ran.err) == (4, True), ran.err
    assert not (site.conf / AGENT_FILE).exists()


@pytest.mark.parametrize(
    ("file", "folder", "kind"),
    [
        ("directory/default.xml", "directory/default", "agent 1020, 1021"),
        ("dialplan/default.xml", "dialplan/default", "dialplan agents"),
        ("dialplan/public.xml", "dialplan/public", "did +19495431333"),
    ],
)
def test_a_folder_that_nothing_includes_is_an_error(
    site: Project, file: str, folder: str, kind: str
) -> None:
    """../shared/cases/05: the site has folders of its own."""
    name = folder.partition("/")[2]
    edit(site, file, f'data="{name}/*.xml"', 'data="team/*.xml"')
    out = refused(site).out
    assert f"{kind} will not be loaded: nothing includes {folder}/*.xml [unread-folder]" in out
    assert f'put <X-PRE-PROCESS cmd="include" data="{name}/*.xml"/> into' in out


def test_an_include_in_a_context_of_another_name_is_an_error(site: Project) -> None:
    edit(site, "dialplan/public.xml", '<context name="public">', '<context name="inbound">')
    assert (
        "did +19495431333 will not be found: dialplan/public.xml:8 includes dialplan/public/*.xml "
        "in the context `inbound`, and not in `public` [unread-folder]"
    ) in refused(site).out


def test_a_context_behind_another_of_its_name_is_an_error(site: Project) -> None:
    put(site, "dialplan/00_first.xml", '<context name="public">\n<extension/>\n</context>\n')
    assert "an earlier context has the name `public` as well [unread-folder]" in refused(site).out


def test_users_behind_the_first_of_their_group_are_an_error(site: Project) -> None:
    edit(site, "directory/default.xml", "<users>", "<users>\n</users>\n<users>")
    assert "an earlier <users> of the group is searched [unread-folder]" in refused(site).out


def test_a_domain_that_the_directory_has_not_is_an_error_that_names_those_it_has(
    site: Project,
) -> None:
    edit(
        site, "directory/default.xml", '<domain name="$${domain}">', '<domain name="other.example">'
    )
    out = refused(site).out
    assert "the directory has no domain sandbox.example; it has: other.example" in out
    assert "set the target's `domain` to the one phones register with" in out


def test_an_include_in_another_domain_is_an_error(site: Project) -> None:
    edit(
        site, "directory/default.xml", '<domain name="$${domain}">', '<domain name="other.example">'
    )
    put(site, "directory/mine.xml", '<domain name="$${domain}"/>\n')
    assert "in the domain `other.example`, and the target's domain is sandbox.example" in (
        refused(site).out
    )


def test_an_agent_in_a_context_that_no_dialplan_has_is_an_error(site: Project) -> None:
    agents = site.root / "desired/agents.yaml"
    agents.write_text(agents.read_text().replace("name: Bob", "name: Bob, context: team"))
    out = refused(site).out
    assert 'agent 1021 cannot call anybody: no dialplan has the context "team"' in out
    assert "[unknown-context]" in out
    assert "set its `context` to one of: default, public" in out


@pytest.mark.parametrize("name", ["team", "global"])
def test_a_context_that_the_dialplan_has_or_global_serves_the_agent(
    site: Project, name: str
) -> None:
    put(site, "dialplan/team.xml", f'<context name="{name}">\n<extension/>\n</context>\n')
    agents = site.root / "desired/agents.yaml"
    agents.write_text(agents.read_text().replace("name: Bob", "name: Bob, context: team"))
    assert "unknown-context" not in site.run("plan").out


def test_a_context_that_no_profile_or_gateway_uses_is_an_error(site: Project) -> None:
    """../shared/cases/04."""
    carrier(site)
    out = refused(site).out
    assert (
        "did +19495431333 will not be called: no profile or gateway sends calls to `public`" in out
    )
    assert "profile external (sip_profiles/external.xml:7) sends calls to `from-carrier`" in out
    assert "[unused-context]" in out


def test_a_profile_for_those_who_log_in_lets_no_call_from_outside_in(site: Project) -> None:
    edit(site, "sip_profiles/external.xml", INBOUND, INBOUND.replace("public", "from-carrier"))
    assert "[unused-context]" in refused(site).out


@pytest.mark.parametrize(
    "way",
    [
        '<param name="apply-inbound-acl" value="carriers"/>',
        '<param name="apply-inbound-acl" value="other:public"/>',
        '<param name="auth-calls" value="false"/>',
    ],
)
def test_a_profile_that_lets_the_carrier_in_without_a_login_does(site: Project, way: str) -> None:
    edit(site, "sip_profiles/external.xml", INBOUND, INBOUND.replace("public", "from-carrier"))
    edit(site, "sip_profiles/internal.xml", '<param name="auth-calls" value="true"/>',
         '<param name="auth-calls" value="true"/>\n' + way)  # fmt: skip
    put(
        site,
        "autoload_configs/acl.conf.xml",
        '<configuration name="acl.conf"><network-lists><list name="carriers" default="deny">'
        '<node type="allow" cidr="192.0.2.0/24"/></list></network-lists></configuration>\n',
    )
    assert "unused-context" not in site.run("plan").out


@pytest.mark.parametrize(("register", "used"), [("true", True), ("false", False)])
def test_a_gateway_that_registers_brings_calls_to_its_own_context(
    site: Project, register: str, used: bool
) -> None:
    carrier(site)
    put(
        site,
        "sip_profiles/external/carrier.xml",
        f'<gateway name="c"><param name="register" value="{register}"/>{INBOUND}</gateway>\n',
    )
    assert ("unused-context" not in site.run("plan").out) is used


CARRIERS = '<gateways><gateway name="c"><param name="register" value="false"/></gateway></gateways>'
LISTS = """<configuration name="acl.conf"><network-lists>
<list name="carriers" default="deny"><node type="allow" cidr="192.0.2.0/24"/></list>
<list name="users" default="deny"><node type="allow" domain="sandbox.example"/></list>
</network-lists></configuration>
"""


@pytest.mark.parametrize(
    ("params", "told"),
    [
        ({"auth-calls": "true"}, "asks every caller to log in (`auth-calls`)"),
        ({"auth-calls": "true", "apply-inbound-acl": "users"}, "asks every caller to log in"),
        ({"apply-inbound-acl": "nobody"}, "lets no address in (`apply-inbound-acl`)"),
        ({"dialplan": "LUA"}, "asks the dialplan `LUA`, and not XML"),
        ({"auth-calls": "true", "apply-inbound-acl": "carriers"}, ""),
        ({"auth-calls": "true", "apply-inbound-acl": "192.0.2.0/24"}, ""),
        ({"auth-calls": "true", "accept-blind-auth": "true"}, ""),
        ({"apply-inbound-acl": "nobody:public:public"}, ""),
        ({"dialplan": "LUA,XML"}, ""),
        ({}, ""),
    ],
)
def test_gateways_of_profiles_that_refuse_their_calls_are_told(
    site: Project, params: dict[str, str], told: str
) -> None:
    put(site, "autoload_configs/acl.conf.xml", LISTS)
    lines = "".join(f'<param name="{name}" value="{params[name]}"/>' for name in params)
    put(
        site,
        "sip_profiles/second.xml",
        f'<profile name="second"><settings>{INBOUND}{lines}</settings>{CARRIERS}</profile>\n',
    )
    out = site.run("plan").out
    assert ("[refused-carrier]" in out) is bool(told)
    if told:
        place = "(sip_profiles/second.xml:1)"
        claim = f"may not be called by way of the gateways: profile second {told}"
        assert f"did +19495431333 {claim}" in out
        assert place in out


def test_a_carrier_whose_address_is_that_of_a_user_is_not_refused(site: Project) -> None:
    put(site, "autoload_configs/acl.conf.xml", LISTS)
    login = '<param name="auth-calls" value="true"/>'
    login += '<param name="apply-inbound-acl" value="users"/>'
    put(
        site,
        "sip_profiles/second.xml",
        f'<profile name="second"><settings>{INBOUND}{login}</settings>{CARRIERS}</profile>\n',
    )
    assert "[refused-carrier]" in site.run("plan").out
    put(site, "directory/default/carrier.xml", '<user id="carrier" cidr="192.0.2.0/24"/>\n')
    assert "[refused-carrier]" not in site.run("plan").out
    edit(site, "sip_profiles/second.xml", 'value="users"', 'value="nobody"')
    inside = '<settings><param name="auth-calls" value="true"/>'
    inside += '<param name="apply-inbound-acl" value="users"/></settings>'
    put(site, "sip_profiles/third.xml", f'<profile name="third">{inside}</profile>\n')
    assert "[refused-carrier]" in site.run("plan").out


def test_a_context_that_another_one_transfers_to_is_used(site: Project) -> None:
    carrier(site)
    edit(site, "dialplan/from_carrier.xml", '<extension name="n">',
         '<extension name="n">\n<condition field="destination_number" expression="^(.*)$">'
         '<action application="transfer" data="$1 XML public"/>'
         "</condition>")  # fmt: skip
    assert "unused-context" not in site.run("plan").out


def test_a_conf_directory_that_freeswitch_would_refuse_is_told_with_the_line(site: Project) -> None:
    put(site, "dialplan/default/zz.xml", "<include>\n<extension>\n</oops>\n</include>\n")
    out = site.run("plan").out
    assert "dialplan/default/zz.xml:3: unexpected closing tag </oops>" in out


def on_image(site: Project, context: str) -> Ran:
    site.write("fsgitops.yaml", IMAGE.format(conf=site.conf, context=context))
    return site.run("apply", "--yes", "--no-reload", "--target", "image", "--allow", "deletes")


def include_carrier(site: Project) -> None:
    line = '</extension>\n<X-PRE-PROCESS cmd="include" data="from-carrier/*.xml"/>'
    edit(site, "dialplan/from_carrier.xml", "</extension>", line)


def test_dids_are_written_to_the_context_that_calls_from_outside_begin_in(site: Project) -> None:
    carrier(site)
    include_carrier(site)
    ran = on_image(site, "from-carrier")
    assert ran.code == 0, ran.err
    assert (site.conf / "dialplan/from-carrier/inbound_19495431333.xml").is_file()
    assert not (site.conf / "dialplan/public/inbound_19495431333.xml").exists()


def test_a_context_for_calls_from_outside_that_includes_no_folder_is_an_error(
    site: Project,
) -> None:
    carrier(site)
    ran = on_image(site, "from-carrier")
    assert ran.code == 4
    assert "nothing includes dialplan/from-carrier/*.xml" in ran.err
    assert "into the context `from-carrier`" in ran.err


def test_dids_move_when_the_context_changes(site: Project) -> None:
    assert on_image(site, "public").code == 0
    carrier(site)
    include_carrier(site)
    ran = on_image(site, "from-carrier")
    assert ran.code == 0, ran.err
    assert (site.conf / "dialplan/from-carrier/inbound_19495431333.xml").is_file()
    assert not (site.conf / "dialplan/public/inbound_19495431333.xml").exists()


@pytest.mark.parametrize("name", ["default", "global", "../etc", "a/b", ".x", "fsgitops_transfer"])
def test_calls_from_outside_never_begin_where_agents_dial(site: Project, name: str) -> None:
    ran = on_image(site, f'"{name}"')
    assert (ran.code, "inbound_context" in ran.err) == (3, True)


@pytest.mark.parametrize("case", ["02-catch-all-before-ours", "04-carrier-context",
                                  "05-other-folders-and-groups"])  # fmt: skip
def test_the_cases_of_the_field_end_in_errors_of_the_plan(
    project: Project, shared: Path, case: str
) -> None:
    """On FreeSWITCH's own stock configuration, without its IPv6 profiles."""
    import shutil

    conf = project.root / "conf"
    shutil.copytree(shared / "freeswitch-conf" / "vanilla", conf)
    for file in conf.glob("sip_profiles/*ipv6.xml"):
        file.unlink()
    if case.startswith("04"):
        external = conf / "sip_profiles/external.xml"
        external.write_text(
            external.read_text().replace(INBOUND, INBOUND.replace("public", "from-carrier"))
        )
    if case.startswith("05"):
        for name in ("dialplan/default.xml", "dialplan/public.xml"):
            (conf / name).unlink()
        for name in ("dialplan/public", "directory/default"):
            shutil.rmtree(conf / name)
    shutil.copytree(shared / "cases" / case / "conf", conf, dirs_exist_ok=True)
    for file in (project.root / "desired").iterdir():
        file.unlink()
    shutil.copytree(
        shared / "cases" / case / "desired", project.root / "desired", dirs_exist_ok=True
    )
    out = project.run("plan", "--target", "image").out
    expected = {
        "02": ["[taken-number]", "`main_ivr`", "`ParkAll`"],
        "04": ["[unused-context]", "sends calls to `from-carrier`"],
        "05": ["[unread-folder]", "directory/default/*.xml", "dialplan/default/*.xml"],
    }[case[:2]]
    for words in expected:
        assert words in out, out
