"""The road of JSON files: each is read once it is whole, and removed only once it is kept."""

from __future__ import annotations

import json
import os
import threading
import time

from lakes import make_row, uuid_of
from replay_switch import ReplaySwitch, as_document
from sidecars import counted, event, reach, until, uuids_in, write

from fsgitops.cdr.spool import Spool


def test_files_of_both_legs_and_of_rotated_folders_are_read(tmp_path, templates, sidecar) -> None:
    events = [event(templates, n) for n in range(1, 5)]
    one = sidecar()
    for number, name in enumerate(("a_x", "y", "2026-11-23-10-00-00/z", "w")):
        write(tmp_path, f"{name}.cdr.json", as_document(events[number]))
    until(lambda: counted(one.metrics.written) == 4)
    assert uuids_in(tmp_path) == sorted(str(e["Unique-ID"]) for e in events)


def test_files_are_kept_unless_asked_and_read_once(tmp_path, templates, sidecar) -> None:
    path = write(tmp_path, "x.cdr.json", as_document(event(templates, 1)))
    one = sidecar()
    until(lambda: counted(one.metrics.written) == 1)
    assert path.exists()
    assert counted(one.metrics.received.labels("json")) == 1


def test_a_file_is_removed_only_when_its_record_is_in_the_lake(
    tmp_path, templates, sidecar
) -> None:
    (tmp_path / "lake").mkdir()
    (tmp_path / "lake" / "cdr").write_text("in the way")
    path = write(tmp_path, "x.cdr.json", as_document(event(templates, 1)))
    one = sidecar(remove_json=True)
    until(lambda: "lake" in one.metrics.troubles())
    assert path.exists()
    assert one.health()[0] is False
    (tmp_path / "lake" / "cdr").unlink()
    until(lambda: not path.exists())
    assert len(uuids_in(tmp_path)) == 1


def test_a_file_that_grows_is_read_when_it_is_whole(tmp_path, templates, sidecar) -> None:
    body = as_document(event(templates, 1))
    path = write(tmp_path, "x.cdr.json", body[:500])
    one = sidecar(settle_seconds=60.0)
    until(lambda: one.watcher.unsettled)
    path.write_bytes(body)
    until(lambda: counted(one.metrics.written) == 1)
    assert not list((tmp_path / "spool").glob("quarantine/*"))


def test_a_file_that_stays_cut_off_goes_to_the_quarantine(tmp_path, templates, sidecar) -> None:
    body = as_document(event(templates, 1))[:500]
    path = write(tmp_path, "x.cdr.json", body)
    one = sidecar()
    until(lambda: not path.exists())
    (kept,) = (tmp_path / "spool" / "quarantine").iterdir()
    assert kept.read_bytes() == body
    assert counted(one.metrics.quarantined.labels("json")) == 1


def nameless(templates, number: int) -> bytes:
    document = json.loads(as_document(event(templates, number)))
    del document["switchname"]
    return json.dumps(document).encode()


def test_a_file_that_names_no_switch_stays_where_it_is_and_is_told(
    tmp_path, templates, sidecar
) -> None:
    path = write(tmp_path, "x.cdr.json", nameless(templates, 1))
    one = sidecar(remove_json=True, settle_seconds=0.0)
    until(lambda: "switch: NAME" in one.metrics.troubles().get("json", ""))
    assert path.exists()
    assert not list((tmp_path / "spool").glob("quarantine/*"))


def test_a_file_that_names_no_switch_is_that_of_the_one_that_is_set(
    tmp_path, templates, sidecar
) -> None:
    write(tmp_path, "x.cdr.json", nameless(templates, 1))
    sidecar(switch=str(event(templates, 1)["FreeSWITCH-Switchname"]))
    until(lambda: uuids_in(tmp_path) == [uuid_of(make_row(templates, 1))])


def test_a_file_that_names_no_switch_is_that_of_the_one_that_is_heard(
    tmp_path, templates, sidecar
) -> None:
    switch = ReplaySwitch(templates, None)
    write(tmp_path, "x.cdr.json", nameless(templates, 99))
    one = sidecar(reach(switch.port))
    until(lambda: switch.listeners)
    sent = switch.emit()
    kept = uuid_of(make_row(templates, 99))
    until(lambda: uuids_in(tmp_path) == sorted([sent, kept]))
    assert one.metrics.troubles().get("json") is None
    switch.close()


def test_a_file_that_cannot_be_read_holds_up_no_other(
    tmp_path, templates, sidecar, monkeypatch
) -> None:
    real = os.open

    def open_but_one(path, *args, **kwargs):
        if path == "a.cdr.json":
            raise PermissionError(13, "Permission denied")
        return real(path, *args, **kwargs)

    for number, name in enumerate("abc", 1):
        write(tmp_path, f"{name}.cdr.json", as_document(event(templates, number)))
    monkeypatch.setattr(os, "open", open_but_one)
    one = sidecar()
    until(lambda: counted(one.metrics.written) == 2)
    until(lambda: "a.cdr.json: Permission denied" in one.metrics.troubles().get("json", ""))
    monkeypatch.undo()
    until(lambda: counted(one.metrics.written) == 3)
    until(lambda: "json" not in one.metrics.troubles())


def test_a_long_stall_of_the_disk_does_not_put_off_the_next_reading(
    tmp_path, templates, sidecar, monkeypatch
) -> None:
    real = Spool.add

    def add(self, rows, files=()):
        if any(row.road == "json" for row in rows) and not stalled.wait(1.0):
            stalled.set()
        return real(self, rows, files)

    stalled = threading.Event()
    monkeypatch.setattr(Spool, "add", add)
    write(tmp_path, "a.cdr.json", as_document(event(templates, 1)))
    one = sidecar()
    until(lambda: counted(one.metrics.written) == 1)
    began = time.monotonic()
    write(tmp_path, "b.cdr.json", as_document(event(templates, 2)))
    until(lambda: counted(one.metrics.written) == 2)
    assert time.monotonic() - began < 4


def test_the_spool_forgets_files_that_somebody_else_deleted(
    tmp_path, templates, sidecar, monkeypatch
) -> None:
    monkeypatch.setattr("fsgitops.cdr.watcher.LOOKED_AT_ONCE", 2)
    paths = [
        write(tmp_path, f"{number}.cdr.json", as_document(event(templates, number)))
        for number in range(1, 6)
    ]
    one = sidecar()
    until(lambda: counted(one.metrics.written) == 5)
    for path in paths[1:]:
        path.unlink()
    spool = Spool(tmp_path / "spool")
    known = "SELECT path FROM json_file"
    until(lambda: spool.db.execute(known).fetchall() == [(str(paths[0]),)])
    spool.close()


def test_a_file_that_is_written_again_under_its_name_is_read_again(
    tmp_path, templates, sidecar
) -> None:
    one = sidecar()
    first, second = event(templates, 1), event(templates, 2)
    write(tmp_path, "call.cdr.json", as_document(first))
    until(lambda: uuids_in(tmp_path) == [first["Unique-ID"]])
    write(tmp_path, "call.cdr.json", as_document(second) + b"\n")
    until(lambda: len(uuids_in(tmp_path)) == 2)
    assert second["Unique-ID"] in uuids_in(tmp_path)
    one.stop()
