"""A spool that was set back, or that has a twin, loses no record and doubles none."""

from __future__ import annotations

import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from lakes import START_US, flush_all, make_row, uuid_of
from object_stores import gs_store, s3_store
from replay_switch import as_document, renew
from sidecars import options, until

from fsgitops.cdr import identity
from fsgitops.cdr.compact import compact_lake
from fsgitops.cdr.flush import flush_once, read_keys
from fsgitops.cdr.identity import recognise_machine
from fsgitops.cdr.lake import Lake, Part, open_lake, part_name, read_part_name
from fsgitops.cdr.query import Source, fetch
from fsgitops.cdr.sidecar import Sidecar
from fsgitops.cdr.spool import Spool

DATE = "2026-11-23"
STORES = {"s3": s3_store, "gs": gs_store}


@pytest.fixture(params=["directory", *sorted(STORES)])
def lake(request, tmp_path: Path, monkeypatch):
    if request.param == "directory":
        yield open_lake(str(tmp_path / "lake"), create=True)
        return
    with STORES[request.param](monkeypatch) as url:
        yield open_lake(url, create=True)


@pytest.fixture
def local_lake(tmp_path: Path) -> Lake:
    return open_lake(str(tmp_path / "lake"), create=True)


def held(lake: Lake) -> Counter[str]:
    keys = (key for day in lake.days() for _, key in read_keys(lake, day))
    return Counter(key.split("\x1f")[1] for key in keys)


def take_in(folder: Path, templates, lake: Lake, numbers, road: str = "esl") -> list[str]:
    """One life of a spool: records come, and are flushed."""
    rows = [make_row(templates, number, road=road) for number in numbers]
    spool = Spool(folder)
    spool.add(rows)
    flush_all(spool, lake)
    spool.close()
    return [uuid_of(row) for row in rows]


def copy(folder: Path, to: Path) -> Path:
    if to.exists():
        shutil.rmtree(to)
    shutil.copytree(folder, to)
    return to


def test_a_spool_restored_from_a_snapshot_loses_and_doubles_nothing(
    tmp_path, templates, lake
) -> None:
    spool = tmp_path / "spool"
    known = take_in(spool, templates, lake, range(1, 5))
    snapshot = copy(spool, tmp_path / "snapshot")
    known += take_in(spool, templates, lake, range(5, 9))
    copy(snapshot, spool)
    # As many as came before the spool was set back, so that the numbers are the same ones.
    known += take_in(spool, templates, lake, range(9, 13))
    # The JSON directory still has the files that the spool has forgotten of.
    take_in(spool, templates, lake, range(1, 13), road="json")
    assert held(lake) == Counter(known)


def test_two_spools_cloned_from_one_image_lose_and_double_nothing(
    tmp_path, templates, lake
) -> None:
    known = take_in(tmp_path / "spool", templates, lake, range(1, 3))
    image = tmp_path / "spool"
    twins = [copy(image, tmp_path / name) for name in ("one", "two")]
    for turn in range(4):
        for number, folder in enumerate(twins):
            first = 100 + 50 * number + 5 * turn
            known += take_in(folder, templates, lake, range(first, first + 5))
    assert len(known) == 42
    assert held(lake) == Counter(known)
    assert len({Spool(folder).id for folder in twins}) == 2


def test_rows_that_waited_in_the_image_come_once_from_its_clones(tmp_path, templates, lake) -> None:
    image = Spool(tmp_path / "spool")
    waiting = [make_row(templates, number) for number in range(1, 8)]
    image.add(waiting)
    image.close()
    twins = [copy(tmp_path / "spool", tmp_path / name) for name in ("one", "two")]
    known = [uuid_of(row) for row in waiting]
    known += take_in(twins[0], templates, lake, range(100, 105))
    known += take_in(twins[1], templates, lake, range(200, 205))
    assert held(lake) == Counter(known)


