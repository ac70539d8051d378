"""The main job on a real FreeSWITCH with the stock configuration: apply, register, ring, delete."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from project import Project
from real_switch import RealSwitch
from sip_phone import CallFailedError, SipPhone, call_from_outside, require_sipp

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.freeswitch


@pytest.fixture
def real(on_real_switch: Project) -> Project:
    """The example project, with the real switch as a target; nothing is applied yet."""
    return on_real_switch


def phone_of(real: Project, switch: RealSwitch, extension: str, work_dir: Path) -> SipPhone:
    require_sipp()
    credentials = real.run("credentials", extension, "--reveal", "--json").json()
    assert credentials["domain"] == switch.domain
    return SipPhone(switch, work_dir, credentials["username"], credentials["password"])


def test_what_is_applied_is_read_back_from_the_real_switch(real: Project) -> None:
    ran = real.run("apply", "--yes")
    assert ran.code == 0, ran.err
    assert "2 agents and 3 dialplan files as written" in ran.out


def test_a_second_plan_against_the_real_switch_is_empty(real: Project) -> None:
    real.run("apply", "--yes")
    assert real.run("plan", "--detailed-exitcode").code == 0


def test_the_derived_password_registers_and_a_call_to_the_did_rings(
    real: Project, freeswitch: RealSwitch, tmp_path: Path
) -> None:
    assert real.run("apply", "--yes").code == 0
    with phone_of(real, freeswitch, "1020", tmp_path / "phone") as phone:
        phone.register()
        phone.answer()
        call_from_outside(freeswitch, tmp_path / "caller", "19495431333")
        assert phone.wait_answered()


def test_the_password_of_the_version_before_registers_no_more(
    real: Project, freeswitch: RealSwitch, tmp_path: Path
) -> None:
    real.run("apply", "--yes")
    phone = phone_of(real, freeswitch, "1021", tmp_path)
    path = real.root / "desired" / "agents.yaml"
    path.write_text(path.read_text().replace("webrtc: true", "webrtc: true, password_version: 2"))
    assert real.run("apply", "--yes").code == 0
    with pytest.raises(CallFailedError):
        phone.register()


def test_deleting_the_agent_ends_its_registration(
    real: Project, freeswitch: RealSwitch, tmp_path: Path
) -> None:
    real.run("apply", "--yes")
    phone_of(real, freeswitch, "1021", tmp_path).register()
    path = real.root / "desired" / "agents.yaml"
    path.write_text("\n".join(path.read_text().splitlines()[:2]) + "\n")
    ran = real.run("apply", "--yes")
    assert ran.code == 0, ran.err
    assert "Registrations ended: 1" in ran.out


def test_a_hand_edit_on_the_real_switch_shows_as_drift(
    real: Project, freeswitch: RealSwitch
) -> None:
    real.run("apply", "--yes")
    file = freeswitch.conf_dir / "directory/default/1020.xml"
    file.write_bytes(file.read_bytes().replace(b"Alice", b"Mallory"))
    out = real.run("plan").out
    assert "drift" in out
    assert 'effective_caller_id_name: "Mallory" -> "Alice"' in out


def test_broken_xml_elsewhere_rolls_back_and_names_the_file_and_line(
    real: Project, freeswitch: RealSwitch
) -> None:
    broken = freeswitch.conf_dir / "directory/default/zz_broken.xml"
    broken.write_text('<include>\n  <user id="9">\n  </oops>\n</include>\n')
    try:
        before = real.tree(freeswitch.conf_dir)
        ran = real.run("apply", "--yes")
        assert (ran.code, real.tree(freeswitch.conf_dir)) == (5, before)
        assert "zz_broken.xml:3" in ran.err
        assert "keeps what it has in memory" in ran.err
    finally:
        broken.unlink()


def test_a_hand_written_user_of_the_same_number_is_found_out_before_anything_is_touched(
    real: Project, freeswitch: RealSwitch
) -> None:
    rival = freeswitch.conf_dir / "directory/default/0rival.xml"
    rival.write_text('<include>\n  <user id="1020">\n  </user>\n</include>\n')
    try:
        before = real.tree(freeswitch.conf_dir)
        ran = real.run("apply", "--yes")
        assert (ran.code, real.tree(freeswitch.conf_dir)) == (4, before)
        assert "0rival.xml" in ran.err
    finally:
        rival.unlink()
