from __future__ import annotations

import fcntl
import json
import os
import re
import threading
from collections import Counter
from datetime import date

import pyarrow.parquet as pq
import pytest
from lakes import DAY_US, START_US, fill, flush_all, keys_in, make_row

from fsgitops.cdr import erase as erasing
from fsgitops.cdr.compact import UNDATED, compact_lake, expire
from fsgitops.cdr.erase import erase_number
from fsgitops.cdr.flush import read_keys
from fsgitops.cdr.lake import Lake, LakeError, open_lake
from fsgitops.cdr.number import number_pattern
from fsgitops.cdr.query import Source, Wanted, fetch, list_records
from fsgitops.cdr.reconcile import reconcile
from fsgitops.cdr.schema import COLUMN_NAMES, SCHEMA_VERSION, VERSION_KEY
from fsgitops.cdr.spool import Spool
from fsgitops.cli.cdr import invoke
from fsgitops.errors import UsageError

DATE = "2026-11-23"


def test_every_part_says_which_version_of_the_schema_it_has(tmp_path, templates) -> None:
    fill(tmp_path, templates, 5)
    (part,) = (tmp_path / "lake").rglob("*.parquet")
    found = pq.read_schema(part)
    assert tuple(found.names) == COLUMN_NAMES
    assert found.metadata[VERSION_KEY] == str(SCHEMA_VERSION).encode()
    assert pq.ParquetFile(part).metadata.row_group(0).column(0).compression == "ZSTD"


def test_two_commits_at_once_do_not_both_count(tmp_path, templates) -> None:
    _, lake = fill(tmp_path, templates, 20, parts=2)
    day = lake.day(DATE)
    lake.commit(day, [], [], "first")
    with pytest.raises(LakeError, match="somebody else"):
        lake.commit(day, [], [], "second")


def test_a_spooled_record_is_listed_before_it_is_in_the_lake_and_once_after(
    tmp_path, templates
) -> None:
    spool, lake = fill(tmp_path, templates, 10)
    spool.add([make_row(templates, 11)])
    source = Source(str(tmp_path / "lake"), tmp_path / "spool")
    count = "SELECT count(*) n FROM cdr"
    assert fetch(source, count).to_pylist() == [{"n": 11}]
    flush_all(spool, lake)
    assert fetch(source, count).to_pylist() == [{"n": 11}]