def test_clones_that_flush_in_the_same_moment_write_the_same_part(
    tmp_path, templates, local_lake, monkeypatch
) -> None:
    image = Spool(tmp_path / "spool")
    waiting = [make_row(templates, number) for number in range(1, 8)]
    image.add(waiting)
    image.close()
    empty = local_lake.day(DATE)
    # Neither sees what the other writes.
    monkeypatch.setattr(Lake, "day", lambda *_: empty)
    monkeypatch.setattr(Lake, "read_claim", lambda *_: b"")
    known = [uuid_of(row) for row in waiting]
    for name, first, most in (("one", 100, 3), ("two", 200, 5)):
        spool = Spool(copy(tmp_path / "spool", tmp_path / name))
        spool.freeze_all()
        fresh = [make_row(templates, number) for number in range(first, first + 5)]
        spool.add(fresh)
        flush_all(spool, local_lake, rows=most)
        known += [uuid_of(row) for row in fresh]
    monkeypatch.undo()
    assert held(local_lake) == Counter(known)


@pytest.mark.parametrize("moment", ["write_claim", "put", "finish"])
@pytest.mark.parametrize("after", [False, True])
def test_a_restored_spool_killed_anywhere_in_its_flush_repeats_it_without_a_copy(
    tmp_path, templates, local_lake, monkeypatch, moment, after
) -> None:
    folder = tmp_path / "spool"
    known = take_in(folder, templates, local_lake, range(1, 5))
    snapshot = copy(folder, tmp_path / "snapshot")
    known += take_in(folder, templates, local_lake, range(5, 9))
    copy(snapshot, folder)
    owner = Spool if moment == "finish" else Lake
    real = getattr(owner, moment)

    def die(*args):
        if after:
            real(*args)
        raise KeyboardInterrupt

    rows = [make_row(templates, number, road="json") for number in range(3, 13)]
    spool = Spool(folder)
    spool.add(rows)
    monkeypatch.setattr(owner, moment, die)
    with pytest.raises(KeyboardInterrupt):
        flush_once(spool, local_lake, 100, 1 << 30)
    monkeypatch.undo()
    spool.close()
    take_in(folder, templates, local_lake, range(13, 15))
    known += [uuid_of(make_row(templates, number)) for number in range(9, 15)]
    assert held(local_lake) == Counter(known)


