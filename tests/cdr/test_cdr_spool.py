from __future__ import annotations

import shutil
import sqlite3

import pytest
from lakes import DAY_US, START_US, fill, flush_all, keys_in, make_row, uuid_of

from fsgitops.cdr.flush import flush_once
from fsgitops.cdr.lake import LakeError, open_lake
from fsgitops.cdr.quarantine import rescue_spool
from fsgitops.cdr.spool import IN_LAKE, SPOOL_FILE, JsonFile, Spool, SpoolCorruptError


def test_a_record_that_comes_by_three_roads_is_stored_once(tmp_path, templates) -> None:
    spool = Spool(tmp_path)
    rows = [make_row(templates, 1, road=road) for road in ("esl", "json", "http")]
    assert spool.add(rows[:2]) == (1, 1)
    assert spool.add(rows[2:]) == (0, 1)
    assert spool.db.execute("SELECT roads FROM seen").fetchall() == [(7,)]


def test_rows_are_there_after_the_connection_is_gone(tmp_path, templates) -> None:
    Spool(tmp_path).add([make_row(templates, 1)])
    assert Spool(tmp_path).depth()[0] == 1


def test_a_flush_that_died_before_it_was_finished_is_repeated_without_a_copy(
    tmp_path, templates, monkeypatch
) -> None:
    spool, lake = Spool(tmp_path / "spool"), open_lake(str(tmp_path / "lake"), create=True)
    spool.add([make_row(templates, n) for n in range(1, 51)])
    monkeypatch.setattr(Spool, "finish", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        flush_once(spool, lake, 100, 1 << 30)
    monkeypatch.undo()
    again = Spool(tmp_path / "spool")
    again.add([make_row(templates, 99)])
    flush_all(again, lake)
    assert len(keys_in(lake)) == 51
    assert set(keys_in(lake).values()) == {1}


def test_a_late_copy_is_known_after_the_ledger_has_forgotten_its_day(tmp_path, templates) -> None:
    spool, lake = fill(tmp_path, templates, 20)
    spool.forget_before((START_US + DAY_US) // 3_600_000_000)
    assert spool.db.execute("SELECT count(*) FROM seen").fetchone() == (0,)
    spool.add([make_row(templates, n, road="json") for n in range(1, 22)])
    flush_all(spool, lake)
    assert len(keys_in(lake)) == 21
    assert set(keys_in(lake).values()) == {1}


def test_a_fresh_spool_asks_the_lake_before_it_adds_to_an_old_day(tmp_path, templates) -> None:
    _, lake = fill(tmp_path, templates, 20)
    other = Spool(tmp_path / "other")
    other.add([make_row(templates, n, road="json") for n in range(1, 31)])
    flush_all(other, lake)
    assert len(keys_in(lake)) == 30
    assert set(keys_in(lake).values()) == {1}
    marked = other.db.execute("SELECT count(*) FROM seen WHERE roads & ?", (IN_LAKE,)).fetchone()
    assert marked == (20,)


def test_rows_that_came_before_the_day_was_learnt_are_checked_too(tmp_path, templates) -> None:
    _, lake = fill(tmp_path, templates, 20)
    other = Spool(tmp_path / "other")
    other.add([make_row(templates, n, road="json") for n in range(1, 31)])
    flush_all(other, lake, rows=3)
    assert set(keys_in(lake).values()) == {1}
    assert len(keys_in(lake)) == 30


def test_calls_of_two_days_go_to_two_folders(tmp_path, templates) -> None:
    spool, lake = Spool(tmp_path / "s"), open_lake(str(tmp_path / "lake"), create=True)
    spool.add([make_row(templates, n, start_us=START_US + n % 2 * DAY_US) for n in range(1, 11)])
    flush_all(spool, lake)
    assert [day.date for day in lake.days()] == ["2026-11-23", "2026-11-24"]


def test_a_full_disk_under_the_spool_stores_nothing_of_the_group_and_then_all(
    tmp_path, templates
) -> None:
    spool = Spool(tmp_path)
    pages = spool.db.execute("PRAGMA page_count").fetchone()[0]
    spool.db.execute(f"PRAGMA max_page_count = {pages + 4}")
    rows = [make_row(templates, n) for n in range(1, 200)]
    with pytest.raises(sqlite3.OperationalError, match="full"):
        spool.add(rows)
    assert spool.depth()[0] == 0
    spool.db.execute("PRAGMA max_page_count = 1000000")
    assert spool.add(rows).fresh == 199


def test_a_lake_that_cannot_be_written_leaves_the_rows_in_the_spool(tmp_path, templates) -> None:
    spool, lake = Spool(tmp_path / "s"), open_lake(str(tmp_path / "lake"), create=True)
    spool.add([make_row(templates, 1)])
    shutil.rmtree(tmp_path / "lake" / "cdr")
    (tmp_path / "lake" / "cdr").write_text("in the way")
    with pytest.raises((LakeError, OSError)):
        flush_once(spool, lake, 10, 1 << 20)
    (tmp_path / "lake" / "cdr").unlink()
    flush_all(spool, lake)
    assert sum(keys_in(lake).values()) == 1


@pytest.mark.parametrize("damage", ["header", "middle"])
def test_a_damaged_spool_is_moved_aside_and_nothing_comes_twice(
    tmp_path, templates, damage
) -> None:
    spool, lake = fill(tmp_path, templates, 40)
    rows = [make_row(templates, n) for n in range(41, 441)]
    spool.add(rows)
    spool.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    spool.close()
    path = tmp_path / "spool" / SPOOL_FILE
    data = bytearray(path.read_bytes())
    at = 0 if damage == "header" else len(data) // 2
    data[at : at + 40_000] = b"\xa5" * 40_000
    path.write_bytes(data)
    with pytest.raises(SpoolCorruptError):
        Spool(tmp_path / "spool", check=True)
    fresh = rescue_spool(tmp_path / "spool")
    assert list((tmp_path / "spool").glob("corrupt-*/*"))
    # The JSON directory is the durable log: it offers everything again.
    fresh.add([make_row(templates, n, road="json") for n in range(1, 441)])
    flush_all(fresh, lake)
    assert len(keys_in(lake)) == 440
    assert set(keys_in(lake).values()) == {1}


def test_what_can_be_read_of_a_damaged_spool_is_saved(tmp_path, templates) -> None:
    spool = Spool(tmp_path)
    spool.add([make_row(templates, n) for n in range(1, 101)])
    spool.close()
    assert rescue_spool(tmp_path).depth()[0] == 100


def test_a_file_is_remembered_in_the_commit_of_its_record(tmp_path, templates) -> None:
    spool = Spool(tmp_path)
    row = make_row(templates, 1, road="json")
    spool.add([row], [JsonFile("/x.json", 1, 2, row.hour, row.key)])
    assert spool.db.execute("SELECT path, key FROM json_file").fetchall() == [("/x.json", row.key)]
    assert uuid_of(row) in row.key
