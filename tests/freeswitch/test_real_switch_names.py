"""On a real FreeSWITCH: what a phone shows of an agent's name, and in which forms a DID rings."""

from __future__ import annotations

import json
import re
import socket
import threading
from typing import TYPE_CHECKING

import pytest
from project import Project
from real_switch import RealSwitch, free_ports
from sip_phone import SipPhone, call_from_outside, require_sipp, run_sipp

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.freeswitch

CALLEE = "  - {extension: 1025, name: Callee}\n"
_HEADER = re.compile(r'^(From|Remote-Party-ID): *"((?:[^"\\]|\\.)*)" *<', re.MULTILINE)


def apply_agents(project: Project, text: str) -> None:
    (project.root / "desired/routes.yaml").unlink(missing_ok=True)
    project.write("desired/agents.yaml", "agents:\n" + text)
    ran = project.run("apply", "--yes")
    assert ran.code == 0, ran.err


def register(project: Project, switch: RealSwitch, extension: str, place: Path) -> SipPhone:
    secret = project.run("credentials", extension, "--reveal", "--json").json()["password"]
    phone = SipPhone(switch, place / extension, extension, secret)
    phone.register()
    return phone


def hear_names(
    project: Project, switch: RealSwitch, place: Path, caller: str, callee: SipPhone
) -> dict[str, str]:
    """Call 1025 as `caller`; return the names in the headers of the INVITE that 1025 receives."""
    secret = project.run("credentials", caller, "--reveal", "--json").json()["password"]
    login = f"[authentication username={caller} password={secret}]"
    heard: dict[str, str] = {}
    with socket.socket(type=socket.SOCK_DGRAM) as phone:
        phone.bind(("127.0.0.1", callee.port))
        phone.settimeout(20)

        def refuse() -> None:
            while "From" not in heard:
                data, sender = phone.recvfrom(65535)
                text = data.decode()
                if text.startswith("INVITE"):
                    heard.update(
                        {
                            name: re.sub(r"\\(.)", r"\1", shown)
                            for name, shown in _HEADER.findall(text)
                        }
                    )
                    kept = re.findall(r"^(?:Via|From|To|Call-ID|CSeq): .*?$", text, re.MULTILINE)
                    lines = [line.rstrip() for line in kept]
                    lines = [f"{line};tag=1" if line.startswith("To:") else line for line in lines]
                    answer = ["SIP/2.0 486 Busy Here", *lines, "Content-Length: 0", "", ""]
                    phone.sendto("\r\n".join(answer).encode(), sender)

        listening = threading.Thread(target=refuse, daemon=True)
        listening.start()
        fields = f"{caller};{switch.domain};1025;{login}"
        port = free_ports(1)[0]
        run_sipp(place, "call_as_user", (switch.esl_host, switch.internal_port), fields, port=port)
        listening.join(20)
    return heard


# What FreeSWITCH cuts a name at, decodes or takes for an escape.
NAMES = {
    "1030": "Front desk: Berlin",
    "1031": 'John "Jack" Smith',
    "1032": "Support 24/7 <24h>",
    "1033": "A/B Testing@home",
    "1034": "Zoë's 5\" \\ 100%41 % 1\\",
    "1035": '"',
}


def test_a_phone_shows_the_whole_name_that_was_declared(
    on_real_switch: Project, freeswitch: RealSwitch, tmp_path: Path
) -> None:
    require_sipp()
    declared = [
        f"  - {{extension: {extension}, name: {json.dumps(name)}}}\n"
        for extension, name in NAMES.items()
    ]
    apply_agents(on_real_switch, "".join(declared) + CALLEE)
    callee = register(on_real_switch, freeswitch, "1025", tmp_path)
    for extension, name in NAMES.items():
        heard = hear_names(on_real_switch, freeswitch, tmp_path, extension, callee)
        assert heard == {"From": name, "Remote-Party-ID": name}


@pytest.mark.parametrize("dialled", ["+19495431333", "19495431333", "9495431333"])
def test_an_agent_rings_in_whichever_form_a_carrier_sends_its_number(
    on_real_switch: Project, freeswitch: RealSwitch, tmp_path: Path, dialled: str
) -> None:
    require_sipp()
    apply_agents(on_real_switch, "  - {extension: 1020, name: Ana}\n")
    on_real_switch.write(
        "desired/routes.yaml",
        "did_routes:\n  - {did_number: 9495431333, destination_extension: 1020}\n",
    )
    assert on_real_switch.run("apply", "--yes").code == 0
    with register(on_real_switch, freeswitch, "1020", tmp_path).answer() as phone:
        call_from_outside(freeswitch, tmp_path, dialled)
        assert phone.wait_answered()
