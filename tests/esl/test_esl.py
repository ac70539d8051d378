from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import gevent.monkey
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted_esl import (
    ACCEPTED,
    GREETING,
    NOTICE,
    PASSWORD,
    Peer,
    ScriptedEsl,
    after_login,
    answering,
    api_response,
    connect,
    json_event,
    replies_of,
    reply,
)

import fsgitops.esl.session
from fsgitops.errors import (
    SwitchError,
    SwitchProtocolError,
    SwitchTimeoutError,
    SwitchUnreachableError,
)
from fsgitops.esl.frames import HEAD_BYTES
from fsgitops.esl.session import EslSession, connect_esl

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def captures(shared: Path) -> Path:
    return shared / "esl-captures"


# --- commands -------------------------------------------------------------------------------


def test_every_captured_reply_comes_back_to_the_byte(captures: Path) -> None:
    for name in ("api-replies.json", "api-replies-during-call.json"):
        replies = replies_of(captures / name)
        with ScriptedEsl(answering(replies)) as server, connect(server, 2.0) as session:
            assert session.api_many(list(replies)) == list(replies.values())


def test_a_body_is_cut_by_bytes_not_by_characters() -> None:
    names = ["Zoë Ångström", "日本", ""]
    replies = dict(zip("abc", names, strict=True))
    with ScriptedEsl(answering(replies)) as server, connect(server, 2.0) as session:
        assert session.api_many(["a", "b", "c"]) == names


def test_bytes_that_are_not_utf8_are_replaced_not_fatal() -> None:
    with ScriptedEsl(answering({"x": b"caf\xe9"})) as server, connect(server, 2.0) as session:
        assert session.api("x") == "caf�"


def test_pipelined_replies_keep_their_order() -> None:
    replies = {f"echo {number}": str(number) for number in range(1000)}
    with ScriptedEsl(answering(replies)) as server, connect(server, 2.0) as session:
        assert session.api_many(list(replies)) == list(replies.values())


def test_pipelining_nothing_sends_nothing() -> None:
    with ScriptedEsl(answering({})) as server, connect(server, 2.0) as session:
        assert session.api_many([]) == []


def test_frames_in_one_packet_are_told_apart() -> None:
    def script(peer: Peer) -> None:
        peer.log_in()
        peer.read_command()
        peer.send(json_event(b"{}"), api_response("one"), api_response("two"), api_response(""))
        peer.hold()

    with ScriptedEsl(script) as server, connect(server, 2.0) as session:
        assert session.api_many(["a", "b", "c"]) == ["one", "two", ""]


def test_delivery_byte_by_byte_works() -> None:
    def in_turn(peer: Peer) -> None:
        for part in (GREETING, ACCEPTED, api_response("slow but whole")):
            for sign in part:
                peer.send(bytes([sign]))
            peer.read_command()

    with ScriptedEsl(in_turn) as server, connect(server, 2.0) as session:
        assert session.api("x") == "slow but whole"


@pytest.mark.parametrize("part", [b"Content-Ty", api_response("hello")[:-2]])
def test_a_reply_that_hangs_half_way_is_a_timeout(part: bytes) -> None:
    with (
        ScriptedEsl(after_login(part)) as server,
        connect(server) as session,
        pytest.raises(SwitchTimeoutError, match=r"no reply within 0\.2 s"),
    ):
        session.api("x")


@pytest.mark.parametrize("part", [b"", b"Content-Ty", api_response("hello")[:-2], NOTICE])
def test_a_peer_that_goes_away_fails_a_waiting_command_at_once(part: bytes) -> None:
    with (
        ScriptedEsl(after_login(part, hang_up=True)) as server,
        connect(server, 8.0) as session,
    ):
        begun = time.monotonic()
        with pytest.raises(SwitchUnreachableError, match=f"127.0.0.1:{server.port}: "):
            session.api("x")
        assert time.monotonic() - begun < 4.0
        assert session.closed


def test_a_disconnect_notice_fails_a_waiting_command_though_the_socket_stays_open() -> None:
    with (
        ScriptedEsl(after_login(NOTICE)) as server,
        connect(server, 8.0) as session,
        pytest.raises(SwitchUnreachableError, match="Disconnected"),
    ):
        session.api("x")


def test_a_peer_that_goes_away_fails_every_pipelined_command() -> None:
    with (
        ScriptedEsl(after_login(api_response("first"), hang_up=True)) as server,
        connect(server, 8.0) as session,
        pytest.raises(SwitchUnreachableError),
    ):
        session.api_many(["x"] * 500)


def test_a_session_that_ended_says_why_each_time() -> None:
    with ScriptedEsl(after_login(NOTICE)) as server, connect(server, 2.0) as session:
        for _ in range(2):
            with pytest.raises(SwitchUnreachableError, match="Disconnected"):
                session.api("x")


