from __future__ import annotations

import csv
import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from lakes import fill, make_row
from project import check_output
from replay_switch import ReplaySwitch
from terminal import show

from fsgitops.api.records import LakeRecords
from fsgitops.cdr.query import Source
from fsgitops.cdr.schema import COLUMNS
from fsgitops.cdr.spool import Spool
from fsgitops.cdr.table import draw_table
from fsgitops.cdr.tail import follow
from fsgitops.cli.cdr import invoke

CHECKOUT = Path(__file__).resolve().parents[2]


def test_list_prints_json_lines(place, capfdbinary) -> None:
    assert invoke([*place, "list", "--leg", "a", "--limit", "3", "--format", "json"]) == 0
    lines = capfdbinary.readouterr().out.splitlines()
    assert len(lines) == 3
    assert json.loads(lines[0])["leg"] == "a"


def test_records_keep_to_the_terminal_and_lose_nothing(place) -> None:
    words = ("fsgitops-cdr", *place, "list", "--limit", "3")
    whole = show(*words, columns=1000, cwd=CHECKOUT)
    narrow = show(*words, columns=80, cwd=CHECKOUT)
    assert max(map(len, whole.splitlines())) > 80 >= max(map(len, narrow.splitlines()))
    ruler = re.compile(r"-+$")
    kept, left = (
        sorted(word for word in text.split() if not ruler.match(word)) for text in (whole, narrow)
    )
    assert kept == left


def test_records_in_a_file_are_not_wrapped(place, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    out = tmp_path / "records.txt"
    assert invoke([*place, "list", "--output", str(out)]) == 0
    assert len(out.read_text().splitlines()[0]) > 80


@pytest.mark.parametrize("flag", [["--json"], ["--format", "json"]])
def test_json_has_the_same_name_in_both_programs(place, flag, capfdbinary) -> None:
    assert invoke([*place, "list", "--limit", "1", *flag]) == 0
    assert json.loads(capfdbinary.readouterr().out)["uuid"]
    assert invoke([*place, "report", *flag]) == 0
    assert json.loads(capfdbinary.readouterr().out)["by"]


def test_json_and_another_format_exclude_each_other(place, capfd) -> None:
    assert invoke([*place, "list", "--json", "--format", "csv"]) == 64
    assert "give one of them" in capfd.readouterr().err


@pytest.mark.parametrize(("name", "start"), [("x.csv", b"uuid,"), ("x.parquet", b"PAR1")])
def test_the_ending_of_a_file_chooses_its_format(place, tmp_path, name, start) -> None:
    assert invoke([*place, "list", "--output", str(tmp_path / name)]) == 0
    assert (tmp_path / name).read_bytes().startswith(start)


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (["compact", "--grace", "0"], {"date", "rows", "deleted"}),
        (["retention", "--keep-days", "1", "--dry-run"], {"date", "deleted"}),
        (["files"], {"path"}),
        (["erase", "+12025550666", "--reference", "r7"], {"rows", "files", "reference"}),
    ],
)
def test_what_was_done_is_told_as_one_json_object_a_line(place, words, names, capfd) -> None:
    assert invoke([*place, *words, "--json"]) == 0
    lines = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert all(names <= set(line) for line in lines)
    assert lines or words[0] == "compact"


def test_quiet_leaves_the_sidecars_confirmations_out(place, capfd) -> None:
    assert invoke([*place, "erase", "-q", "+12025550666", "--reference", "r7"]) == 0
    assert capfd.readouterr().out == ""
    assert invoke([*place, "-q", "retention", "--keep-days", "1", "--dry-run"]) == 0
    assert "would be deleted" in capfd.readouterr().out


@pytest.mark.parametrize(
    ("settings", "words", "code", "error"),
    [
        ("", ["list"], 64, "Usage"),
        ("", ["list", "--nothing"], 64, "Usage"),
        ("cdr: {nothing: 3}\n", ["files"], 3, "DesiredInvalid"),
    ],
)
def test_what_fails_with_json_says_so_in_json(
    tmp_path, capfd, settings, words, code, error
) -> None:
    (tmp_path / "fsgitops.yaml").write_text(settings)
    assert invoke(["-C", str(tmp_path), *words, "--json"]) == code
    told = json.loads(capfd.readouterr().out)
    check_output(told)
    assert (told["error"], told["exit_code"], bool(told["findings"])) == (error, code, code == 3)


