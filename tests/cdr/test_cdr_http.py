"""The HTTP road looks at the credential first, and no stranger keeps a good post out."""

from __future__ import annotations

import base64
import socket
import time
from contextlib import ExitStack

import pytest
from lakes import NOW_US
from replay_switch import as_document, renew
from sidecars import until

from fsgitops.cdr import receiver as receiving
from fsgitops.cdr.doctor import check_http
from fsgitops.cdr.spool import Spool
from fsgitops.diagnosis import Health

CREDENTIAL = "fs:secret"
RIGHT = b"Authorization: Basic " + base64.b64encode(CREDENTIAL.encode()) + b"\r\n"
_BOUND = 10.0


@pytest.fixture
def guarded(sidecar):
    return sidecar(http=("127.0.0.1", 0), http_credential=CREDENTIAL).receiver


@pytest.fixture
def body(templates) -> bytes:
    return as_document(renew(templates[1], 1, NOW_US))


def dial(receiver) -> socket.socket:
    return socket.create_connection(("127.0.0.1", receiver.server.server_port), timeout=_BOUND)


def head(length: int, *more: bytes) -> bytes:
    return b"POST /cdr HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n%s\r\n" % (
        length,
        b"".join(more),
    )


def answer(peer: socket.socket) -> bytes:
    """What comes until the other side hangs up, or the answer is whole."""
    text = b""
    while chunk := peer.recv(65536):
        text += chunk
        if b"\r\n\r\n" in text and b"\r\nConnection: close" not in text:
            break
    return text.split(b"\r\n", 1)[0]


def post(receiver, body: bytes, *more: bytes) -> bytes:
    with dial(receiver) as peer:
        peer.sendall(head(len(body), *more) + body)
        return answer(peer)


@pytest.mark.parametrize("more", [(), (b"Authorization: Basic Zm9v\r\n",)])
@pytest.mark.parametrize("length", [100, 16 * 1024 * 1024, 10**12])
def test_a_stranger_is_answered_from_the_head_of_his_post_alone(guarded, length, more) -> None:
    with dial(guarded) as peer:
        peer.sendall(head(length, *more))
        assert b" 401 " in answer(peer)


def test_a_stranger_who_asks_whether_he_may_go_on_is_told_no(guarded) -> None:
    with dial(guarded) as peer:
        peer.sendall(head(1000, b"Expect: 100-continue\r\n"))
        assert b" 401 " in answer(peer)


def test_a_known_sender_who_asks_whether_he_may_go_on_is_told_yes(guarded, body) -> None:
    with dial(guarded) as peer:
        peer.sendall(head(len(body), b"Expect: 100-continue\r\n", RIGHT))
        assert b" 100 " in answer(peer)
        peer.sendall(body)
        assert b" 200 " in answer(peer)


def test_an_answer_reaches_a_stranger_who_sends_all_the_same(guarded) -> None:
    assert b" 401 " in post(guarded, b"x" * 100_000)


def test_forty_slow_strangers_keep_no_good_post_out(guarded, body) -> None:
    with ExitStack() as strangers:
        for _ in range(40):
            strangers.enter_context(dial(guarded)).sendall(head(16 * 1024 * 1024) + b"x")
        assert b" 200 " in post(guarded, body, RIGHT)


def test_forty_slow_posts_keep_no_other_out_where_no_credential_is_asked(sidecar, body) -> None:
    receiver = sidecar(http=("127.0.0.1", 0)).receiver
    with ExitStack() as slow:
        for _ in range(40):
            slow.enter_context(dial(receiver)).sendall(head(16 * 1024 * 1024) + b"x")
        until(lambda: len(receiver.server.peers) == 40)
        assert b" 200 " in post(receiver, body)