def test_garbage_instead_of_a_reply_is_a_protocol_error() -> None:
    with (
        ScriptedEsl(after_login(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as server,
        connect(server) as session,
        pytest.raises(SwitchProtocolError, match="HTTP"),
    ):
        session.api("x")


def test_a_reply_to_nothing_is_a_protocol_error() -> None:
    with (
        ScriptedEsl(after_login(api_response("1"), api_response("2"))) as server,
        connect(server) as session,
    ):
        assert session.api("x") == "1"
        with pytest.raises(SwitchProtocolError, match="never sent"):
            session.api("y")


def test_a_late_reply_is_not_taken_for_the_next_command() -> None:
    def script(peer: Peer) -> None:
        peer.log_in()
        peer.read_command()
        peer.read_command()
        peer.send(api_response("late"), api_response("second"))
        peer.hold()

    with ScriptedEsl(script) as server, connect(server, 2.0) as session:
        with pytest.raises(SwitchTimeoutError):
            session.api_bytes("first", timeout=0.05)
        assert session.api("second") == "second"


def test_a_flood_does_not_keep_a_time_limit_from_running_out() -> None:
    def script(peer: Peer) -> None:
        peer.log_in()
        peer.read_command()
        flood = b"Content-Type: log/data\nContent-Length: 0\n\n" * 5000
        while True:
            peer.send(flood)

    with ScriptedEsl(script) as server, connect(server, 0.5) as session:
        begun = time.monotonic()
        with pytest.raises(SwitchTimeoutError):
            session.api("x")
        assert time.monotonic() - begun < 4.0


def test_a_peer_that_reads_nothing_does_not_hold_a_sender_for_ever() -> None:
    def script(peer: Peer) -> None:
        peer.log_in()
        done.wait(10)

    done = threading.Event()
    with ScriptedEsl(script) as server, connect(server) as session:
        with pytest.raises(SwitchTimeoutError, match="takes no command"):
            session.api("x" * 30_000_000)
        assert session.closed
        done.set()


def test_a_long_answer_is_handed_on_and_only_its_beginning_is_kept() -> None:
    answer = bytes(range(128)) * 8192
    pieces: list[bytes] = []
    replies = {"a": answer.decode(), "b": "next"}
    with ScriptedEsl(answering(replies)) as server, connect(server, 2.0) as session:
        head = session.api_bytes("a", sink=pieces.append)
        assert session.api("b") == "next"
    assert b"".join(pieces) == answer
    assert head == answer[:HEAD_BYTES]
    assert max(map(len, pieces)) < len(answer)


def test_a_refused_api_command_says_what_the_switch_said() -> None:
    with (
        ScriptedEsl(after_login(reply("-ERR permission denied"))) as server,
        connect(server) as session,
        pytest.raises(SwitchError, match="permission denied"),
    ):
        session.api("x")


poisoned = st.tuples(st.text(), st.sampled_from("\r\n\0"), st.text()).map("".join)


@given(command=poisoned)
def test_a_command_with_cr_lf_or_nul_is_refused_unsent(command: str) -> None:
    sent: list[bytes] = []

    class Recorder:
        place = "x:1"
        failure = None
        reply_timeout = 1.0

        def transmit(self, payload: bytes, count: int, timeout: float) -> None:
            sent.append(payload)

    session = EslSession(Recorder())  # type: ignore[arg-type]
    for attempt in (session.api, session.send, session.api_bytes):
        with pytest.raises(ValueError, match="ESL command"):
            attempt(command)
    with pytest.raises(ValueError, match="ESL command"):
        session.api_many(["fine", command])
    assert sent == []


def test_an_empty_command_is_refused_since_no_answer_would_come() -> None:
    with (
        ScriptedEsl(answering({})) as server,
        connect(server) as session,
        pytest.raises(ValueError, match="empty"),
    ):
        session.send("  ")


# --- closing --------------------------------------------------------------------------------


def test_closing_says_exit() -> None:
    with ScriptedEsl(answering({})) as server:
        connect(server, 2.0).close()
        server.join()
        assert server.peers[0].received.endswith(b"exit\n\n")


def test_closing_is_bounded_when_nobody_answers() -> None:
    with ScriptedEsl(after_login()) as server:
        session = connect(server)
        begun = time.monotonic()
        session.close()
        session.close()
        assert time.monotonic() - begun < 2.0
        assert session.closed


def test_a_closed_session_refuses_commands() -> None:
    with ScriptedEsl(answering({})) as server:
        session = connect(server, 2.0)
        session.close()
        with pytest.raises(SwitchUnreachableError, match="closed"):
            session.api("x")


# --- threads --------------------------------------------------------------------------------


def test_importing_patches_nothing() -> None:
    assert fsgitops.esl.session.connect_esl is connect_esl
    assert not gevent.monkey.saved


def test_a_second_thread_has_its_own_session() -> None:
    said: list[str] = []

    def work(port: int) -> None:
        with connect_esl("127.0.0.1", port, PASSWORD, reply_timeout=2.0) as session:
            said.append(session.api("uptime"))
        gevent.get_hub().destroy()

    with ScriptedEsl(answering({"uptime": "7\n"})) as server, connect(server, 2.0) as session:
        thread = threading.Thread(target=work, args=(server.port,))
        thread.start()
        said.append(session.api("uptime"))
        thread.join(5)
    assert said == ["7\n", "7\n"]


def test_a_session_in_the_wrong_thread_is_refused() -> None:
    raised: list[BaseException] = []

    def misuse(session: EslSession) -> None:
        try:
            session.api("x")
        except RuntimeError as exc:
            raised.append(exc)

    with ScriptedEsl(answering({})) as server, connect(server, 2.0) as session:
        thread = threading.Thread(target=misuse, args=(session,))
        thread.start()
        thread.join(5)
    assert len(raised) == 1
