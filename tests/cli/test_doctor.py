"""Everything that has to be right around the desired state, and what to do where it is not."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from doctor_site import GOOD, checks, make_site, set_socket
from switchboard import serve

from fsgitops.sandbox.skeleton import write_skeleton

if TYPE_CHECKING:
    from pathlib import Path

    from project import Project


@pytest.fixture
def site(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    return make_site(project, monkeypatch)


def test_the_sandbox_is_healthy_after_an_apply(project: Project) -> None:
    project.prepare("apply", "--yes")
    ran = project.run("doctor")
    assert ran.code == 0, ran.out
    assert "error" not in ran.out


def test_a_fresh_project_is_told_what_is_not_there_yet(project: Project) -> None:
    ran = project.run("doctor")
    assert (ran.code, "first plan makes it" in ran.out) == (0, True)


def test_only_the_missing_switch_is_wrong_with_a_good_site(site: Project) -> None:
    found = checks(site)
    assert [name for name, check in found.items() if check["health"] == "error"] == ["esl"]
    assert "event_socket" in found["esl"]["remedy"]


def test_every_finding_has_a_remedy_in_text_and_in_json(site: Project) -> None:
    set_socket(site, "")
    shutil.rmtree(site.root / "conf" / "dialplan")
    data = site.run("doctor", "--target", "image", "--json").json()
    wrong = [check for check in data["checks"] if check["health"] in ("error", "warning")]
    text = site.run("doctor", "--target", "image").out
    assert (data["healthy"], len(wrong) >= 3) == (False, True)
    for check in wrong:
        assert check["remedy"]
        assert check["remedy"] in text


def test_the_exit_code_tells_of_errors(site: Project) -> None:
    assert site.run("doctor", "--target", "image").code == 1


@pytest.mark.parametrize(
    ("params", "name"),
    [
        ("", "event-socket-password"),
        ('<param name="password" value="ClueCon"/>', "event-socket-password"),
        ('<param name="listen-ip" value="::"/>', "event-socket-address"),
        ('<param name="listen-ip" value="0.0.0.0"/>', "event-socket-address"),
        ("<param name='listen-ip' value='$${bind}'/>", "event-socket-address"),
    ],
)
def test_an_open_event_socket_is_an_error(site: Project, params: str, name: str) -> None:
    vars_file = site.root / "conf/vars.xml"
    line = '<include>\n  <X-PRE-PROCESS cmd="set" data="bind=192.0.2.1"/>'
    vars_file.write_text(vars_file.read_text().replace("<include>", line, 1))
    set_socket(site, params)
    assert checks(site)[name]["health"] == "error"


def test_a_list_that_guards_the_event_socket_leaves_a_warning(site: Project) -> None:
    set_socket(
        site,
        GOOD.replace("127.0.0.1", "::") + '<param name="apply-inbound-acl" value="office"/>',
    )
    assert checks(site)["event-socket-address"]["health"] == "warning"


def test_the_stock_esl_password_is_an_error(site: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FSGITOPS_ESL_PASSWORD", "ClueCon")
    assert checks(site)["esl-password"]["health"] == "error"


def test_the_stock_default_password_is_an_error(site: Project) -> None:
    path = site.root / "conf/vars.xml"
    line = '<include>\n  <X-PRE-PROCESS cmd="set" data="default_password=1234"/>'
    path.write_text(path.read_text().replace("<include>", line, 1))
    assert checks(site)["default-password"]["health"] == "error"


@pytest.mark.parametrize(
    ("file", "folder"),
    [
        ("directory/default.xml", "directory/default"),
        ("dialplan/default.xml", "dialplan/default"),
        ("dialplan/public.xml", "dialplan/public"),
    ],
)
def test_a_folder_that_nothing_includes_is_an_error(site: Project, file: str, folder: str) -> None:
    path = site.root / "conf" / file
    kept = [line for line in path.read_text().splitlines() if "X-PRE-PROCESS" not in line]
    path.write_text("\n".join(kept) + "\n")
    check = checks(site)["includes"]
    assert (check["health"], folder in check["message"]) == ("error", True)


def test_groups_that_nothing_includes_are_an_error_in_the_layout_for_large_sites(
    site: Project,
) -> None:
    settings = site.root / "fsgitops.yaml"
    settings.write_text(settings.read_text() + "layout: sharded\n")
    assert checks(site)["includes"]["health"] == "ok"
    path = site.root / "conf/directory/default.xml"
    path.write_text(path.read_text().replace('data="fsgitops/*.xml"', 'data="team/*.xml"'))
    check = checks(site)["includes"]
    assert (check["health"], "directory/fsgitops" in check["message"]) == ("error", True)


def test_an_include_in_a_context_of_another_name_is_an_error(site: Project) -> None:
    """../shared/cases/04: doctor said that all is well, and the apply was rolled back."""
    path = site.root / "conf/dialplan/public.xml"
    path.write_text(path.read_text().replace('name="public"', 'name="inbound"'))
    check = checks(site)["includes"]
    assert (check["health"], "in the context `inbound`" in check["message"]) == ("error", True)


def test_a_context_that_no_call_from_outside_comes_to_is_told(site: Project) -> None:
    path = site.root / "conf/sip_profiles/external.xml"
    assert checks(site)["inbound-context"]["health"] == "ok"
    path.write_text(path.read_text().replace('value="public"', 'value="from-carrier"'))
    check = checks(site)["inbound-context"]
    assert check["health"] == "error"
    assert "sends calls to `from-carrier`" in check["message"]


def test_a_configuration_that_freeswitch_would_not_load_is_an_error(site: Project) -> None:
    (site.root / "conf/dialplan/default/zz.xml").write_text("<extension>\n</oops>\n")
    check = checks(site)["includes"]
    assert (check["health"], "dialplan/default/zz.xml:2" in check["message"]) == ("error", True)


def test_a_domain_that_the_directory_does_not_have_is_an_error(
    site: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FSGITOPS_DOMAIN", "other.example.com")
    check = checks(site)["domain"]
    assert (check["health"], "pbx.example.com" in check["message"]) == ("error", True)


def test_a_domain_that_other_files_name_is_none_of_the_directory(site: Project) -> None:
    """presence_map.conf and the SIP profiles have `<domain>` elements as well."""
    path = site.root / "conf/directory/default.xml"
    path.write_text(path.read_text().replace("$${domain}", "pbx.acme.test", 1))
    site.write(
        "conf/autoload_configs/presence_map.conf.xml",
        '<include>\n<configuration name="presence_map.conf">\n<domains>\n'
        '<domain name="pbx.example.com"/>\n</domains>\n</configuration>\n</include>\n',
    )
    check = checks(site)["domain"]
    assert check["health"] == "error"
    assert "no domain pbx.example.com; it has: pbx.acme.test" in check["message"]


def test_a_pointer_without_a_user_is_a_warning(site: Project) -> None:
    path = site.root / "conf/directory/default.xml"
    group = '<group name="sales"><users>\n<user id="{}" type="pointer"/>\n</users></group>\n'
    pointers = group.format("1020") + group.format("1055")
    path.write_text(path.read_text().replace("</groups>", f"{pointers}</groups>"))
    check = checks(site)["pointers"]
    assert check["health"] == "warning"
    assert "pointers without a user: 1, directory/default.xml:" in check["message"]
    (site.root / "conf/directory/default/1055.xml").write_text(
        '<include>\n<user id="1055"/>\n</include>\n'
    )
    assert checks(site)["pointers"]["health"] == "ok"


def test_a_domain_that_only_the_switch_knows_is_no_error(site: Project) -> None:
    path = site.root / "conf/vars.xml"
    path.write_text(path.read_text().replace("domain=pbx.example.com", "domain=$${local_ip_v4}"))
    check = checks(site)["domain"]
    assert (check["health"], "switch knows ($${local_ip_v4})" in check["message"]) == (
        "warning",
        True,
    )


def test_nor_is_one_of_which_only_the_switch_knows_a_part(site: Project) -> None:
    path = site.root / "conf/directory/default.xml"
    path.write_text(path.read_text().replace("$${domain}", "$${hostname}.example.com", 1))
    check = checks(site)["domain"]
    assert (check["health"], "switch knows ($${hostname})" in check["message"]) == ("warning", True)


def test_a_domain_that_the_switch_does_not_hold_is_an_error(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert project.run("plan").code == 0
    found = {check["name"]: check for check in project.run("doctor", "--json").json()["checks"]}
    assert found["domain-loaded"]["health"] == "ok"
    path = project.conf / "directory/default.xml"
    path.write_text(path.read_text().replace("$${domain}", "other.example", 1))
    found = {check["name"]: check for check in project.run("doctor", "--json").json()["checks"]}
    assert found["domain-loaded"]["health"] == "error"


def test_a_missing_conf_directory_is_an_error(site: Project) -> None:
    shutil.rmtree(site.root / "conf")
    assert checks(site)["conf-dir"]["health"] == "error"


def test_an_invalid_desired_state_is_told_and_the_rest_is_checked(site: Project) -> None:
    site.write("desired/broken.yaml", "agents: 7\n")
    found = checks(site)
    assert (found["desired"]["health"], found["includes"]["health"]) == ("error", "ok")


def test_a_secret_that_is_not_at_hand_is_named(site: Project) -> None:
    site.write(
        "desired/more.yaml", "agents: [{extension: 1030, name: X, password: {env: NOWHERE}}]\n"
    )
    check = checks(site)["secrets"]
    assert (check["health"], "NOWHERE" in check["message"]) == ("warning", True)


def test_applied_agents_that_the_switch_does_not_hold_are_an_error(
    project: Project, tmp_path: Path
) -> None:
    project.prepare("apply", "--yes")
    elsewhere = tmp_path / "elsewhere"
    write_skeleton(elsewhere, "sandbox.example")
    with serve(project, elsewhere):
        ran = project.run("doctor", "--json")
    found = {check["name"]: check["health"] for check in ran.json()["checks"]}
    assert (ran.code, found["effective"]) == (1, "error")


def test_what_doctor_says_holds_no_secret_that_the_preprocessor_brings_in(site: Project) -> None:
    file = site.root / "conf/vars.xml"
    line = '<X-PRE-PROCESS cmd="set" data="db_password=Tr0ub4dor-and-3"/>'
    file.write_text(file.read_text().replace("<include>", f"<include>\n{line}"))
    other = site.root / "conf/directory/other.xml"
    other.write_text('<include>\n<domain name="$${db_password}.example"/>\n</include>')
    site.write("fsgitops.yaml", "targets:\n  image: {conf_dir: conf, domain: x.example}\n")
    found = checks(site)["domain"]["message"]
    assert "(secret).example" in found
    assert "Tr0ub4dor" not in found
