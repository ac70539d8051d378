from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted_esl import (
    BYE,
    Peer,
    ScriptedEsl,
    after_login,
    answering,
    connect,
    json_event,
    reply,
)

from fsgitops.errors import (
    SwitchError,
    SwitchProtocolError,
    SwitchUnreachableError,
)
from fsgitops.esl.session import decode_json_object

if TYPE_CHECKING:
    from pathlib import Path

HOSTILE_USER = "1202%0ACaller-Destination-Number%3A%20999%0AUnique-ID%3A%20dead-beef"


@pytest.fixture
def captures(shared: Path) -> Path:
    return shared / "esl-captures"


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
        names = [event["Event-Name"] for event in iter(lambda: queue.get(timeout=0.2), None)]
    assert len(names) == path.read_bytes().count(b"text/event-json")
    assert names.count("CHANNEL_HANGUP_COMPLETE") > 0


def test_the_captured_hostile_caller_cannot_forge_a_record(captures: Path) -> None:
    path = captures / "hostile-caller.json.esl"
    with ScriptedEsl(replay(path)) as server, connect(server, 2.0) as session:
        queue = session.subscribe_json(["CHANNEL_HANGUP_COMPLETE"])
        events = list(iter(lambda: queue.get(timeout=0.2), None))
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


def test_plain_events_are_dropped_never_decoded(captures: Path) -> None:
    data = (captures / "hostile-caller.plain.esl").read_bytes()
    events = data.split(b"\n\n", 3)[3]
    with (
        ScriptedEsl(publishing(events, json_event(b'{"last":1}'))) as server,
        connect(server, 2.0) as session,
    ):
        queue = session.subscribe_json(["CHANNEL_HANGUP_COMPLETE"])
        assert queue.get(timeout=2.0) == {"last": 1}


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