@pytest.mark.parametrize("option", ["--did", "--number"])
@pytest.mark.parametrize(
    "typed", ["(202) 555-0667", "202-555-0667", "12025550667", "+12025550667", "%2B12025550667"]
)
def test_calls_to_a_number_are_found_in_any_of_its_forms(
    tmp_path, templates, option, typed, capfdbinary
) -> None:
    (tmp_path / "fsgitops.yaml").write_text("default_region: US\n")
    forms = ("+12025550667", "12025550667", "2025550667", "0012025550667", "12025550668")
    spool = Spool(tmp_path / "spool")
    inbound = next(n for n, e in enumerate(templates) if e.get("Call-Direction") == "inbound")
    spool.add(
        [
            make_row(templates, inbound + len(templates) * at, **{"variable_sip_req_user": form,
                     "variable_sip_to_user": form, "Caller-Destination-Number": form})
            for at, form in enumerate(forms)
        ]
    )  # fmt: skip
    (tmp_path / "lake").mkdir()
    place = ["-C", str(tmp_path), "--lake", "lake", "--spool", "spool"]
    records = LakeRecords(str(tmp_path / "lake"), tmp_path / "spool", "US")
    assert len(records.find(did="+12025550667")) == 4
    assert invoke([*place, "list", option, typed, "--json"]) == 0
    column = "did_number" if option == "--did" else "destination_number"
    told = [json.loads(line)[column] for line in capfdbinary.readouterr().out.splitlines()]
    assert sorted(told) == sorted(forms[:4])


@pytest.mark.parametrize("option", ["--did", "--number"])
def test_what_is_no_number_is_not_looked_for(place, option, capfd) -> None:
    assert invoke([*place, "list", option, "abc"]) == 64
    assert "`abc`: is no telephone number" in capfd.readouterr().err


def test_schema_as_json_has_every_column(capfd) -> None:
    assert invoke(["schema", "--json"]) == 0
    told = json.loads(capfd.readouterr().out)
    assert [item["name"] for item in told["columns"]] == [column.name for column in COLUMNS]


def test_the_places_can_stand_after_the_command(place, capfdbinary) -> None:
    assert invoke(["list", "--limit", "1", "--json", *place]) == 0
    assert json.loads(capfdbinary.readouterr().out)["uuid"]


def test_query_reads_lake_and_spool_as_one(place, capfdbinary) -> None:
    assert invoke([*place, "query", "SELECT count(*) AS n FROM cdr", "--format", "csv"]) == 0
    assert capfdbinary.readouterr().out.split() == [b"n", b"15"]


def test_query_writes_parquet(place, capfdbinary) -> None:
    assert invoke([*place, "query", "SELECT uuid FROM cdr", "--format", "parquet"]) == 0
    assert pq.read_table(io.BytesIO(capfdbinary.readouterr().out)).num_rows == 15


def test_a_wrong_query_ends_with_the_code_for_wrong_usage(place, capfd) -> None:
    assert invoke([*place, "query", "SELEC"]) == 64
    assert "the query failed" in capfd.readouterr().err


def test_a_lake_must_be_named(tmp_path, monkeypatch, capfd) -> None:
    monkeypatch.chdir(tmp_path)
    assert invoke(["list"]) == 64
    assert "cdr: {lake: …}" in capfd.readouterr().err


def test_the_settings_file_names_the_places_too(place, tmp_path, capfd) -> None:
    (tmp_path / "fsgitops.yaml").write_text("cdr:\n  lake: lake\n  spool: spool\n")
    assert invoke(["-C", str(tmp_path), "reconcile"]) == 0
    assert "waiting" in capfd.readouterr().out


def test_an_unknown_setting_is_told_with_its_place(tmp_path, capfd) -> None:
    (tmp_path / "fsgitops.yaml").write_text("cdr:\n  laek: lake\n")
    assert invoke(["-C", str(tmp_path), "files"]) == 3
    assert "fsgitops.yaml:2:3" in capfd.readouterr().err


@pytest.mark.parametrize("form", ["text", "json", "html"])
def test_report_writes_every_form_to_a_file(place, tmp_path, form) -> None:
    out = tmp_path / f"report.{form}"
    assert invoke([*place, "report", "--format", form, "--out", str(out)]) == 0
    assert "cause" in out.read_text()


def test_compact_files_and_erase_work_on_the_lake(place, capfd) -> None:
    assert invoke([*place, "compact", "--grace", "0"]) == 0
    assert invoke([*place, "files"]) == 0
    assert capfd.readouterr().out.splitlines()[-1].endswith(".parquet")
    assert invoke([*place, "erase", "+12025550666", "--reference", "r7"]) == 0
    assert "a second reading found none" in capfd.readouterr().out


