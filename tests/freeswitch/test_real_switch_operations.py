"""Live operations on a real FreeSWITCH: phones and a carrier are played by sipp."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import pytest
from phones_and_carrier import (
    agent,
    change_gateway,
    until,
    up,
)
from project import Project
from real_switch import RealSwitch
from sip_phone import SipPhone, calling

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from starlette.testclient import TestClient

    from fsgitops.api.handlers import Service

pytestmark = pytest.mark.freeswitch


def test_status_tells_the_phone_and_that_memory_is_as_declared(
    real: Project, phones: Callable[[str], SipPhone]
) -> None:
    phone = phones("1020")
    found = agent(real, "1020")
    (only,) = found["phones"]
    assert (found["memory"], found["on_call"], only["user_agent"]) == ("match", False, "test phone")
    assert (only["network_ip"], only["network_port"]) == ("127.0.0.1", phone.port)
    assert 3000 < only["expires"] <= 3660
    out = real.run("status").out
    assert "1 of 2 enabled agents registered, 0 on a call" in out


def test_status_tells_what_the_switch_holds_otherwise(
    real: Project, freeswitch: RealSwitch
) -> None:
    file = freeswitch.conf_dir / "directory/default/1020.xml"
    kept = file.read_bytes()
    file.write_bytes(kept.replace(b'value="default"', b'value="elsewhere"'))
    try:
        with freeswitch.esl() as esl:
            esl.api("reloadxml")
        found = agent(real, "1020")
        assert (found["memory"], found["differences"]) == ("differs", ["variable user_context"])
    finally:
        file.write_bytes(kept)


def test_a_transfer_that_would_lose_the_call_leaves_it_up(
    real: Project, phones: Callable[[str], SipPhone]
) -> None:
    phones("1020")
    phones("1021")
    real.run("dial", "1020", "1021", "--wait")
    call = until(lambda: up(real))
    real.run("kick", "1021")
    ran = real.run("transfer", call["uuid"], "1021")
    assert (ran.code, "agent 1021 is not registered and has" in ran.err) == (1, True), ran.err
    change_gateway(real, "telnyx")
    ran = real.run("transfer", call["uuid"], "+18005559999")
    assert (ran.code, "no gateway `telnyx`" in ran.err) == (1, True)
    assert up(real)


@pytest.mark.usefixtures("shared")
def test_the_other_leg_is_transferred_to_another_agent(
    real: Project, phones: Callable[[str], SipPhone], carrier: SipPhone
) -> None:
    first, second = phones("1020"), phones("1021")
    carrier.answer()
    placed = real.run("dial", "1020", "+18005551234", "--wait", "--json").json()
    until(lambda: up(real))
    ran = real.run("transfer", placed["uuid"], "1021", "--other-leg")
    assert ran.code == 0, ran.err
    call = until(lambda: (found := up(real)) and found["agents"] == ["1021"] and found)
    assert first.wait_answered()
    assert real.run("hangup", call["uuid"]).code == 0
    assert second.wait_answered()


@pytest.mark.usefixtures("shared")
def test_a_caller_is_seen_with_the_number_called_and_transferred_outside(
    real: Project,
    phones: Callable[[str], SipPhone],
    carrier: SipPhone,
    freeswitch: RealSwitch,
    tmp_path: Path,
) -> None:
    phone = phones("1020")
    with calling(freeswitch, tmp_path / "caller", "19495431333", "1021"):
        call = until(lambda: up(real))
        assert (call["direction"], call["did"], call["caller"], call["agents"]) == (
            "inbound", "+19495431333", "1021", ["1020"],
        )  # fmt: skip
        carrier.answer()
        ran = real.run("transfer", call["uuid"], "+18005559999")
        assert ran.code == 0, ran.err
        assert phone.wait_answered()
        gone = until(lambda: (found := up(real)) and found["agents"] == [] and found)
        assert gone["callee"] == "+18005559999"
        assert real.run("hangup", gone["uuid"]).code == 0
        assert carrier.wait_answered()


def test_kick_ends_the_registration(real: Project, phones: Callable[[str], SipPhone]) -> None:
    phones("1020")
    assert real.run("kick", "1020").out == "Ended 1 registration.\n"
    assert not agent(real, "1020")["registered"]


def test_a_call_that_is_not_there_is_said_to_be_so(real: Project) -> None:
    ran = real.run("hangup", "4c02599d-865c-42fd-9045-079b692658b0")
    assert (ran.code, "no call" in ran.err) == (1, True)


@contextlib.contextmanager
def serving(real: Project) -> Iterator[tuple[TestClient, Service]]:
    """Yield a client of the API over the real switch, and what is behind it."""
    from starlette.testclient import TestClient

    from fsgitops.api.app import create_app
    from fsgitops.api.serve import build_service
    from fsgitops.live.connect import hold_target
    from fsgitops.workspace.open import open_workspace

    workspace = open_workspace(real.root)
    with hold_target(workspace.target, workspace.root) as connect:
        service = build_service(workspace, connect, anonymous=["read", "operate"])
        with TestClient(create_app(service)) as client:
            yield client, service


def test_the_api_places_and_ends_a_real_call(
    real: Project, phones: Callable[[str], SipPhone], carrier: SipPhone
) -> None:
    phone = phones("1020")
    carrier.answer()
    with serving(real) as (client, _):
        assert client.get("/health").json()["switch"] == "up"
        assert client.get("/api/agents/1020/status").json()["data"]["online"] is True
        asked = {"agent_extension": "1020", "destination": "+18005551234"}
        answer = client.post("/api/calls/dial", json=asked)
        assert answer.status_code == 200, answer.text
        uuid = answer.json()["data"]["uuid"]
        path = "/api/calls/active"
        (call,) = until(
            lambda: (
                (found := client.get(path).json()["data"]) and len(found[0]["legs"]) == 2 and found
            )
        )
        assert (call["uuid"], call["agent"]) == (uuid, "1020")
        assert client.post(f"/api/calls/{uuid}/hangup").status_code == 200
        assert phone.wait_answered()
        assert carrier.wait_answered()
        assert client.post("/api/agents/1020/kick").json()["data"]["ended"] == 1


def test_what_happens_to_a_real_call_is_told_on_the_operator_page(
    real: Project,
    phones: Callable[[str], SipPhone],
    carrier: SipPhone,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("fsgitops.api.live.CACHE_SECONDS", 0.0)
    with serving(real) as (client, service):

        def see() -> list[dict[str, Any]]:
            found: list[dict[str, Any]] = client.portal.call(service.board.snapshot)["calls"]
            return found

        see()
        phone = phones("1020")
        see()
        carrier.answer()
        asked = {"agent_extension": "1020", "destination": "+18005551234"}
        uuid = client.post("/api/calls/dial", json=asked).json()["data"]["uuid"]
        (call,) = until(lambda: (found := see()) and len(found[0]["legs"]) == 2 and found)
        assert [leg["agent"] for leg in call["legs"]] == ["1020", None]
        client.post(f"/api/calls/{uuid}/hangup")
        assert phone.wait_answered()
        until(lambda: not see())
        client.post("/api/agents/1020/kick")
        see()
        texts = [event["text"] for event in service.board.happened.after(0)]
    # Whether a look fell into the moment before the number was called is up to the machine.
    assert [text for text in texts if not text.endswith(("goes on", "was answered"))] == [
        "Watching from here on: no page was open before",
        "Agent 1020 Zoë O'Brien, {x} registered",
        "anonymous rang 1020 for a call to +18005551234",
        "Call 1020 → +18005551234 began",
        "anonymous hung up call 1020 → +18005551234",
        "Call 1020 → +18005551234 ended",
        "anonymous ended 1 registration of 1020",
        "Agent 1020 Zoë O'Brien, {x} no longer registered",
    ]
