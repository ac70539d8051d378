"""The embedded switch by itself: what the contract cannot ask of a real one."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from plain_esl import PlainEsl

from fsgitops.errors import SwitchError, UsageError
from fsgitops.sandbox.session import MAX_COMMAND
from fsgitops.sandbox.skeleton import write_skeleton
from fsgitops.sandbox.switch import EmbeddedSwitch

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DOMAIN = "sandbox.example"


@pytest.fixture(scope="module")
def conf_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sandbox") / "conf"
    write_skeleton(folder, DOMAIN)
    return folder


@pytest.fixture(scope="module")
def switch(conf_dir: Path) -> Iterator[EmbeddedSwitch]:
    with EmbeddedSwitch(conf_dir, "password") as running:
        yield running


@pytest.fixture
def esl(switch: EmbeddedSwitch) -> Iterator[PlainEsl]:
    with PlainEsl.open(*switch.address, "password") as connection:
        yield connection


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.com", ""])
def test_only_loopback_is_listened_on(conf_dir: Path, host: str) -> None:
    with pytest.raises(SwitchError, match="loopback only"):
        EmbeddedSwitch(conf_dir, "password", host)


def test_it_needs_a_password(conf_dir: Path) -> None:
    with pytest.raises(SwitchError, match="password"):
        EmbeddedSwitch(conf_dir, "")


def test_a_configuration_that_does_not_load_is_told_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "freeswitch.xml").write_text("<a>\n</b>\n")
    with pytest.raises(SwitchError, match=r"near line 2\]: unexpected closing tag </b>"):
        EmbeddedSwitch(tmp_path, "password").start()


def test_it_says_that_it_is_a_simulation(esl: PlainEsl) -> None:
    assert "simulation" in esl.api("status")
    assert "simulation" in esl.api("version")
    assert "sandbox" in esl.api("hostname")


def test_a_flush_ends_the_registrations_of_one_user_only(
    switch: EmbeddedSwitch, esl: PlainEsl
) -> None:
    switch.add_registration("1020", DOMAIN)
    switch.add_registration("1021", DOMAIN)
    assert esl.api(f"sofia_contact 1020@{DOMAIN}") == "sofia/internal/sip:1020@127.0.0.1:5070"
    esl.api(f"sofia profile internal flush_inbound_reg 1020@{DOMAIN} reboot")
    assert esl.api(f"sofia_contact 1020@{DOMAIN}") == "error/user_not_registered"
    assert [item.user for item in switch.registrations] == ["1021"]
    esl.api("sofia profile internal flush_inbound_reg")
    assert switch.registrations == ()


def test_a_registration_is_shown_in_the_captured_form(
    switch: EmbeddedSwitch, esl: PlainEsl, shared: Path
) -> None:
    captures = json.loads((shared / "esl-captures" / "api-replies.json").read_text())
    bodies = {item.get("command"): item.get("body", "") for item in captures}
    switch.add_registration("1020", "127.0.0.1", "sip:1020@127.0.0.1:6070", network_port=6071)
    try:
        theirs = json.loads(bodies["api show registrations as json"])
        ours = json.loads(esl.api("show registrations as json"))
        assert list(ours["rows"][0]) == list(theirs["rows"][0])
        steady = ("reg_user", "realm", "url", "network_ip", "network_port", "network_proto")
        for key in steady:
            assert ours["rows"][0][key] == theirs["rows"][0][key]
        for command in (
            "sofia xmlstatus profile internal reg",
            "sofia status profile internal reg",
        ):
            theirs_shape = [
                line.split(">")[0][:12] for line in bodies[f"api {command}"].splitlines()
            ]
            ours_shape = [line.split(">")[0][:12] for line in esl.api(command).splitlines()]
            assert ours_shape == theirs_shape
    finally:
        esl.api("sofia profile internal flush_inbound_reg")


def test_every_captured_control_reply_is_the_same_here(esl: PlainEsl, shared: Path) -> None:
    captures = json.loads((shared / "esl-captures" / "api-replies.json").read_text())
    for item in captures:
        if str(item.get("command", "")).startswith(("event ", "exit")):
            assert esl.command(item["command"]).headers == item["headers"]


def test_the_stock_configuration_reads_as_it_was_captured(tmp_path: Path, shared: Path) -> None:
    captures = json.loads((shared / "esl-captures" / "api-replies.json").read_text())
    theirs = next(item["body"] for item in captures if "xml_locate" in str(item.get("command", "")))
    added = theirs.index('          <user id="1020">')
    theirs = theirs[:added] + theirs[theirs.index("</user>", added) + len("</user>\n\n") :]
    stock = EmbeddedSwitch(shared / "freeswitch-conf" / "vanilla", "password")
    with stock, PlainEsl.open(*stock.address, "password") as esl:
        ours = esl.api("xml_locate directory domain name 127.0.0.1")
    assert ours == theirs


def test_an_event_reaches_those_who_asked_for_it(switch: EmbeddedSwitch, esl: PlainEsl) -> None:
    esl.command("event plain CHANNEL_HANGUP_COMPLETE")
    switch.fire_event("CHANNEL_CREATE", {"Unique-ID": "other"})
    switch.fire_event("CHANNEL_HANGUP_COMPLETE", {"Caller": "a b\nUnique-ID: forged"})
    event = esl.read()
    assert "Event-Name: CHANNEL_HANGUP_COMPLETE\n" in event.body
    assert "Caller: a%20b%0AUnique-ID:%20forged\n" in event.body


def test_a_command_without_end_closes_only_its_own_connection(
    switch: EmbeddedSwitch, esl: PlainEsl
) -> None:
    with PlainEsl(*switch.address) as flood:
        flood.send(b"x" * (MAX_COMMAND + 70_000))
        assert flood.read().headers["Content-Type"] == "text/disconnect-notice"
    assert esl.api(f"user_exists id 1 {DOMAIN}") == "false"


@pytest.mark.parametrize("length", ["-1", "99999999999", "x", "1048577"])
def test_an_absurd_content_length_closes_the_connection(
    switch: EmbeddedSwitch, length: str
) -> None:
    with PlainEsl.open(*switch.address, "password") as esl:
        esl.send(f"sendevent X\nContent-Length: {length}\n\n".encode())
        assert esl.read().headers["Content-Type"] == "text/disconnect-notice"


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    line=st.one_of(
        st.text(st.characters(exclude_characters="\n\r", codec="utf-8"), max_size=60),
        st.builds(
            "{} {}".format,
            st.sampled_from(
                ["user_data", "user_exists", "xml_locate", "regex", "show", "sofia", "originate",
                 "sofia_contact", "global_getvar", "uuid_transfer", "uptime", "sofia profile"]
            ),
            st.text(st.sampled_from("ab1 '\\|/@~:^*(){}$%.é"), max_size=30),
        ),
    )
)  # fmt: skip
def test_any_command_gets_an_answer(esl: PlainEsl, line: str) -> None:
    answer = esl.command(f"api {line}")
    assert answer.headers["Content-Type"] in ("api/response", "command/reply")


def test_stopping_ends_every_connection(conf_dir: Path) -> None:
    switch = EmbeddedSwitch(conf_dir, "password").start()
    with PlainEsl.open(*switch.address, "password") as esl:
        switch.stop()
        with pytest.raises(ConnectionError):
            esl.api("status")
    with pytest.raises(SwitchError, match="not running"):
        _ = switch.address
    switch.stop()


def test_a_port_that_is_taken_is_told(conf_dir: Path, switch: EmbeddedSwitch) -> None:
    host, port = switch.address
    with pytest.raises(SwitchError, match="cannot listen on"):
        EmbeddedSwitch(conf_dir, "password", host, port).start()


def test_ipv6_loopback_works_where_there_is_one(conf_dir: Path) -> None:
    try:
        switch = EmbeddedSwitch(conf_dir, "password", "::1").start()
    except SwitchError as error:
        pytest.skip(f"no IPv6 loopback here: {error}")
    with PlainEsl.open(*switch.address, "password") as esl:
        assert esl.api("uptime").strip().isdigit()
    switch.stop()


@pytest.mark.parametrize("domain", ["", "a b", 'x"/>', "$${x}", "a\nb", "-a", "a<b"])
def test_a_skeleton_takes_only_a_real_domain(tmp_path: Path, domain: str) -> None:
    with pytest.raises(UsageError, match="no domain"):
        write_skeleton(tmp_path, domain)


def test_a_skeleton_overwrites_nothing(conf_dir: Path) -> None:
    with pytest.raises(UsageError, match="already there"):
        write_skeleton(conf_dir, DOMAIN)


SERVE = """
import sys
from pathlib import Path
from fsgitops.sandbox.switch import serve_forever
serve_forever(Path(sys.argv[1]), Path(sys.argv[2]), tell=lambda text: print(text, flush=True))
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serving_leaves_a_private_trace_until_it_is_stopped(
    conf_dir: Path, tmp_path: Path, number: signal.Signals
) -> None:
    state = tmp_path / "state" / "sandbox.json"
    command = [sys.executable, "-c", SERVE, str(conf_dir), str(state)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            assert "simulated" in process.stdout.readline()
            found = json.loads(state.read_text())
            assert stat.S_IMODE(state.stat().st_mode) == 0o600
            assert found["pid"] == process.pid
            with PlainEsl.open(found["host"], found["port"], found["password"]) as esl:
                assert "simulation" in esl.api("status")
        finally:
            os.kill(process.pid, number)
        assert process.wait(20) == 0
    assert not state.exists()


def test_a_second_sandbox_is_refused(conf_dir: Path, tmp_path: Path) -> None:
    from fsgitops.sandbox.switch import serve_forever

    state = tmp_path / "sandbox.json"
    state.write_text(json.dumps({"pid": os.getpid()}))
    with pytest.raises(SwitchError, match="already runs"):
        serve_forever(conf_dir, state)
