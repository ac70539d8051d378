from __future__ import annotations

import base64
import json
import logging
import urllib.error
import urllib.request
from urllib.parse import quote

import pytest
from lakes import make_row, uuid_of
from replay_switch import ReplaySwitch, as_document
from sidecars import counted, event, options, reach, until, uuids_in

from fsgitops.cdr.ingest import Submission
from fsgitops.cdr.quarantine import Quarantine
from fsgitops.cdr.sidecar import Sidecar
from fsgitops.cdr.spool import SPOOL_FILE, Spool, SpoolError


def post(port: int, body: bytes, **headers: str) -> tuple[int, bytes]:
    request = urllib.request.Request(f"http://127.0.0.1:{port}/cdr?uuid=x", body, headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as problem:
        return problem.code, problem.read()


def test_a_post_is_answered_when_its_record_is_synced(tmp_path, templates, sidecar) -> None:
    one = sidecar(http=("127.0.0.1", 0), flush_seconds=600.0)
    document = as_document(event(templates, 1))
    for body in (b"cdr=" + quote(document, safe="").encode(), document,
                 b"cdr=" + base64.b64encode(document)):  # fmt: skip
        assert post(one.receiver.server.server_port, body)[0] == 200
    assert Spool(tmp_path / "spool").depth()[0] == 1


def test_a_post_that_is_no_record_is_refused_and_kept(tmp_path, sidecar) -> None:
    one = sidecar(http=("127.0.0.1", 0))
    assert post(one.receiver.server.server_port, b"cdr=%7B%22half")[0] == 400
    assert len(list((tmp_path / "spool" / "quarantine").iterdir())) == 1


def test_a_post_needs_the_credential_that_was_set(templates, sidecar) -> None:
    one = sidecar(http=("127.0.0.1", 0), http_credential="fs:secret")
    document = as_document(event(templates, 1))
    assert post(one.receiver.server.server_port, document)[0] == 401
    right = "Basic " + base64.b64encode(b"fs:secret").decode()
    assert post(one.receiver.server.server_port, document, Authorization=right)[0] == 200


def test_health_and_metrics_tell_what_goes_on(templates, sidecar) -> None:
    one = sidecar(http=("127.0.0.1", 0))
    post(one.receiver.server.server_port, as_document(event(templates, 1)))
    base = f"http://127.0.0.1:{one.receiver.server.server_port}"
    with urllib.request.urlopen(f"{base}/healthz", timeout=10) as answer:
        assert json.loads(answer.read())["status"] == "ok"
    with urllib.request.urlopen(f"{base}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    assert 'fsgitops_cdr_received_total{road="http"} 1.0' in text
    for name in ("spool_rows", "deaf_seconds_total", "lag_seconds", "written_total"):
        assert f"fsgitops_cdr_{name}" in text


def test_an_event_over_esl_is_in_the_lake(tmp_path, templates, sidecar) -> None:
    switch = ReplaySwitch(templates, None)
    one = sidecar(reach(switch.port))
    until(lambda: switch.listeners)
    sent = [switch.emit() for _ in range(20)]
    until(lambda: counted(one.metrics.written) == 20)
    assert uuids_in(tmp_path) == sorted(sent)
    switch.close()


def test_a_torn_event_is_set_aside_and_the_next_one_is_taken(tmp_path, templates, sidecar) -> None:
    switch = ReplaySwitch(templates, None)
    one = sidecar(reach(switch.port))
    until(lambda: switch.listeners)
    torn = b'{"Event-Name":"CHANNEL_HANGUP_COMPLETE","Unique-ID":"'
    switch.send(b"Content-Length: %d\nContent-Type: text/event-json\n\n%s" % (len(torn), torn))
    switch.emit()
    until(lambda: counted(one.metrics.written) == 1)
    (kept,) = (tmp_path / "spool" / "quarantine").iterdir()
    assert kept.read_bytes() == torn
    switch.close()


def test_how_long_it_was_deaf_is_in_log_and_metrics(templates, sidecar, caplog) -> None:
    switch = ReplaySwitch(templates, None)
    with caplog.at_level(logging.INFO, "fsgitops.cdr"):
        one = sidecar(reach(switch.port))
        until(lambda: switch.listeners)
        before = counted(one.metrics.deaf)
        switch.drop()
        until(lambda: not one.metrics.hearing)
        until(lambda: one.metrics.hearing)
    facts = [r.facts for r in caplog.records if r.message == "listening for events"]
    assert facts[-1]["deaf_seconds"] > 0
    assert counted(one.metrics.deaf) > before
    switch.close()


def test_a_full_spool_refuses_loudly_and_goes_on_when_there_is_room(
    tmp_path, templates, sidecar, monkeypatch
) -> None:
    import sqlite3

    real, full = Spool.add, [True]

    def add(self, rows, files=()):
        if full[0]:
            raise sqlite3.OperationalError("database or disk is full")
        return real(self, rows, files)

    monkeypatch.setattr(Spool, "add", add)
    one = sidecar(queue_rows=2)
    taken = [Submission([make_row(templates, n)]) for n in (1, 2, 3)]
    assert one.ingest.submit(taken[0], 1)
    assert one.ingest.submit(taken[1], 1)
    assert not one.ingest.submit(taken[2], 0.05)
    until(lambda: "spool" in one.metrics.troubles())
    assert one.health()[0] is False
    full[0] = False
    until(lambda: taken[1].done.is_set())
    until(lambda: one.health()[0])
    assert taken[0].synced


def test_a_spool_that_is_damaged_under_way_is_replaced(
    tmp_path, templates, sidecar, monkeypatch
) -> None:
    import sqlite3

    real, damaged = Spool.add, [True]

    def add(self, rows, files=()):
        if damaged.pop() if damaged else False:
            problem = sqlite3.DatabaseError("database disk image is malformed")
            problem.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
            raise problem
        return real(self, rows, files)

    monkeypatch.setattr(Spool, "add", add)
    one = sidecar()
    row = make_row(templates, 1)
    one.ingest.submit(Submission([row]), 1)
    until(lambda: counted(one.metrics.written) == 1)
    assert uuids_in(tmp_path) == [uuid_of(row)]
    assert (next((tmp_path / "spool").glob("corrupt-*")) / SPOOL_FILE).exists()


def test_two_sidecars_never_share_a_spool(tmp_path, sidecar) -> None:
    sidecar()
    with pytest.raises(SpoolError, match="another sidecar"):
        Sidecar(options(tmp_path), None)


def test_ending_flushes_what_waits(tmp_path, templates) -> None:
    one = Sidecar(options(tmp_path, flush_seconds=3600.0), None)
    one.start()
    one.ingest.submit(Submission([make_row(templates, 1)]), 1)
    one.stop()
    assert len(uuids_in(tmp_path)) == 1


def test_a_quarantine_without_room_refuses_and_recovers(tmp_path, sidecar, monkeypatch) -> None:
    one = sidecar(http=("127.0.0.1", 0))

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    assert post(one.receiver.server.server_port, b"cdr=%7B%22half")[0] == 503
    assert one.health()[0] is False
    assert not list((tmp_path / "spool" / "quarantine").iterdir())
    monkeypatch.undo()
    assert one.health()[0] is True
    assert post(one.receiver.server.server_port, b"cdr=%7B%22half")[0] == 400


def test_a_quarantine_that_was_emptied_has_room_again(tmp_path) -> None:
    quarantine = Quarantine(tmp_path, max_bytes=10)
    kept = quarantine.keep("a", b"12345678")
    assert kept is not None
    assert quarantine.keep("b", b"abcdefgh") is None
    kept.unlink()
    assert quarantine.keep("b", b"abcdefgh") is not None


def test_a_peer_that_hangs_up_leaves_no_traceback(sidecar, capsys, monkeypatch) -> None:
    one = sidecar(http=("127.0.0.1", 0))

    def reset(*_):
        raise ConnectionResetError("gone")

    monkeypatch.setattr(one.receiver, "take", reset)
    with pytest.raises(OSError, match="closed connection"):
        post(one.receiver.server.server_port, b"{}")
    assert "Traceback" not in capsys.readouterr().err


def test_a_damaged_spool_on_a_full_disk_is_replaced_when_there_is_room(
    tmp_path, templates, sidecar, monkeypatch
) -> None:
    import sqlite3

    from fsgitops.cdr import ingest

    real_add, real_rescue, troubles = Spool.add, ingest.rescue_spool, ["damaged", "full"]

    def add(self, rows, files=()):
        if troubles[:1] == ["damaged"]:
            troubles.pop(0)
            problem = sqlite3.DatabaseError("database disk image is malformed")
            problem.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
            raise problem
        return real_add(self, rows, files)

    def rescue(folder):
        if troubles:
            troubles.pop(0)
            raise OSError(28, "No space left on device")
        return real_rescue(folder)

    monkeypatch.setattr(Spool, "add", add)
    monkeypatch.setattr(ingest, "rescue_spool", rescue)
    one = sidecar()
    row = make_row(templates, 1)
    one.ingest.submit(Submission([row]), 1)
    until(lambda: counted(one.metrics.written) == 1)
    assert uuids_in(tmp_path) == [uuid_of(row)]
    assert one.health()[0]


def test_posts_are_taken_over_ipv6(sidecar) -> None:
    try:
        one = sidecar(http=("::1", 0))
    except OSError:
        pytest.skip("no IPv6 loopback here")
    with urllib.request.urlopen(
        f"http://[::1]:{one.receiver.server.server_port}/healthz", timeout=10
    ) as answer:
        assert answer.status == 200
