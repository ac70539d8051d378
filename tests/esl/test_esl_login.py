from __future__ import annotations

import socket
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scripted_esl import (
    GREETING,
    PASSWORD,
    PIECES,
    REFUSED,
    RUDE,
    Peer,
    ScriptedEsl,
    answering,
    connect,
    sending,
)

from fsgitops.errors import (
    SwitchAuthError,
    SwitchError,
    SwitchProtocolError,
    SwitchTimeoutError,
    SwitchUnreachableError,
)
from fsgitops.esl.session import connect_esl


def test_nobody_listening_is_unreachable_and_says_where() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(SwitchUnreachableError, match=f"127.0.0.1:{port}: cannot connect"):
        connect_esl("127.0.0.1", port, PASSWORD, connect_timeout=0.2)


@pytest.mark.parametrize("host", ["no such host", "a\0b", "x" * 300])
def test_an_impossible_host_name_is_unreachable(host: str) -> None:
    with pytest.raises(SwitchUnreachableError, match="cannot connect"):
        connect_esl(host, 8021, PASSWORD, connect_timeout=2.0)


def test_an_impossible_port_is_unreachable() -> None:
    with pytest.raises(SwitchUnreachableError, match="cannot connect"):
        connect_esl("127.0.0.1", 99_999, PASSWORD, connect_timeout=2.0)


def test_a_server_that_never_greets_is_a_timeout() -> None:
    with (
        ScriptedEsl(Peer.hold) as server,
        pytest.raises(SwitchTimeoutError, match=f":{server.port}: connected, but no greeting"),
    ):
        connect(server)


def test_a_server_that_never_answers_the_login_is_a_timeout() -> None:
    with ScriptedEsl(sending(GREETING)) as server, pytest.raises(SwitchTimeoutError):
        connect(server)


def test_closing_before_the_greeting_is_unreachable() -> None:
    with (
        ScriptedEsl(sending(b"", hang_up=True)) as server,
        pytest.raises(SwitchUnreachableError, match="closed the connection"),
    ):
        connect(server)


def test_closing_after_the_greeting_is_unreachable() -> None:
    with (
        ScriptedEsl(sending(GREETING, hang_up=True)) as server,
        pytest.raises(SwitchUnreachableError),
    ):
        connect(server)


def test_a_greeting_cut_off_is_unreachable() -> None:
    with (
        ScriptedEsl(sending(GREETING[:11], hang_up=True)) as server,
        pytest.raises(SwitchUnreachableError, match="in the middle of a message"),
    ):
        connect(server)


def test_a_greeting_that_hangs_is_a_timeout() -> None:
    with ScriptedEsl(sending(GREETING[:11])) as server, pytest.raises(SwitchTimeoutError):
        connect(server)


def refusing(peer: Peer) -> None:
    peer.send(GREETING)
    peer.read_command()
    peer.send(REFUSED)


def test_a_wrong_password_is_told_without_repeating_it() -> None:
    with ScriptedEsl(refusing) as server, pytest.raises(SwitchAuthError) as caught:
        connect(server)
    assert "wrong ESL password" in str(caught.value)
    assert PASSWORD not in str(caught.value)


def test_a_refusing_acl_is_told_apart_from_a_wrong_password() -> None:
    with ScriptedEsl(sending(RUDE)) as server, pytest.raises(SwitchAuthError) as caught:
        connect(server)
    assert "ACL" in str(caught.value)
    assert "wrong" not in str(caught.value)


def test_a_service_that_echoes_the_login_does_not_get_the_password_into_the_message() -> None:
    def echo(peer: Peer) -> None:
        peer.send(GREETING)
        command = peer.read_command()
        peer.send(f"{command}\n\n".encode())

    with ScriptedEsl(echo) as server, pytest.raises(SwitchProtocolError) as caught:
        connect(server)
    assert PASSWORD not in str(caught.value)


@pytest.mark.parametrize("password", ["a\nb", "a\rb", "a\0b", "a\udc80b"])
def test_a_password_that_could_be_a_second_command_is_refused_unsent(password: str) -> None:
    with ScriptedEsl(Peer.hold) as server:
        with pytest.raises(ValueError, match="ESL command must") as caught:
            connect(server, password=password)
        assert not server.peers
    assert password not in str(caught.value)


def test_the_session_keeps_no_password() -> None:
    with ScriptedEsl(answering({})) as server, connect(server) as session:
        assert PASSWORD not in repr([vars(item) for item in parts_of(session)])


def parts_of(thing: object) -> list[Any]:
    """Return an object and all of ours that it holds, at any depth."""
    found = [thing]
    for item in found:
        inner = vars(item).values()
        found += [part for part in inner if is_ours(part) and not any(part is f for f in found)]
    return found


def is_ours(thing: object) -> bool:
    return hasattr(thing, "__dict__") and type(thing).__module__.startswith("fsgitops")


def test_ipv6_works() -> None:
    try:
        server = ScriptedEsl(answering({"uptime": "7\n"}), host="::1")
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")
    with server, connect(server, 2.0) as session:
        assert session.place == f"[::1]:{server.port}"
        assert session.api("uptime") == "7\n"


esl_like = st.lists(st.one_of(st.binary(max_size=20), st.sampled_from(PIECES)), max_size=12).map(
    b"".join
)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.one_of(st.binary(max_size=80), esl_like), hang_up=st.booleans())
def test_arbitrary_bytes_never_hang_and_raise_only_switch_errors(
    data: bytes, hang_up: bool
) -> None:
    begun = time.monotonic()
    with ScriptedEsl(sending(data, hang_up=hang_up)) as server:
        try:
            with connect_esl(
                server.host, server.port, PASSWORD, connect_timeout=0.05, reply_timeout=0.05
            ) as session:
                session.api("version")
        except SwitchError as exc:
            assert PASSWORD not in str(exc)
    assert time.monotonic() - begun < 5.0
