"""What is compiled, loaded by a real FreeSWITCH with the stock configuration."""

from __future__ import annotations

import json
import wave
from typing import TYPE_CHECKING

import pytest
from builders import desired, noun
from compiling import compile_desired

from fsgitops.kinds.agent.user import encode_caller_name
from fsgitops.secret.key import ProjectKey, derive_voicemail_pin

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plain_esl import PlainEsl
    from real_switch import RealSwitch

pytestmark = pytest.mark.freeswitch

KEY = ProjectKey(bytes(range(32)))
AWKWARD = {
    "1020": "<&> \"quoted\" 'single' --> < !-- ]]> &amp; &#36;{x}",
    "1021": " Zoë  Ünïcode \U0001f600 </include> <include> $ { } \\ % ",
    "1022": '"/></variables></user><user id="9999"><x y="',
}


@pytest.fixture(scope="module")
def loaded(freeswitch: RealSwitch) -> Iterator[PlainEsl]:
    agents = tuple(
        noun(
            "agent",
            extension=extension,
            name=name,
            variables={"site_note": name},
            voicemail=voicemail,
        )
        for (extension, name), voicemail in zip(AWKWARD.items(), (True, False, True), strict=True)
    )
    route = noun("did", did_number="+19495431333", destination_extension="1020")
    compiled, findings = compile_desired(desired(*agents, route), key=KEY, domain=freeswitch.domain)
    assert findings == []
    for path, file in compiled.files.items():
        (freeswitch.conf_dir / path).write_bytes(file.content)
    with freeswitch.esl() as esl:
        assert esl.api("reloadxml").strip() == "+OK [Success]"
        yield esl
        for path in compiled.files:
            (freeswitch.conf_dir / path).unlink()
        esl.api("reloadxml")


@pytest.mark.parametrize("extension", AWKWARD)
def test_every_value_arrives_as_it_was_declared(loaded, freeswitch, extension):
    user = f"{extension}@{freeswitch.domain}"
    assert loaded.api(f"user_data {user} var site_note") == AWKWARD[extension]
    assert loaded.api(f"user_data {user} var effective_caller_id_name") == encode_caller_name(
        AWKWARD[extension]
    )
    assert loaded.api(f"user_data {user} var fsgitops_agent") == "true"


def test_no_user_was_smuggled_in(loaded, freeswitch):
    assert loaded.api(f"user_exists id 9999 {freeswitch.domain}") == "false"


def test_the_route_is_in_the_loaded_dialplan(loaded):
    answer = loaded.api("xml_locate dialplan context name public")
    assert 'name="inbound_19495431333"' in answer
    assert 'data="1020 XML default"' in answer


def events_until(esl: PlainEsl, wanted: str) -> dict[str, str]:
    while True:
        frame = esl.read()
        if frame.headers.get("Content-Type") == "text/event-json":
            event = json.loads(frame.body)
            if event.get(wanted):
                return event


@pytest.mark.parametrize(("extension", "cause"), [("1021", "USER_NOT_REGISTERED"), ("1023", "")])
def test_an_agent_without_voicemail_ends_with_the_cause_of_its_call(
    loaded, freeswitch, extension, cause
):
    with freeswitch.esl() as esl:
        esl.command("event json CHANNEL_EXECUTE CHANNEL_HANGUP_COMPLETE")
        esl.command(f"bgapi originate loopback/{extension}/default &park")
        bridges, ended = [], ""
        while not ended:
            event = events_until(esl, "Event-Name")
            if event["Event-Name"] == "CHANNEL_EXECUTE":
                bridges.append((event["Application"], event.get("Application-Data", "")))
            elif event.get("Channel-Name", "").endswith("-b"):
                ended = event["Hangup-Cause"]
    bridge = ("bridge", f"user/{extension}@{freeswitch.domain}")
    assert (bridge in bridges) == bool(cause)
    assert not cause or ended == cause


def write_prompt(freeswitch: RealSwitch) -> None:
    """A moment of silence for the prompt that asks for the PIN; without it the mailbox hangs up."""
    folder = freeswitch.work_dir / "sounds/en/us/callie/voicemail"
    folder.mkdir(parents=True, exist_ok=True)
    with wave.open(str(folder / "vm-enter_pass.wav"), "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", ""))
        sound.writeframes(bytes(1600))


@pytest.mark.parametrize("right", [True, False])
@pytest.mark.usefixtures("shared")
def test_the_mailbox_takes_its_pin_and_no_other(loaded, freeswitch, right):
    write_prompt(freeswitch)
    pin = derive_voicemail_pin(KEY, "1020", freeswitch.domain, 1).reveal()
    entered = pin if right else f"{(int(pin) + 1) % 10**6:06d}"
    with freeswitch.esl() as esl:
        uuid = esl.api("create_uuid").strip()
        esl.command("event json PLAYBACK_START CUSTOM vm::maintenance")
        mailbox = f"&voicemail('check default {freeswitch.domain} 1020')"
        esl.command(f"bgapi originate {{origination_uuid={uuid}}}loopback/app=park:x {mailbox}")
        events_until(esl, "Playback-File-Path")
        esl.send(f"bgapi uuid_recv_dtmf {uuid} {entered}#\n\n".encode())
        event = events_until(esl, "VM-Auth-Result")
        esl.send(f"bgapi uuid_kill {uuid}\n\n".encode())
    assert (event["VM-User"], event["VM-Auth-Result"]) == ("1020", "success" if right else "fail")
