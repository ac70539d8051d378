"""Gateways: what they log in with, whom they let in, what they become, and their secrets."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING, Any

import pytest
from builders import noun
from compiling import compiled, with_templates

from fsgitops.places import Places
from fsgitops.steps.read_templates import packaged_templates

if TYPE_CHECKING:
    from project import Project

TEMPLATE = (packaged_templates() / "gateway.xml.j2").read_text()
PATH = "sip_profiles/external/carrier.xml"
LOGIN = "username: acme, password: {env: CARRIER}"
ALLOWED = ("--allow", "gateway-restart", "--allow", "empty")


def declare(project: Project, *gateways: str, more: str = "") -> None:
    lines = "".join(f"  - {{{gateway}}}\n" for gateway in gateways)
    project.write("desired/gateways.yaml", f"{more}gateways:\n{lines}")


def found(project: Project, *gateways: str, more: str = "") -> list[tuple[str, str]]:
    """Declare gateways; return rule and message of what is found."""
    declare(project, *gateways, more=more)
    findings = project.run("validate", "--json").json()["findings"]
    return [(item["rule"], item["message"]) for item in findings]


def text_of(**fields: Any) -> str:
    config, findings = compiled(noun("gateway", name="carrier", proxy="sip.example.com", **fields))
    assert findings == []
    return config.files[PATH].content.decode()


def test_one_of_which_only_the_proxy_is_known_does_not_register() -> None:
    assert '<param name="register" value="false"/>' in text_of()


def test_one_with_a_password_registers() -> None:
    text = text_of(username="acme", password={"env": "X"})
    assert '<param name="register" value="true"/>' in text


@pytest.mark.parametrize(
    ("form", "param", "variable"),
    [
        ("rpid", "false", ""),
        ("pid", "false", "pid"),
        ("from", "true", "none"),
        ("none", "false", "none"),
    ],
)
def test_the_form_of_the_caller_id_is_a_param_or_a_variable(
    form: str, param: str, variable: str
) -> None:
    text = text_of(caller_id=form)
    assert f'<param name="caller-id-in-from" value="{param}"/>' in text
    told = f'<variable name="sip_cid_type" value="{variable}" direction="outbound"/>'
    assert (told in text) == bool(variable)
    assert ("sip_cid_type" in text) == bool(variable)


def test_it_leads_where_public_numbers_are_unless_another_context_is_named() -> None:
    config, _ = compiled(
        noun("gateway", name="carrier", proxy="sip.example.com"),
        places=Places(inbound_context="from_world"),
    )
    assert '<param name="context" value="from_world"/>' in config.files[PATH].content.decode()
    assert '<param name="context" value="other"/>' in text_of(context="other")


@pytest.mark.parametrize(
    ("more", "missing"),
    [
        ("registration: true", ["registers|password", "registers|username"]),
        ("registration: true, username: acme", ["registers|password"]),
        ("password: {env: CARRIER}", ["registers|username"]),
        ("registration: false, password: {env: CARRIER}", ["has a password|username"]),
        (LOGIN, []),
        ("registration: false, username: acme", []),
    ],
)
def test_one_that_could_not_log_in_is_refused(
    project: Project, more: str, missing: list[str]
) -> None:
    assert sorted(found(project, f"name: carrier, proxy: sip.example.com, {more}")) == [
        ("gateway-credentials", "the gateway carrier {}, and has no `{}`".format(*told.split("|")))
        for told in missing
    ]


@pytest.mark.parametrize("context", ["default", "desk"])
def test_one_that_leads_strangers_where_users_call_is_refused(
    project: Project, context: str
) -> None:
    agents = "agents: [{extension: 1030, name: Cy, context: desk}]\n"
    gateway = f"name: carrier, proxy: sip.example.com, context: {context}"
    ((rule, message),) = found(project, gateway, more=agents)
    assert rule == "gateway-context"
    assert message.startswith(f"the gateway carrier leads into the context {context}")


@pytest.mark.parametrize(
    ("acl", "told"),
    [
        ("[192.0.2.0/24, 2001:db8::/32]", None),
        ("[carriers]", None),
        ("[carriers, 192.0.2.0/24]", "has a name and more beside it"),
        ("[192.0.2.0/33]", "192.0.2.0/33 is no network"),
        ("[192.0.2.300/24]", "192.0.2.300/24 is no network"),
    ],
)
def test_an_acl_that_freeswitch_would_take_for_nothing_is_refused(
    project: Project, acl: str, told: str | None
) -> None:
    messages = [text for _, text in found(project, f"name: c, proxy: sip.example.com, acl: {acl}")]
    assert all(told and told in text for text in messages)
    assert bool(messages) == bool(told)


def test_a_name_belongs_to_one_profile(project: Project) -> None:
    inside = "name: carrier, proxy: sip.example.com, profile: internal"
    ((rule, _),) = found(project, "name: carrier, proxy: sip.example.com", inside)
    assert rule == "duplicate-gateway"


@pytest.mark.parametrize(
    "proxy", ["sip:sip.example.com", "a b", "host;transport=tcp", "host:port", "", "a/b", "[::1"]
)
def test_a_proxy_is_a_host_and_a_port_and_nothing_more(project: Project, proxy: str) -> None:
    assert found(project, f'name: carrier, proxy: "{proxy}"')


@pytest.mark.parametrize("proxy", ["10.0.0.1", "sip.example.com:5080", "[2001:db8::7]:5061", "pbx"])
def test_each_way_to_write_a_host_is_taken(project: Project, proxy: str) -> None:
    assert found(project, f'name: carrier, proxy: "{proxy}"') == []


def test_a_password_with_a_colon_is_refused_and_not_shown(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARRIER", "half:other-half")
    declare(project, f"name: carrier, proxy: sip.example.com, {LOGIN}")
    ran = project.run("plan")
    assert ran.code != 0
    assert "the password of the gateway carrier holds a colon" in ran.out + ran.err
    assert "half" not in ran.out + ran.err


@pytest.mark.parametrize("secret", ["a<b&c>d", "q\"u'o", "p@s;s,w#o%rd{}[]", "ü€", "$x", "\\n"])
def test_the_password_stands_in_its_file_as_it_is_and_no_other_user_may_read_it(
    project: Project, monkeypatch: pytest.MonkeyPatch, secret: str
) -> None:
    from lxml import etree

    monkeypatch.setenv("CARRIER", secret)
    declare(project, f"name: carrier, proxy: sip.example.com, {LOGIN}")
    ran = project.run("apply", "--yes")
    assert ran.code == 0, ran.err
    file = project.conf / PATH
    found = etree.parse(file).find(".//param[@name='password']")
    assert found is not None
    assert found.get("value") == secret
    assert stat.S_IMODE(file.stat().st_mode) == 0o640


def test_a_password_that_is_not_at_hand_is_asked_for_before_anything_is_written(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CARRIER", raising=False)
    declare(project, f"name: carrier, proxy: sip.example.com, {LOGIN}")
    ran = project.run("apply", "--yes")
    assert ran.code != 0
    assert "gateway carrier: password" in ran.out + ran.err
    assert not (project.conf / PATH).exists()


def test_another_password_is_a_change_that_shows_neither(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARRIER", "first-word")
    declare(project, f"name: carrier, proxy: sip.example.com, {LOGIN}")
    assert project.run("apply", "--yes").code == 0
    monkeypatch.setenv("CARRIER", "second-word")
    ran = project.run("plan")
    assert "gateway carrier/param password: (secret) -> (secret)" in ran.out
    assert "word" not in ran.out.replace("password", "")
    assert project.run("apply", "--yes").code != 0
    assert project.run("apply", "--yes", *ALLOWED).code == 0


def test_one_that_somebody_else_declares_is_in_the_way(project: Project) -> None:
    declare(project, "name: carrier, proxy: sip.example.com")
    assert "declared-twice" not in project.run("plan").out
    by_hand = '<include>\n<gateway name="carrier">\n</gateway>\n</include>\n'
    (project.conf / "sip_profiles/external/by_hand.xml").write_text(by_hand)
    ran = project.run("plan")
    assert "sip_profiles/external/by_hand.xml:2 declares a gateway carrier too" in ran.out
    assert "gateway-declared-twice" in ran.out
    assert project.run("apply", "--yes").code != 0


def test_a_folder_that_its_profile_does_not_include_is_in_the_way(project: Project) -> None:
    declare(project, "name: carrier, proxy: sip.example.com, profile: other")
    ran = project.run("plan")
    assert "nothing includes sip_profiles/other/*.xml" in ran.out


def test_a_roll_back_begins_again_what_was_deleted(project: Project) -> None:
    declare(project, "name: carrier, proxy: sip.example.com")
    assert project.run("apply", "--yes").code == 0
    project.write("desired/gateways.yaml", "gateways: []\n")
    assert project.run("apply", "--yes", *ALLOWED).code == 0
    assert not (project.conf / PATH).exists()
    ran = project.run("rollback", "--yes")
    assert ran.code == 0, ran.err
    assert "sofia profile external rescan" in ran.out
    assert (project.conf / PATH).exists()


def test_status_tells_of_each_gateway_and_writes_it_for_prometheus(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARRIER", "word")
    peer = "name: peer, proxy: 192.0.2.10"
    declare(project, f"name: carrier, proxy: sip.example.com, {LOGIN}", peer)
    assert project.run("apply", "--yes").code == 0
    file = project.root / "gateways.prom"
    told = project.run("status", "--json", "--metrics", str(file)).json()
    assert [
        (item["name"], item["up"], item["registered"], item["memory"]) for item in told["gateways"]
    ] == [("carrier", True, True, "match"), ("peer", True, None, "match")]
    assert (told["summary"]["gateways"], told["summary"]["gateways_up"]) == (2, 2)
    metrics = file.read_text()
    labels = 'target="sandbox",gateway="carrier",profile="external"'
    assert f"fsgitops_gateway_registered{{{labels}}} 1\n" in metrics
    assert 'fsgitops_gateway_registered{target="sandbox",gateway="peer"' not in metrics
    declare(project, f"name: carrier, proxy: other.example.com, {LOGIN}", peer)
    ran = project.run("status")
    (line,) = (line for line in ran.out.splitlines() if line.startswith("carrier"))
    assert "differs: " in line
    assert "proxy" in line
    assert ran.out.rstrip().endswith("2 of 2 gateways up")
    assert project.run("status", "1020", "--json").json()["gateways"] == []


def doctor(project: Project, check: str) -> tuple[str, str]:
    found = project.run("doctor", "--json").json()["checks"]
    (told,) = [item for item in found if item["name"] == check]
    return told["health"], told["message"]


def test_doctor_tells_who_may_read_a_password_whoever_wrote_the_file(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARRIER", "word")
    declare(project, f"name: carrier, proxy: sip.example.com, {LOGIN}")
    assert project.run("apply", "--yes").code == 0
    assert doctor(project, "gateway-files")[0] == "ok"
    by_hand = project.conf / "sip_profiles/external/by_hand.xml"
    params = '<param name="register" value="false"/>\n<param name="password" value="x"/>\n'
    by_hand.write_text(f'<include>\n<gateway name="other">\n{params}</gateway>\n</include>\n')
    by_hand.chmod(0o644)
    health, message = doctor(project, "gateway-files")
    assert health == "error"
    assert message.endswith("such as sip_profiles/external/by_hand.xml")
    by_hand.chmod(0o640)
    assert doctor(project, "gateway-files")[0] == "ok"


def test_doctor_tells_which_applied_gateways_take_no_call(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fsgitops.switch.client import Switch
    from fsgitops.switch.replies import Gateway

    declare(project, "name: carrier, proxy: sip.example.com", "name: peer, proxy: 192.0.2.10")
    assert project.run("apply", "--yes").code == 0
    assert doctor(project, "gateways") == ("ok", "2 applied gateways up")
    down = Gateway("carrier", "external", "FAIL_WAIT", "DOWN")
    monkeypatch.setattr(Switch, "gateways", lambda _: (down,))
    health, message = doctor(project, "gateways")
    assert health == "warning"
    assert "carrier is down (FAIL_WAIT), peer does not run" in message


def test_what_was_written_without_a_reload_begins_with_the_next_apply(project: Project) -> None:
    """A switch that started meanwhile runs it already: it is killed, as it may be an older one."""
    declare(project, "name: carrier, proxy: sip.example.com")
    assert project.run("apply", "--yes", "--no-reload").code == 0
    ran = project.run("apply", "--yes", *ALLOWED)
    assert ran.code == 0, ran.err
    assert "sofia profile external killgw carrier" in ran.out
    assert project.run("status", "--json").json()["gateways"][0]["memory"] == "match"


def test_what_is_left_over_in_memory_is_known_by_its_mark() -> None:
    from fsgitops.kinds import BUILT_IN

    ours = BUILT_IN["gateway"].ours
    marked = {"gateway carrier/variable fsgitops_gateway": "true"}
    left = ours("external", "carrier", lambda: marked)
    assert left
    assert (left.name, left.path) == ("carrier", PATH)
    assert ours("external", "example.com", dict) is None


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ('<gateway name="{{ name }}">', '<gateway name="x">', "exactly one <gateway"),
        ('<param name="{{ key }}"', '<param name="x{{ key }}"', "each of params once"),
        (' direction="outbound"', "", "each of variables once"),
        ("fsgitops_gateway", "other", "it must render the variable fsgitops_gateway"),
    ],
)  # fmt: skip
def test_a_template_that_loses_something_is_refused(before: str, after: str, told: str) -> None:
    head, _, body = TEMPLATE.partition("#}")
    changed = head + "#}" + body.replace(before, after)
    assert changed != TEMPLATE
    _, findings = compiled(
        noun("gateway", name="carrier", proxy="sip.example.com", caller_id="pid"),
        templates=with_templates(gateway=changed),
    )
    assert told in findings[0].message


def test_nobody_is_told_that_the_password_of_a_gateway_is_derived(project: Project) -> None:
    text = "gateways:\n  - {name: carrier, proxy: sip.example.net, username: u, password: {x: y}}\n"
    project.write("desired/gateways.yaml", text)
    said = project.run("validate")
    assert (said.code, "expected {env: NAME}" in said.out + said.err) == (3, True)
    assert "derived" not in said.out + said.err
