"""Live operations on a real FreeSWITCH: phones and a carrier are played by sipp."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from project import Project
from real_switch import RealSwitch, free_ports
from sip_phone import SipPhone, require_sipp, sipp_command

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.freeswitch

SETTINGS = """\
project: test
default_region: US
default_caller_id: +19495431334
targets:
  real:
    conf_dir: {conf_dir}
    domain: {domain}
    esl: {{host: {host}, port: {port}, password: {{env: TEST_ESL_PASSWORD}}}}
    dial: {{gateway: test_carrier, timeout: 15}}
"""
AGENTS = """\
agents:
  - {extension: 1020, name: "Zoë O'Brien, {x}", caller_id_number: +19495431333}
  - {extension: 1021, name: Bob}
"""
ROUTES = """\
did_routes:
  - {did_number: +19495431333, destination_extension: 1020}
  - {did_number: +19495431334, destination_extension: 1021}
"""
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


@pytest.fixture
def carrier(freeswitch: RealSwitch, tmp_path: Path) -> Iterator[SipPhone]:
    require_sipp()
    port = free_ports(1)[0]
    file = freeswitch.conf_dir / "sip_profiles/external/test_carrier.xml"
    file.write_text(GATEWAY.format(port=port))
    with freeswitch.esl() as esl:
        esl.api("sofia profile external rescan")
    with SipPhone(freeswitch, tmp_path / "carrier", "carrier", "", port) as far:
        yield far
    file.unlink()
    with freeswitch.esl() as esl:
        esl.api("sofia profile external killgw test_carrier")


@pytest.fixture
def real(
    project: Project, freeswitch: RealSwitch, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Project]:
    monkeypatch.setenv("TEST_ESL_PASSWORD", freeswitch.esl_password)
    monkeypatch.setenv("FSGITOPS_TARGET", "real")
    text = SETTINGS.format(
        conf_dir=freeswitch.conf_dir,
        domain=freeswitch.domain,
        host=freeswitch.esl_host,
        port=freeswitch.esl_port,
    )
    project.write("fsgitops.yaml", text)
    project.write("desired/agents.yaml", AGENTS)
    project.write("desired/routes.yaml", ROUTES)
    ran = project.run("apply", "--yes")
    assert ran.code == 0, ran.err
    yield project
    with freeswitch.esl() as esl:
        esl.api("hupall")
    for extension in ("1020", "1021"):
        project.run("kick", extension)
    for path in (project.root / "desired").iterdir():
        path.unlink()
    gone = project.run("apply", "--yes", "--allow", "empty", "--allow", "calls")
    assert gone.code == 0, gone.err
    shutil.rmtree(freeswitch.conf_dir / ".fsgitops")


@pytest.fixture
def phones(
    real: Project, freeswitch: RealSwitch, tmp_path: Path
) -> Iterator[Callable[[str], SipPhone]]:
    """Make a registered phone of an agent, which answers one call."""
    with contextlib.ExitStack() as stack:

        def make(extension: str) -> SipPhone:
            require_sipp()
            secret = real.run("credentials", extension, "--reveal", "--json").json()["password"]
            place = tmp_path / f"phone-{extension}"
            phone = stack.enter_context(SipPhone(freeswitch, place, extension, secret))
            phone.register()
            until(lambda: agent(real, extension)["registered"])
            return phone.answer()

        yield make


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


@pytest.mark.usefixtures("shared")
def test_dial_rings_the_agent_then_the_number_and_hangup_ends_both(
    real: Project, phones: Callable[[str], SipPhone], carrier: SipPhone
) -> None:
    phone = phones("1020")
    carrier.answer()
    ran = real.run("dial", "1020", "(800) 555-1234", "--wait", "--json")
    assert ran.code == 0, ran.err
    placed = ran.json()
    call = until(lambda: up(real))
    assert (call["uuid"], call["agent"], call["caller"], call["callee"], call["direction"]) == (
        placed["uuid"], "1020", "1020", "+18005551234", "outbound",
    )  # fmt: skip
    assert {leg["read_codec"] for leg in call["legs"]} == {"PCMU"}
    assert agent(real, "1020")["on_call"]
    assert real.run("hangup", placed["uuid"]).code == 0
    assert phone.wait_answered()
    assert carrier.wait_answered()
    until(lambda: calls(real) == [])


@pytest.mark.usefixtures("shared")
def test_the_carrier_is_shown_the_declared_number_and_a_harmless_name(
    real: Project, phones: Callable[[str], SipPhone], carrier: SipPhone, freeswitch: RealSwitch
) -> None:
    phones("1020")
    carrier.answer()
    assert real.run("dial", "1020", "+18005551234", "--wait").code == 0
    until(lambda: up(real))
    with freeswitch.esl() as esl:
        rows = json.loads(esl.api("show channels as json"))["rows"]
    far = next(row for row in rows if row["name"].endswith("+18005551234"))
    assert (far["cid_num"], far["cid_name"]) == ("+19495431333", "Zoë O Brien x")


def fate(ran: Any) -> tuple[int, str, dict[str, Any], dict[str, Any]]:
    """The exit code of `dial --wait --json`, how far it came, and each leg without its uuid."""
    told = ran.json()
    agents, others = told["legs"]["agent"], told["legs"]["destination"]
    for leg in (agents, others):
        del leg["uuid"]
    return ran.code, told["state"], agents, others


def change_gateway(real: Project, name: str) -> None:
    text = (real.root / "fsgitops.yaml").read_text()
    real.write("fsgitops.yaml", text.replace("gateway: test_carrier", f"gateway: {name}"))


UP = {"answered": True, "cause": None}


def test_waiting_tells_that_both_answered(
    real: Project, phones: Callable[[str], SipPhone], carrier: SipPhone
) -> None:
    phones("1020")
    carrier.answer()
    ran = real.run("dial", "1020", "+18005551234", "--wait", "--json")
    assert fate(ran) == (0, "connected", UP, {"called": True, **UP})
    assert until(lambda: up(real))["callee"] == "+18005551234"


def test_waiting_tells_that_the_number_is_busy(
    real: Project, phones: Callable[[str], SipPhone], carrier: SipPhone
) -> None:
    phones("1020")
    carrier.answer("busy")
    code, state, _, far = fate(real.run("dial", "1020", "+18005551234", "--wait", "--json"))
    assert (code, state) == (1, "failed")
    assert far == {"called": True, "answered": False, "cause": "USER_BUSY"}


def test_waiting_tells_in_words_who_did_not_answer(
    real: Project, phones: Callable[[str], SipPhone], carrier: SipPhone
) -> None:
    phones("1020")
    carrier.answer("busy")
    ran = real.run("dial", "1020", "+18005551234", "--wait")
    said = "fsgitops: agent 1020 answered; +18005551234 did not: USER_BUSY\n"
    assert (ran.code, ran.out, ran.err) == (1, "", said)


def test_waiting_tells_that_the_agent_did_not_answer(
    real: Project, phones: Callable[[str], SipPhone], carrier: SipPhone
) -> None:
    phones("1020").answer("ring")
    carrier.answer()
    ran = real.run("dial", "1020", "+18005551234", "--wait", "--timeout", "2", "--json")
    assert fate(ran) == (
        1, "failed", {"answered": False, "cause": "NO_ANSWER"},
        {"called": False, "answered": False, "cause": None},
    )  # fmt: skip


def test_an_agent_is_connected_with_another(
    real: Project, phones: Callable[[str], SipPhone]
) -> None:
    first, second = phones("1020"), phones("1021")
    ran = real.run("dial", "1020", "1021", "--wait", "--json")
    assert fate(ran) == (0, "connected", UP, {"called": True, **UP})
    call = until(lambda: up(real))
    assert (call["agents"], call["direction"]) == (["1020", "1021"], "internal")
    assert real.run("hangup", call["uuid"]).code == 0
    assert first.wait_answered()
    assert second.wait_answered()


def test_waiting_tells_that_the_other_agent_did_not_answer(
    real: Project, phones: Callable[[str], SipPhone]
) -> None:
    phones("1020")
    phones("1021").answer("ring")
    ran = real.run("dial", "1020", "1021", "--wait", "--timeout", "2", "--json")
    code, state, agents, far = fate(ran)
    assert (code, state, agents["answered"]) == (1, "failed", True)
    assert far == {"called": True, "answered": False, "cause": "NO_ANSWER"}


def test_a_gateway_that_is_not_there_rings_nobody(
    real: Project, phones: Callable[[str], SipPhone], freeswitch: RealSwitch
) -> None:
    phones("1020")
    change_gateway(real, "telnyx")
    ran = real.run("dial", "1020", "+18005551234")
    assert (ran.code, "the switch has no gateway `telnyx`" in ran.err) == (1, True)
    assert calls(real) == []
    with freeswitch.esl() as esl:
        assert esl.api("sofia status gateway telnyx") == "Invalid Gateway!\n"


def test_a_gateway_that_is_down_rings_nobody(
    real: Project, phones: Callable[[str], SipPhone], freeswitch: RealSwitch
) -> None:
    phones("1020")
    file = freeswitch.conf_dir / "sip_profiles/external/test_carrier.xml"
    file.write_text(GATEWAY.format(port=free_ports(1)[0]).replace('"false"', '"true"'))
    try:
        with freeswitch.esl() as esl:
            esl.api("sofia profile external rescan")
            until(lambda: "DOWN" in esl.api("sofia status gateway test_carrier"))
        ran = real.run("dial", "1020", "+18005551234")
        assert (ran.code, "gateway `test_carrier` is DOWN" in ran.err) == (1, True)
        assert calls(real) == []
    finally:
        file.unlink()
        with freeswitch.esl() as esl:
            esl.api("sofia profile external killgw test_carrier")


def test_a_transfer_to_a_gateway_that_is_not_there_leaves_the_call_up(
    real: Project, phones: Callable[[str], SipPhone]
) -> None:
    phones("1020")
    phones("1021")
    real.run("dial", "1020", "1021", "--wait")
    call = until(lambda: up(real))
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


@contextlib.contextmanager
def calling(switch: RealSwitch, place: Path, number: str, caller: str) -> Iterator[None]:
    place.mkdir(parents=True)
    (place / "data.csv").write_text(f"SEQUENTIAL\n{number};{caller};Eve <b>\n")
    command = sipp_command(place, "call_wait", port=free_ports(1)[0])
    target = f"{switch.esl_host}:{switch.external_port}"
    quiet = subprocess.DEVNULL
    one = subprocess.Popen(
        [*command, "-inf", str(place / "data.csv"), target],
        cwd=place, stdin=quiet, stdout=quiet, stderr=quiet,
    )  # fmt: skip
    try:
        yield
    finally:
        one.kill()
        one.wait()


def test_an_agent_without_a_phone_is_not_dialled(real: Project) -> None:
    ran = real.run("dial", "1021", "+18005551234")
    assert (ran.code, "not registered" in ran.err) == (1, True)


def test_kick_ends_the_registration(real: Project, phones: Callable[[str], SipPhone]) -> None:
    phones("1020")
    assert real.run("kick", "1020").out == "Ended 1 registration.\n"
    assert not agent(real, "1020")["registered"]


def test_a_call_that_is_not_there_is_said_to_be_so(real: Project) -> None:
    ran = real.run("hangup", "4c02599d-865c-42fd-9045-079b692658b0")
    assert (ran.code, "no call" in ran.err) == (1, True)


def test_the_api_places_and_ends_a_real_call(
    real: Project, phones: Callable[[str], SipPhone], carrier: SipPhone
) -> None:
    from starlette.testclient import TestClient

    from fsgitops.api.app import create_app
    from fsgitops.api.serve import build_service
    from fsgitops.commands.connect import hold_target
    from fsgitops.commands.workspace import open_workspace

    phone = phones("1020")
    carrier.answer()
    workspace = open_workspace(real.root)
    with hold_target(workspace.target, workspace.root) as connect:
        service = build_service(workspace, connect, anonymous=["read", "operate"])
        with TestClient(create_app(service)) as client:
            assert client.get("/health").json()["switch"] == "up"
            assert client.get("/api/agents/1020/status").json()["data"]["online"] is True
            asked = {"agent_extension": "1020", "destination": "+18005551234"}
            answer = client.post("/api/calls/dial", json=asked)
            assert answer.status_code == 200, answer.text
            uuid = answer.json()["data"]["uuid"]
            path = "/api/calls/active"
            (call,) = until(
                lambda: (
                    (found := client.get(path).json()["data"])
                    and len(found[0]["legs"]) == 2
                    and found
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
    from starlette.testclient import TestClient

    from fsgitops.api.app import create_app
    from fsgitops.api.serve import build_service
    from fsgitops.commands.connect import hold_target
    from fsgitops.commands.workspace import open_workspace

    monkeypatch.setattr("fsgitops.api.live.CACHE_SECONDS", 0.0)
    workspace = open_workspace(real.root)
    with hold_target(workspace.target, workspace.root) as connect:
        service = build_service(workspace, connect, anonymous=["read", "operate"])
        with TestClient(create_app(service)) as client:

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