def test_csv_does_not_run_as_a_formula_in_a_spreadsheet(place, capfdbinary) -> None:
    sql = "SELECT '=cmd()' AS a, '+12025550123' AS b"
    assert invoke([*place, "query", sql, "--format", "csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capfdbinary.readouterr().out.decode())))
    assert rows == [{"a": "'=cmd()", "b": "+12025550123"}]


def test_a_caller_cannot_move_the_cursor_of_whoever_reads() -> None:
    assert "\x1b" not in draw_table(["name"], [["\x1b[2J\nx"]])


def test_neither_text_nor_json_lets_a_caller_act_on_the_terminal(
    place, tmp_path, templates, capfd
) -> None:
    name = "Eve \u202eecnanif\u202c\x1b[2J\u200b"
    spool = Spool(tmp_path / "spool")
    spool.add([make_row(templates, 99, **{"Caller-Caller-ID-Name": name})])
    sql = "SELECT caller_id_name FROM cdr"
    for form in ("json", "table"):
        assert invoke([*place, "query", sql, "--format", form]) == 0
        out = capfd.readouterr().out
        assert "ecnanif" in out
        assert all(line.isprintable() for line in out.split("\n"))
        if form == "json":
            assert name in [json.loads(line)["caller_id_name"] for line in out.splitlines()]


def test_run_ends_on_sigterm_with_everything_in_the_lake(tmp_path, templates) -> None:
    switch = ReplaySwitch(templates, None)
    (tmp_path / "fsgitops.yaml").write_text(
        "targets:\n  prod:\n    conf_dir: conf\n    domain: example.com\n"
        f"    esl: {{host: 127.0.0.1, port: {switch.port}, password: {{env: SECRET}}}}\n"
        "cdr: {lake: lake, spool: spool, flush_seconds: 3600}\n"
    )
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "fsgitops.cli.cdr",
        "-C",
        str(tmp_path),
        "run",
        "--target",
        "prod",
    ]
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT), "SECRET": "hunter2"}
    process = subprocess.Popen([*command, "--http", f"127.0.0.1:{port}"], cwd=tmp_path,
                               env=environment, stderr=subprocess.PIPE, text=True)  # fmt: skip
    deadline = time.monotonic() + 30
    while not switch.listeners and time.monotonic() < deadline:
        time.sleep(0.02)
    sent = {switch.emit() for _ in range(5)}
    time.sleep(0.3)
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 0, errors
    events = [json.loads(line)["event"] for line in errors.splitlines()]
    assert events[0] == "started"
    assert events[-1] == "stopped"
    assert "hunter2" not in errors
    (part,) = (tmp_path / "lake").rglob("*.parquet")
    assert set(pq.read_table(part)["uuid"].to_pylist()) == sent
    switch.close()


def test_tail_shows_records_from_the_spool_and_those_it_was_too_slow_for(
    tmp_path, templates
) -> None:
    from lakes import flush_all

    spool, lake = fill(tmp_path, templates, 5)
    steps = iter(range(6))

    def go_on() -> bool:
        step = next(steps)
        if step == 1:
            spool.add([make_row(templates, 6)])
        if step == 2:
            spool.add([make_row(templates, 7)])
            flush_all(spool, lake)
        return step < 5

    source = Source(str(tmp_path / "lake"), tmp_path / "spool")
    shown = [
        u for table in follow(source, poll=0.0, go_on=go_on) for u in table["uuid"].to_pylist()
    ]
    assert len(shown) == len(set(shown)) == 2


@pytest.mark.parametrize(
    "words",
    [
        ["doctor"],
        ["tail"],
        ["list"],
        ["erase", "+12025550666", "--reference", "r"],
        ["reconcile"],
        ["compact"],
    ],
)
def test_only_run_makes_a_lake_or_a_spool(tmp_path, words, capfd) -> None:
    before = sorted(tmp_path.rglob("*"))
    assert invoke(["-C", str(tmp_path), "--lake", "typo", "--spool", "nothing", *words]) != 0
    assert sorted(tmp_path.rglob("*")) == before
    told = capfd.readouterr()
    if words == ["doctor"]:
        assert f"{tmp_path}/typo: not there yet; `run` makes it in {tmp_path}" in told.out
    else:
        assert f"{tmp_path}/typo: no such directory: expected a lake that" in told.err


@pytest.mark.parametrize(
    "words", [["erase", "+12025550666", "--reference", "r"], ["reconcile"]]
)  # fmt: skip
def test_a_spool_that_is_not_there_is_not_searched_and_not_made(place, tmp_path, words, capfd):
    assert invoke([*place, "--spool", "typo", *words]) == 1
    assert f"{tmp_path}/typo: no spool: expected one that `run` has written" in (
        capfd.readouterr().err
    )
    assert not (tmp_path / "typo").exists()


def test_the_documentation_has_every_column_as_the_schema_has_it() -> None:
    text = (CHECKOUT / "docs" / "cdr.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| (.*) \|$", text, re.MULTILINE)
    assert rows == [(c.name, c.kind, c.about) for c in COLUMNS]
