"""Legs joined into calls, from what a real switch answered and from what callers may claim."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from builders import noun

from fsgitops.live.calls import agent_of, join_calls
from fsgitops.live.roster import Roster
from fsgitops.switch.replies import Channel, read_channels

if TYPE_CHECKING:
    from pathlib import Path

DID = "+19495431333"
NAMES = {"1020": "Alice", "1021": "Bob"}
ROSTER = Roster(
    {number: noun("agent", extension=number, name=name) for number, name in NAMES.items()},
    {DID: noun("did", did_number=DID, destination_extension="1020")},
)
DOMAIN = "pbx.example.com"
LEG = Channel(
    uuid="a", call_uuid="a", direction="inbound", created=100, name="sofia/external/1",
    state="CS_EXECUTE", call_state="ACTIVE", caller_name="Eve", caller_number="+12025550123",
    destination="1020", context="default", application="",
    read_codec="PCMU", write_codec="PCMA", network_ip="192.0.2.7",
    initial_destination="19495431333", initial_context="public",
)  # fmt: skip
AGENT_LEG = replace(
    LEG, uuid="b", direction="outbound", created=105, destination="1020", read_codec="OPUS",
    presence=f"1020@{DOMAIN}", initial_destination="1020", initial_context="default",
)  # fmt: skip


def test_a_real_inbound_call_is_one_call_with_both_legs(shared: Path) -> None:
    captures = json.loads((shared / "esl-captures" / "api-replies-during-call.json").read_text())
    body = next(item["body"] for item in captures if "channels" in item.get("command", ""))
    (call,) = join_calls(read_channels(body.encode()), ROSTER, "127.0.0.1", now=1795431500)
    assert (call.direction, call.caller, call.caller_name, call.callee) == (
        "inbound", "+12025550123", "Alice Example", "1020",
    )  # fmt: skip
    assert (call.did, call.agents, call.age, call.state) == (DID, ("1020",), 23, "ACTIVE")
    assert [(leg.direction, leg.agent, leg.read_codec) for leg in call.legs] == [
        ("inbound", None, "PCMU"),
        ("outbound", "1020", "PCMU"),
    ]


def test_the_number_called_is_found_with_and_without_its_plus() -> None:
    for dialled in (DID, DID[1:]):
        (call,) = join_calls([replace(LEG, initial_destination=dialled)], ROSTER, DOMAIN, now=100)
        assert call.did == DID


def test_a_caller_who_claims_to_be_an_agent_is_none() -> None:
    forged = replace(LEG, presence=f"1021@{DOMAIN}")
    assert agent_of(forged, ROSTER, DOMAIN) is None
    (call,) = join_calls([forged, AGENT_LEG], ROSTER, DOMAIN, now=120)
    assert call.agents == ("1020",)


def test_an_agent_who_was_authenticated_is_the_caller() -> None:
    own = replace(LEG, presence=f"1021@{DOMAIN}", initial_context="default", destination="1020")
    (call,) = join_calls([own, AGENT_LEG], ROSTER, DOMAIN, now=120)
    assert (call.direction, call.caller, call.caller_name) == ("internal", "1021", "Bob")


def test_an_agent_of_another_domain_is_not_ours() -> None:
    assert agent_of(replace(AGENT_LEG, presence="1020@elsewhere.example"), ROSTER, DOMAIN) is None


def test_a_call_is_ringing_until_both_legs_are_up() -> None:
    ringing = replace(AGENT_LEG, call_state="RINGING")
    (call,) = join_calls([replace(ringing, call_uuid="a"), LEG], ROSTER, DOMAIN, now=120)
    assert (call.state, call.uuid, len(call.legs)) == ("RINGING", "a", 2)


def test_a_clock_that_is_behind_makes_no_negative_age() -> None:
    (call,) = join_calls([LEG], ROSTER, DOMAIN, now=50)
    assert (call.age, call.legs[0].age) == (0, 0)


def test_the_longest_call_comes_first() -> None:
    young = replace(LEG, uuid="y", call_uuid="y", created=150)
    found = join_calls([young, LEG], ROSTER, DOMAIN, now=200)
    assert [call.uuid for call in found] == ["a", "y"]
