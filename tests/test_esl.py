from __future__ import annotations

import json
import socket
import threading
import time
from pathlib import Path

import gevent.monkey
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scripted_esl import (
    ACCEPTED,
    BYE,
    GREETING,
    PASSWORD,
    REFUSED,
    Peer,
    ScriptedEsl,
    after_login,
    answering,
    api_response,
    json_event,
    replies_of,
    reply,
    sending,
)

from fsgitops import esl
from fsgitops.errors import (
    SwitchAuthError,
    SwitchError,
    SwitchProtocolError,
    SwitchTimeoutError,
    SwitchUnreachableError,
)
from fsgitops.esl import EslSession, connect_esl, decode_json_object
from fsgitops.esl_frames import MAX_BODY_BYTES, MAX_HEADER_BYTES, Frame, FrameReader

HOSTILE_USER = "1202%0ACaller-Destination-Number%3A%20999%0AUnique-ID%3A%20dead-beef"
RUDE = b"Content-Type: text/rude-rejection\nContent-Length: 24\n\nAccess Denied, go away.\n"
NOTICE = b"Content-Type: text/disconnect-notice\nContent-Length: 13\n\nDisconnected\n"


def connect(server: ScriptedEsl, limit: float = 0.2, password: str = PASSWORD) -> EslSession:
    return connect_esl(
        server.host, server.port, password, connect_timeout=limit, reply_timeout=limit
    )


@pytest.fixture
def captures() -> Path:
    folder = Path(__file__).parents[2] / "shared" / "esl-captures"
    if not folder.is_dir():
        pytest.skip("../shared/esl-captures is not beside this checkout")
    return folder


# --- frames ---------------------------------------------------------------------------------


def read_all(chunks: list[bytes]) -> tuple[list[Frame], bool]:
    reader, frames = FrameReader(), []
    try:
        for chunk in chunks:
            frames.extend(reader.frames(chunk))
    except SwitchProtocolError:
        return frames, True
    return frames, False


def cut(data: bytes, places: list[int]) -> list[bytes]:
    at = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:end] for start, end in zip(at, at[1:], strict=False)]


bodies = st.binary(max_size=60)
cuts = st.lists(st.integers(0, 10_000), max_size=12)


@given(st.lists(bodies, max_size=6), cuts)
def test_any_chunking_yields_the_same_frames(sent: list[bytes], places: list[int]) -> None:
    stream = b"".join(
        api_response(body) if i % 2 else json_event(body) for i, body in enumerate(sent)
    )
    frames, failed = read_all(cut(stream, places))
    assert [frame.body for frame in frames] == sent
    assert not failed


esl_like = st.lists(
    st.one_of(
        st.binary(max_size=20),
        st.sampled_from(
            [
                b"\n",
                b"\n\n",
                b"Content-Type: api/response\n",
                b"Content-Length: 3\n",
                b"abc",
                b"Content-Length: -1\n",
                GREETING,
                ACCEPTED,
                NOTICE,
                api_response("x"),
            ]
        ),
    ),
    max_size=12,
).map(b"".join)


@given(esl_like, cuts)
def test_any_chunking_of_garbage_fails_at_the_same_place(data: bytes, places: list[int]) -> None:
    whole = read_all([data])
    assert read_all(cut(data, places))[0] == whole[0]
    assert read_all([bytes([sign]) for sign in data]) == whole


@pytest.mark.parametrize("length", ["-1", "99999999999", str(MAX_BODY_BYTES + 1), "0x10", "", "٣"])
def test_an_impossible_content_length_is_refused(length: str) -> None:
    with pytest.raises(SwitchProtocolError, match="Content-Length"):
        list(
            FrameReader().frames(
                f"Content-Type: api/response\nContent-Length: {length}\n\n".encode()
            )
        )


def test_two_different_content_lengths_are_refused() -> None:
    data = b"Content-Type: api/response\nContent-Length: 3\nContent-Length: 4\n\nabcd"
    with pytest.raises(SwitchProtocolError, match="two different"):
        list(FrameReader().frames(data))


def test_an_endless_header_block_is_refused() -> None:
    reader = FrameReader()
    with pytest.raises(SwitchProtocolError, match="header block"):
        for _ in range(MAX_HEADER_BYTES):
            list(reader.frames(b"Name: value\n"))


