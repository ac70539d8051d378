"""No thread dies or stands still in silence, whatever lies in the JSON directory."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lakes import NOW_US, make_row, uuid_of
from replay_switch import ReplaySwitch, as_document, renew
from sidecars import options, reach, until, uuids_in

from fsgitops.cdr import sidecar as sidecar_module
from fsgitops.cdr import watcher as watching
from fsgitops.cdr.flush import Flusher
from fsgitops.cdr.ingest import Ingest, Submission
from fsgitops.cdr.json_cdr import decode_document
from fsgitops.cdr.lake import open_lake
from fsgitops.cdr.listener import Listener
from fsgitops.cdr.metrics import Metrics
from fsgitops.cdr.quarantine import Quarantine
from fsgitops.cdr.query import Source
from fsgitops.cdr.receiver import Server
from fsgitops.cdr.reconcile import reconcile
from fsgitops.cdr.record import RecordBuilder, RecordError
from fsgitops.cdr.sidecar import Sidecar
from fsgitops.cdr.spool import SPOOL_FILE, Spool
from fsgitops.cdr.threads import Worker
from fsgitops.cdr.watcher import Watcher


def document(templates, number: int, **variables) -> bytes:
    event = renew(templates[number % len(templates)], number, NOW_US)
    body = json.loads(as_document(event))
    body["variables"] |= variables
    return json.dumps(body).encode()


def fall_once(monkeypatch, owner: type, method: str) -> threading.Event:
    """Make a method fail with a fault that nobody foresaw, until the event is set."""
    real, mended = getattr(owner, method), threading.Event()

    def fall(*args, **named):
        if not mended.is_set():
            raise ZeroDivisionError("nobody foresaw this")
        return real(*args, **named)

    monkeypatch.setattr(owner, method, fall)
    return mended


@pytest.mark.parametrize(
    "name", ["originating_leg_uuid", "hangup_cause", "sip_call_id", "start_uepoch"]
)
@pytest.mark.parametrize("depth", [300, 900, 100_000])
def test_a_value_nested_deep_costs_neither_the_thread_nor_a_record(
    tmp_path, templates, sidecar, name, depth
) -> None:
    (tmp_path / "json").mkdir(exist_ok=True)
    poison = tmp_path / "json" / "a.cdr.json"
    body = document(templates, 1, **{name: "nested"})
    poison.write_bytes(body.replace(b'"nested"', b'{"a":' * depth + b"1" + b"}" * depth))
    one = sidecar()
    (tmp_path / "json" / "b.cdr.json").write_bytes(document(templates, 2))
    until(lambda: uuid_of(make_row(templates, 2)) in uuids_in(tmp_path))
    # It is a record, or it is kept whole: never neither.
    until(
        lambda: (
            uuid_of(make_row(templates, 1)) in uuids_in(tmp_path)
            or list((tmp_path / "spool").glob("quarantine/*a.cdr.json"))
        )
    )
    until(lambda: one.health()[0])


_LEAF = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
_ANY = _LEAF | st.recursive(
    _LEAF,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.just("a"), inner),
    max_leaves=6,
)
_NAMES = ("uuid", "originator", "originated_legs", "dialed_user", "start_uepoch", "last_arg", "x")


@given(st.dictionaries(st.sampled_from(_NAMES), _ANY), _ANY)
def test_no_document_makes_the_builder_fail_otherwise(variables, callflow) -> None:
    body = json.dumps({"switchname": "s", "variables": variables, "callflow": callflow}).encode()
    try:
        RecordBuilder(["*"]).build(decode_document(body), "json", NOW_US)
    except RecordError:
        return


def test_a_name_that_is_a_fifo_when_it_is_opened_holds_up_neither_files_nor_the_end(
    tmp_path, templates, monkeypatch
) -> None:
    real = watching.list_json_files

    def flip(folder, *args):
        for entry in real(folder, *args):
            if entry.name == "a.cdr.json":
                Path(entry.path).unlink()
                os.mkfifo(entry.path)
            yield entry

    monkeypatch.setattr(watching, "list_json_files", flip)
    one = Sidecar(options(tmp_path), None)
    for name, number in (("a", 1), ("b", 2)):
        (tmp_path / "json" / f"{name}.cdr.json").write_bytes(document(templates, number))
    one.start()
    until(lambda: uuids_in(tmp_path) == [uuid_of(make_row(templates, 2))])
    one.stop()
    assert one.watcher is not None
    assert not one.watcher.alive


@pytest.mark.parametrize("kind", ["link", "folder-link", "fifo", "too large"])
def test_what_is_no_plain_file_is_not_read_and_not_removed(
    tmp_path, templates, sidecar, monkeypatch, kind
) -> None:
    (tmp_path / "outside").mkdir()
    target = tmp_path / "outside" / "x.cdr.json"
    target.write_bytes(document(templates, 1))
    (tmp_path / "json").mkdir()
    path = tmp_path / "json" / "x.cdr.json"
    if kind == "link":
        path.symlink_to(target)
    elif kind == "folder-link":
        path = tmp_path / "json" / "day" / "x.cdr.json"
        path.parent.symlink_to(target.parent)
    elif kind == "fifo":
        os.mkfifo(path)
    else:
        path.write_bytes(document(templates, 1))
        monkeypatch.setattr(watching, "MAX_FILE", 100)

    class Entry:
        name = path.name

        def __init__(self) -> None:
            self.path = str(path)

    # As if it had been a plain file when the directory was listed.
    monkeypatch.setattr(watching, "list_json_files", lambda *_: iter([Entry()]))
    one = sidecar(remove_json=True, settle_seconds=0.0)
    until(lambda: "x.cdr.json" in one.metrics.troubles().get("json", ""))
    assert os.path.lexists(path)
    assert target.exists()
    assert uuids_in(tmp_path) == []
    assert not list((tmp_path / "spool").glob("quarantine/*"))


def test_reconcile_names_a_fifo_and_does_not_wait_for_it(tmp_path, templates, monkeypatch) -> None:
    open_lake(str(tmp_path / "lake"), create=True)
    (tmp_path / "json").mkdir()
    path = tmp_path / "json" / "x.cdr.json"
    path.write_bytes(b"{}")
    entries = list(watching.list_json_files(tmp_path / "json"))
    path.unlink()
    os.mkfifo(path)
    monkeypatch.setattr("fsgitops.cdr.reconcile.list_json_files", lambda _: iter(entries))
    found = reconcile(Source(str(tmp_path / "lake")), tmp_path / "json", "", "9999")
    assert found.unreadable == [str(path)]


def test_a_file_that_grew_while_it_was_set_aside_stays(
    tmp_path, templates, sidecar, monkeypatch
) -> None:
    (tmp_path / "json").mkdir()
    path = tmp_path / "json" / "x.cdr.json"
    whole = document(templates, 1)
    path.write_bytes(whole[:500])
    keep = Quarantine.set_aside

    def grow(self, name, body, metrics):
        kept = keep(self, name, body, metrics)
        path.write_bytes(whole)
        return kept

    monkeypatch.setattr(Quarantine, "set_aside", grow)
    sidecar(settle_seconds=0.0)
    until(lambda: uuids_in(tmp_path) == [uuid_of(make_row(templates, 1))])
    assert path.read_bytes() == whole


@pytest.mark.parametrize(
    ("owner", "method", "name"),
    [
        (Watcher, "scan", "watcher"),
        (Flusher, "observe", "flusher"),
        (Ingest, "gather", "writer"),
        (Listener, "take_events", "listener"),
    ],
)
def test_a_thread_that_dies_is_told_and_begins_again(
    tmp_path, templates, sidecar, monkeypatch, owner, method, name
) -> None:
    mended = fall_once(monkeypatch, owner, method)
    switch = ReplaySwitch(templates, tmp_path / "json")
    one = sidecar(reach(switch.port))
    until(lambda: f"thread {name}" in one.health()[1]["troubles"])
    well, facts = one.health()
    assert not well
    assert "nobody foresaw this" in facts["troubles"][f"thread {name}"]
    mended.set()
    sent = switch.emit()
    until(lambda: uuids_in(tmp_path) == [sent])
    until(lambda: one.health()[0])
    switch.close()


def test_the_http_thread_that_dies_begins_again(sidecar, monkeypatch) -> None:
    mended = fall_once(monkeypatch, Server, "service_actions")
    one = sidecar(http=("127.0.0.1", 0))
    until(lambda: "thread http" in one.health()[1]["troubles"])
    mended.set()
    until(lambda: one.health()[0])


def test_rows_in_the_hand_of_a_writer_that_dies_are_written_by_the_next(
    tmp_path, templates, sidecar, monkeypatch
) -> None:
    mended = fall_once(monkeypatch, Spool, "add")
    one = sidecar()
    submission = Submission([make_row(templates, 1)])
    assert one.ingest.submit(submission, 1)
    until(lambda: "thread writer" in one.health()[1]["troubles"])
    assert not submission.done.is_set()
    mended.set()
    until(lambda: submission.synced)
    until(lambda: uuids_in(tmp_path) == [uuid_of(make_row(templates, 1))])


def test_a_thread_that_stands_still_is_told_and_keeps_nobody_from_ending(
    tmp_path, templates, sidecar, monkeypatch
) -> None:
    released = threading.Event()

    def hang(*_):
        released.wait()
        raise FileNotFoundError

    monkeypatch.setattr(watching, "read_below", hang)
    monkeypatch.setattr(sidecar_module, "END_SECONDS", 0.05)
    one = Sidecar(options(tmp_path), None)
    assert one.watcher is not None
    one.watcher.patience = 0.05
    (tmp_path / "json" / "x.cdr.json").write_bytes(document(templates, 1))
    one.start()
    until(lambda: "stood still" in one.health()[1]["troubles"].get("thread watcher", ""))
    assert one.health()[0] is False
    assert one.stop() is False
    assert one.watcher.alive
    released.set()
    assert one.watcher.join(20)


def test_a_thread_that_is_gone_although_nobody_ended_it_is_told(tmp_path) -> None:
    class Done(Worker):
        def _run(self) -> None:
            """Return at once."""

    thread = Done("x", options(tmp_path), Metrics(), 60.0)
    assert thread.trouble() is None
    thread.start()
    assert thread.join(20)
    assert "start the sidecar again" in str(thread.trouble())


def test_a_json_directory_that_cannot_be_read_is_not_well(tmp_path, sidecar) -> None:
    one = sidecar()
    until(lambda: one.health()[0])
    (tmp_path / "json").rename(tmp_path / "gone")
    until(lambda: one.health()[0] is False)
    assert "no such directory" in one.health()[1]["troubles"]["json directory"]
    (tmp_path / "gone").rename(tmp_path / "json")
    until(lambda: one.health()[0])


def test_a_spool_that_is_put_back_under_a_running_sidecar_gets_what_comes(
    tmp_path, templates, sidecar
) -> None:
    one = sidecar(flush_seconds=3600.0)
    folder = tmp_path / "spool"
    first = Submission([make_row(templates, 1)])
    assert one.ingest.submit(first, 1)
    until(lambda: first.synced)
    with sqlite3.connect(folder / SPOOL_FILE) as source:
        source.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    snapshot = (folder / SPOOL_FILE).read_bytes()
    for suffix in ("", "-wal", "-shm"):
        (folder / f"{SPOOL_FILE}{suffix}").unlink(missing_ok=True)
    (folder / SPOOL_FILE).write_bytes(snapshot)
    second = Submission([make_row(templates, 2)])
    assert one.ingest.submit(second, 1)
    until(lambda: second.synced)
    assert Spool(folder).depth()[0] == 2
