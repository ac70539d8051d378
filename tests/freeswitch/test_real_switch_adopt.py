"""Taking users over out of a hand-written file, on a real FreeSWITCH."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sip_phone import SipPhone, require_sipp

if TYPE_CHECKING:
    from pathlib import Path

    from project import Project
    from real_switch import RealSwitch

pytestmark = pytest.mark.freeswitch

STAFF = "directory/default/staff.xml"
BY_HAND = """\
<include>
  <user id="1040">
    <params>
      <param name="password" value="kept-by-the-phone-1"/>
    </params>
    <variables>
      <variable name="user_context" value="default"/>
    </variables>
  </user>
  <user id="1041"><params><param name="password" value="of-another-1"/></params></user>
</include>
"""


def test_a_phone_of_a_hand_written_user_stays_registered_and_registers_again(
    on_real_switch: Project,
    freeswitch: RealSwitch,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    require_sipp()
    monkeypatch.setenv("PHONE", "kept-by-the-phone-1")
    (freeswitch.conf_dir / STAFF).write_text(BY_HAND)
    (on_real_switch.root / "desired/routes.yaml").unlink()
    on_real_switch.write(
        "desired/agents.yaml",
        "agents:\n  - {extension: 1040, name: Forty, password: {env: PHONE}}\n",
    )
    try:
        with freeswitch.esl() as esl:
            assert "Success" in esl.api("reloadxml")
            with SipPhone(freeswitch, tmp_path / "phone", "1040", "kept-by-the-phone-1") as phone:
                phone.register()
                ran = on_real_switch.run("adopt", ".", "--split", "--yes")
                assert ran.code == 0, ran.err
                ran = on_real_switch.run("apply", "--yes")
                assert (ran.code, "1 moved to another file" in ran.out) == (0, True), ran.err
                status = esl.api("sofia status profile internal reg 1040")
                assert "1040@" in status
                phone.register()
            assert esl.api(f"user_exists id 1041 {freeswitch.domain}") == "true"
        assert on_real_switch.run("drift").code == 0
        ran = on_real_switch.run("rollback", "--yes")
        assert ran.code == 0, ran.err
        assert (freeswitch.conf_dir / STAFF).read_text() == BY_HAND
        assert on_real_switch.run("release", ".").code == 0
    finally:
        (freeswitch.conf_dir / STAFF).unlink(missing_ok=True)
