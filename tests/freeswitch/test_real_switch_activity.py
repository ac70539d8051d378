"""On a real FreeSWITCH: who is registered or on a call, who is kicked, and what drifted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from project import Project
from real_switch import RealSwitch
from sip_phone import SipPhone, require_sipp

if TYPE_CHECKING:
    from pathlib import Path

    from plain_esl import PlainEsl

pytestmark = pytest.mark.freeswitch


TWO = "agents:\n  - {extension: 1020, name: Alice}\n  - {extension: 1021, name: Bob}\n"
ONE = "agents:\n  - {extension: 1020, name: Alice}\n"


@pytest.fixture
def real(on_real_switch: Project) -> Project:
    """Two agents applied to the real switch."""
    (on_real_switch.root / "desired/routes.yaml").unlink()
    on_real_switch.write("desired/agents.yaml", TWO)
    assert on_real_switch.run("apply", "--yes").code == 0
    return on_real_switch


def register(real: Project, switch: RealSwitch, extension: str, work_dir: Path) -> SipPhone:
    require_sipp()
    credentials = real.run("credentials", extension, "--reveal", "--json").json()
    phone = SipPhone(switch, work_dir, credentials["username"], credentials["password"])
    phone.register()
    return phone


def originate(esl: PlainEsl, to: str) -> str:
    """Call until the phone, which was started a moment ago, answers."""
    for _ in range(200):
        said = esl.api(f"originate {to} &park()")
        if said.startswith("+OK"):
            break
    assert said.startswith("+OK"), said
    return said


def registered(switch: RealSwitch) -> str:
    with switch.esl() as esl:
        return esl.api("sofia xmlstatus profile internal reg")


def test_a_live_plan_shows_that_a_deleted_agent_is_registered(
    real: Project, freeswitch: RealSwitch, tmp_path: Path
) -> None:
    register(real, freeswitch, "1021", tmp_path)
    real.write("desired/agents.yaml", ONE)
    ran = real.run("plan", "--live", "--json")
    assert ran.json()["activity"]["agents"] == [
        {"resource": "agent:1021", "registrations": 1, "calls": 0}
    ]
    assert "agent 1021 now: 1 registration" in real.run("plan", "--live").out


def test_deleting_an_agent_on_a_call_needs_the_permission_for_calls(
    real: Project, freeswitch: RealSwitch, tmp_path: Path
) -> None:
    with register(real, freeswitch, "1021", tmp_path).answer(), freeswitch.esl() as esl:
        said = originate(esl, f"user/1021@{freeswitch.domain}")
        real.write("desired/agents.yaml", ONE)
        # FreeSWITCH lists a call a moment after it began: its list is written by another thread.
        assert any("sofia/internal" in esl.api("show channels") for _ in range(20_000))
        refused = real.run("apply", "--yes")
        call = said.split()[1]
        still_up = esl.api(f"uuid_exists {call}")
        allowed = real.run("apply", "--yes", "--allow", "calls")
        up_after = esl.api(f"uuid_exists {call}")
        esl.api(f"uuid_kill {call}")
    assert (refused.code, still_up) == (4, "true")
    assert "--allow calls: on a call now: agent:1021" in refused.err
    assert (allowed.code, up_after) == (0, "true")


def test_an_apply_kicks_rotated_agents_when_asked_and_nobody_else(
    real: Project, freeswitch: RealSwitch, tmp_path: Path
) -> None:
    register(real, freeswitch, "1020", tmp_path / "a")
    register(real, freeswitch, "1021", tmp_path / "b")
    real.write("desired/agents.yaml", TWO.replace("name: Bob", "name: Bob, password_version: 2"))
    ran = real.run("apply", "--yes", "--kick-rotated")
    assert ran.code == 0, ran.err
    assert "Registrations with a former password ended: 1" in ran.out
    left = registered(freeswitch)
    assert "<user>1020@" in left
    assert "<user>1021@" not in left


def test_a_rotated_agent_stays_registered_when_nobody_asked(
    real: Project, freeswitch: RealSwitch, tmp_path: Path
) -> None:
    register(real, freeswitch, "1021", tmp_path)
    real.write("desired/agents.yaml", TWO.replace("name: Bob", "name: Bob, password_version: 2"))
    assert real.run("apply", "--yes").code == 0
    assert "<user>1021@" in registered(freeswitch)


def test_what_was_applied_does_not_drift_on_the_real_switch(real: Project) -> None:
    ran = real.run("drift")
    assert ran.code == 0, ran.out + ran.err


def test_an_edit_that_is_not_loaded_is_told_apart_from_one_that_is(
    real: Project, freeswitch: RealSwitch
) -> None:
    file = freeswitch.conf_dir / "directory/default/1020.xml"
    file.write_bytes(file.read_bytes().replace(b"Alice", b"Mallory"))
    (item,) = real.run("drift", "--json").json()["drift"]
    assert item["kinds"] == ["edited", "not-loaded"]
    with freeswitch.esl() as esl:
        esl.api("reloadxml")
    ran = real.run("drift", "--json")
    (item,) = ran.json()["drift"]
    assert (ran.code, item["kinds"]) == (2, ["edited"])
    assert {
        "name": "variable effective_caller_id_name", "direction": "both-differ", "secret": False,
        "declared": "Alice", "disk": "Mallory", "loaded": "Mallory",
    } in item["attributes"]  # fmt: skip


def test_what_is_written_and_not_loaded_drifts_until_it_is(
    real: Project, freeswitch: RealSwitch
) -> None:
    real.write("desired/agents.yaml", TWO.replace("Alice", "Anna").replace("1021", "1022"))
    assert real.run("apply", "--yes", "--no-reload").code == 0
    ran = real.run("drift", "--json")
    assert ran.code == 2
    assert {item["resource"]: item["kinds"] for item in ran.json()["drift"]} == {
        "agent:1020": ["not-loaded"], "agent:1021": ["left-over"], "agent:1022": ["not-loaded"],
    }  # fmt: skip
    with freeswitch.esl() as esl:
        esl.api("reloadxml")
    assert real.run("drift").code == 0


def test_routes_are_compared_too(real: Project, freeswitch: RealSwitch) -> None:
    real.write(
        "desired/routes.yaml",
        "did_routes:\n  - {did_number: +19495431333, destination_extension: 1020}\n",
    )
    assert real.run("apply", "--yes").code == 0
    assert real.run("drift").code == 0
    (freeswitch.conf_dir / "dialplan/public/inbound_19495431333.xml").unlink()
    (item,) = real.run("drift", "--json").json()["drift"]
    assert (item["kinds"], item["direction"]) == (["deleted"], "both-differ")
    with freeswitch.esl() as esl:
        esl.api("reloadxml")
    (item,) = real.run("drift", "--json").json()["drift"]
    assert item["direction"] == "only-declared"


def test_ten_thousand_agents_are_compared_in_four_calls(
    real: Project, freeswitch: RealSwitch, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fsgitops.esl.session import EslSession

    many = "".join(f"  - {{extension: {20000 + n}, name: Agent {n}}}\n" for n in range(10_000))
    real.write("desired/many.yaml", "agents:\n" + many)
    assert real.run("apply", "--yes").code == 0
    asked: list[str] = []
    ask = EslSession.api_bytes

    def count(self: EslSession, command: str, **rest: float | None) -> bytes:
        asked.append(command.split(maxsplit=1)[0])
        return ask(self, command, **rest)

    monkeypatch.setattr(EslSession, "api_bytes", count)
    ran = real.run("drift", "--json")
    (real.root / "desired/many.yaml").unlink()
    real.write("desired/agents.yaml", TWO)
    monkeypatch.undo()
    monkeypatch.setenv("TEST_ESL_PASSWORD", freeswitch.esl_password)
    monkeypatch.setenv("FSGITOPS_TARGET", "real")
    assert (ran.code, ran.json()["managed"], ran.json()["switch_asked"]) == (0, 10_004, True)
    assert asked.count("xml_locate") == 4


def test_what_was_written_without_a_reload_is_loaded_and_flushed_by_the_next_apply(
    real: Project, freeswitch: RealSwitch, tmp_path: Path
) -> None:
    register(real, freeswitch, "1021", tmp_path)
    real.write("desired/agents.yaml", ONE.replace("Alice", "Anna"))
    assert real.run("apply", "--yes", "--no-reload").code == 0
    assert "1021" in real.run("registrations").out
    ran = real.run("apply", "--yes")
    assert ran.code == 0, ran.err
    assert "Read back from the switch: 1 agent as written; 1 agent gone." in ran.out
    assert "Registrations ended: 1" in ran.out
    assert "1021" not in real.run("registrations").out
    assert real.run("drift").code == 0


def test_drift_does_not_tell_the_password_that_the_preprocessor_brought_in(
    real: Project, freeswitch: RealSwitch
) -> None:
    """The switch says what `$${default_password}` is, and it is in nobody's output."""
    from scripted_esl import connect_switch

    place = (freeswitch.esl_host, freeswitch.esl_port, freeswitch.esl_password)
    with connect_switch(*place) as switch:
        variables = switch.global_variables()
    password = variables["default_password"]
    assert len(variables) > 20
    file = freeswitch.conf_dir / "directory/default/1020.xml"
    before = file.read_text()
    held = 'name="effective_caller_id_name" value="'
    file.write_text(before.replace(f"{held}Alice", f"{held}pw $${{default_password}}"))
    try:
        with connect_switch(*place) as switch:
            assert switch.run("reloadxml", "reload").ok
        ran = [real.run("drift"), real.run("drift", "--json")]
    finally:
        file.write_text(before)
        with connect_switch(*place) as switch:
            switch.run("reloadxml", "reload")
    text = "".join(item.out + item.err for item in ran)
    assert "pw $${default_password}" in text
    assert "(secret)" in text
    assert password not in text