def test_where_too_many_are_connected_the_slowest_stranger_goes(guarded, body, monkeypatch) -> None:
    monkeypatch.setattr(receiving, "MAX_CONNECTIONS", 4)
    with ExitStack() as open_ones:
        known = open_ones.enter_context(dial(guarded))
        known.sendall(head(len(body), RIGHT) + body[:10])
        until(lambda: any(peer.trusted for peer in guarded.server.peers.values()))
        strangers = []
        for _ in range(4):
            strangers.append(open_ones.enter_context(dial(guarded)))
            strangers[-1].sendall(b"POST /cdr HT")
        assert strangers[0].recv(1) == b""
        assert b" 200 " in post(guarded, body, RIGHT)
        known.sendall(body[10:])
        assert b" 200 " in answer(known)


@pytest.mark.parametrize(
    ("limit", "begun"),
    [("HEAD_SECONDS", b"POST /cdr HT"), ("BODY_SECONDS", head(9, RIGHT) + b"x")],
)
def test_who_sends_for_longer_than_he_may_is_hung_up_on(guarded, monkeypatch, limit, begun) -> None:
    monkeypatch.setattr(receiving, limit, 0.01)
    with dial(guarded) as peer:
        peer.sendall(begun)
        assert peer.recv(1) == b""
    until(lambda: not guarded.server.peers)


def test_all_bodies_under_way_together_take_bounded_memory(
    sidecar, body, monkeypatch, tmp_path
) -> None:
    monkeypatch.setattr(receiving, "MAX_BODIES", len(body) + 10)
    receiver = sidecar(http=("127.0.0.1", 0), flush_seconds=600.0).receiver
    with dial(receiver) as slow:
        monkeypatch.setattr(receiving, "CHUNK", 100)
        slow.sendall(head(10_000) + b"x" * 100)
        until(lambda: receiver.room.left < len(body))
        assert b" 503 " in post(receiver, body)
    until(lambda: receiver.room.left == len(body) + 10)
    assert b" 200 " in post(receiver, body)
    assert Spool(tmp_path / "spool").depth()[0] == 1


def test_a_body_that_breaks_off_is_left_to_its_sender(guarded, body, tmp_path) -> None:
    with dial(guarded) as peer:
        peer.sendall(head(len(body), RIGHT) + body[:-10])
        peer.shutdown(socket.SHUT_WR)
        assert answer(peer) == b""
    assert not list((tmp_path / "spool").glob("quarantine/*"))


@pytest.mark.parametrize("length", ["", "-1", "1e3", "٣", "00000000099999999999", "16777217"])
def test_a_length_that_is_none_or_too_much_is_refused(guarded, length) -> None:
    with dial(guarded) as peer:
        line = f"Content-Length: {length}\r\n".encode() if length else b""
        peer.sendall(b"POST /cdr HTTP/1.1\r\nHost: x\r\n" + line + RIGHT + b"\r\n")
        assert b" 413 " in answer(peer)


@pytest.mark.parametrize(
    ("host", "guarded", "well"),
    [("127.0.0.1", False, True), ("::1", False, True), ("localhost", False, True),
     ("0.0.0.0", False, False), ("pbx.example.com", False, False), ("0.0.0.0", True, True)],
)  # fmt: skip
def test_doctor_tells_when_everybody_may_post(host: str, guarded: bool, well: bool) -> None:
    advice = check_http(host, guarded=guarded)
    assert (advice.health is Health.OK) is well
    assert ("everybody who reaches it" in advice.message) is not well


def test_a_slow_stranger_is_gone_before_long_and_health_is_answered_meanwhile(guarded) -> None:
    with ExitStack() as strangers:
        for _ in range(40):
            strangers.enter_context(dial(guarded)).sendall(b"GET /met")
        began = time.monotonic()
        with dial(guarded) as peer:
            peer.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            assert b" 200 " in answer(peer)
        assert time.monotonic() - began < _BOUND


@pytest.mark.parametrize("line", [b"X-Long: " + b"a" * 9_000, b"X: y"])
def test_a_head_without_end_is_refused_before_it_takes_memory(guarded, line) -> None:
    with dial(guarded) as peer:
        peer.sendall(b"POST /cdr HTTP/1.1\r\n")
        peer.sendall((line + b"\r\n") * (60_000 // len(line)))
        assert b" 431 " in answer(peer)