def test_a_record_in_both_places_for_a_moment_is_read_once(
    tmp_path, templates, monkeypatch
) -> None:
    spool, lake = fill(tmp_path, templates, 10)
    spool.add([make_row(templates, 11)])
    monkeypatch.setattr(Spool, "finish", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        flush_all(spool, lake)
    source = Source(str(tmp_path / "lake"), tmp_path / "spool")
    assert fetch(source, "SELECT count(*) n FROM cdr").to_pylist() == [{"n": 11}]


def test_listing_filters_by_agent_number_time_and_cause(tmp_path, templates) -> None:
    fill(tmp_path, templates, 70)
    source = Source(str(tmp_path / "lake"))
    assert list_records(source, Wanted(agent="1020")).num_rows == 60
    assert list_records(source, Wanted(agent="1020", leg="a", limit=5)).num_rows == 5
    assert list_records(source, Wanted(number=("15550000000",))).num_rows == 10
    assert list_records(source, Wanted(since="2026-11-24")).num_rows == 0
    assert list_records(source, Wanted(until="2026-11-24", cause="normal_clearing")).num_rows == 70


@pytest.mark.parametrize("evil", ["' OR 1=1 --", "1020'; DROP VIEW cdr; --"])
def test_a_filter_is_a_value_and_never_sql(tmp_path, templates, evil) -> None:
    fill(tmp_path, templates, 7)
    assert list_records(Source(str(tmp_path / "lake")), Wanted(agent=evil)).num_rows == 0


def test_wrong_sql_is_a_usage_error(tmp_path, templates) -> None:
    fill(tmp_path, templates, 7)
    with pytest.raises(UsageError, match="the query failed"):
        fetch(Source(str(tmp_path / "lake")), "SELEC 1")


def test_retention_keeps_records_whose_age_nobody_knows(tmp_path) -> None:
    lake = open_lake(str(tmp_path / "lake"), create=True)
    lake.put(UNDATED, "part-1.parquet", b"x")
    assert expire(lake, 1, today=date(2026, 11, 25)) == []


def test_retention_deletes_whole_days_that_are_older(tmp_path, templates) -> None:
    spool, lake = fill(tmp_path, templates, 10)
    spool.add([make_row(templates, n, start_us=START_US + DAY_US) for n in range(11, 16)])
    flush_all(spool, lake)
    assert expire(lake, 1, today=date(2026, 11, 25), dry=True) == [DATE]
    assert expire(lake, 1, today=date(2026, 11, 25)) == [DATE]
    assert [day.date for day in lake.days()] == ["2026-11-24"]


def test_erasing_a_number_leaves_the_records_and_no_trace_of_the_number(
    tmp_path, templates
) -> None:
    spool, lake = fill(tmp_path, templates, 70, parts=2)
    spool.add([make_row(templates, n) for n in range(71, 78)])
    done = erase_number(lake, tmp_path / "spool", "+1 202 555 0666", "request 7")
    assert done.rows > 0
    assert done.spool_rows > 0
    assert not done.left
    source = Source(str(tmp_path / "lake"), tmp_path / "spool")
    assert fetch(source, "SELECT count(*) n FROM cdr").to_pylist() == [{"n": 77}]
    texts = fetch(source, "SELECT * FROM cdr").to_pylist()
    assert "2025550666" not in json.dumps(texts, default=str)
    for path in (tmp_path / "lake").rglob("*.parquet"):
        assert "2025550666" not in json.dumps(pq.read_table(path).to_pylist(), default=str)


def test_an_erasure_is_logged_without_the_number(tmp_path, templates) -> None:
    _, lake = fill(tmp_path, templates, 14)
    erase_number(lake, None, "+12025550666", "request 7")
    (note,) = (tmp_path / "lake" / "cdr" / "_erasures").iterdir()
    text = note.read_text()
    assert '"reference":"request 7"' in text
    assert '"proven":true' in text
    assert "2025550666" not in text


def test_an_erased_number_does_not_come_back_by_a_late_copy(tmp_path, templates) -> None:
    spool, lake = fill(tmp_path, templates, 14)
    erase_number(lake, tmp_path / "spool", "+12025550666", "request 7")
    spool.add([make_row(templates, n, road="json") for n in range(1, 15)])
    flush_all(spool, lake)
    texts = fetch(Source(str(tmp_path / "lake")), "SELECT * FROM cdr").to_pylist()
    assert len(texts) == 14
    assert "2025550666" not in json.dumps(texts, default=str)


def test_a_number_within_another_number_is_not_erased(tmp_path, templates) -> None:
    _, lake = fill(tmp_path, templates, 14)
    assert erase_number(lake, None, "2025550", "request 8").rows == 0


def test_reconcile_names_the_record_that_only_the_switch_has(tmp_path, templates) -> None:
    from replay_switch import as_document, renew

    fill(tmp_path, templates, 10)
    folder = tmp_path / "json"
    folder.mkdir()
    for number in (1, 2, 99):
        event = renew(templates[number % len(templates)], number, START_US)
        (folder / f"{event['Unique-ID']}.cdr.json").write_bytes(as_document(event))
        last = event["Unique-ID"]
    (folder / "half.cdr.json").write_bytes(b'{"core-uuid":')
    source = Source(str(tmp_path / "lake"), tmp_path / "spool")
    found = reconcile(source, folder, "", "9999")
    assert found.missing == [last]
    assert [p.endswith("half.cdr.json") for p in found.unreadable] == [True]
    (hour,) = found.hours
    assert (hour.json_files, hour.by_esl, hour.lake) == (3, 10, 10)


@pytest.mark.parametrize("spelt", ["+1 (202) 555-0666", "1.202.555.0666", "%2B12025550666"])
def test_a_number_is_erased_however_it_is_spaced(tmp_path, templates, spelt) -> None:
    spool, lake = fill(tmp_path, templates, 7)
    spool.add([make_row(templates, 8, **{"Caller-Caller-ID-Name": f"call {spelt}"})])
    flush_all(spool, lake)
    erase_number(lake, tmp_path / "spool", "+12025550666", "request 9")
    names = fetch(Source(str(tmp_path / "lake")), "SELECT caller_id_name FROM cdr").to_pylist()
    assert spelt not in json.dumps(names)


def test_a_short_number_is_not_found_in_a_version() -> None:
    assert re.search(number_pattern("52100"), "Phone/5.2.100") is None


@pytest.mark.parametrize("work", ["erase", "compact"])
def test_what_a_killed_writer_left_half_done_is_deleted(tmp_path, templates, work) -> None:
    _, lake = fill(tmp_path, templates, 14)
    left = tmp_path / "lake" / "cdr" / f"date={DATE}" / ".part-0a-000-001.parquet.77.tmp"
    left.write_bytes(b"+12025550666")
    if work == "erase":
        erase_number(lake, None, "+12025550666", "request 10")
    else:
        compact_lake(lake)
        assert left.exists()
        os.utime(left, (1, 1))
        compact_lake(lake)
    assert not left.exists()


def test_an_erasure_waits_for_the_flush_that_is_under_way(tmp_path, templates, monkeypatch) -> None:
    (tmp_path / "spool").mkdir()
    with (tmp_path / "spool" / "lock").open("wb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        spool, lake = fill(tmp_path, templates, 7)
        spool.add([make_row(templates, n) for n in range(8, 15)])
        real, fetched, waits = Lake.put, threading.Event(), threading.Event()

        def put(self, date, name, body):
            if name.startswith("part-"):
                fetched.set()
                assert waits.wait(20)
            real(self, date, name, body)

        monkeypatch.setattr(Lake, "put", put)
        monkeypatch.setattr(erasing.time, "sleep", lambda _: waits.set())

        def flush() -> None:
            own = Spool(tmp_path / "spool")
            flush_all(own, lake)
            own.close()

        flushing = threading.Thread(target=flush)
        flushing.start()
        assert fetched.wait(20)
        done = erase_number(lake, tmp_path / "spool", "+12025550666", "request 11")
        flushing.join()
    assert not done.left
    for path in (tmp_path / "lake").rglob("*.parquet"):
        assert "2025550666" not in json.dumps(pq.read_table(path).to_pylist(), default=str)


def test_an_erasure_proves_nothing_while_a_flush_does_not_end(tmp_path, templates) -> None:
    spool, _ = fill(tmp_path, templates, 7)
    spool.add([make_row(templates, 8)])
    spool.freeze(10, 1 << 30)
    erasing.wait_for_flush(tmp_path / "spool", 0.0)
    with (tmp_path / "spool" / "lock").open("wb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(erasing.EraseError, match="nothing is proven"):
            erasing.wait_for_flush(tmp_path / "spool", 0.0)


def test_a_damaged_spool_is_told_and_no_fault(tmp_path, templates) -> None:
    fill(tmp_path, templates, 7)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "spool.sqlite").write_bytes(b"garbage" * 1000)
    with pytest.raises(LakeError, match="not a database"):
        fetch(Source(str(tmp_path / "lake"), tmp_path / "other"), "SELECT 1")


BROKEN = {
    "empty": b"",
    "garbage": b"no Parquet at all",
    "cut": None,
}


@pytest.mark.parametrize("kind", sorted(BROKEN))
def test_a_part_that_is_not_whole_is_told_and_the_spool_keeps_its_rows(
    tmp_path, templates, kind
) -> None:
    _, lake = fill(tmp_path, templates, 3)
    (part,) = (tmp_path / "lake").rglob("*.parquet")
    broken = part.with_name(part.name.replace("part-", "part-abcd", 1))
    content = BROKEN[kind]
    broken.write_bytes(part.read_bytes()[:-20] if content is None else content)
    spool = Spool(tmp_path / "fresh")
    spool.add([make_row(templates, 9)])
    for attempt in (lambda: flush_all(spool, lake), lambda: compact_lake(lake, grace=0)):
        with pytest.raises(LakeError, match="not read"):
            attempt()
    broken.unlink()
    assert flush_all(spool, lake)[0].rows == 1


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"live": 1}'])
def test_a_commit_that_is_none_is_told(tmp_path, templates, text) -> None:
    _, lake = fill(tmp_path, templates, 3)
    (folder,) = (tmp_path / "lake/cdr").glob("date=*")
    (folder / "_commit-00000001.json").write_text(text)
    with pytest.raises(LakeError, match="_commit-00000001"):
        lake.days()


def test_a_part_that_went_away_is_told(tmp_path, templates) -> None:
    _, lake = fill(tmp_path, templates, 3)
    (day,) = lake.days()
    (part,) = (tmp_path / "lake").rglob("*.parquet")
    part.unlink()
    with pytest.raises(LakeError, match="not read"):
        list(read_keys(lake, day))


def test_an_old_day_that_is_deleted_half_way_brings_no_record_back(
    tmp_path, templates, monkeypatch
) -> None:
    _, lake = fill(tmp_path, templates, 7)

    def die(self, date: str) -> None:
        for path in (tmp_path / "lake").rglob("_commit-*.json"):
            path.unlink()
        raise LakeError("the power went")

    monkeypatch.setattr(Lake, "delete_day", die)
    with pytest.raises(LakeError):
        expire(lake, 1, today=date(2027, 1, 1))
    assert keys_in(open_lake(str(tmp_path / "lake"))) == Counter()


def linked_day(folder, templates):
    """A lake whose one day is a link to a folder elsewhere."""
    spool, lake = fill(folder, templates, 7, parts=1)
    spool.close()
    outside = folder / "outside"
    (folder / "lake" / "cdr" / f"date={DATE}").rename(outside)
    (outside / "letter.txt").write_text("mine")
    (folder / "lake" / "cdr" / f"date={DATE}").symlink_to(outside)
    return lake, {path.name: path.read_bytes() for path in outside.iterdir()}


@pytest.mark.parametrize(
    "words", [["retention", "--keep-days", "1"], ["compact", "--min-files", "1", "--grace", "0"]]
)
def test_a_day_folder_that_is_a_link_is_left_alone_and_told(
    tmp_path, templates, capsys, words
) -> None:
    lake, before = linked_day(tmp_path, templates)
    spool = Spool(tmp_path / "spool")
    spool.add([make_row(templates, n, start_us=START_US - 400 * DAY_US) for n in (21, 22)])
    flush_all(spool, lake, rows=1)
    spool.close()
    assert invoke(["-C", str(tmp_path), "--lake", "lake", *words]) == 1
    told = capsys.readouterr()
    assert f"date={DATE}: is a link: left alone" in told.err
    assert DATE not in told.out
    # The others are seen to.
    assert told.out.startswith("2025-10-19")
    assert {path.name: path.read_bytes() for path in (tmp_path / "outside").iterdir()} == before


def test_nothing_is_written_or_erased_through_a_day_folder_that_is_a_link(
    tmp_path, templates
) -> None:
    lake, before = linked_day(tmp_path, templates)
    spool = Spool(tmp_path / "spool")
    spool.add([make_row(templates, 31)])
    for attempt in (
        lambda: flush_all(spool, lake),
        lambda: erase_number(lake, None, "+12025550666", "request 12"),
        lambda: lake.delete(DATE, list(before)),
        lambda: lake.delete_day(DATE),
    ):
        with pytest.raises(LakeError, match="is a link"):
            attempt()
    assert spool.depth()[0] == 1
    assert {path.name: path.read_bytes() for path in (tmp_path / "outside").iterdir()} == before