def test_a_flush_repeated_after_its_part_was_merged_brings_no_copy(
    tmp_path, templates, local_lake, monkeypatch
) -> None:
    known = take_in(tmp_path / "spool", templates, local_lake, range(1, 5))
    spool = Spool(tmp_path / "spool")
    rows = [make_row(templates, number) for number in range(5, 9)]
    spool.add(rows)
    monkeypatch.setattr(Spool, "finish", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        flush_once(spool, local_lake, 100, 1 << 30)
    monkeypatch.undo()
    former = spool.id
    compact_lake(local_lake, grace=0)
    flush_all(spool, local_lake)
    assert held(local_lake) == Counter([*known, *map(uuid_of, rows)])
    assert spool.id == former


@pytest.mark.parametrize("same", [True, False])
def test_a_part_of_old_is_written_already_only_when_it_has_the_records(
    tmp_path, templates, local_lake, same
) -> None:
    take_in(tmp_path / "other", templates, local_lake, range(1, 5) if same else range(21, 25))
    (name,) = local_lake.day(DATE).live
    spool = Spool(tmp_path / "spool")
    # Under the name that a former version gave it.
    body = local_lake.read(local_lake.path(DATE, name))
    local_lake.put(DATE, part_name(Part(spool.id, 0, 4)), body)
    local_lake.delete(DATE, [name])
    spool.close()
    take_in(tmp_path / "spool", templates, local_lake, range(1, 5))
    expected = set(range(1, 5)) if same else {*range(1, 5), *range(21, 25)}
    assert held(local_lake) == Counter(uuid_of(make_row(templates, n)) for n in expected)


def test_a_spool_of_another_machine_takes_a_new_identity_at_once(tmp_path, monkeypatch) -> None:
    spool = Spool(tmp_path)
    former = spool.id
    machine = tmp_path / "machine-id"
    monkeypatch.setattr(identity, "MACHINE_ID", machine)
    recognise_machine(spool)
    assert spool.id == former, "a machine that does not say who it is proves nothing"
    machine.write_text("0123\n")
    recognise_machine(spool)
    recognise_machine(spool)
    assert spool.id == former
    machine.write_text("4567\n")
    recognise_machine(spool)
    assert spool.id != former
    assert Spool(tmp_path).id == spool.id
    assert "0123" not in str(spool.db.execute("SELECT value FROM meta").fetchall())


def test_a_lake_that_went_back_makes_the_spool_ask_it_again(tmp_path, templates) -> None:
    lake = open_lake(str(tmp_path / "lake"), create=True)
    known = take_in(tmp_path / "spool", templates, lake, range(1, 5))
    former = Spool(tmp_path / "spool").id
    other = open_lake(str(tmp_path / "other"), create=True)
    fresh = take_in(tmp_path / "spool", templates, other, range(5, 9))
    assert Spool(tmp_path / "spool").id != former
    assert held(lake) == Counter(known)
    assert held(other) == Counter(fresh)


def test_what_waits_in_a_restored_spool_is_read_although_the_lake_has_its_numbers(
    tmp_path, templates, local_lake
) -> None:
    folder = tmp_path / "spool"
    take_in(folder, templates, local_lake, range(1, 5))
    snapshot = copy(folder, tmp_path / "snapshot")
    take_in(folder, templates, local_lake, range(5, 9))
    copy(snapshot, folder)
    Spool(folder).add([make_row(templates, number) for number in range(9, 13)])
    found = fetch(Source(str(tmp_path / "lake"), folder), "SELECT count(DISTINCT uuid) n FROM cdr")
    assert found.to_pylist() == [{"n": 12}]


def test_a_sidecar_on_a_restored_spool_removes_no_json_file_whose_record_is_not_in_the_lake(
    tmp_path, templates
) -> None:
    def live(numbers) -> list[str]:
        one = Sidecar(options(tmp_path, remove_json=True), None)
        one.start()
        events = [renew(templates[n % len(templates)], n, START_US) for n in numbers]
        for number, event in zip(numbers, events, strict=True):
            (tmp_path / "json" / f"{number}.cdr.json").write_bytes(as_document(event))
        until(lambda: not any((tmp_path / "json").iterdir()))
        one.stop()
        return [str(event["Unique-ID"]) for event in events]

    known = live(range(1, 3))
    snapshot = copy(tmp_path / "spool", tmp_path / "snapshot")
    known += live(range(3, 9))
    copy(snapshot, tmp_path / "spool")
    known += live(range(9, 15))
    assert held(open_lake(str(tmp_path / "lake"))) == Counter(known)


@pytest.mark.parametrize("digest", ["", "0123456789abcdef"])
def test_a_part_s_name_says_what_it_was_made_of(digest: str) -> None:
    part = Part("0a1b", 4, 17, digest)
    assert read_part_name(part_name(part)) == part


def test_two_sidecars_started_at_once_from_one_image_lose_and_double_nothing(
    tmp_path, templates, local_lake
) -> None:
    known = take_in(tmp_path / "image", templates, local_lake, range(1, 4))
    image = Spool(tmp_path / "image")
    waiting = [make_row(templates, number) for number in range(4, 11)]
    image.add(waiting)
    image.close()
    known += [uuid_of(row) for row in waiting]
    twins = []
    for number in (1, 2):
        home = tmp_path / f"twin-{number}"
        home.mkdir()
        copy(tmp_path / "image", home / "spool")
        chosen = options(home, remove_json=True, flush_rows=number * 5)
        twins.append(Sidecar(replace(chosen, lake=str(tmp_path / "lake")), None))
        for leg in range(number * 100, number * 100 + 20):
            event = renew(templates[leg % len(templates)], leg, START_US)
            (home / "json" / f"{leg}.cdr.json").write_bytes(as_document(event))
            known.append(str(event["Unique-ID"]))
    for one in twins:
        one.start()
    until(lambda: not list(tmp_path.glob("twin-*/json/*.json")))
    for one in twins:
        assert one.stop()
    assert held(local_lake) == Counter(known)
