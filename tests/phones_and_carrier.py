"""A project on a real FreeSWITCH, and the phones of its agents and a carrier, which sipp plays."""

from __future__ import annotations

import json
import wave
from typing import TYPE_CHECKING, Any

from project import Project

if TYPE_CHECKING:
    from collections.abc import Callable

    from plain_esl import PlainEsl
    from real_switch import RealSwitch

GATEWAY = """\
<include>
  <gateway name="test_carrier">
    <param name="proxy" value="127.0.0.1:{port}"/>
    <param name="username" value="none"/>
    <param name="password" value="none"/>
    <param name="register" value="false"/>
    <param name="caller-id-in-from" value="true"/>
  </gateway>
</include>
"""
ATTEMPTS = 400


def until(met: Callable[[], Any]) -> Any:
    """Ask again and again, a bounded number of times: each asking takes its time."""
    for _ in range(ATTEMPTS):
        found = met()
        if found:
            return found
    raise AssertionError("it never came to that")


def agent(real: Project, extension: str) -> dict[str, Any]:
    found: dict[str, Any] = real.run("status", extension, "--json").json()["agents"][0]
    return found


def calls(real: Project) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = real.run("calls", "--json").json()["calls"]
    return found


def up(real: Project, legs: int = 2) -> dict[str, Any] | None:
    found = calls(real)
    if len(found) == 1 and len(found[0]["legs"]) == legs and found[0]["state"] == "ACTIVE":
        return found[0]
    return None


def change_gateway(real: Project, name: str) -> None:
    text = (real.root / "fsgitops.yaml").read_text()
    real.write("fsgitops.yaml", text.replace("gateway: test_carrier", f"gateway: {name}"))


def try_mailbox(switch: RealSwitch, number: str, pin: str) -> str:
    """Enter a PIN at a mailbox; return `success` or `fail`."""
    folder = switch.work_dir / "sounds/en/us/callie/voicemail"
    folder.mkdir(parents=True, exist_ok=True)
    with wave.open(str(folder / "vm-enter_pass.wav"), "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", ""))
        sound.writeframes(bytes(1600))
    with switch.esl() as esl:
        uuid = esl.api("create_uuid").strip()
        esl.command("event json PLAYBACK_START CUSTOM vm::maintenance")
        mailbox = f"&voicemail('check default {switch.domain} {number}')"
        esl.command(f"bgapi originate {{origination_uuid={uuid}}}loopback/app=park:x {mailbox}")
        wait_for(esl, "Playback-File-Path")
        esl.send(f"bgapi uuid_recv_dtmf {uuid} {pin}#\n\n".encode())
        said: str = wait_for(esl, "VM-Auth-Result")
        esl.send(f"bgapi uuid_kill {uuid}\n\n".encode())
    return said


def wait_for(esl: PlainEsl, name: str) -> Any:
    while True:
        frame = esl.read()
        if frame.headers.get("Content-Type") == "text/event-json":
            event = json.loads(frame.body)
            if name in event:
                return event[name]
