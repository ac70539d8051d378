"""What `erase` says is proven: nothing on disk holds the number, however it was written down."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import re
from pathlib import Path
from urllib.parse import quote

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lakes import START_US, fill, flush_all, make_row
from replay_switch import as_document, renew
from written_numbers import DIGITS, PHONE, WRITTEN, base64_text, posts

from fsgitops.cdr.erase import EraseError, Eraser, erase_from_spool, erase_number
from fsgitops.cdr.number import Number
from fsgitops.cdr.query import Source, fetch
from fsgitops.cdr.record import Row
from fsgitops.cdr.spool import JsonFile
from fsgitops.cli.cdr import invoke

NUMBER = Number(PHONE)
CALL_ID = f"{DIGITS}-7@198.51.100.9"


def everything_below(folder: Path) -> list[str]:
    """Every text on disk: bytes of files, values of Parquet files, names."""
    texts = []
    for path in folder.rglob("*"):
        texts.append(path.name)
        if path.suffix == ".parquet":
            texts.append(json.dumps(pq.read_table(path).to_pylist(), default=str))
        elif path.is_file():
            texts.append(path.read_bytes().decode("latin-1"))
    return texts


def test_a_name_with_the_number_is_erased_however_it_is_written(tmp_path, templates) -> None:
    def named(first: int) -> list[Row]:
        return [
            make_row(templates, number, **{"Caller-Caller-ID-Name": f"call {written} now"})
            for number, written in enumerate(WRITTEN.values(), first)
        ]

    spool, lake = fill(tmp_path, templates, 3)
    spool.add(named(4))
    flush_all(spool, lake)
    spool.add(named(104))
    assert erase_number(lake, tmp_path / "spool", PHONE, "r").proven
    source = Source(str(tmp_path / "lake"), tmp_path / "spool")
    names = [row["caller_id_name"] or "" for row in fetch(source, "SELECT * FROM cdr").to_pylist()]
    assert len(names) == 3 + 2 * len(WRITTEN)
    left = [how for how, written in WRITTEN.items() if any(written in name for name in names)]
    assert left == []


def test_what_is_in_quarantine_is_decoded_before_it_is_searched(tmp_path, templates) -> None:
    _, lake = fill(tmp_path, templates, 2)
    for folder in ("quarantine", "corrupt-1"):
        kept = tmp_path / "spool" / folder
        kept.mkdir()
        for name, body in posts().items():
            (kept / f"{name}-post.json").write_bytes(body)
        (kept / "other").write_bytes(b"cdr=half")
    assert erase_number(lake, tmp_path / "spool", PHONE, "r").proven
    left = sorted(path.name for path in (tmp_path / "spool").glob("*/*"))
    assert left == ["other", "other"]


def test_a_json_file_that_holds_the_number_is_deleted_whatever_its_form(
    tmp_path, templates
) -> None:
    _, lake = fill(tmp_path, templates, 2)
    folder = tmp_path / "json"
    dated = folder / "2026-11-24-10-00-00"
    dated.mkdir(parents=True)
    for name, body in posts().items():
        (folder / f"{name}.cdr.json").write_bytes(body)
        (dated / f"{name}.cdr.json").write_bytes(body)
    (folder / f"{DIGITS}.cdr.json").write_bytes(b"{}")
    (folder / "good.cdr.json").write_bytes(b"{}")
    assert erase_number(lake, None, PHONE, "r", json_dir=folder).proven
    assert [path.name for path in folder.rglob("*.json")] == ["good.cdr.json"]


def proven_in(folder: Path) -> list[bool]:
    notes = (folder / "lake" / "cdr" / "_erasures").iterdir()
    return [json.loads(note.read_text())["proven"] for note in notes]


def test_a_file_of_somebody_else_that_holds_the_number_is_told_and_stays(
    tmp_path, templates
) -> None:
    _, lake = fill(tmp_path, templates, 2)
    other = tmp_path / "json" / "a" / "b" / "c" / "notes.txt"
    other.parent.mkdir(parents=True)
    other.write_text(PHONE)
    (tmp_path / "lake" / "cdr" / "todo.txt").write_bytes(base64_text(PHONE))
    with pytest.raises(EraseError, match=r"still in: .*todo\.txt.*notes\.txt"):
        erase_number(lake, None, PHONE, "r", json_dir=tmp_path / "json")
    assert other.exists()
    assert proven_in(tmp_path) == [False]


def legs_named(templates, call_id: str) -> list:
    a = {"Unique-ID": call_id, "variable_uuid": call_id}
    b = {"variable_originating_leg_uuid": call_id, "variable_bridge_uuid": call_id}
    return [make_row(templates, 50, **a), make_row(templates, 51, **b)]


def test_a_call_id_that_the_switch_took_for_the_uuid_is_replaced_on_all_legs(
    tmp_path, templates
) -> None:
    spool, lake = fill(tmp_path, templates, 3)
    first, second = legs_named(templates, CALL_ID)
    spool.add([first])
    flush_all(spool, lake)
    spool.add([second])
    assert erase_number(lake, tmp_path / "spool", PHONE, "r").proven
    source = Source(str(tmp_path / "lake"), tmp_path / "spool")
    known = {row["uuid"]: row for row in fetch(source, "SELECT * FROM cdr").to_pylist()}
    assert len(known) == 5
    (made_up,) = [name for name in known if name.startswith("erased-")]
    b_leg = next(row for row in known.values() if row["call_uuid"] == made_up != row["uuid"])
    assert b_leg["other_leg_uuid"] == made_up
    assert not any(DIGITS in text for text in everything_below(tmp_path))


@pytest.mark.parametrize("flushed", [True, False])
def test_a_late_copy_of_a_record_that_was_renamed_does_not_come_back(
    tmp_path, templates, flushed
) -> None:
    spool, lake = fill(tmp_path, templates, 3)
    (row, _) = legs_named(templates, CALL_ID)
    spool.add([row])
    if flushed:
        flush_all(spool, lake)
    erase_number(lake, tmp_path / "spool", PHONE, "r")
    added = spool.add([row, make_row(templates, 60)])
    assert (added.fresh, added.duplicate) == (1, 1)
    flush_all(spool, lake)
    assert not any(DIGITS in text for text in everything_below(tmp_path / "lake"))


def test_rows_that_were_flushed_long_ago_leave_nothing_in_the_spools_file(
    tmp_path, templates
) -> None:
    spool, lake = fill(tmp_path, templates, 2)
    numbers = range(100, 400)
    spool.add([make_row(templates, n, **{"Caller-Caller-ID-Number": PHONE}) for n in numbers])
    flush_all(spool, lake)
    erase_number(lake, tmp_path / "spool", PHONE, "r")
    assert not any(DIGITS in text for text in everything_below(tmp_path / "spool"))


def test_a_number_that_stands_as_a_number_in_a_column_is_erased(tmp_path, templates) -> None:
    spool, lake = fill(tmp_path, templates, 1)
    changes = {"variable_waitmsec": int(DIGITS), "Caller-Caller-ID-Number": "1"}
    spool.add([make_row(templates, 3, **changes)])
    flush_all(spool, lake)
    assert erase_number(lake, tmp_path / "spool", PHONE, "r").rows >= 1
    waits = fetch(Source(str(tmp_path / "lake")), "SELECT wait_ms FROM cdr").to_pylist()
    assert int(DIGITS) not in [row["wait_ms"] for row in waits]


def broken_parquet(folder: Path) -> None:
    (part, *_) = sorted((folder / "lake").rglob("part-*.parquet"))
    part.write_bytes(b"PAR1 this is none PAR1")


def packed_text(folder: Path) -> None:
    (folder / "spool" / "quarantine").mkdir()
    (folder / "spool" / "quarantine" / "post.gz").write_bytes(gzip.compress(PHONE.encode()))


def linked_file(folder: Path) -> None:
    (folder / "elsewhere").write_text(PHONE)
    (folder / "json" / "link.cdr.json").symlink_to(folder / "elsewhere")


def linked_folder(folder: Path) -> None:
    (folder / "elsewhere").mkdir()
    (folder / "json" / "linked").symlink_to(folder / "elsewhere")


def waiting_pipe(folder: Path) -> None:
    os.mkfifo(folder / "json" / "pipe.cdr.json")


def missing_folder(folder: Path) -> None:
    (folder / "json").rmdir()


def foreign_parquet(folder: Path) -> None:
    (folder / "lake" / "cdr" / "copy.parquet").write_bytes(b"PAR1\x15\x04\x15PAR1")


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (broken_parquet, r"part-.*\.parquet: not read"),
        (packed_text, r"post\.gz \(it is compressed\)"),
        (linked_file, r"link\.cdr\.json \("),
        (linked_folder, r"linked \(a link to another directory\)"),
        (waiting_pipe, r"pipe\.cdr\.json \(not a plain file\)"),
        (missing_folder, r"json \(no such directory\)"),
        (foreign_parquet, r"copy\.parquet \(no file of this lake\)"),
    ],
)
def test_what_cannot_be_read_is_named_and_nothing_is_said_to_be_proven(
    tmp_path, templates, spoil, named, capfd
) -> None:
    fill(tmp_path, templates, 4, parts=2)
    (tmp_path / "json").mkdir()
    spoil(tmp_path)
    place = ["-C", str(tmp_path), "--lake", "lake", "--spool", "spool", "--json-dir", "json"]
    assert invoke([*place, "erase", PHONE, "--reference", "r"]) != 0
    said = capfd.readouterr()
    assert "a second reading" not in said.out
    assert "nothing is proven" in said.err
    assert re.search(named, said.err)
    assert proven_in(tmp_path) == [False]


@pytest.mark.parametrize("name", ["todo.txt", ".fsgitops.0a.tmp"])
def test_what_somebody_keeps_in_the_lake_is_read_whatever_it_is_called(
    tmp_path, templates, name
) -> None:
    _, lake = fill(tmp_path, templates, 2)
    place = Path(lake.root) / "_notes" / name
    place.parent.mkdir()
    place.write_text(f"call {PHONE}")
    with pytest.raises(EraseError, match=re.escape(f"still in: {place}")):
        erase_number(lake, tmp_path / "spool", PHONE, "r")


def test_the_reference_of_an_erasure_is_not_the_number(tmp_path, templates, capfd) -> None:
    fill(tmp_path, templates, 2)
    place = ["-C", str(tmp_path), "--lake", "lake", "--spool", "spool"]
    assert invoke([*place, "erase", PHONE, "--reference", "please 1-202-555-0666"]) == 64
    assert "the reference holds the number" in capfd.readouterr().err


@pytest.mark.parametrize(
    "typed", ["(202) 555-0666", "2025550666", "12025550666", "+1 202 555 0666", "0012025550666"]
)
@pytest.mark.parametrize("held", ["+12025550667", "2025550667", "0112025550667", "12025550667"])
def test_a_number_is_erased_in_each_of_its_forms_whichever_is_typed(
    tmp_path, templates, typed, held, capfd
) -> None:
    (tmp_path / "fsgitops.yaml").write_text("default_region: US\n")
    place = ["-C", str(tmp_path), "--lake", "lake", "--spool", "spool"]
    fill(tmp_path, templates, 3, **{"Caller-Caller-ID-Name": f"call {held}"})
    typed = typed.replace("666", "667")
    assert invoke([*place, "erase", typed, "--reference", "r"]) == 0
    assert "a second reading found none (looked for +12025550667, 20" in capfd.readouterr().out
    assert not any(held in text for text in everything_below(tmp_path / "lake"))


def test_an_erasure_that_found_nothing_says_so_and_fails(tmp_path, templates, capfd) -> None:
    fill(tmp_path, templates, 3)
    place = ["-C", str(tmp_path), "--lake", "lake", "--spool", "spool"]
    assert invoke([*place, "erase", "+12025550999", "--reference", "r"]) == 1
    told = capfd.readouterr()
    assert told.out == ""
    assert "no record has this number (looked for +12025550999)" in told.err


def test_a_national_number_without_a_region_is_told_to_be_one_form_only(
    tmp_path, templates, capfd
) -> None:
    fill(tmp_path, templates, 3, **{"Caller-Caller-ID-Name": "call 202-555-0999"})
    place = ["-C", str(tmp_path), "--lake", "lake", "--spool", "spool"]
    assert invoke([*place, "erase", "(202) 555-0999", "--reference", "r"]) == 0
    assert "only 2025550999 was looked for: to find its other forms" in capfd.readouterr().err


def test_what_is_no_number_is_not_erased(tmp_path, templates, capfd) -> None:
    fill(tmp_path, templates, 3)
    place = ["-C", str(tmp_path), "--lake", "lake", "--spool", "spool"]
    assert invoke([*place, "erase", "call 12025550666", "--reference", "r"]) == 64
    assert "is no telephone number" in capfd.readouterr().err


def test_a_json_file_that_the_spool_remembers_is_forgotten_with_its_name(
    tmp_path, templates
) -> None:
    spool, lake = fill(tmp_path, templates, 2)
    (row, _) = legs_named(templates, CALL_ID)
    spool.add([row], [JsonFile(f"/cdr/{CALL_ID}.cdr.json", 1, 1, row.hour, row.key)])
    erase_number(lake, tmp_path / "spool", PHONE, "r")
    assert spool.db.execute("SELECT count(*) FROM json_file").fetchone() == (0,)
    assert not any(DIGITS in text for text in everything_below(tmp_path))


def test_texts_with_another_number_stay(tmp_path, templates) -> None:
    _, lake = fill(tmp_path, templates, 7)
    folder = tmp_path / "json"
    folder.mkdir()
    event = renew(templates[0], 3, START_US)
    body = as_document(event).replace(DIGITS.encode(), b"12025550667")
    (folder / "other.cdr.json").write_bytes(body)
    (folder / "longer.cdr.json").write_bytes(base64_text(f"9{DIGITS}9"))
    erase_number(lake, None, PHONE, "r", json_dir=folder)
    assert len(list(folder.iterdir())) == 2


def test_a_spool_without_the_number_is_not_changed(tmp_path, templates) -> None:
    spool, _ = fill(tmp_path, templates, 2)
    rows = [make_row(templates, n, **{"Caller-Caller-ID-Number": "1000"}) for n in (3, 4)]
    spool.add(rows)
    before = spool.db.execute("SELECT * FROM record").fetchall()
    assert erase_from_spool(tmp_path / "spool", Eraser(Number("+4930123456789"))) == 0
    assert spool.db.execute("SELECT * FROM record").fetchall() == before


LAYERS = [
    lambda text: quote(text, safe=""),
    lambda text: base64_text(text).decode(),
    lambda text: base64_text(f"a{text}b").decode().rstrip("="),
    json.dumps,
    lambda text: "".join("\\u0031" if c == "1" else json.dumps(c)[1:-1] for c in text),
    lambda text: f"x {text} y",
]
UNDECODED = sorted(name for name in WRITTEN if not re.search("percent|json|base64", name))


@given(st.lists(st.sampled_from(LAYERS), max_size=3), st.sampled_from(UNDECODED))
def test_three_layers_of_encoding_hide_nothing(layers, name) -> None:
    text = WRITTEN[name]
    for layer in layers:
        text = layer(text)
    assert NUMBER.is_in_body(text.encode())


@given(st.text(max_size=60) | st.binary(max_size=60))
def test_any_text_is_searched_without_an_error(text) -> None:
    if isinstance(text, str):
        NUMBER.is_in(text)
    else:
        with contextlib.suppress(ValueError):
            NUMBER.is_in_body(text)
