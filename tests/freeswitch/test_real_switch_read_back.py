"""On a real FreeSWITCH: the read-back finds what is held and not declared, and names each cause."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from misbehaving_esl import PASSWORD, MisbehavingSwitch, swallow
from phones_and_carrier import try_mailbox
from real_switch import RealSwitch
from sip_phone import CallFailedError, SipPhone

from fsgitops.homes import home_of
from fsgitops.homes.compare import Held, read_said
from fsgitops.homes.home import Address
from fsgitops.routing.cuts import Element

if TYPE_CHECKING:
    from collections.abc import Iterator

    from project import Project

pytestmark = pytest.mark.freeswitch

BINARY = os.environ.get("FSGITOPS_TEST_FREESWITCH")
NOBODY = 65534
AGENTS = "agents:\n  - {{extension: {number}, name: {name}{more}}}\n"
CACHED = '<user id="{{ user.id }}" cacheable="true">'


def declare(project: Project, number: int = 1020, name: str = "Alice", more: str = "") -> None:
    project.write("desired/agents.yaml", AGENTS.format(number=number, name=name, more=more))
    (project.root / "desired/routes.yaml").unlink(missing_ok=True)


def warn_only(project: Project) -> None:
    settings = project.root / "fsgitops.yaml"
    settings.write_text(
        settings.read_text() + "rules: {unread-folder: warning, lost-call: warning}\n"
    )


@pytest.fixture
def changed(freeswitch: RealSwitch) -> Iterator[RealSwitch]:
    """The switch, whose hand-written files are put back afterwards."""
    names = ("directory/default.xml", "directory/default/1000.xml", "dialplan/public.xml")
    kept = {name: (freeswitch.conf_dir / name).read_bytes() for name in names}
    yield freeswitch
    for name, content in kept.items():
        (freeswitch.conf_dir / name).write_bytes(content)
    with freeswitch.esl() as esl:
        assert esl.api("reloadxml").strip() == "+OK [Success]"


def edit(switch: RealSwitch, name: str, before: str, after: str) -> None:
    path = switch.conf_dir / name
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))


def test_a_proxy_that_swallows_the_reload_does_not_get_a_removed_variable_past(
    on_real_switch: Project, freeswitch: RealSwitch, monkeypatch: pytest.MonkeyPatch
) -> None:
    declare(on_real_switch, more=", groups: [sales]")
    assert on_real_switch.run("apply", "--yes").code == 0
    declare(on_real_switch)
    behind = (freeswitch.esl_host, freeswitch.esl_port, freeswitch.esl_password)
    with (
        monkeypatch.context() as patch,
        MisbehavingSwitch(freeswitch.conf_dir, swallow, behind) as proxy,
    ):
        patch.setenv("TEST_ESL_PASSWORD", PASSWORD)
        patch.setenv("FSGITOPS_ESL_HOST", proxy.server.host)
        patch.setenv("FSGITOPS_ESL_PORT", str(proxy.server.port))
        ran = on_real_switch.run("apply", "--yes")
    assert (ran.code, "Read back" in ran.out) == (5, False), ran.err
    assert "variable callgroup: not declared, and the switch holds 'sales'" in ran.err
    assert on_real_switch.run("apply", "--yes").code == 0


def test_what_a_switch_prints_of_our_elements_is_compared_with_the_files_as_text(
    on_real_switch: Project, freeswitch: RealSwitch
) -> None:
    """Both are cut out of their texts, and their shapes are of one tree."""
    assert on_real_switch.run("apply", "--yes").code == 0
    paths = ["directory/default/1020.xml", "dialplan/public/inbound_19495431333.xml"]
    with freeswitch.esl() as esl:
        for path, place in zip(paths, (freeswitch.domain, "public"), strict=True):
            home = home_of(path)
            tag, _, _ = home.locate(place, Address(freeswitch.domain, "internal"))
            answer = esl.api(f"xml_locate {home.section} {tag} name {place}").encode()
            held = Held(home, answer)
            ((name, said),) = read_said(
                home, (freeswitch.conf_dir / path).read_bytes()
            ).elements.items()
            assert isinstance(said, Element)
            there = held.get(name)
            assert isinstance(there, Element)
            assert said.has_shape_of(there), name


def test_a_cached_user_does_not_outlive_its_change_nor_its_deletion(
    on_real_switch: Project, freeswitch: RealSwitch
) -> None:
    """`cacheable` keeps a user over reloadxml; a look-up must find what is declared."""
    from fsgitops.steps.read_templates import packaged_templates

    text = (packaged_templates() / "agent.xml.j2").read_text()
    on_real_switch.write(
        "templates/agent.xml.j2", text.replace('<user id="{{ user.id }}">', CACHED)
    )
    declare(on_real_switch)
    assert on_real_switch.run("apply", "--yes").code == 0
    name = f"user_data 1020@{freeswitch.domain} var effective_caller_id_name"
    with freeswitch.esl() as esl:
        assert esl.api(name) == "Alice"
        declare(on_real_switch, name="Anna")
        ran = on_real_switch.run("apply", "--yes")
        assert (ran.code, esl.api(name)) == (0, "Anna"), ran.err
        declare(on_real_switch, number=1021)
        assert on_real_switch.run("apply", "--yes").code == 0
        assert esl.api(f"user_exists id 1020 {freeswitch.domain}") == "false"
    assert on_real_switch.run("drift").code == 0


def test_a_member_of_a_stock_pointer_group_is_deleted(
    on_real_switch: Project, changed: RealSwitch, tmp_path: Path
) -> None:
    """../shared/cases/10: the pointer that stays holds nothing, and no phone registers as it."""
    declare(on_real_switch, number=1000, name="Extension")
    assert on_real_switch.run("adopt", "directory/default/1000.xml", "--yes").code == 0
    assert on_real_switch.run("apply", "--yes").code == 0
    declare(on_real_switch, number=1025, name="New hire")
    ran = on_real_switch.run("apply", "--yes")
    assert ran.code == 0, ran.err
    assert "directory/default.xml:51 (a pointer of group sales) still names it" in ran.out
    assert "Read back from the switch: 1 agent as written; 1 agent gone." in ran.out
    assert "its mailbox opens with any PIN" in ran.out
    assert try_mailbox(changed, "1000", "987654") == "success"
    with pytest.raises(CallFailedError, match="403"):
        SipPhone(changed, tmp_path / "phone", "1000", "anything").register()
    with changed.esl() as esl:
        assert esl.api(f"user_exists id 1025 {changed.domain}") == "true"


def test_a_folder_that_nothing_includes_is_told_by_the_read_back(
    on_real_switch: Project, changed: RealSwitch
) -> None:
    """The plan tells it too; where that is a warning only, the read-back has the words for it."""
    declare(on_real_switch)
    line = '<X-PRE-PROCESS cmd="include" data="default/*.xml"/>'
    edit(changed, "directory/default.xml", line, "")
    ran = on_real_switch.run("apply", "--yes")
    assert (ran.code, line in ran.err) == (4, True)
    warn_only(on_real_switch)
    ran = on_real_switch.run("apply", "--yes")
    assert (ran.code, line in ran.err) == (5, True)
    assert "the switch does not hold this user: nothing includes directory/default/*.xml" in ran.err


def test_the_domains_that_the_directory_has_are_named(
    on_real_switch: Project, changed: RealSwitch
) -> None:
    """../shared/cases/12: `global_getvar domain` answers what the target has already."""
    declare(on_real_switch)
    edit(changed, "directory/default.xml", '"$${domain}"', '"pbx.acme.test"')
    with changed.esl() as esl:
        assert esl.api("reloadxml").strip() == "+OK [Success]"
    ran = on_real_switch.run("apply", "--yes")
    assert (ran.code, "it has: pbx.acme.test" in ran.err) == (4, True)
    warn_only(on_real_switch)
    ran = on_real_switch.run("apply", "--yes")
    assert ran.code == 5
    assert (
        f"the switch holds no domain {changed.domain}: its directory has pbx.acme.test" in ran.err
    )
    checks = {
        item["name"]: item for item in on_real_switch.run("doctor", "--json").json()["checks"]
    }
    assert (checks["domain"]["health"], checks["domain-loaded"]["health"]) == ("error", "error")
    assert "it has: pbx.acme.test" in checks["domain"]["message"]


def test_a_foreign_file_of_the_same_number_is_named_before_anything_is_touched(
    on_real_switch: Project, changed: RealSwitch
) -> None:
    declare(on_real_switch, number=1000)
    (changed.conf_dir / "directory/default/1000.xml").rename(
        changed.conf_dir / "directory/default/boss.xml"
    )
    try:
        ran = on_real_switch.run("apply", "--yes")
    finally:
        (changed.conf_dir / "directory/default/boss.xml").unlink()
    assert (ran.code, "directory/default/boss.xml:2 (a user of group default)" in ran.err) == (
        4, True,
    ), ran.err  # fmt: skip


def test_a_file_that_freeswitch_s_user_may_not_read_is_foreseen_and_named(
    project: Project, shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It runs as somebody else, and the folder's group is not among its groups."""
    if not BINARY or os.geteuid() != 0:
        pytest.skip("needs FSGITOPS_TEST_FREESWITCH, and root to run it as somebody else")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        work_dir = Path(folder) / "switch"
        template = shared / "freeswitch-conf" / "vanilla"
        switch = RealSwitch(Path(BINARY), work_dir, template, user=NOBODY)
        try:
            switch.start()
            os.chown(switch.conf_dir / "directory/default", 0, 0)
            monkeypatch.setenv("FSGITOPS_ESL_PASSWORD", switch.esl_password)
            project.write(
                "fsgitops.yaml",
                "default_region: US\ntargets:\n  pbx:\n"
                f"    conf_dir: {switch.conf_dir}\n    domain: {switch.domain}\n"
                f"    esl: {{port: {switch.esl_port}}}\n",
            )
            declare(project)
            doctor = project.run("doctor", "--target", "pbx", "--json").json()
            ran = project.run("apply", "--yes", "--target", "pbx")
        finally:
            switch.stop()
    (check,) = [item for item in doctor["checks"] if item["name"] == "switch-user"]
    assert check["health"] == "error"
    assert "may not read what you write to directory/default" in check["message"]
    assert ran.code == 5
    assert "agent:1020: the switch does not hold this user: FreeSWITCH runs as uid 65534" in ran.err
    assert "may not read directory/default/1020.xml (uid 0, gid 0, mode 0640)" in ran.err
