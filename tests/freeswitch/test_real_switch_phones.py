"""An agent with two phones on a real FreeSWITCH, which its stock configuration does not allow."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from real_switch import RealSwitch
from scripted_esl import connect_switch
from sip_phone import SipPhone, require_sipp

from fsgitops.errors import SwitchError
from fsgitops.switch.calls import Dial, originate

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.freeswitch

UUID = "4c02599d-865c-42fd-9045-079b692658b0"


class ManyPhones(RealSwitch):
    """Lets a user register from several phones at a time."""

    def _adapt_profiles(self) -> None:
        super()._adapt_profiles()
        path = self.conf_dir / "sip_profiles" / "internal.xml"
        more = '<settings>\n<param name="multiple-registrations" value="contact"/>'
        path.write_text(path.read_text().replace("<settings>", more, 1))


@pytest.fixture
def switch(shared: Path, tmp_path: Path) -> Iterator[RealSwitch]:
    binary = os.environ.get("FSGITOPS_TEST_FREESWITCH")
    if not binary:
        pytest.skip("FSGITOPS_TEST_FREESWITCH does not name a FreeSWITCH binary")
    require_sipp()
    one = ManyPhones(Path(binary), tmp_path / "fs", shared / "freeswitch-conf" / "vanilla")
    try:
        yield one.start()
    finally:
        one.stop()


def call(switch: RealSwitch, uuid: str | None) -> Dial:
    return Dial(
        uuid=uuid, extension="1001", domain=switch.domain, number="+18005551234",
        gateway="none", caller_number="+19495431333", caller_name="Alice", timeout=4,
    )  # fmt: skip


def test_two_phones_both_ring_unless_the_uuid_is_given(switch: RealSwitch, tmp_path: Path) -> None:
    with switch.esl() as esl:
        password = esl.api(f"user_data 1001@{switch.domain} param password")
    silent = SipPhone(switch, tmp_path / "silent", "1001", password)
    silent.register()
    with (
        SipPhone(switch, tmp_path / "phone", "1001", password) as phone,
        socket.socket(type=socket.SOCK_DGRAM) as heard,
        connect_switch(switch.esl_host, switch.esl_port, switch.esl_password) as live,
    ):
        phone.register()
        heard.bind(("127.0.0.1", silent.port))
        heard.settimeout(5)
        for _ in range(2000):
            if len(live.registrations()) == 2:
                break
        phone.answer()
        with pytest.raises(SwitchError, match="NO_ANSWER"):
            originate(live.session, call(switch, UUID), 20)
        assert originate(live.session, call(switch, None), 20)
        assert heard.recv(65535).startswith(b"INVITE")
        assert "Duplicate UUID" in (switch.log_dir / "freeswitch.log").read_text(errors="replace")
