"""The harness itself: a phone registers at a real FreeSWITCH, rings, and is flushed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sip_phone import CallFailedError, SipPhone, call_from_outside, require_sipp

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Subject
    from real_switch import RealSwitch

pytestmark = pytest.mark.freeswitch


@pytest.fixture
def phone(real: Subject, freeswitch: RealSwitch, tmp_path: Path) -> SipPhone:
    require_sipp()
    real.write_user(
        "2001",
        '<param name="password" value="right"/>',
        '<variable name="user_context" value="default"/>',
    )
    real.write(
        "dialplan/public/2001.xml",
        '<extension name="to_2001">\n'
        '<condition field="destination_number" expression="^15550100001$">\n'
        f'<action application="bridge" data="user/2001@{real.domain}"/>\n'
        "</condition>\n</extension>\n",
    )
    assert real.reload() == "+OK [Success]\n"
    return SipPhone(freeswitch, tmp_path, "2001", "right")


def test_a_phone_registers_rings_and_is_flushed(
    real: Subject, freeswitch: RealSwitch, phone: SipPhone, tmp_path: Path
) -> None:
    try:
        phone.register()
        assert real.api(f"sofia_contact 2001@{real.domain}").endswith(f":{phone.port}")
        with phone.answer():
            call_from_outside(freeswitch, tmp_path / "caller", "15550100001")
            assert phone.wait_answered()
        real.api(f"sofia profile internal flush_inbound_reg 2001@{real.domain} reboot")
        assert real.api(f"sofia_contact 2001@{real.domain}") == "error/user_not_registered"
    finally:
        real.api("sofia profile internal flush_inbound_reg")
        real.clean()
        real.reload()


def test_a_wrong_password_does_not_register(
    real: Subject, freeswitch: RealSwitch, phone: SipPhone, tmp_path: Path
) -> None:
    try:
        with pytest.raises(CallFailedError):
            SipPhone(freeswitch, tmp_path, "2001", "wrong").register()
        assert real.api(f"sofia_contact 2001@{real.domain}") == "error/user_not_registered"
    finally:
        real.clean()
        real.reload()
