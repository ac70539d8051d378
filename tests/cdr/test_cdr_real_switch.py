"""Calls placed with sipp through a real FreeSWITCH, the sidecar restarted in between."""

from __future__ import annotations

import time
from collections import Counter
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

import pytest
from sip_phone import CallFailedError, SipPhone, call_from_outside, require_sipp

from fsgitops.cdr.doctor import check_switch
from fsgitops.cdr.options import RunOptions
from fsgitops.cdr.query import Source, fetch
from fsgitops.cdr.reconcile import reconcile
from fsgitops.cdr.sidecar import Sidecar
from fsgitops.diagnosis import Health
from fsgitops.esl.session import connect_esl

if TYPE_CHECKING:
    from pathlib import Path

    from project import Project
    from real_switch import RealSwitch

pytestmark = pytest.mark.freeswitch

DID = "19495431333"
_BOUND = 30.0


@pytest.fixture
def agent(on_real_switch: Project, freeswitch: RealSwitch, tmp_path: Path):
    """Agent 1020, declared, applied and registered."""
    require_sipp()
    ran = on_real_switch.run("apply", "--yes")
    assert ran.code == 0, ran.err
    login = on_real_switch.run("credentials", "1020", "--reveal", "--json").json()
    with SipPhone(freeswitch, tmp_path / "phone", login["username"], login["password"]) as phone:
        phone.register()
        yield phone


def start(switch: RealSwitch, folder: Path, lake: str) -> Sidecar:
    options = RunOptions(lake=lake, spool=folder / "spool", flush_seconds=0.5,
                         json_dir=switch.json_cdr_dir, poll_seconds=0.2)  # fmt: skip
    connect = partial(connect_esl, switch.esl_host, switch.esl_port, switch.esl_password)
    sidecar = Sidecar(options, connect)
    sidecar.start()
    until(lambda: sidecar.metrics.hearing)
    return sidecar


def until(condition) -> None:
    deadline = time.monotonic() + _BOUND
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def records(source: Source, caller: str) -> list[dict]:
    sql = f"SELECT * FROM cdr WHERE caller_id_number LIKE '%{caller}' ORDER BY leg"
    found = fetch(source, sql)
    return found.to_pylist()


def check_answered(legs: list[dict], began: datetime, ended: datetime) -> None:
    a, b = legs
    assert [a["leg"], b["leg"]] == ["a", "b"]
    assert (a["did_number"], a["agent_extension"], b["agent_extension"]) == (DID, "1020", "1020")
    assert (a["other_leg_uuid"], b["other_leg_uuid"]) == (b["uuid"], a["uuid"])
    assert a["call_uuid"] == b["call_uuid"] == a["uuid"]
    for leg in legs:
        assert leg["hangup_cause"] == "NORMAL_CLEARING"
        assert leg["answered"]
        assert began <= leg["start_time"] <= leg["answer_time"] <= leg["end_time"] <= ended
        spent = (leg["end_time"] - leg["start_time"]).total_seconds() * 1000
        assert abs(spent - leg["duration_ms"]) <= 20


def test_calls_through_a_real_switch_are_in_the_lake_while_the_sidecar_is_restarted(
    agent: SipPhone, freeswitch: RealSwitch, tmp_path: Path, lake_url: str
) -> None:
    source = Source(lake_url, tmp_path / "spool")
    # The switch's JSON CDRs stay: each run has callers of its own.
    one, two, three, four = (f"155501{'0' if '://' in lake_url else '1'}000{n}" for n in range(4))
    moments = [datetime.now(UTC)]

    def call(caller: str) -> None:
        agent.answer()
        call_from_outside(freeswitch, tmp_path / "caller", DID, caller)
        assert agent.wait_answered()

    first = start(freeswitch, tmp_path, lake_url)
    call(one)
    until(lambda: len(records(source, one)) == 2)
    first.stop()
    call(two)
    second = start(freeswitch, tmp_path, lake_url)
    call(three)
    with pytest.raises(CallFailedError):
        call_from_outside(freeswitch, tmp_path / "caller", "15550000000", four)
    until(lambda: len(records(source, two)) == 2)
    until(lambda: len(records(source, three)) == 2)
    until(lambda: len(records(source, four)) == 1)
    second.stop()
    moments.append(datetime.now(UTC))

    for caller in (one, two, three):
        check_answered(records(source, caller), *moments)
    (lost,) = records(source, four)
    assert not lost["answered"]
    assert lost["agent_extension"] is None
    assert {r["source"] for r in records(source, two)} == {"json"}
    assert "esl" in {r["source"] for r in records(source, one)}
    counts = Counter(r["uuid"] for r in fetch(source, "SELECT uuid FROM cdr").to_pylist())
    assert set(counts.values()) == {1}
    compared = reconcile(source, freeswitch.json_cdr_dir, "", "9999")
    assert (compared.missing, compared.doubled, compared.unreadable) == ([], [], [])


def test_doctor_sees_how_the_real_switch_writes_its_records(
    freeswitch: RealSwitch, tmp_path: Path
) -> None:
    options = RunOptions(lake=str(tmp_path), spool=tmp_path, json_dir=freeswitch.json_cdr_dir)
    connect = partial(
        connect_esl, freeswitch.esl_host, freeswitch.esl_port, freeswitch.esl_password
    )
    said = {check.message: check.health for check in check_switch(connect, options)}
    assert said["mod_json_cdr is loaded"] is Health.OK
    assert said["B legs are written"] is Health.OK
    assert said["variables are written percent-encoded"] is Health.ERROR
    assert said["records are written to disk"] is Health.OK