def test_a_greeting_of_another_protocol_is_told_by_its_first_line() -> None:
    with pytest.raises(SwitchProtocolError, match="SSH-2"):
        list(FrameReader().frames(b"SSH-2.0-OpenSSH_9.2p1\r\n"))


def test_a_message_without_content_type_is_refused() -> None:
    with pytest.raises(SwitchProtocolError, match="without Content-Type"):
        list(FrameReader().frames(b"Reply-Text: +OK\n\n"))


# --- logging in -----------------------------------------------------------------------------


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
        assert PASSWORD not in repr(vars(session)) + repr(vars(session._wire))


def test_ipv6_works() -> None:
    try:
        server = ScriptedEsl(answering({"uptime": "7\n"}), host="::1")
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")
    with server, connect(server, 2.0) as session:
        assert session.place == f"[::1]:{server.port}"
        assert session.api("uptime") == "7\n"


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
        peer.hold()

    with ScriptedEsl(in_turn) as server, connect(server, 2.0) as session:
        assert session.api("x") == "slow but whole"


@pytest.mark.parametrize("part", [b"Content-Ty", api_response("hello")[:-2]])
def test_a_reply_that_hangs_half_way_is_a_timeout(part: bytes) -> None:
    with (
        ScriptedEsl(after_login(part)) as server,
        connect(server) as session,
        pytest.raises(SwitchTimeoutError, match="no reply within 0.2 s"),
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
            session.api("first", timeout=0.05)
        assert session.api("second") == "second"


def test_a_flood_does_not_keep_a_time_limit_from_running_out() -> None:
    def script(peer: Peer) -> None:
        peer.log_in()
        peer.read_command()
        flood = b"Content-Type: log/data\nContent-Length: 0\n\n" * 5000
        while True:
            peer.send(flood)

    with ScriptedEsl(script) as server, connect(server, 0.5) as session:
        with pytest.raises(SwitchTimeoutError):
            session.api("x")
        assert session.ignored_frames > 0


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
    assert esl is not None
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


# --- events ---------------------------------------------------------------------------------


def publishing(*data: bytes, hang_up: bool = False) -> object:
    def script(peer: Peer) -> None:
        peer.log_in()
        peer.read_command()
        peer.send(reply("+OK event listener enabled json"), *data)
        if hang_up:
            return
        if peer.read_command() == "exit":
            peer.send(BYE)

    return script


def replay(path: Path) -> object:
    """The server's side of a capture: what it sent before and after log-in and subscription."""
    data = path.read_bytes()
    events = data.split(b"\n\n", 3)[3]

    return publishing(events)


def test_captured_events_come_back_whole(captures: Path) -> None:
    path = captures / "inbound-calls.json.esl"
    with ScriptedEsl(replay(path)) as server, connect(server, 2.0) as session:
        queue = session.subscribe_json(["CHANNEL_HANGUP_COMPLETE"])
        names = [event["Event-Name"] for event in queue.events(timeout=0.2)]
    assert len(names) == path.read_bytes().count(b"text/event-json")
    assert names.count("CHANNEL_HANGUP_COMPLETE") > 0


def test_the_captured_hostile_caller_cannot_forge_a_record(captures: Path) -> None:
    path = captures / "hostile-caller.json.esl"
    with ScriptedEsl(replay(path)) as server, connect(server, 2.0) as session:
        queue = session.subscribe_json(["CHANNEL_HANGUP_COMPLETE"])
        events = list(queue.events(timeout=0.2))
    hostile = [event for event in events if "dead-beef" in json.dumps(event)]
    assert hostile
    for event in hostile:
        assert event["Caller-Destination-Number"] != "999"
        assert event["Unique-ID"] != "dead-beef"
        assert len(event["Unique-ID"]) == 36


def test_a_caller_whose_name_looks_like_headers_stays_a_caller() -> None:
    truth = {
        "Event-Name": "CHANNEL_HANGUP_COMPLETE",
        "Unique-ID": "8b76d151-ea13-4b25-af0a-b050da297a09",
        "Caller-Destination-Number": "1020",
        "variable_sip_from_user": HOSTILE_USER,
        "variable_sip_from_display": "x\nUnique-ID: dead-beef\n\nContent-Type: auth/request",
    }
    event = json_event(json.dumps(truth).encode())
    with ScriptedEsl(publishing(event)) as server, connect(server, 2.0) as session:
        queue = session.subscribe_json(["CHANNEL_HANGUP_COMPLETE"])
        assert queue.get(timeout=2.0) == truth


def test_plain_events_are_dropped_and_counted_never_decoded(captures: Path) -> None:
    data = (captures / "hostile-caller.plain.esl").read_bytes()
    events = data.split(b"\n\n", 3)[3]
    with ScriptedEsl(publishing(events)) as server, connect(server, 2.0) as session:
        queue = session.subscribe_json(["CHANNEL_HANGUP_COMPLETE"])
        assert queue.get(timeout=0.2) is None
        assert session.ignored_frames == data.count(b"Content-Type: text/event-plain")


def test_a_full_queue_holds_the_switch_back_and_loses_nothing() -> None:
    padding = "x" * 5000
    sent = [json.dumps({"n": number, "pad": padding}).encode() for number in range(2000)]
    script = publishing(*map(json_event, sent))
    with ScriptedEsl(script) as server, connect(server, 5.0) as session:
        queue = session.subscribe_json(["ALL"], max_queued=10)
        taken: list[bytes] = []
        while len(taken) < len(sent):
            got = queue.take(3, timeout=2.0)
            assert got
            assert len(queue) <= 10
            taken += got
    assert taken == sent


def test_closing_with_a_full_queue_is_bounded() -> None:
    script = publishing(*[json_event(b"{}")] * 100)
    with ScriptedEsl(script) as server:
        session = connect(server, 2.0)
        queue = session.subscribe_json(["ALL"], max_queued=1)
        assert queue.get(timeout=2.0) == {}
        begun = time.monotonic()
        session.close()
        assert time.monotonic() - begun < 3.0


def test_events_read_before_the_peer_went_away_are_still_delivered() -> None:
    script = publishing(json_event(b'{"n":1}'), json_event(b'{"n":2}'), hang_up=True)
    with ScriptedEsl(script) as server, connect(server, 2.0) as session:
        queue = session.subscribe_json(["ALL"])
        assert [queue.get(timeout=2.0), queue.get(timeout=2.0)] == [{"n": 1}, {"n": 2}]
        with pytest.raises(SwitchUnreachableError):
            queue.get(timeout=8.0)


def test_waiting_for_an_event_is_bounded() -> None:
    with ScriptedEsl(publishing()) as server, connect(server, 2.0) as session:
        assert session.subscribe_json(["ALL"]).get(timeout=0.05) is None


def test_an_unknown_event_is_an_error() -> None:
    with (
        ScriptedEsl(after_login(reply("-ERR no keywords supplied"))) as server,
        connect(server) as session,
        pytest.raises(SwitchError, match="no keywords supplied"),
    ):
        session.subscribe_json(["NO_SUCH_EVENT"])


@pytest.mark.parametrize("names", [[], [""], ["ALL\n\nexit"], ["A B"]])
def test_a_bad_event_name_is_refused_unsent(names: list[str]) -> None:
    with ScriptedEsl(answering({})) as server, connect(server) as session:
        with pytest.raises(ValueError, match="event names"):
            session.subscribe_json(names)
        assert b"event" not in server.peers[0].received


def test_an_event_with_bytes_that_are_not_utf8_is_kept() -> None:
    assert decode_json_object(b'{"name":"caf\xe9"}') == {"name": "caf�"}


def test_half_a_surrogate_pair_becomes_something_that_can_be_written() -> None:
    decode_json_object(b'{"name":"\\ud800"}')["name"].encode()


@pytest.mark.parametrize("body", [b"", b"[]", b"1", b"{", b'{"a":' * 5000, b"\xff"])
def test_what_is_no_json_object_is_a_protocol_error(body: bytes) -> None:
    with pytest.raises(SwitchProtocolError, match="not a JSON object"):
        decode_json_object(body)


@given(st.binary(max_size=200))
def test_decoding_arbitrary_bytes_raises_only_protocol_errors(body: bytes) -> None:
    try:
        decode_json_object(body)
    except SwitchProtocolError:
        return
    assert body.strip().startswith(b"{")
