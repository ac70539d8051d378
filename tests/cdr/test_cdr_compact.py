"""Compaction: small parts become large files, and no record is lost, doubled or left about."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from lakes import fill, flush_all, keys_in, make_row

from fsgitops.cdr import lake as reading
from fsgitops.cdr.compact import compact_lake
from fsgitops.cdr.lake import Lake
from fsgitops.cdr.query import Source, fetch

DATE = "2026-11-23"


def test_compacting_merges_a_day_and_changes_no_record(tmp_path, templates) -> None:
    _, lake = fill(tmp_path, templates, 60, parts=6)
    before = keys_in(lake)
    (done,) = compact_lake(lake, grace=0)
    assert (done.files_before, done.files_after, done.rows, done.deleted) == (6, 1, 60, 6)
    assert keys_in(lake) == before
    assert compact_lake(lake, grace=0) == []


def test_dead_files_stay_for_the_grace_period(tmp_path, templates) -> None:
    _, lake = fill(tmp_path, templates, 20, parts=2)
    compact_lake(lake, grace=3600)
    assert len(list((tmp_path / "lake").rglob("*.parquet"))) == 3
    assert set(keys_in(lake).values()) == {1}


@pytest.mark.parametrize("method", ["put", "commit", "delete"])
@pytest.mark.parametrize("moment", [0, 1])
def test_a_compaction_killed_anywhere_shows_every_record_once_and_can_be_repeated(
    tmp_path, templates, monkeypatch, method, moment
) -> None:
    _, lake = fill(tmp_path, templates, 60, parts=6)
    before = keys_in(lake)
    calls = []
    real = getattr(Lake, method)

    def dies(self, *args, **named):
        calls.append(args)
        if moment == 1:
            real(self, *args, **named)
        raise KeyboardInterrupt

    monkeypatch.setattr(Lake, method, dies)
    with pytest.raises(KeyboardInterrupt):
        compact_lake(lake, grace=0)
    monkeypatch.undo()
    assert calls
    assert keys_in(lake) == before
    compact_lake(lake, grace=0)
    assert keys_in(lake) == before
    assert len(list((tmp_path / "lake").rglob("*.parquet"))) == 1


def test_a_part_written_again_after_it_was_merged_stays_dead(tmp_path, templates) -> None:
    _, lake = fill(tmp_path, templates, 20, parts=2)
    name = lake.day(DATE).live[0]
    body = lake.read(lake.path(DATE, name))
    compact_lake(lake, grace=0)
    lake.put(DATE, name, body)
    assert sum(keys_in(lake).values()) == 20


def test_readers_see_every_record_once_while_it_is_compacted(tmp_path, templates) -> None:
    spool, lake = fill(tmp_path, templates, 40, parts=4)
    source = Source(str(tmp_path / "lake"))
    seen: list[tuple[int, int]] = []
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            table = fetch(source, "SELECT count(*) n, count(DISTINCT uuid) d FROM cdr")
            seen.append(tuple(table.to_pylist()[0].values()))

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for number in range(41, 49):
            spool.add([make_row(templates, number)])
            flush_all(spool, lake)
            compact_lake(lake, grace=0)
    finally:
        stop.set()
        reader.join()
    assert seen
    assert all(total == distinct for total, distinct in seen)
    totals = [total for total, _ in seen]
    assert totals == sorted(totals)
    assert totals[0] >= 40


def test_compaction_keeps_its_memory_bounded_by_batches(tmp_path, templates, monkeypatch) -> None:
    _, lake = fill(tmp_path, templates, 40, parts=2)
    monkeypatch.setattr(reading, "BATCH_ROWS", 7)
    compact_lake(lake, grace=0)
    assert sum(keys_in(lake).values()) == 40


def test_a_compaction_that_is_killed_leaves_no_records_outside_the_lake(
    tmp_path, templates, monkeypatch
) -> None:
    _, lake = fill(tmp_path, templates, 20, parts=2)
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    seen: list[list[Path]] = []
    real = Lake.put

    def look(*given) -> None:
        seen.append(list(temporary.iterdir()))
        real(*given)

    monkeypatch.setattr(Lake, "put", look)
    compact_lake(lake)
    assert seen
    assert not any(seen)
