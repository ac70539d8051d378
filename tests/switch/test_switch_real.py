"""What `fsgitops.switch.client` believes about FreeSWITCH, asked of a real one."""

from __future__ import annotations

import contextlib
import hashlib
import re
import socket
from typing import TYPE_CHECKING

import pytest
from scripted_esl import connect_switch

from fsgitops.errors import SwitchAuthError, SwitchError, SwitchTimeoutError
from fsgitops.switch.client import Switch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from real_switch import RealSwitch

pytestmark = pytest.mark.freeswitch


@pytest.fixture
def live(freeswitch: RealSwitch) -> Iterator[Switch]:
    with connect_switch(freeswitch.esl_host, freeswitch.esl_port, freeswitch.esl_password) as one:
        yield one


class Phone:
    """Registers over UDP with digest authentication."""

    def __init__(self, extension: str, password: str, domain: str, port: int) -> None:
        self.extension, self.password, self.domain = extension, password, domain
        self.sock = socket.socket(type=socket.SOCK_DGRAM)
        self.sock.bind(("127.0.0.1", 0))
        self.sock.connect(("127.0.0.1", port))
        self.sock.settimeout(5)
        self.port = self.sock.getsockname()[1]

    def register(self, call_id: str) -> None:
        self.sock.send(self._message(call_id, 1))
        said = dict(re.findall(r'(\w+)="([^"]*)"', self.sock.recv(65535).decode()))
        uri = f"sip:{self.domain}"
        secret = md5(f"{self.extension}:{said['realm']}:{self.password}")
        proof = md5(f"{secret}:{said['nonce']}:00000001:abc:auth:{md5(f'REGISTER:{uri}')}")
        proving = (
            f'Authorization: Digest username="{self.extension}", realm="{said["realm"]}", '
            f'nonce="{said["nonce"]}", uri="{uri}", response="{proof}", algorithm=MD5, '
            'cnonce="abc", qop=auth, nc=00000001\r\n'
        )
        self.sock.send(self._message(call_id, 2, proving))
        assert self.sock.recv(65535).startswith(b"SIP/2.0 200")

    def _message(self, call_id: str, number: int, proving: str = "") -> bytes:
        address = f"<sip:{self.extension}@{self.domain}>"
        contact = f"<sip:{self.extension}@127.0.0.1:{self.port}>"
        lines = [
            f"REGISTER sip:{self.domain} SIP/2.0",
            f"Via: SIP/2.0/UDP 127.0.0.1:{self.port};rport;branch=z9hG4bK{self.port}{number}",
            f"From: {address};tag=t{self.port}",
            f"To: {address}",
            f"Call-ID: {call_id}",
            f"CSeq: {number} REGISTER",
            f"Contact: {contact}",
            "User-Agent: Zoë's <phone>",
            "Expires: 600",
            "Max-Forwards: 70",
        ]
        return ("\r\n".join(lines) + f"\r\n{proving}Content-Length: 0\r\n\r\n").encode()

    def is_notified(self) -> bool:
        self.sock.settimeout(1)
        with contextlib.suppress(TimeoutError):
            return self.sock.recv(65535).startswith(b"NOTIFY")
        return False


def md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()


def phone(live: Switch, freeswitch: RealSwitch, extension: str) -> Phone:
    (password,) = live.user_params_many([(extension, freeswitch.domain, "param", "password")])
    assert password
    return Phone(extension, password, freeswitch.domain, freeswitch.internal_port)


def flush(extension: str, freeswitch: RealSwitch) -> str:
    return f"sofia profile internal flush_inbound_reg {extension}@{freeswitch.domain}"


def registered(live: Switch, extension: str, wanted: bool) -> list[str]:
    """Ask until the list shows what it should: mod_sofia writes it through a queue."""
    for _ in range(2000):
        call_ids = [one.call_id for one in live.registrations() if one.user == extension]
        if bool(call_ids) == wanted:
            break
    return call_ids


def test_a_real_switch_reloads_and_rescans(live: Switch) -> None:
    assert live.run("reloadxml", "reload").ok
    assert live.run("sofia profile external rescan", "rescan").ok
    assert not live.run("sofia profile nope rescan", "rescan").ok


def test_a_real_broken_file_is_not_ok_and_tells_its_line(
    live: Switch, freeswitch: RealSwitch
) -> None:
    broken = freeswitch.conf_dir / "directory" / "default" / "0broken.xml"
    broken.write_text('<include>\n<user id="1">\n</include>\n')
    try:
        said = live.run("reloadxml", "reload")
    finally:
        broken.unlink()
    assert live.run("reloadxml", "reload").ok
    assert not said.ok
    assert said.line


def test_a_real_switch_locates_contexts_and_domains(live: Switch, freeswitch: RealSwitch) -> None:
    public = live.locate("dialplan", "context", "public") or b""
    assert public.startswith(b'<context name="public">')
    assert live.locate("dialplan", "context", "PUBLIC") == public
    assert live.locate("dialplan", "context", "nope") is None
    assert b'<user id="1000"' in (live.locate("directory", "domain", freeswitch.domain) or b"")
    assert live.locate("directory", "domain", "nope.example.com") is None


def test_a_real_switch_knows_its_users_and_variables(live: Switch, freeswitch: RealSwitch) -> None:
    domain = freeswitch.domain
    assert live.users_exist([("1000", domain), ("9", domain)]) == [True, False]
    wanted = [("1000", domain, "var", "user_context"), ("1000", domain, "var", "nope")]
    assert live.user_params_many(wanted) == ["default", None]  # type: ignore[arg-type]
    assert live.global_variable("domain") == freeswitch.domain
    assert live.global_variable("nope") is None


def test_a_real_unknown_profile_is_an_error(live: Switch) -> None:
    with pytest.raises(SwitchError, match="Invalid Profile"):
        live.registrations("nope")


@pytest.mark.usefixtures("shared")
def test_a_real_phone_cannot_forge_a_registration(live: Switch, freeswitch: RealSwitch) -> None:
    evil = f"evil</call-id><user>1005@{freeswitch.domain}</user><call-id>"
    phone(live, freeswitch, "1001").register(evil)
    assert registered(live, "1001", True) == [evil]
    assert registered(live, "1005", False) == []
    assert [one.user_agent for one in live.registrations() if one.user == "1001"] == [
        "Zoë's <phone>"
    ]
    assert live.run(flush("1001", freeswitch)).ok


@pytest.mark.usefixtures("shared")
def test_a_real_flush_ends_the_registration_and_notifies_nobody(
    live: Switch, freeswitch: RealSwitch
) -> None:
    one = phone(live, freeswitch, "1002")
    one.register("flush")
    assert registered(live, "1002", True)
    assert live.count_phones("1002", freeswitch.domain) == 1
    assert live.run(flush("1002", freeswitch)).ok
    assert registered(live, "1002", False) == []
    assert live.count_phones("1002", freeswitch.domain) == 0
    assert not one.is_notified()


def test_a_real_wrong_password_is_told(freeswitch: RealSwitch) -> None:
    with pytest.raises(SwitchAuthError, match="wrong ESL password"):
        connect_switch(freeswitch.esl_host, freeswitch.esl_port, "wrong")


def test_a_real_slow_command_times_out_and_the_session_stays_usable(live: Switch) -> None:
    with pytest.raises(SwitchTimeoutError):
        live.session.api_bytes("msleep 300", timeout=0.05)
    assert live.uptime() >= 0


def test_real_events_arrive_as_json(live: Switch, freeswitch: RealSwitch) -> None:
    with connect_switch(
        freeswitch.esl_host, freeswitch.esl_port, freeswitch.esl_password
    ) as listening:
        queue = listening.session.subscribe_json(["RELOADXML"])
        live.run("reloadxml", "reload")
        event = queue.get(timeout=5.0)
    assert event is not None
    assert event["Event-Name"] == "RELOADXML"
